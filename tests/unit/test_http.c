/*
 * tests/unit/test_http.c - requests good and bad, and what they are answered.
 *
 * Names begin with the row of bad-inputs.md, H1 to H25, that they show. Every
 * input is parsed whole, byte by byte, and cut in two at every place: the
 * verdict must not depend on it. What needs a connection (time-outs, closing)
 * is in tests/qemu.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/http_hello/facts.h"
#include "apps/http_hello/http.h"
#include "apps/http_hello/pages.h"

/* What pages.c asks the machine. */
void facts_get(struct facts *facts)
{
    memset(facts, 0, sizeof(*facts));
    facts->uptime_us = 93784000000;
    memset(facts->cpu, 'x', sizeof(facts->cpu) - 1);
    memset(facts->hypervisor, 'y', sizeof(facts->hypervisor) - 1);
    facts->address = IPV4_ADDR(255, 255, 255, 255);
    facts->memory_bytes = facts->used_bytes = facts->threads = SIZE_MAX;
    facts->flows = facts->parked = UINT32_MAX;
    facts->packets_in = facts->packets_out = UINT64_MAX;
}

size_t facts_write_status(char *out, size_t size)
{
    return (size_t)snprintf(out, size, "uptime_us 1\n");
}

/* ---- one request, cut in every way ---- */

/* A verdict: the status of the answer, 0 while the request is incomplete, and
 * whether the connection may serve another request. */
struct verdict {
    uint16_t status;
    bool keep_alive;
    size_t used;
};

static struct http_parser parser;

/* Parse `len` bytes, the first `cut` of them in a call of their own; a copy of
 * each on the heap, so that reading past it is seen. */
static struct verdict parse_cut(const char *text, size_t len, size_t cut,
                                size_t step)
{
    struct verdict v = {0};
    size_t at = 0;

    http_parser_init(&parser);
    while (at < len) {
        size_t left = len - at;
        size_t piece = at < cut ? cut - at : step;
        enum http_progress progress;
        size_t used;
        char *copy;

        piece = piece < left ? piece : left;
        copy = malloc(piece);
        memcpy(copy, text + at, piece);
        progress = http_parse(&parser, copy, piece, &used);
        free(copy);
        assert_true(used <= piece);
        at += used;
        v.used = at;
        if (progress == HTTP_PARSE_MORE) {
            assert_int_equal(used, piece);
            continue;
        }
        v.keep_alive = parser.request.keep_alive;
        v.status = progress == HTTP_PARSE_BAD
                       ? parser.request.status
                       : pages_answer(&parser.request)->status;
        return v;
    }
    return v;
}

static struct verdict judge(const char *text, size_t len)
{
    struct verdict whole = parse_cut(text, len, 0, len);

    for (size_t cut = 0; cut < len; cut += 1 + len / 1024) {
        struct verdict v = parse_cut(text, len, cut, len);

        if (v.status != whole.status || v.keep_alive != whole.keep_alive)
            fail_msg("cut at %zu: %u, whole: %u: %.200s", cut, v.status,
                     whole.status, text);
    }
    assert_int_equal(parse_cut(text, len, 0, 1).status, whole.status);
    return whole;
}

#define JUDGE(literal) judge("" literal, sizeof(literal) - 1)
#define GIVES(status_wanted, literal)                                          \
    assert_int_equal(JUDGE(literal).status, (status_wanted))

#define HOST "Host: a\r\n"
#define GET  "GET / HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\n" HOST
#define TE   "Transfer-Encoding: "
#define CL   "Content-Length: "
/* A chunked request with this body. A POST that is well formed gets 405. */
#define CHUNKED(body) POST TE "chunked\r\n\r\n" body

/* ---- well-formed requests ---- */

static void get__known_paths_are_found(void **state)
{
    (void)state;
    GIVES(200, GET HOST "\r\n");
    GIVES(200, "GET /healthz HTTP/1.1\r\nhOsT: a:80\r\n\r\n");
    GIVES(200, "GET /status?x=/y HTTP/1.1\r\n" HOST "\r\n");
    GIVES(200, "HEAD / HTTP/1.1\r\n" HOST "Accept: */*\r\n\r\n");
    GIVES(404, "GET /nothing HTTP/1.1\r\n" HOST "\r\n");
    GIVES(404, "POST /nothing HTTP/1.1\r\n" HOST "\r\n");
}

static void other_methods__are_not_allowed_on_known_paths(void **state)
{
    (void)state;
    GIVES(405, POST CL "5\r\n\r\nhello");
    GIVES(405, "DELETE /healthz HTTP/1.1\r\n" HOST "\r\n");
    GIVES(405, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n");
    assert_non_null(strstr(pages_status(405)->head, "Allow: GET, HEAD\r\n"));
}

static void incomplete_request__has_no_verdict(void **state)
{
    (void)state;
    GIVES(0, "");
    GIVES(0, "GE");
    GIVES(0, GET HOST);
    GIVES(0, POST CL "5\r\n\r\nhell");
    GIVES(0, CHUNKED("5\r\nhello\r\n0\r\n"));
}

static void body__is_accepted_up_to_the_limit(void **state)
{
    struct verdict v;
    char head[128];
    size_t used;
    char *body = calloc(1, HTTP_BODY_BYTES_MAX);
    int len =
        snprintf(head, sizeof(head), POST CL "%d\r\n\r\n", HTTP_BODY_BYTES_MAX);

    (void)state;
    v = JUDGE(POST CL "5\r\n\r\nhelloGET / HTTP/1.1\r\n");
    assert_int_equal(v.used, sizeof(POST CL "5\r\n\r\nhello") - 1);
    http_parser_init(&parser);
    assert_int_equal(http_parse(&parser, head, (size_t)len, &used),
                     HTTP_PARSE_MORE);
    assert_int_equal(http_parse(&parser, body, HTTP_BODY_BYTES_MAX, &used),
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

static void H6_space_before_the_colon__400(void **state)
{
    (void)state;
    GIVES(400, POST "Content-Length : 5\r\n\r\nhello");
    GIVES(400, POST "Content-Length\t: 5\r\n\r\nhello");
}

static void H7_folded_fields__400(void **state)
{
    (void)state;
    GIVES(400, GET HOST "A: b\r\n c\r\n\r\n");
    GIVES(400, GET HOST "A:\r\n\tc\r\n\r\n");
    GIVES(400, GET " " HOST "\r\n");
    GIVES(400, GET HOST " \r\n\r\n");
}

static void H8_fields_without_colon_or_name__400(void **state)
{
    (void)state;
    GIVES(400, GET HOST "Ab\r\n\r\n");
    GIVES(400, GET HOST ": b\r\n\r\n");
    GIVES(400, GET HOST ":\r\n\r\n");
    GIVES(200, GET HOST "A:\r\n\r\n");
}

static void H9_control_bytes__400(void **state)
{
    (void)state;
    GIVES(400, GET HOST "A: b\0c\r\n\r\n");
    GIVES(400, GET HOST "A: b\rc\r\n\r\n");
    GIVES(400, GET HOST "A: b\r\rc\r\n\r\n");
    GIVES(400, GET HOST "A:\r\rc: d\r\n\r\n");
    GIVES(400, GET HOST "A: b\nc: d\r\n\r\n");
    GIVES(400, GET HOST "A: b\x7f\r\n\r\n");
    GIVES(400, GET HOST "A: b\x01\r\n\r\n");
    GIVES(400, GET HOST "A\x80: b\r\n\r\n");
    GIVES(400, GET HOST "A\xa0: b\r\n\r\n");
    GIVES(400, GET HOST "A\0: b\r\n\r\n");
}

static void H9_control_bytes__400_wherever_they_stand(void **state)
{
    static const char bad[] = {'\0', '\x1f', '\x7f'};
    static const char bad_in_target[] = {'\0', '\x7f', '\x80', '\xff'};
    char text[] = "GET /0123456789abcdefghi HTTP/1.1\r\n" HOST
                  "A: 0123456789abcdefghi\r\n\r\n";
    char *target = strchr(text, '/') + 1;
    char *value = strstr(text, "A: ") + strlen("A: ");

    (void)state;
    for (size_t at = 0; at < 19; at++) {
        char target_was = target[at];
        char value_was = value[at];

        for (size_t i = 0; i < sizeof(bad); i++) {
            value[at] = bad[i];
            assert_int_equal(judge(text, sizeof(text) - 1).status, 400);
        }
        value[at] = value_was;
        for (size_t i = 0; i < sizeof(bad_in_target); i++) {
            target[at] = bad_in_target[i];
            assert_int_equal(judge(text, sizeof(text) - 1).status, 400);
        }
        target[at] = target_was;
        assert_int_equal(judge(text, sizeof(text) - 1).status, 404);
    }
}

static void H9_high_bytes_in_values__are_no_white_space(void **state)
{
    (void)state;
    GIVES(200, GET HOST "A: \x80\x85\xa0\xff\r\n\r\n"); /* obs-text */
    GIVES(501, POST TE "chunked\x85\r\n\r\n");
    GIVES(501, POST TE "\xa0"
                       "chunked\r\n\r\n");
    GIVES(400, POST CL "5\xa0\r\n\r\nhello");
    GIVES(400, GET "Host: a\x85\r\n\r\n");
    GIVES(400, POST TE "chunked\x0b\r\n\r\n");
}

static void H10_line_ends_other_than_CRLF__400(void **state)
{
    (void)state;
    GIVES(400, "GET / HTTP/1.1\n" HOST "\r\n");
    GIVES(400, "GET / HTTP/1.1\n\n");
    GIVES(400, GET "Host: a\n\r\n");
    GIVES(400, GET HOST "\n");
    GIVES(400, GET HOST "\r\r\n");
    GIVES(400, GET HOST "\rX");
    GIVES(400, "GET / HTTP/1.1\r" HOST "\r\n");
    GIVES(400, CHUNKED("0\r\n\rX"));
    GIVES(400, CHUNKED("0\r\n\n"));
    GIVES(400, CHUNKED("0\r\nA: b\r\n\n"));
    GIVES(400, CHUNKED("0\r\nA: b\n\r\n"));
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
    assert_int_equal(parse_cut(text, len, 0, len).status, 413);
    assert_int_equal(parse_cut(text, len, 0, 1000).status, 413);
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
    status = parse_cut(text, len, 0, 1448).status;
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

static void H14_request_lines(void **state)
{
    (void)state;
    GIVES(400, " GET / HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET  / HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET /  HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET\t/ HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET /\tHTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET\n/ HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET /\nHTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET /\r\n" HOST "\r\n"); /* HTTP/0.9 */
    GIVES(400, "GET\r\n\r\n");
    GIVES(400, "/ HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET / http/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET / RTSP/1.0\r\n\r\n");
    GIVES(400, "SOURCE / ICE/1.0\r\n\r\n");
    GIVES(400, "GET / ICE/1.0\r\n\r\n");
    GIVES(505, "GET / HTTP/0.9\r\n" HOST "\r\n");
    GIVES(505, "GET / HTTP/1.2\r\n" HOST "\r\n");
    GIVES(505, "GET / HTTP/1.32\r\n" HOST "\r\n");
    GIVES(505, "GET / HTTP/2.0\r\n" HOST "\r\n");
    GIVES(505, "GET / HTTP/4294967295.255\r\n" HOST "\r\n");
}

static void H14_methods_unknown__501(void **state)
{
    char text[HTTP_METHOD_BYTES_MAX + 2];

    (void)state;
    GIVES(501, "get / HTTP/1.1\r\n" HOST "\r\n");
    GIVES(501, "FOO / HTTP/1.1\r\n" HOST "\r\n");
    GIVES(501, "GETX / HTTP/1.1\r\n" HOST "\r\n");
    GIVES(501, "CONNECT a:80 HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "DESCRIBE / RTSP/1.0\r\n" HOST "\r\n");
    GIVES(400, "F{O / HTTP/1.1\r\n" HOST "\r\n");
    memset(text, 'A', sizeof(text));
    assert_int_equal(judge(text, HTTP_METHOD_BYTES_MAX).status, 0);
    assert_int_equal(judge(text, sizeof(text)).status, 501);
}

static void H14_long_targets__414(void **state)
{
    static char text[65536];

    (void)state;
    memset(text, 'a', sizeof(text));
    memcpy(text, "GET /", 5);
    assert_int_equal(judge(text, sizeof(text)).status, 414);
    memcpy(text + HTTP_LINE_BYTES_MAX - 11, " HTTP/1.1\r\n", 11);
    memcpy(text + HTTP_LINE_BYTES_MAX, HOST "\r\n", sizeof(HOST "\r\n") - 1);
    assert_int_equal(judge(text, HTTP_LINE_BYTES_MAX + 11).status, 404);
    text[HTTP_TARGET_BYTES_MAX + 9] = '?'; /* further than what is kept */
    assert_int_equal(judge(text, HTTP_LINE_BYTES_MAX + 11).status, 404);
    text[5] = '?'; /* a long query does not hide the path */
    assert_int_equal(judge(text, HTTP_LINE_BYTES_MAX + 11).status, 200);
}

static void H15_blank_lines_before__one_at_most(void **state)
{
    (void)state;
    GIVES(200, "\r\n" GET HOST "\r\n");
    GIVES(400, "\r\n\r\n" GET HOST "\r\n");
    GIVES(400, "\n" GET HOST "\r\n");
    GIVES(400, "\r" GET HOST "\r\n");
    GIVES(400, "\r\r\n" GET HOST "\r\n");
    GIVES(400, "\r\n " GET HOST "\r\n");
}

static void H16_target_forms(void **state)
{
    (void)state;
    GIVES(200, "GET http://a/healthz HTTP/1.1\r\n" HOST "\r\n");
    GIVES(200, "GET HTTP://a:80/?x HTTP/1.1\r\n" HOST "\r\n");
    GIVES(200, "GET http://a HTTP/1.1\r\n" HOST "\r\n");
    GIVES(200, "GET http://a?x=/y HTTP/1.1\r\n" HOST "\r\n");
    GIVES(200, "GET http://b/ HTTP/1.1\r\n" HOST "\r\n"); /* RFC 9112 3.2.2 */
    GIVES(404, "GET http://a/b HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET http://u@a/ HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET http:/// HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET https://a/ HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET a:80 HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET * HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET healthz HTTP/1.1\r\n" HOST "\r\n");
}

static void H16_hosts(void **state)
{
    static char text[1024] = GET "Host: ";

    (void)state;
    GIVES(200, GET "Host: 10.0.0.2:8080\r\n\r\n");
    GIVES(200, GET "Host: [::1]:80\r\n\r\n");
    GIVES(200, GET "Host: a:\r\n\r\n");
    GIVES(200, "GET / HTTP/1.0\r\n\r\n");
    GIVES(400, GET "\r\n");
    GIVES(400, GET HOST HOST "\r\n");
    GIVES(400, "GET / HTTP/1.0\r\n" HOST HOST "\r\n");
    GIVES(400, GET "Host:\r\n\r\n");
    GIVES(400, GET "Host: \r\n\r\n");
    GIVES(400, GET "Host: u@a\r\n\r\n");
    GIVES(400, GET "Host: a, b\r\n\r\n");
    GIVES(400, GET "Host: a b\r\n\r\n");
    GIVES(400, GET "Host: a/b\r\n\r\n");
    GIVES(400, GET "Host: a:8x\r\n\r\n");
    GIVES(400, GET "Host: :80\r\n\r\n");
    GIVES(400, GET "Host: [::1\r\n\r\n");
    GIVES(400, GET "Host: []\r\n\r\n");
    GIVES(400, GET "Host: [::1]x\r\n\r\n");
    GIVES(400, GET "Host: google.com\0.x\r\n\r\n");
    memset(text + strlen(GET "Host: "), 'a', 600);
    strcpy(text + sizeof(GET "Host: ") - 1 + HTTP_HOST_BYTES_MAX, "\r\n\r\n");
    assert_int_equal(judge(text, strlen(text)).status, 200);
    strcpy(text + sizeof(GET "Host: ") + HTTP_HOST_BYTES_MAX, "\r\n\r\n");
    text[sizeof(GET "Host: ") - 1 + HTTP_HOST_BYTES_MAX] = 'a';
    assert_int_equal(judge(text, strlen(text)).status, 400);
}

static void H17_paths__nothing_is_decoded_or_resolved(void **state)
{
    (void)state;
    GIVES(404, "GET /%00 HTTP/1.1\r\n" HOST "\r\n");
    GIVES(404, "GET /%2e%2e/healthz HTTP/1.1\r\n" HOST "\r\n");
    GIVES(404, "GET /../healthz HTTP/1.1\r\n" HOST "\r\n");
    GIVES(404, "GET /..\\healthz HTTP/1.1\r\n" HOST "\r\n");
    GIVES(404, "GET /%25%32%65 HTTP/1.1\r\n" HOST "\r\n");
    GIVES(404, "GET /%c0%af HTTP/1.1\r\n" HOST "\r\n");
    GIVES(404, "GET //healthz HTTP/1.1\r\n" HOST "\r\n");
    GIVES(404, "GET // HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET /\0 HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET /\xc0\xaf HTTP/1.1\r\n" HOST "\r\n");
}

static void H18_too_many_fields__431(void **state)
{
    static char text[2 * HTTP_HEAD_BYTES_MAX] = GET HOST;
    size_t len = strlen(text);

    (void)state;
    for (int i = 1; i < HTTP_FIELDS_MAX; i++)
        len += (size_t)sprintf(text + len, "A: %d\r\n", i);
    strcpy(text + len, "\r\n");
    assert_int_equal(judge(text, len + 2).status, 200);
    strcpy(text + len, "B: c\r\n\r\n");
    assert_int_equal(judge(text, strlen(text)).status, 431);
}

static void H18_too_large_fields__431(void **state)
{
    static char text[HTTP_HEAD_BYTES_MAX + 2] = GET HOST "A: ";

    (void)state;
    memset(text + strlen(text), 'a', sizeof(text) - strlen(text));
    assert_int_equal(judge(text, sizeof(text)).status, 431);
    assert_int_equal(judge(text, HTTP_HEAD_BYTES_MAX).status, 0);
    memcpy(text + HTTP_HEAD_BYTES_MAX - 4, "\r\n\r\n", 4);
    assert_int_equal(judge(text, HTTP_HEAD_BYTES_MAX).status, 200);
}

static void H19_expectations(void **state)
{
    struct verdict v = JUDGE(POST "Expect: 100-continue\r\n" CL "5\r\n\r\n");

    (void)state;
    assert_int_equal(v.status, 405); /* at once: nobody wants the body */
    assert_true(parser.request.body_unread);
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

        http_parser_init(&parser);
        progress = http_parse(&parser, text + at, len - at, &used);
        at += used;
        if (progress != HTTP_PARSE_DONE) {
            *last_status = parser.request.status;
            return count;
        }
        count++;
        if (!parser.request.keep_alive)
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

static void H22_upgrades__are_ignored(void **state)
{
    (void)state;
    GIVES(200, GET HOST "Connection: Upgrade, HTTP2-Settings\r\n"
                        "Upgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n");
    GIVES(405, POST "Connection: Upgrade\r\nUpgrade: websocket\r\n" CL
                    "5\r\n\r\nhello");
    GIVES(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
}

static void H24_ranges__are_ignored(void **state)
{
    (void)state;
    GIVES(200, GET HOST "Range: bytes=0-0,0-0,9-1,-99999\r\n\r\n");
}

/* ---- answers ---- */

static void head__says_length_date_and_connection(void **state)
{
    const struct response *found = pages_status(404);
    const struct response_date none = {0};
    struct response_date date;
    char out[RESPONSE_HEAD_BYTES_MAX + 1];
    size_t len;

    (void)state;
    response_date_set(&date, 784111777000000); /* RFC 9110 5.6.7's example */
    assert_string_equal(date.text, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    len = response_emit_head(out, found, 14, RESPONSE_CLOSE, &date);
    out[len] = '\0';
    assert_string_equal(out, "HTTP/1.1 404 Not Found\r\n"
                             "Content-Type: text/plain; charset=utf-8\r\n"
                             "Content-Length: 14\r\n"
                             "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                             "Connection: close\r\n\r\n");
    len = response_emit_head(out, found, 0, RESPONSE_KEEP, &none);
    out[len] = '\0';
    assert_non_null(strstr(out, "Content-Length: 0\r\n\r\n"));
    len = response_emit_head(out, found, 0, RESPONSE_KEEP_SAID, &none);
    out[len] = '\0';
    assert_non_null(strstr(out, "Connection: keep-alive\r\n\r\n"));
}

static void head__has_no_date_without_a_clock(void **state)
{
    struct response_date date;

    (void)state;
    response_date_set(&date, 0);
    assert_string_equal(date.text, "");
    response_date_set(&date, UINT64_MAX);
    assert_true(strlen(date.text) < sizeof(date.text));
}

static void heads__fit_their_room_whatever_is_answered(void **state)
{
    static const uint16_t status[] = {400, 404, 405, 408, 413, 414,
                                      417, 431, 501, 503, 505};
    char out[RESPONSE_HEAD_BYTES_MAX];
    struct response_date date;

    (void)state;
    response_date_set(&date, 784111777000000);
    for (size_t i = 0; i < ARRAY_LEN(status); i++) {
        const struct response *response = pages_status(status[i]);

        assert_int_equal(response->status, status[i]);
        assert_int_equal(atoi(response->head + strlen("HTTP/1.1 ")), status[i]);
        assert_true(response_emit_head(out, response, SIZE_MAX,
                                       RESPONSE_KEEP_SAID,
                                       &date) <= sizeof(out));
    }
    assert_int_equal(pages_status(299)->status, 500);
}

static void home__fits_its_room_with_the_largest_figures(void **state)
{
    const struct response *home;
    char *out;
    size_t len;

    (void)state;
    GIVES(200, GET HOST "\r\n");
    home = pages_answer(&parser.request);
    out = malloc(home->render_bytes_max);
    len = home->render(out, home->render_bytes_max);
    assert_true(len > 1000 && len < home->render_bytes_max);
    assert_int_equal(strncmp(out, "<!doctype html>", 15), 0);
    assert_non_null(strstr(out, "1 d 02:03:04"));
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get__known_paths_are_found),
        cmocka_unit_test(other_methods__are_not_allowed_on_known_paths),
        cmocka_unit_test(incomplete_request__has_no_verdict),
        cmocka_unit_test(body__is_accepted_up_to_the_limit),
        cmocka_unit_test(H1_length_and_coding_together__400),
        cmocka_unit_test(H2_codings_other_than_chunked__501_or_400),
        cmocka_unit_test(H3_coding_in_http_1_0__400),
        cmocka_unit_test(H4_several_lengths__400),
        cmocka_unit_test(H5_lengths_that_are_not_decimal__400),
        cmocka_unit_test(H6_space_before_the_colon__400),
        cmocka_unit_test(H7_folded_fields__400),
        cmocka_unit_test(H8_fields_without_colon_or_name__400),
        cmocka_unit_test(H9_control_bytes__400),
        cmocka_unit_test(H9_control_bytes__400_wherever_they_stand),
        cmocka_unit_test(H9_high_bytes_in_values__are_no_white_space),
        cmocka_unit_test(H10_line_ends_other_than_CRLF__400),
        cmocka_unit_test(H11_chunk_sizes_and_ends__400),
        cmocka_unit_test(H12_trailers__are_ignored_and_bounded),
        cmocka_unit_test(H13_chunk_floods__are_bounded),
        cmocka_unit_test(H14_request_lines),
        cmocka_unit_test(H14_methods_unknown__501),
        cmocka_unit_test(H14_long_targets__414),
        cmocka_unit_test(H15_blank_lines_before__one_at_most),
        cmocka_unit_test(H16_target_forms),
        cmocka_unit_test(H16_hosts),
        cmocka_unit_test(H17_paths__nothing_is_decoded_or_resolved),
        cmocka_unit_test(H18_too_many_fields__431),
        cmocka_unit_test(H18_too_large_fields__431),
        cmocka_unit_test(H19_expectations),
        cmocka_unit_test(H20_pipelined_requests__are_kept_apart),
        cmocka_unit_test(H21_connection_options),
        cmocka_unit_test(H22_upgrades__are_ignored),
        cmocka_unit_test(H24_ranges__are_ignored),
        cmocka_unit_test(head__says_length_date_and_connection),
        cmocka_unit_test(head__has_no_date_without_a_clock),
        cmocka_unit_test(heads__fit_their_room_whatever_is_answered),
        cmocka_unit_test(home__fits_its_room_with_the_largest_figures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
