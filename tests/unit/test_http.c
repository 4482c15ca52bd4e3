/*
 * tests/unit/test_http.c - request lines and fields, good and bad. Where a
 * request ends is in test_http_body.c; what needs a connection, in
 * test_http_serve.c and tests/qemu.
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
            assert_int_equal(http_judge(text, sizeof(text) - 1).status, 400);
        }
        value[at] = value_was;
        for (size_t i = 0; i < sizeof(bad_in_target); i++) {
            target[at] = bad_in_target[i];
            assert_int_equal(http_judge(text, sizeof(text) - 1).status, 400);
        }
        target[at] = target_was;
        assert_int_equal(http_judge(text, sizeof(text) - 1).status, 404);
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

static void H14_request_lines(void **state)
{
    (void)state;
    GIVES(400, " GET / HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET  / HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET /  HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET  HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET / / HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET / HTTP/1.1 HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET / HTTP/1.1 \r\n" HOST "\r\n");
    GIVES(400, "GET /HTTP/1.1\r\n" HOST "\r\n"); /* HTTP/0.9 */
    GIVES(400, "GET\t/ HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET /\tHTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET\n/ HTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET /\nHTTP/1.1\r\n" HOST "\r\n");
    GIVES(400, "GET /\r\n" HOST "\r\n"); /* HTTP/0.9 */
    GIVES(400, "GET\r\n\r\n");
    GIVES(400, "GET \r\n\r\n");
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
    assert_int_equal(http_judge(text, HTTP_METHOD_BYTES_MAX).status, 0);
    assert_int_equal(http_judge(text, sizeof(text)).status, 501);
}

static void H14_long_targets__414(void **state)
{
    static char text[65536];

    (void)state;
    memset(text, 'a', sizeof(text));
    memcpy(text, "GET /", 5);
    assert_int_equal(http_judge(text, sizeof(text)).status, 414);
    memcpy(text + HTTP_LINE_BYTES_MAX - 11, " HTTP/1.1\r\n", 11);
    memcpy(text + HTTP_LINE_BYTES_MAX, HOST "\r\n", sizeof(HOST "\r\n") - 1);
    assert_int_equal(http_judge(text, HTTP_LINE_BYTES_MAX + 11).status, 404);
    text[HTTP_LINE_BYTES_MAX / 2] = '?';
    assert_int_equal(http_judge(text, HTTP_LINE_BYTES_MAX + 11).status, 404);
    text[5] = '?'; /* a long query does not hide the path */
    assert_int_equal(http_judge(text, HTTP_LINE_BYTES_MAX + 11).status, 200);
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
    GIVES(400, "GET / HTTP/1.0\r\nHost:\r\n\r\n");
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
    assert_int_equal(http_judge(text, strlen(text)).status, 200);
    strcpy(text + sizeof(GET "Host: ") + HTTP_HOST_BYTES_MAX, "\r\n\r\n");
    text[sizeof(GET "Host: ") - 1 + HTTP_HOST_BYTES_MAX] = 'a';
    assert_int_equal(http_judge(text, strlen(text)).status, 400);
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
    assert_int_equal(http_judge(text, len + 2).status, 200);
    strcpy(text + len, "B: c\r\n\r\n");
    assert_int_equal(http_judge(text, strlen(text)).status, 431);
}

static void H18_too_large_fields__431(void **state)
{
    static char text[HTTP_HEAD_BYTES_MAX + 2] = GET HOST "A: ";

    (void)state;
    memset(text + strlen(text), 'a', sizeof(text) - strlen(text));
    assert_int_equal(http_judge(text, sizeof(text)).status, 431);
    assert_int_equal(http_judge(text, HTTP_HEAD_BYTES_MAX).status, 0);
    memcpy(text + HTTP_HEAD_BYTES_MAX - 4, "\r\n\r\n", 4);
    assert_int_equal(http_judge(text, HTTP_HEAD_BYTES_MAX).status, 200);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get__known_paths_are_found),
        cmocka_unit_test(other_methods__are_not_allowed_on_known_paths),
        cmocka_unit_test(incomplete_request__has_no_verdict),
        cmocka_unit_test(H6_space_before_the_colon__400),
        cmocka_unit_test(H7_folded_fields__400),
        cmocka_unit_test(H8_fields_without_colon_or_name__400),
        cmocka_unit_test(H9_control_bytes__400),
        cmocka_unit_test(H9_control_bytes__400_wherever_they_stand),
        cmocka_unit_test(H9_high_bytes_in_values__are_no_white_space),
        cmocka_unit_test(H10_line_ends_other_than_CRLF__400),
        cmocka_unit_test(H14_request_lines),
        cmocka_unit_test(H14_methods_unknown__501),
        cmocka_unit_test(H14_long_targets__414),
        cmocka_unit_test(H15_blank_lines_before__one_at_most),
        cmocka_unit_test(H16_target_forms),
        cmocka_unit_test(H16_hosts),
        cmocka_unit_test(H17_paths__nothing_is_decoded_or_resolved),
        cmocka_unit_test(H18_too_many_fields__431),
        cmocka_unit_test(H18_too_large_fields__431),
        cmocka_unit_test(H22_upgrades__are_ignored),
        cmocka_unit_test(H24_ranges__are_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
