/*
 * tests/unit/test_http_body.c - where a request ends, and whether another may
 * follow it: lengths, codings, chunks, expectations, pipelining.
 *
 * Names begin with the row of the list of bad inputs that they show.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/http_judge.h"

static void body__is_accepted_up_to_the_limit(void **state)
{
    struct http_verdict v;
    char head[128];
    size_t used;
    char *body = calloc(1, HTTP_BODY_BYTES_MAX);
    int len =
        snprintf(head, sizeof(head), POST CL "%d\r\n\r\n", HTTP_BODY_BYTES_MAX);

    (void)state;
    v = JUDGE(POST CL "5\r\n\r\nhelloGET / HTTP/1.1\r\n");
    assert_int_equal(v.used, sizeof(POST CL "5\r\n\r\nhello") - 1);
    http_parser_init(&http_judged, NULL);
    assert_int_equal(http_parse(&http_judged, head, (size_t)len, &used),
                     HTTP_PARSE_MORE);
    assert_int_equal(http_parse(&http_judged, body, HTTP_BODY_BYTES_MAX, &used),
                     HTTP_PARSE_DONE);
    free(body);
    GIVES(413, POST CL "1048577\r\n\r\n");
}

static void H1_length_and_coding_together__400(void **state)
{
    (void)state;
    GIVES(400, POST CL "5\r\n" TE "chunked\r\n\r\n0\r\n\r\n");
    GIVES(400, POST TE "chunked\r\n" CL "5\r\n\r\n0\r\n\r\n");
    GIVES(400, POST TE "gzip\r\n" CL "5\r\n\r\n0\r\n\r\n");
    GIVES(400, POST CL "0\r\n" TE "identity\r\n\r\n");
    assert_false(
        JUDGE(POST CL "5\r\n" TE "chunked\r\n\r\n0\r\n\r\n").keep_alive);
}

static void H2_codings_other_than_chunked__501_or_400(void **state)
{
    (void)state;
    GIVES(405, CHUNKED("0\r\n\r\n"));
    GIVES(405, POST TE " CHUNKED \r\n\r\n0\r\n\r\n");
    GIVES(400, POST TE "chunked\r\n" TE "chunked\r\n\r\n0\r\n\r\n");
    GIVES(400, POST TE "gzip\r\n" TE "chunked\r\n\r\n0\r\n\r\n");
    GIVES(400, POST TE ",chunked\r\n\r\n0\r\n\r\n");
    GIVES(400, POST TE "\r\n\r\n");
    GIVES(400, POST TE "chunked, identity\r\n\r\n0\r\n\r\n");
    GIVES(501, POST TE "xchunked\r\n\r\n0\r\n\r\n");
    GIVES(501, POST TE "gzip, chunked\r\n\r\n0\r\n\r\n");
    GIVES(501, POST TE "identity\r\n\r\n");
    GIVES(501, POST TE "\"chunked\"\r\n\r\n0\r\n\r\n");
}

static void H3_coding_in_http_1_0__400(void **state)
{
    (void)state;
    GIVES(400, "POST / HTTP/1.0\r\n" TE "chunked\r\n\r\n0\r\n\r\n");
}

static void H4_several_lengths__400(void **state)
{
    (void)state;
    GIVES(400, POST CL "5\r\n" CL "6\r\n\r\nhello");
    GIVES(400, POST CL "5\r\n" CL "5\r\n\r\nhello");
    GIVES(400, POST CL "5, 5\r\n\r\nhello");
}

static void H5_lengths_that_are_not_decimal__400(void **state)
{
    (void)state;
    GIVES(400, POST CL "\r\n\r\n");
    GIVES(400, POST CL "+5\r\n\r\nhello");
    GIVES(400, POST CL "-48\r\n\r\nhello");
    GIVES(400, POST CL "0x10\r\n\r\nhello");
    GIVES(400, POST CL "1_0\r\n\r\nhello");
    GIVES(400, POST CL "1Z\r\n\r\nhello");
    GIVES(400, POST CL "5 5\r\n\r\nhello");
    GIVES(400, POST CL "18446744073709551616\r\n\r\n");
    GIVES(413, POST CL "9223372036854775808\r\n\r\n");
    GIVES(405, POST CL "010\r\n\r\n0123456789"); /* ten */
    GIVES(0, POST CL "010\r\n\r\n01234567");     /* not eight */
    GIVES(405, POST CL "5 \r\n\r\nhello");       /* white space may follow */
}

static void H11_chunk_sizes_and_ends__400(void **state)
{
    (void)state;
    GIVES(405, CHUNKED("5\r\nhello\r\n0\r\n\r\n"));
    GIVES(405, CHUNKED("00000A\r\n0123456789\r\n000\r\n\r\n"));
    GIVES(400, CHUNKED("\r\nhello\r\n0\r\n\r\n"));
    GIVES(400, CHUNKED("0x5\r\nhello\r\n0\r\n\r\n"));
    GIVES(400, CHUNKED("+5\r\nhello\r\n0\r\n\r\n"));
    GIVES(400, CHUNKED("-1\r\nhello\r\n0\r\n\r\n"));
    GIVES(400, CHUNKED(" 5\r\nhello\r\n0\r\n\r\n"));
    GIVES(400, CHUNKED("5;\r\nhello\r\n0\r\n\r\n"));
    GIVES(400, CHUNKED("5 ;a=b\r\rXhello\r\n0\r\n\r\n"));
    GIVES(400, CHUNKED("5;a=b\r\rXhello\r\n0\r\n\r\n"));
    GIVES(400, CHUNKED("fffffffffffffffff\r\nhello"));
    GIVES(400, CHUNKED("1these\r\nhello\r\n0\r\n\r\n"));
    GIVES(400, CHUNKED("5\r\nhello0\r\n\r\n"));
    GIVES(400, CHUNKED("5\r\nhello\n0\r\n\r\n"));
    GIVES(400, CHUNKED("5\r\nhello\rX0\r\n\r\n"));
    GIVES(400, CHUNKED("5\nhello\r\n0\r\n\r\n"));
    GIVES(413, CHUNKED("ffffffffffffffff\r\nhello"));
    GIVES(413, CHUNKED("100001\r\nhello"));
}

static void H12_trailers__are_ignored_and_bounded(void **state)
{
    static const char head[] = CHUNKED("0\r\n");
    static const char field[] = "A: b\r\n";
    size_t fields = HTTP_BODY_BYTES_MAX / (sizeof(field) - 1) + 1;
    size_t len = sizeof(head) - 1 + fields * (sizeof(field) - 1);
    char *text = malloc(len);

    (void)state;
    GIVES(405, CHUNKED("0\r\nA: b\r\n\r\n"));
    GIVES(405, CHUNKED("0\r\n" HOST "\r\n"));
    assert_true(JUDGE(CHUNKED("0\r\n" CL "5\r\n\r\n")).keep_alive);
    GIVES(400, CHUNKED("0\r\n" TE "chunked\r\n\r\n"));
    memcpy(text, head, sizeof(head) - 1);
    for (size_t i = 0; i < fields; i++)
        memcpy(text + sizeof(head) - 1 + i * (sizeof(field) - 1), field,
               sizeof(field) - 1);
    assert_int_equal(http_parse_cut(text, len, 0, len, NULL).status, 413);
    assert_int_equal(http_parse_cut(text, len, 0, 1000, NULL).status, 413);
    free(text);
}

/* A chunked request, its body `piece` again and again until it is too long. */
static uint16_t flood(const char *prefix, const char *piece)
{
    size_t prefix_len = strlen(prefix);
    size_t piece_len = strlen(piece);
    size_t len = prefix_len + HTTP_BODY_BYTES_MAX + 2 * piece_len;
    char *text = malloc(len);
    uint16_t status;

    memcpy(text, prefix, prefix_len);
    for (size_t at = prefix_len; at < len; at++)
        text[at] = piece[(at - prefix_len) % piece_len];
    status = http_parse_cut(text, len, 0, 1448, NULL).status;
    free(text);
    return status;
}

static void H13_chunk_floods__are_bounded(void **state)
{
    (void)state;
    assert_int_equal(flood(CHUNKED(""), "1\r\nx\r\n"), 413);
    assert_int_equal(flood(CHUNKED("5;"), "a"), 413);
    assert_int_equal(flood(CHUNKED("5;a="), "b"), 413);
    assert_int_equal(flood(CHUNKED(""), "0"), 413);
}

static void H19_expectations(void **state)
{
    struct http_verdict v =
        JUDGE(POST "Expect: 100-continue\r\n" CL "5\r\n\r\n");

    (void)state;
    assert_int_equal(v.status, 405); /* at once: nobody wants the body */
    assert_true(http_judged.request.body_unread);
    assert_false(v.keep_alive);
    v = JUDGE(GET HOST "Expect: 100-Continue\r\n\r\n"); /* no body: in vain */
    assert_int_equal(v.status, 200);
    assert_true(v.keep_alive);
    GIVES(417, GET HOST "Expect: more\r\n\r\n");
    GIVES(417, GET HOST "Expect:\r\n\r\n");
    GIVES(405,
          "POST / HTTP/1.0\r\nExpect: 100-continue\r\n" CL "5\r\n\r\nhello");
    GIVES(0, "POST / HTTP/1.0\r\nExpect: 100-continue\r\n" CL "5\r\n\r\n");
}

/* How many requests of `text` are answered before one is bad or incomplete. */
static size_t answered(const char *text, size_t len, uint16_t *last_status)
{
    size_t count = 0;
    size_t at = 0;

    *last_status = 0;
    while (at < len) {
        size_t used;
        enum http_progress progress;

        http_parser_init(&http_judged, NULL);
        progress = http_parse(&http_judged, text + at, len - at, &used);
        at += used;
        if (progress != HTTP_PARSE_DONE) {
            *last_status = http_judged.request.status;
            return count;
        }
        count++;
        if (!http_judged.request.keep_alive)
            return count;
    }
    return count;
}

#define ANSWERED(literal, status)                                              \
    answered("" literal, sizeof(literal) - 1, (status))

static void H20_pipelined_requests__are_kept_apart(void **state)
{
    enum { MANY = 10000 };
    static const char one[] = GET HOST "\r\n";
    size_t one_len = sizeof(one) - 1;
    char *text = malloc(MANY * one_len);
    uint16_t status;

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        memcpy(text + i * one_len, one, one_len);
    assert_int_equal(answered(text, MANY * one_len, &status), MANY);
    free(text);
    assert_int_equal(ANSWERED(GET HOST "\r\n" GET HOST "\r\nX\x01", &status),
                     2);
    assert_int_equal(status, 400);
    assert_int_equal(ANSWERED(POST CL "29\r\n\r\n" GET HOST
                                      "\r\n\r\n\r\n" GET HOST "\r\n",
                              &status),
                     2); /* what looks like a request is the body */
    assert_int_equal(ANSWERED(POST CL "0\r\n\r\n" GET HOST "\r\n", &status), 2);
    assert_int_equal(
        ANSWERED(CHUNKED("3\r\nGET\r\n0\r\n\r\n") GET HOST "\r\n", &status), 2);
    assert_int_equal(
        ANSWERED(GET HOST "Connection: close\r\n\r\n" GET HOST "\r\n", &status),
        1);
}

static void H21_connection_options(void **state)
{
    (void)state;
    assert_true(JUDGE(GET HOST "\r\n").keep_alive);
    assert_false(JUDGE(GET HOST "Connection: close\r\n\r\n").keep_alive);
    assert_false(
        JUDGE(GET HOST "Connection: keep-alive, Close\r\n\r\n").keep_alive);
    assert_false(JUDGE(GET HOST "Connection: close\r\n"
                                "Connection: keep-alive\r\n\r\n")
                     .keep_alive);
    assert_false(JUDGE(GET HOST "connectioN: CLOSE\r\n\r\n").keep_alive);
    assert_true(JUDGE(GET HOST "Zonnection: close\r\n\r\n").keep_alive);
    assert_true(JUDGE(GET HOST "Connectiom: close\r\n\r\n").keep_alive);
    assert_true(JUDGE(GET HOST "Connection: x\r\n\r\n").keep_alive);
    assert_false(JUDGE("GET / HTTP/1.0\r\n\r\n").keep_alive);
    assert_true(
        JUDGE("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
    assert_false(JUDGE("GET / HTTP/1.0\r\n"
                       "Connection: keep-alive, close\r\n\r\n")
                     .keep_alive);
    GIVES(0, POST "Connection: content-length\r\n" CL "5\r\n\r\n");
    GIVES(405, POST "Connection: content-length\r\n" CL "5\r\n\r\nhello");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(body__is_accepted_up_to_the_limit),
        cmocka_unit_test(H1_length_and_coding_together__400),
        cmocka_unit_test(H2_codings_other_than_chunked__501_or_400),
        cmocka_unit_test(H3_coding_in_http_1_0__400),
        cmocka_unit_test(H4_several_lengths__400),
        cmocka_unit_test(H5_lengths_that_are_not_decimal__400),
        cmocka_unit_test(H11_chunk_sizes_and_ends__400),
        cmocka_unit_test(H12_trailers__are_ignored_and_bounded),
        cmocka_unit_test(H13_chunk_floods__are_bounded),
        cmocka_unit_test(H19_expectations),
        cmocka_unit_test(H20_pipelined_requests__are_kept_apart),
        cmocka_unit_test(H21_connection_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
