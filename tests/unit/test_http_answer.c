/*
 * tests/unit/test_http_answer.c - what is answered: heads, dates, and that all
 * fits its room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/http_hello/response.h"
#include "tests/host/http_judge.h"

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
    home = pages_answer(&http_judged.request);
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
        cmocka_unit_test(head__says_length_date_and_connection),
        cmocka_unit_test(head__has_no_date_without_a_clock),
        cmocka_unit_test(heads__fit_their_room_whatever_is_answered),
        cmocka_unit_test(home__fits_its_room_with_the_largest_figures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
