/*
 * tests/unit/test_http_again.c - answers that were given before.
 *
 * A small one is kept as a whole, as long as its date holds; nobody may be able
 * to tell. Over the flow of http_flow.h.
 */
#include "tests/host/host.h"
#include "tests/unit/http_flow.h"

#define HEALTHZ GET("/healthz") "\r\n"

/* RFC 9110 6.6.1, and the second of a well-known number of them. */
#define BILLION_US 1000000000000000
#define BILLION    "Date: Sun, 09 Sep 2001 01:46:40 GMT\r\n"
#define BILLION_1  "Date: Sun, 09 Sep 2001 01:46:41 GMT\r\n"

static int setup(void **state)
{
    host_wall_us = BILLION_US;
    return http_flow_setup(state);
}

static int teardown(void **state)
{
    host_wall_us = 0;
    return http_flow_teardown(state);
}

static void answer__has_the_date_of_its_second(void **state)
{
    (void)state;
    http_flow_gets(HEALTHZ);
    http_flow_gets(HEALTHZ HEALTHZ);
    assert_int_equal(http_flow_count(BILLION "\r\nok\n"), 3);
    host_now_us += 1000000;
    host_wall_us += 1000000;
    http_flow_gets(HEALTHZ HEALTHZ);
    assert_int_equal(http_flow_count(BILLION), 3);
    assert_int_equal(http_flow_count(BILLION_1 "\r\nok\n"), 2);
}

static void date__changes_with_the_second(void **state)
{
    (void)state;
    host_wall_us += 600000;
    http_flow_gets(HEALTHZ);
    host_wall_us += 400000;
    host_now_us += 400000 - READ_US; /* which the read takes */
    http_flow_gets(HEALTHZ);
    assert_int_equal(http_flow_count(BILLION), 1);
    assert_int_equal(http_flow_count(BILLION_1), 1);
}

static void answer__says_what_becomes_of_its_own_connection(void **state)
{
    (void)state;
    http_flow_gets(HEALTHZ);
    http_flow_gets("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_int_equal(http_flow_count("Connection: keep-alive\r\n"), 1);
    http_flow_gets(HEALTHZ);
    assert_int_equal(http_flow_count("Connection: "), 1);
    http_flow_gets(GET("/healthz") "Connection: close\r\n\r\n");
    assert_int_equal(http_flow_count("Connection: close\r\n"), 1);
    assert_int_equal(http_flow_count("ok\n"), 4);
    assert_null(http_flow.parked);
}

static void answers__are_not_mistaken_for_each_other(void **state)
{
    (void)state;
    http_flow_gets(HEALTHZ GET("/no") "\r\n" HEALTHZ);
    assert_int_equal(http_flow_count("\r\n\r\nok\n"), 2);
    assert_int_equal(http_flow_count("\r\n\r\n404 Not Found\n"), 1);
    assert_int_equal(http_flow_count("Content-Length: 3\r\n"), 2);
    assert_int_equal(http_flow_count("Content-Length: 14\r\n"), 1);
}

static void head__has_no_body_after_a_get(void **state)
{
    (void)state;
    http_flow_gets(HEALTHZ "HEAD /healthz HTTP/1.1\r\n" HOST "\r\n" HEALTHZ);
    assert_int_equal(http_flow_count("Content-Length: 3\r\n"), 3);
    assert_int_equal(http_flow_count("\r\n\r\nok\nHTTP/1.1 200 "), 1);
    assert_int_equal(http_flow_count("\r\n\r\nHTTP/1.1 200 "), 1);
    assert_int_equal(http_flow_count("ok\n"), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answer__has_the_date_of_its_second),
        TEST(date__changes_with_the_second),
        TEST(answer__says_what_becomes_of_its_own_connection),
        TEST(answers__are_not_mistaken_for_each_other),
        TEST(head__has_no_body_after_a_get),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
