/*
 * tests/unit/test_http_serve.c - what goes over a connection, request by
 * request, over the flow of http_flow.h. H numbers are rows of the list of bad
 * inputs.
 */
#include <string.h>

#include "tests/host/host.h"
#include "tests/unit/http_flow.h"

static void request__is_answered_in_one_write_and_parked(void **state)
{
    (void)state;
    http_flow_gets(GET("/healthz") "\r\n");
    assert_int_equal(http_flow.writes, 1);
    assert_string_equal(http_flow.output,
                        "HTTP/1.1 200 OK\r\n"
                        "Content-Type: text/plain; charset=utf-8\r\n"
                        "Content-Length: 3\r\n\r\nok\n");
    assert_non_null(http_flow.parked);
    assert_int_equal(http_flow.park_deadline_us, host_now_us + HTTP_IDLE_US);
    assert_int_equal(http_flow.write_deadline_us, host_now_us + HTTP_WRITE_US);
    assert_int_equal(http_flow.read_deadline_us, FOREVER);
}

static void idle_flow__waits_as_long_as_was_set(void **state)
{
    (void)state;
    http_serve_set_idle(3600000000u);
    http_flow_gets(GET("/healthz") "\r\n");
    assert_int_equal(http_flow.park_deadline_us, host_now_us + 3600000000u);
    http_serve_set_idle(HTTP_IDLE_US);
}

static void idle_flow__is_closed_without_a_word(void **state)
{
    (void)state;
    http_flow.parked(&http_flow, NULL, FLOW_PARK_DEADLINE);
    assert_int_equal(http_flow.writes, 0);
    http_flow.parked = NULL;
    http_serve(&http_flow, NULL);
    http_flow_reads(FLOW_EOF, NULL, 0);
    http_flow_wakes();
    assert_int_equal(http_flow.writes, 0);
    assert_null(http_flow.parked);
}

static void page__is_rendered_once_for_requests_close_together(void **state)
{
    (void)state;
    http_flow_gets(GET("/") "\r\n" GET("/") "\r\n");
    http_flow_gets(GET("/") "\r\n");
    assert_int_equal(http_flow_renderings, 1);
    assert_int_equal(http_flow_count("</html>\n"), 3);
    host_now_us += 1000000;
    http_flow_gets(GET("/") "\r\n");
    assert_int_equal(http_flow_renderings, 2);
}

/* Clients that take no answer must not hold the room for the largest: it was
 * 32 KiB for each "/status". */
static void page__holds_the_memory_that_it_shows(void **state)
{
    (void)state;
    http_flow.measured = true;
    http_flow_gets(GET("/status") "\r\n");
    assert_in_range(http_flow.body_held_bytes, 12, 256);
}

static void H18_slow_head__408(void **state)
{
    (void)state;
    http_flow_reads(FLOW_OK, "GET ", 4);
    http_flow_reads(FLOW_OK, "/ HTTP/1.1\r\n", 12);
    http_flow_reads(FLOW_DEADLINE, NULL, 0);
    http_flow_wakes();
    assert_int_equal(http_flow.read_deadline_us, /* from the first piece on */
                     host_now_us - 2 * READ_US + HTTP_HEADER_US);
    assert_true(http_flow_has("HTTP/1.1 408 Request Timeout\r\n"));
    assert_true(http_flow_has("Connection: close\r\n"));
    assert_null(http_flow.parked);
}

static void slow_body__408_after_a_time_of_its_own(void **state)
{
    static const char head[] =
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n";

    (void)state;
    http_flow_reads(FLOW_OK, head, sizeof(head) - 1);
    http_flow_reads(FLOW_OK, "hell", 4);
    http_flow_reads(FLOW_DEADLINE, NULL, 0);
    http_flow_wakes();
    assert_int_equal(http_flow.read_deadline_us,
                     host_now_us - 2 * READ_US + HTTP_BODY_US);
    assert_true(http_flow_has("HTTP/1.1 408 "));
}

static void H19_continue_expected__final_answer_and_close(void **state)
{
    (void)state;
    http_flow_gets("POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
                   "Content-Length: 5\r\n\r\n");
    assert_true(http_flow_has("HTTP/1.1 405 "));
    assert_true(http_flow_has("Connection: close\r\n"));
    assert_null(http_flow.parked);
}

static void H20_pipelined__one_write_in_order(void **state)
{
    const char *page;
    const char *missing;

    (void)state;
    http_flow_gets(GET("/healthz") "\r\n" GET("/") "\r\n" GET("/no") "\r\n");
    page = strstr(http_flow.output, "text/html");
    missing = strstr(http_flow.output, "HTTP/1.1 404 ");
    assert_true(strstr(http_flow.output, "ok\n") < page && page < missing);
    assert_int_equal(http_flow.writes, 1);
    assert_non_null(http_flow.parked);
}

static void H20_bad_after_good__both_are_answered(void **state)
{
    (void)state;
    http_flow_gets(
        GET("/healthz") "\r\nGET / HTTP/1.1\n" GET("/healthz") "\r\n");
    assert_true(http_flow_has("ok\n"));
    assert_true(http_flow_has("HTTP/1.1 400 "));
    assert_int_equal(http_flow_count("HTTP/1.1 "), 2);
    assert_null(http_flow.parked);
}

static void H20_ten_thousand__written_in_bounded_pieces(void **state)
{
    static const char one[] = GET("/healthz") "\r\n";
    enum { PIPELINED = 1000 };
    static char text[PIPELINED * sizeof(one)];
    size_t len = 0;

    (void)state;
    for (int i = 0; i < PIPELINED; i++) {
        memcpy(text + len, one, sizeof(one) - 1);
        len += sizeof(one) - 1;
    }
    http_flow_reads(FLOW_OK, text, len);
    http_flow_wakes();
    assert_int_equal(http_flow_count("ok\n"), PIPELINED);
    assert_int_equal(http_flow.writes,
                     http_flow.output_bytes / HTTP_GATHER_BYTES_MAX + 1);
}

static void pipelined_rest__gets_its_own_time(void **state)
{
    (void)state;
    http_flow_reads(FLOW_OK, "GET", 3);
    http_flow_reads(FLOW_OK, " / HTTP/1.1\r\n" HOST "\r\nGET", 27);
    http_flow_reads(FLOW_OK, " / HTTP/1.1\r\n" HOST "\r\n", 24);
    http_flow_wakes();
    assert_int_equal(http_flow_count("HTTP/1.1 200 "), 2);
    assert_int_equal(http_flow.read_deadline_us,
                     host_now_us - READ_US + HTTP_HEADER_US);
    assert_non_null(http_flow.parked);
}

static void H21_close__ends_what_is_pipelined(void **state)
{
    (void)state;
    http_flow_gets(
        GET("/healthz") "Connection: close\r\n\r\n" GET("/healthz") "\r\n");
    assert_int_equal(http_flow_count("ok\n"), 1);
    assert_true(http_flow_has("Connection: close\r\n"));
    assert_null(http_flow.parked);
}

static void http_1_0__is_kept_alive_when_it_asks(void **state)
{
    (void)state;
    http_flow_gets("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_true(http_flow_has("Connection: keep-alive\r\n"));
    assert_non_null(http_flow.parked);
    http_flow_gets("GET /healthz HTTP/1.0\r\n\r\n");
    assert_true(http_flow_has("Connection: close\r\n"));
    assert_null(http_flow.parked);
}

static void H23_head__has_the_length_and_no_body(void **state)
{
    (void)state;
    http_flow_gets("HEAD /healthz HTTP/1.1\r\n" HOST "\r\n"
                   "HEAD / HTTP/1.1\r\n" HOST "\r\n"
                   "HEAD /no HTTP/1.1\r\n" HOST "\r\n");
    assert_true(http_flow_has("Content-Length: 3\r\n\r\nHTTP/1.1 "));
    assert_int_equal(http_flow_count("\r\n\r\n"), 3);
    assert_false(http_flow_has("<html"));
    assert_string_equal(http_flow.output + http_flow.output_bytes - 4,
                        "\r\n\r\n");
}

static void H23_head_that_is_refused__has_no_body_either(void **state)
{
    (void)state;
    http_flow_gets("HEAD / HTTP/1.1\r\n: x\r\n\r\n");
    assert_true(http_flow_has("HTTP/1.1 400 "));
    assert_string_equal(http_flow.output + http_flow.output_bytes - 4,
                        "\r\n\r\n");
    assert_null(http_flow.parked);
}

static void H25_half_closed_client__is_answered(void **state)
{
    (void)state;
    http_flow_gets(GET("/healthz") "\r\n");
    assert_true(http_flow_has("ok\n"));
    http_flow_reads(FLOW_EOF, NULL, 0);
    http_flow_wakes();
    assert_null(http_flow.parked);
    assert_int_equal(http_flow.writes, 1);
}

static void H25_end_inside_a_request__400(void **state)
{
    (void)state;
    http_flow_reads(FLOW_OK, "GET /", 5);
    http_flow_reads(FLOW_EOF, NULL, 0);
    http_flow_wakes();
    assert_true(http_flow_has("HTTP/1.1 400 "));
    assert_null(http_flow.parked);
}

static void H25_reset_inside_a_body__nothing_is_written(void **state)
{
    static const char head[] =
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n";

    (void)state;
    http_flow_reads(FLOW_OK, head, sizeof(head) - 1);
    http_flow_reads(FLOW_ERROR, NULL, 0);
    http_flow_wakes();
    assert_int_equal(http_flow.writes, 0);
    assert_null(http_flow.parked);
}

static void H25_client_that_takes_no_answer__is_reset(void **state)
{
    (void)state;
    http_flow.write_status = FLOW_DEADLINE;
    http_flow_gets(GET("/healthz") "\r\n");
    assert_true(http_flow.aborted);
    assert_null(http_flow.parked);
}

static void no_memory_for_the_page__503(void **state)
{
    (void)state;
    http_flow_host.fail_at = 2; /* after the chunk for the head */
    http_flow_gets(GET("/") "\r\n");
    assert_true(http_flow_has("HTTP/1.1 503 "));
    assert_non_null(http_flow.parked);
    http_flow_gets(GET("/") "\r\n");
    assert_true(http_flow_has("HTTP/1.1 200 "));
}

static void no_memory_at_all__closed_without_an_answer(void **state)
{
    (void)state;
    http_flow_host.fail_at = 1;
    http_flow_gets(GET("/") "\r\n");
    assert_int_equal(http_flow.writes, 0);
    assert_null(http_flow.parked);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, http_flow_setup, http_flow_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(request__is_answered_in_one_write_and_parked),
        TEST(idle_flow__waits_as_long_as_was_set),
        TEST(idle_flow__is_closed_without_a_word),
        TEST(page__is_rendered_once_for_requests_close_together),
        TEST(page__holds_the_memory_that_it_shows),
        TEST(H18_slow_head__408),
        TEST(slow_body__408_after_a_time_of_its_own),
        TEST(H19_continue_expected__final_answer_and_close),
        TEST(H20_pipelined__one_write_in_order),
        TEST(H20_bad_after_good__both_are_answered),
        TEST(H20_ten_thousand__written_in_bounded_pieces),
        TEST(pipelined_rest__gets_its_own_time),
        TEST(H21_close__ends_what_is_pipelined),
        TEST(http_1_0__is_kept_alive_when_it_asks),
        TEST(H23_head__has_the_length_and_no_body),
        TEST(H23_head_that_is_refused__has_no_body_either),
        TEST(H25_half_closed_client__is_answered),
        TEST(H25_end_inside_a_request__400),
        TEST(H25_reset_inside_a_body__nothing_is_written),
        TEST(H25_client_that_takes_no_answer__is_reset),
        TEST(no_memory_for_the_page__503),
        TEST(no_memory_at_all__closed_without_an_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
