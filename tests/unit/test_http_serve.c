/*
 * tests/unit/test_http_serve.c - what goes over a connection, request by
 * request.
 *
 * The flow is the test's own: a script of what reads give, and a record of
 * what is written, in how many writes, with which deadlines, and whether the
 * flow was parked. H numbers are rows of the list of bad inputs.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/http_hello/facts.h"
#include "apps/http_hello/http_serve.h"
#include "tests/host/host.h"
#include "tests/host/hostnet.h"

enum {
    STEPS_MAX = 8,
    OUTPUT_BYTES_MAX = 1 << 20,
    POOL_PAGES = 1024,
    READ_US = 1000
};

struct flow {
    struct {
        enum flow_status status;
        const char *text;
        size_t len;
    } step[STEPS_MAX];
    size_t steps, steps_done;

    char output[OUTPUT_BYTES_MAX];
    size_t output_bytes;
    size_t writes;
    bool measured;          /* the last write's second view is malloc()ed: */
    size_t body_held_bytes; /* what that holds */
    enum flow_status write_status;
    uint64_t read_deadline_us;
    uint64_t write_deadline_us;
    flow_park_fn *parked;
    uint64_t park_deadline_us;
    bool aborted;
};

static struct hostnet host;   /* where answers are allocated */
static struct hostnet source; /* and what is read */
static struct buffer_pool *pool;
static struct buffer_pool *source_pool;
static struct flow flow;
static size_t renderings;

/* ---- the flow ---- */

enum flow_status flow_read(struct flow *f, struct buffer **buffer)
{
    size_t at = f->steps_done;

    *buffer = NULL;
    assert_true(at < f->steps); /* it would block for ever */
    f->steps_done++;
    host_now_us += READ_US;
    if (f->step[at].status == FLOW_OK)
        *buffer = buffer_wrap(source_pool, f->step[at].text,
                              (uint32_t)f->step[at].len, NULL, NULL);
    return f->step[at].status;
}

enum flow_status flow_writev(struct flow *f, struct buffer *chain)
{
    uint32_t room = (uint32_t)(OUTPUT_BYTES_MAX - 1 - f->output_bytes);

    f->output_bytes +=
        buffer_copy_out(chain, 0, f->output + f->output_bytes, room);
    f->writes++;
    if (f->measured)
        f->body_held_bytes = malloc_usable_size(chain->next->data);
    buffer_release(chain);
    return f->write_status;
}

struct buffer_pool *flow_pool(const struct flow *f)
{
    (void)f;
    return pool;
}

void flow_set_read_deadline(struct flow *f, uint64_t deadline_us)
{
    f->read_deadline_us = deadline_us;
}

void flow_set_write_deadline(struct flow *f, uint64_t deadline_us)
{
    f->write_deadline_us = deadline_us;
}

void flow_set_nodelay(struct flow *f, bool on)
{
    (void)f;
    (void)on;
}

void flow_abort(struct flow *f)
{
    f->aborted = true;
}

void flow_park(struct flow *f, flow_park_fn *fn, void *context,
               uint64_t deadline_us)
{
    (void)context;
    f->parked = fn;
    f->park_deadline_us = deadline_us;
}

/* ---- the machine ---- */

void facts_get(struct facts *facts)
{
    memset(facts, 0, sizeof(*facts));
    renderings++;
}

size_t facts_write_status(char *out, size_t size)
{
    return (size_t)snprintf(out, size, "uptime_us 1\n");
}

/* ---- helpers ---- */

static int setup(void **state)
{
    (void)state;
    source_pool = hostnet_pool(&source, POOL_PAGES);
    memset(&flow, 0, sizeof(flow));
    host_now_us += 3600000000;
    renderings = 0;
    pool = hostnet_pool(&host, POOL_PAGES);
    http_serve(&flow, NULL);
    assert_non_null(flow.parked);
    return 0;
}

/* Everything has been given back. */
static int teardown(void **state)
{
    (void)state;
    http_serve_end();
    assert_int_equal(host.pages, 0);
    assert_int_equal(source.pages, 0);
    return 0;
}

static void reads(enum flow_status status, const char *text, size_t len)
{
    assert_true(flow.steps < STEPS_MAX);
    flow.step[flow.steps].status = status;
    flow.step[flow.steps].text = text;
    flow.step[flow.steps].len = len;
    flow.steps++;
}

/* The parked flow has something to read. */
static void wakes(void)
{
    flow_park_fn *fn = flow.parked;

    flow.parked = NULL;
    flow.read_deadline_us = FOREVER;
    flow.write_deadline_us = FOREVER;
    fn(&flow, NULL, FLOW_PARK_READABLE);
    flow.output[flow.output_bytes] = '\0';
}

static void gets(const char *text)
{
    reads(FLOW_OK, text, strlen(text));
    wakes();
}

static bool output_has(const char *text)
{
    return strstr(flow.output, text) != NULL;
}

static size_t count(const char *text)
{
    size_t n = 0;

    for (const char *at = flow.output; (at = strstr(at, text)); at++)
        n++;
    return n;
}

#define HOST      "Host: a\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST

/* ---- tests ---- */

static void request__is_answered_in_one_write_and_parked(void **state)
{
    (void)state;
    gets(GET("/healthz") "\r\n");
    assert_int_equal(flow.writes, 1);
    assert_string_equal(flow.output,
                        "HTTP/1.1 200 OK\r\n"
                        "Content-Type: text/plain; charset=utf-8\r\n"
                        "Content-Length: 3\r\n\r\nok\n");
    assert_non_null(flow.parked);
    assert_int_equal(flow.park_deadline_us, host_now_us + HTTP_IDLE_US);
    assert_int_equal(flow.write_deadline_us, host_now_us + HTTP_WRITE_US);
    assert_int_equal(flow.read_deadline_us, FOREVER);
}

static void idle_flow__waits_as_long_as_was_set(void **state)
{
    (void)state;
    http_serve_set_idle(3600000000u);
    gets(GET("/healthz") "\r\n");
    assert_int_equal(flow.park_deadline_us, host_now_us + 3600000000u);
    http_serve_set_idle(HTTP_IDLE_US);
}

static void idle_flow__is_closed_without_a_word(void **state)
{
    (void)state;
    flow.parked(&flow, NULL, FLOW_PARK_DEADLINE);
    assert_int_equal(flow.writes, 0);
    flow.parked = NULL;
    http_serve(&flow, NULL);
    reads(FLOW_EOF, NULL, 0);
    wakes();
    assert_int_equal(flow.writes, 0);
    assert_null(flow.parked);
}

static void page__is_rendered_once_for_requests_close_together(void **state)
{
    (void)state;
    gets(GET("/") "\r\n" GET("/") "\r\n");
    gets(GET("/") "\r\n");
    assert_int_equal(renderings, 1);
    assert_int_equal(count("</html>\n"), 3);
    host_now_us += 1000000;
    gets(GET("/") "\r\n");
    assert_int_equal(renderings, 2);
}

/* Clients that take no answer must not hold the room for the largest: it was
 * 32 KiB for each "/status". */
static void page__holds_the_memory_that_it_shows(void **state)
{
    (void)state;
    flow.measured = true;
    gets(GET("/status") "\r\n");
    assert_in_range(flow.body_held_bytes, 12, 256);
}

static void H18_slow_head__408(void **state)
{
    (void)state;
    reads(FLOW_OK, "GET ", 4);
    reads(FLOW_OK, "/ HTTP/1.1\r\n", 12);
    reads(FLOW_DEADLINE, NULL, 0);
    wakes();
    assert_int_equal(flow.read_deadline_us, /* from the first piece on */
                     host_now_us - 2 * READ_US + HTTP_HEADER_US);
    assert_true(output_has("HTTP/1.1 408 Request Timeout\r\n"));
    assert_true(output_has("Connection: close\r\n"));
    assert_null(flow.parked);
}

static void slow_body__408_after_a_time_of_its_own(void **state)
{
    static const char head[] =
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n";

    (void)state;
    reads(FLOW_OK, head, sizeof(head) - 1);
    reads(FLOW_OK, "hell", 4);
    reads(FLOW_DEADLINE, NULL, 0);
    wakes();
    assert_int_equal(flow.read_deadline_us,
                     host_now_us - 2 * READ_US + HTTP_BODY_US);
    assert_true(output_has("HTTP/1.1 408 "));
}

static void H19_continue_expected__final_answer_and_close(void **state)
{
    (void)state;
    gets("POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
         "Content-Length: 5\r\n\r\n");
    assert_true(output_has("HTTP/1.1 405 "));
    assert_true(output_has("Connection: close\r\n"));
    assert_null(flow.parked);
}

static void H20_pipelined__one_write_in_order(void **state)
{
    const char *page;
    const char *missing;

    (void)state;
    gets(GET("/healthz") "\r\n" GET("/") "\r\n" GET("/no") "\r\n");
    page = strstr(flow.output, "text/html");
    missing = strstr(flow.output, "HTTP/1.1 404 ");
    assert_true(strstr(flow.output, "ok\n") < page && page < missing);
    assert_int_equal(flow.writes, 1);
    assert_non_null(flow.parked);
}

static void H20_bad_after_good__both_are_answered(void **state)
{
    (void)state;
    gets(GET("/healthz") "\r\nGET / HTTP/1.1\n" GET("/healthz") "\r\n");
    assert_true(output_has("ok\n"));
    assert_true(output_has("HTTP/1.1 400 "));
    assert_int_equal(count("HTTP/1.1 "), 2);
    assert_null(flow.parked);
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
    reads(FLOW_OK, text, len);
    wakes();
    assert_int_equal(count("ok\n"), PIPELINED);
    assert_int_equal(flow.writes,
                     flow.output_bytes / HTTP_GATHER_BYTES_MAX + 1);
}

static void pipelined_rest__gets_its_own_time(void **state)
{
    (void)state;
    reads(FLOW_OK, "GET", 3);
    reads(FLOW_OK, " / HTTP/1.1\r\n" HOST "\r\nGET", 27);
    reads(FLOW_OK, " / HTTP/1.1\r\n" HOST "\r\n", 24);
    wakes();
    assert_int_equal(count("HTTP/1.1 200 "), 2);
    assert_int_equal(flow.read_deadline_us,
                     host_now_us - READ_US + HTTP_HEADER_US);
    assert_non_null(flow.parked);
}

static void H21_close__ends_what_is_pipelined(void **state)
{
    (void)state;
    gets(GET("/healthz") "Connection: close\r\n\r\n" GET("/healthz") "\r\n");
    assert_int_equal(count("ok\n"), 1);
    assert_true(output_has("Connection: close\r\n"));
    assert_null(flow.parked);
}

static void http_1_0__is_kept_alive_when_it_asks(void **state)
{
    (void)state;
    gets("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_true(output_has("Connection: keep-alive\r\n"));
    assert_non_null(flow.parked);
    gets("GET /healthz HTTP/1.0\r\n\r\n");
    assert_true(output_has("Connection: close\r\n"));
    assert_null(flow.parked);
}

static void H23_head__has_the_length_and_no_body(void **state)
{
    (void)state;
    gets("HEAD /healthz HTTP/1.1\r\n" HOST "\r\n"
         "HEAD / HTTP/1.1\r\n" HOST "\r\n"
         "HEAD /no HTTP/1.1\r\n" HOST "\r\n");
    assert_true(output_has("Content-Length: 3\r\n\r\nHTTP/1.1 "));
    assert_int_equal(count("\r\n\r\n"), 3);
    assert_false(output_has("<html"));
    assert_string_equal(flow.output + flow.output_bytes - 4, "\r\n\r\n");
}

static void H23_head_that_is_refused__has_no_body_either(void **state)
{
    (void)state;
    gets("HEAD / HTTP/1.1\r\n: x\r\n\r\n");
    assert_true(output_has("HTTP/1.1 400 "));
    assert_string_equal(flow.output + flow.output_bytes - 4, "\r\n\r\n");
    assert_null(flow.parked);
}

static void H25_half_closed_client__is_answered(void **state)
{
    (void)state;
    gets(GET("/healthz") "\r\n");
    assert_true(output_has("ok\n"));
    reads(FLOW_EOF, NULL, 0);
    wakes();
    assert_null(flow.parked);
    assert_int_equal(flow.writes, 1);
}

static void H25_end_inside_a_request__400(void **state)
{
    (void)state;
    reads(FLOW_OK, "GET /", 5);
    reads(FLOW_EOF, NULL, 0);
    wakes();
    assert_true(output_has("HTTP/1.1 400 "));
    assert_null(flow.parked);
}

static void H25_reset_inside_a_body__nothing_is_written(void **state)
{
    static const char head[] =
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n";

    (void)state;
    reads(FLOW_OK, head, sizeof(head) - 1);
    reads(FLOW_ERROR, NULL, 0);
    wakes();
    assert_int_equal(flow.writes, 0);
    assert_null(flow.parked);
}

static void H25_client_that_takes_no_answer__is_reset(void **state)
{
    (void)state;
    flow.write_status = FLOW_DEADLINE;
    gets(GET("/healthz") "\r\n");
    assert_true(flow.aborted);
    assert_null(flow.parked);
}

static void no_memory_for_the_page__503(void **state)
{
    (void)state;
    host.fail_at = 2; /* after the chunk for the head */
    gets(GET("/") "\r\n");
    assert_true(output_has("HTTP/1.1 503 "));
    assert_non_null(flow.parked);
    gets(GET("/") "\r\n");
    assert_true(output_has("HTTP/1.1 200 "));
}

static void no_memory_at_all__closed_without_an_answer(void **state)
{
    (void)state;
    host.fail_at = 1;
    gets(GET("/") "\r\n");
    assert_int_equal(flow.writes, 0);
    assert_null(flow.parked);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
