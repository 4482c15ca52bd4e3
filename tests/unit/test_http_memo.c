/*
 * tests/unit/test_http_memo.c - fields that came before: the same verdict, but
 * sooner.
 *
 * What a request deserves is in test_http.c and test_http_body.c, where each is
 * judged with a memo too; here is what is remembered, and what is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/http_judge.h"

#define AGENT  "User-Agent: test\r\n"
#define FIELDS HOST AGENT "\r\n"

static struct http_memo memo;

static int setup(void **state)
{
    (void)state;
    memset(&memo, 0, sizeof(memo));
    return 0;
}

/* Parse one request, in memory of its own, with the memo. */
static struct http_verdict parse(const char *text, size_t len)
{
    return http_parse_cut(text, len, 0, len, &memo);
}

#define PARSE(literal) parse("" literal, sizeof(literal) - 1)

/* Whether what follows the target of a request is remembered. */
static bool knows(const char *text)
{
    const char *block = strstr(text, " HTTP/1.");
    size_t len = strlen(block);
    char *copy = malloc(len);
    bool found;

    memcpy(copy, block, len);
    found = http_memo_find(&memo, copy, len);
    free(copy);
    return found;
}

/* Parse it with the memo and without: the same, to every field. */
static void expect_no_difference(const char *text, size_t len)
{
    struct http_request anew, known;
    struct http_verdict v = http_parse_cut(text, len, 0, len, NULL);
    struct http_verdict w;

    anew = http_judged.request;
    w = parse(text, len);
    known = http_judged.request;
    assert_int_equal(v.status, w.status);
    assert_int_equal(v.keep_alive, w.keep_alive);
    if (v.status == 0 || anew.status != 0)
        return; /* incomplete, or refused: the rest is not to be asked for */
    assert_int_equal(v.used, w.used);
    assert_int_equal(anew.target_len, known.target_len);
    assert_int_equal(anew.status, known.status);
    assert_int_equal(anew.method, known.method);
    assert_int_equal(anew.method_known, known.method_known);
    assert_int_equal(anew.is_1_0, known.is_1_0);
    assert_int_equal(anew.body_unread, known.body_unread);
}

#define SAME(literal) expect_no_difference("" literal, sizeof(literal) - 1)

static void known_block__gives_the_same_verdict(void **state)
{
    (void)state;
    assert_int_equal(PARSE("GET / HTTP/1.1\r\n" FIELDS).status, 200);
    assert_true(knows("GET / HTTP/1.1\r\n" FIELDS));
    SAME("GET / HTTP/1.1\r\n" FIELDS);
    SAME("GET /nothing?x HTTP/1.1\r\n" FIELDS);
    SAME("HEAD /healthz HTTP/1.1\r\n" FIELDS);
    SAME("\r\nGET /healthz HTTP/1.1\r\n" FIELDS);
    assert_int_equal(PARSE("GET /nothing HTTP/1.1\r\n" FIELDS).status, 404);
    assert_int_equal(PARSE("HEAD / HTTP/1.1\r\n" FIELDS).status, 200);
    assert_int_equal(http_judged.request.method, HTTP_HEAD);
    assert_true(http_judged.request.method_known);
}

static void known_block__spares_its_second_reading(void **state)
{
    (void)state;
    PARSE("GET / HTTP/1.1\r\n" FIELDS);
    assert_int_equal(http_judged.lines.fields.hosts, 1);
    PARSE("GET /status HTTP/1.1\r\n" FIELDS);
    assert_int_equal(http_judged.lines.fields.hosts, 0);
}

static void connection_options__are_remembered_with_the_block(void **state)
{
    (void)state;
    for (unsigned times = 0; times < 2; times++) {
        assert_false(
            PARSE("GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n")
                .keep_alive);
        assert_true(PARSE("GET / HTTP/1.1\r\n" FIELDS).keep_alive);
        assert_false(PARSE("GET / HTTP/1.0\r\n" FIELDS).keep_alive);
        assert_true(http_judged.request.is_1_0);
        assert_true(
            PARSE("GET / HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n\r\n")
                .keep_alive);
    }
}

static void version__belongs_to_the_block(void **state)
{
    (void)state;
    for (unsigned times = 0; times < 2; times++) {
        assert_int_equal(PARSE("GET / HTTP/1.0\r\n\r\n").status, 200);
        assert_int_equal(PARSE("GET / HTTP/1.1\r\n\r\n").status, 400);
        assert_int_equal(PARSE("GET / HTTP/1.1\r\n" FIELDS).status, 200);
        assert_int_equal(PARSE("GET / HTTP/2.0\r\n" FIELDS).status, 505);
        assert_int_equal(PARSE("GET / HTTP/1.2\r\n" FIELDS).status, 505);
    }
}

static void block_that_differs_in_a_byte__is_read_anew(void **state)
{
    static const char values[] = {'\0', '\t', '\n', '\r',
                                  ' ',  ':',  'a',  '\xff'};
    char text[] = "GET / HTTP/1.1\r\n" FIELDS;
    size_t len = sizeof(text) - 1;
    size_t block = sizeof("GET /") - 1;

    (void)state;
    for (size_t at = block; at < len; at++) {
        char was = text[at];

        for (size_t i = 0; i < sizeof(values); i++) {
            setup(NULL);
            parse(text, len);
            text[at] = values[i];
            assert_true(values[i] == was ||
                        !http_memo_find(&memo, text + block, len - block));
            expect_no_difference(text, len);
            text[at] = was;
        }
    }
}

static void request_cut_anywhere__has_the_verdict_of_the_whole(void **state)
{
    static const char text[] = "GET /healthz HTTP/1.1\r\n" FIELDS;
    size_t len = sizeof(text) - 1;

    (void)state;
    parse(text, len);
    for (size_t cut = 0; cut < len; cut++) {
        struct http_verdict v = http_parse_cut(text, len, cut, len, &memo);

        assert_int_equal(v.status, 200);
        assert_int_equal(v.used, len);
        assert_int_equal(parse(text, cut).status, 0); /* incomplete */
    }
}

/* It would stand there twice: what is cut is not looked for. */
static void request_that_came_in_pieces__is_not_remembered(void **state)
{
    static const char text[] = "GET / HTTP/1.1\r\n" FIELDS;

    (void)state;
    http_parse_cut(text, sizeof(text) - 1, 0, 1, &memo);
    assert_false(knows(text));
    for (size_t i = 0; i < HTTP_MEMO_BLOCKS; i++)
        assert_int_equal(memo.block[i].bytes, 0);
}

static void pipelined_requests__end_where_their_blocks_end(void **state)
{
    static const char text[] =
        "GET / HTTP/1.1\r\n" FIELDS "GET /healthz HTTP/1.1\r\n" FIELDS
        "GET /x HTTP/1.1\r\n" HOST "\r\n"
        "GET / HT";
    static const size_t ends[] = {45, 97, 125};
    size_t at = 0;
    size_t used;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        http_parser_init(&http_judged, &memo);
        assert_int_equal(
            http_parse(&http_judged, text + at, sizeof(text) - 1 - at, &used),
            HTTP_PARSE_DONE);
        at += used;
        assert_int_equal(at, ends[i]);
    }
    http_parser_init(&http_judged, &memo);
    assert_int_equal(
        http_parse(&http_judged, text + at, sizeof(text) - 1 - at, &used),
        HTTP_PARSE_MORE);
}

static void request_line__is_always_read(void **state)
{
    static char text[HTTP_LINE_BYTES_MAX + 64];

    (void)state;
    PARSE("GET / HTTP/1.1\r\n" FIELDS);
    SAME("GET /\x01 HTTP/1.1\r\n" FIELDS);
    SAME("GET /\r HTTP/1.1\r\n" FIELDS);
    SAME("GET /\n HTTP/1.1\r\n" FIELDS);
    SAME("GET / HTTP/1.1 HTTP/1.1\r\n" FIELDS);
    SAME("GET / HTTP/1.1\r HTTP/1.1\r\n" FIELDS);
    SAME("GET / H HTTP/1.1\r\n" FIELDS);
    SAME("GET /  HTTP/1.1\r\n" FIELDS);
    SAME("GET * HTTP/1.1\r\n" FIELDS);
    SAME("GET  HTTP/1.1\r\n" FIELDS);
    SAME("GET http:// HTTP/1.1\r\n" FIELDS);
    SAME("GET http://a/ HTTP/1.1\r\n" FIELDS);
    SAME("GET a:80 HTTP/1.1\r\n" FIELDS);
    assert_int_equal(PARSE("GET * HTTP/1.1\r\n" FIELDS).status, 400);
    assert_int_equal(PARSE("GET http: HTTP/1.1\r\n" FIELDS).status, 400);
    for (size_t end = HTTP_LINE_BYTES_MAX - 12; end < HTTP_LINE_BYTES_MAX - 8;
         end++) {
        size_t len = end + sizeof(" HTTP/1.1\r\n" FIELDS) - 1;

        memset(text, 'a', sizeof(text));
        memcpy(text, "GET /", 5);
        memcpy(text + end, " HTTP/1.1\r\n" FIELDS, len - end);
        expect_no_difference(text, len);
        assert_int_equal(parse(text, len).status,
                         end + 11 <= HTTP_LINE_BYTES_MAX ? 404 : 414);
    }
}

static void other_methods__are_not_helped_by_memory(void **state)
{
    (void)state;
    PARSE("GET / HTTP/1.1\r\n" FIELDS);
    SAME("CONNECT / HTTP/1.1\r\n" FIELDS);
    SAME("DESCRIBE / HTTP/1.1\r\n" FIELDS);
    SAME("SOURCE / HTTP/1.1\r\n" FIELDS);
    SAME("POST / HTTP/1.1\r\n" FIELDS);
    SAME("PRI / HTTP/1.1\r\n" FIELDS);
    SAME("GETX / HTTP/1.1\r\n" FIELDS);
    SAME("get / HTTP/1.1\r\n" FIELDS);
    setup(NULL);
    PARSE("OPTIONS / HTTP/1.1\r\n" FIELDS);
    assert_false(knows("OPTIONS / HTTP/1.1\r\n" FIELDS));
}

#define FORGETS(literal)                                                       \
    do {                                                                       \
        PARSE(literal);                                                        \
        assert_false(knows(literal));                                          \
    } while (0)

static void requests_with_more_than_a_head__are_not_remembered(void **state)
{
    (void)state;
    FORGETS("GET / HTTP/1.1\r\n" HOST CL "1\r\n\r\n");
    FORGETS("GET / HTTP/1.1\r\n" HOST CL "1\r\n\r\nx");
    FORGETS("GET / HTTP/1.1\r\n" HOST TE "chunked\r\n\r\n");
    FORGETS("GET / HTTP/1.1\r\n" HOST TE "chunked\r\n\r\n0\r\n\r\n");
    FORGETS("GET / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n" CL
            "1\r\n\r\n");
}

static void refused_requests__are_not_remembered(void **state)
{
    (void)state;
    FORGETS("GET / HTTP/1.1\r\n\r\n");
    FORGETS("GET / HTTP/1.1\r\n" HOST HOST "\r\n");
    FORGETS("GET / HTTP/1.1\r\n" HOST "Expect: x\r\n\r\n");
    FORGETS("GET / HTTP/1.2\r\n" HOST "\r\n");
    FORGETS("GET / HTTP/1.1\r\n" HOST "A : b\r\n\r\n");
    FORGETS("GET / HTTP/1.1\r\n" HOST);
}

/* RFC 7541 7.1: who shares a memory of fields can probe it. */
static void credentials__are_not_remembered(void **state)
{
    (void)state;
    FORGETS("GET / HTTP/1.1\r\n" HOST "Authorization: Basic QQ==\r\n\r\n");
    FORGETS("GET / HTTP/1.1\r\n" HOST "cookie: a=b\r\nAccept: x\r\n\r\n");
    FORGETS("GET / HTTP/1.1\r\nProxy-authorization: x\r\n" HOST "\r\n");
    PARSE("GET / HTTP/1.1\r\n" HOST "Cookies: a\r\n\r\n");
    assert_true(knows("GET / HTTP/1.1\r\n" HOST "Cookies: a\r\n\r\n"));
}

/* A request whose block, from the space on, has `bytes` bytes. */
static char *request_of(size_t bytes, size_t *len)
{
    static const char begin[] = "GET / HTTP/1.1\r\n" HOST "A: ";
    char *text;

    *len = bytes + sizeof("GET /") - 1;
    text = malloc(*len);
    memset(text, 'x', *len);
    memcpy(text, begin, sizeof(begin) - 1);
    memcpy(text + *len - 4, "\r\n\r\n", 4);
    return text;
}

static bool keeps(size_t bytes)
{
    size_t len;
    char *text = request_of(bytes, &len);
    bool found;

    assert_int_equal(parse(text, len).status, 200);
    found = http_memo_find(&memo, text + len - bytes, bytes);
    expect_no_difference(text, len);
    free(text);
    return found;
}

static void long_blocks__are_read_each_time(void **state)
{
    (void)state;
    assert_true(keeps(HTTP_MEMO_BYTES_MAX - 1));
    assert_true(keeps(HTTP_MEMO_BYTES_MAX));
    assert_false(keeps(HTTP_MEMO_BYTES_MAX + 1));
    assert_false(keeps(HTTP_MEMO_BYTES_MAX * 4));
}

static void block_that_is_asked_for__outlives_those_that_are_not(void **state)
{
    (void)state;
    PARSE("GET / HTTP/1.1\r\n" FIELDS);
    for (size_t bytes = 100; bytes < 100 + 10 * HTTP_MEMO_BLOCKS; bytes++) {
        size_t len;
        char *text = request_of(bytes, &len);

        parse(text, len);
        free(text);
        PARSE("GET /healthz HTTP/1.1\r\n" FIELDS);
        assert_int_equal(http_judged.lines.fields.hosts, 0); /* not read */
    }
}

static void newest_blocks__stay(void **state)
{
    char *text[2 * HTTP_MEMO_BLOCKS];
    size_t len[2 * HTTP_MEMO_BLOCKS];
    size_t block = sizeof("GET /") - 1;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(text); i++) {
        text[i] = request_of(100 + i, &len[i]);
        parse(text[i], len[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(text); i++) {
        const void *found =
            http_memo_find(&memo, text[i] + block, len[i] - block);

        assert_int_equal(found != NULL, i >= HTTP_MEMO_BLOCKS);
        free(text[i]);
    }
}

/* How many of `count` blocks that come but once are remembered. */
static size_t kept_of_strangers(size_t first_bytes, size_t count)
{
    size_t kept = 0;

    for (size_t bytes = first_bytes; bytes < first_bytes + count; bytes++) {
        uint16_t hand = memo.hand;
        size_t len;
        char *text = request_of(bytes, &len);

        assert_int_equal(parse(text, len).status, 200);
        free(text);
        kept += memo.hand != hand;
    }
    return kept;
}

static void memo_that_does_not_help__is_asked_now_and_then(void **state)
{
    size_t rounds = 5;

    (void)state;
    assert_int_equal(kept_of_strangers(100, HTTP_MEMO_MISSES_MANY),
                     HTTP_MEMO_MISSES_MANY);
    assert_int_equal(kept_of_strangers(200, rounds * HTTP_MEMO_ASKED_EVERY),
                     rounds);
}

static void memo_that_helps_again__is_asked_each_time(void **state)
{
    size_t len;
    char *text = request_of(50, &len);

    (void)state;
    kept_of_strangers(100, HTTP_MEMO_MISSES_MANY);
    for (size_t i = 0; i < 2 * HTTP_MEMO_ASKED_EVERY; i++)
        parse(text, len); /* kept, and found */
    assert_int_equal(memo.misses, 0);
    parse(text, len);
    assert_int_equal(http_judged.lines.fields.hosts, 0); /* not read */
    free(text);
}

static void memo_in_which_all_were_asked_for__takes_another(void **state)
{
    (void)state;
    for (size_t bytes = 100; bytes < 100 + HTTP_MEMO_BLOCKS; bytes++)
        assert_true(keeps(bytes));
    assert_true(keeps(200));
    assert_true(keeps(201));
}

/* One that is nearly the same each time costs a word, not all before that. */
static void
word_compared_first__is_where_the_last_stranger_differed(void **state)
{
    size_t len;
    char *text = request_of(200, &len);
    size_t other = len - 20;
    size_t other_in_block = other - (sizeof("GET /") - 1);

    (void)state;
    parse(text, len);
    text[other] = 'y';
    parse(text, len);
    free(text);
    for (size_t i = 0; i < 2; i++) {
        assert_in_range(memo.block[i].word_at,
                        other_in_block - sizeof(memo.block[i].word) + 1,
                        other_in_block);
        assert_memory_equal(&memo.block[i].word,
                            memo.text[i] + memo.block[i].word_at,
                            sizeof(memo.block[i].word));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(known_block__gives_the_same_verdict, setup),
        cmocka_unit_test_setup(known_block__spares_its_second_reading, setup),
        cmocka_unit_test_setup(
            connection_options__are_remembered_with_the_block, setup),
        cmocka_unit_test_setup(version__belongs_to_the_block, setup),
        cmocka_unit_test_setup(block_that_differs_in_a_byte__is_read_anew,
                               setup),
        cmocka_unit_test_setup(
            request_cut_anywhere__has_the_verdict_of_the_whole, setup),
        cmocka_unit_test_setup(request_that_came_in_pieces__is_not_remembered,
                               setup),
        cmocka_unit_test_setup(pipelined_requests__end_where_their_blocks_end,
                               setup),
        cmocka_unit_test_setup(request_line__is_always_read, setup),
        cmocka_unit_test_setup(other_methods__are_not_helped_by_memory, setup),
        cmocka_unit_test_setup(
            requests_with_more_than_a_head__are_not_remembered, setup),
        cmocka_unit_test_setup(refused_requests__are_not_remembered, setup),
        cmocka_unit_test_setup(credentials__are_not_remembered, setup),
        cmocka_unit_test_setup(long_blocks__are_read_each_time, setup),
        cmocka_unit_test_setup(
            block_that_is_asked_for__outlives_those_that_are_not, setup),
        cmocka_unit_test_setup(newest_blocks__stay, setup),
        cmocka_unit_test_setup(memo_that_does_not_help__is_asked_now_and_then,
                               setup),
        cmocka_unit_test_setup(memo_that_helps_again__is_asked_each_time,
                               setup),
        cmocka_unit_test_setup(memo_in_which_all_were_asked_for__takes_another,
                               setup),
        cmocka_unit_test_setup(
            word_compared_first__is_where_the_last_stranger_differed, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
