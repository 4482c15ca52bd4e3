/*
 * tests/unit/http_flow.c - see http_flow.h.
 */
#include "tests/unit/http_flow.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/http_hello/facts.h"
#include "tests/host/host.h"

enum { POOL_PAGES = 1024 };

struct flow http_flow;
struct hostnet http_flow_host;
size_t http_flow_renderings;

static struct hostnet source; /* where what is read is allocated */
static struct buffer_pool *pool;
static struct buffer_pool *source_pool;

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

uint64_t flow_now_us(const struct flow *f)
{
    (void)f;
    return host_now_us;
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
    http_flow_renderings++;
}

size_t facts_write_status(char *out, size_t size)
{
    return (size_t)snprintf(out, size, "uptime_us 1\n");
}

/* ---- helpers ---- */

int http_flow_setup(void **state)
{
    (void)state;
    source_pool = hostnet_pool(&source, POOL_PAGES);
    memset(&http_flow, 0, sizeof(http_flow));
    host_now_us += 3600000000;
    http_flow_renderings = 0;
    pool = hostnet_pool(&http_flow_host, POOL_PAGES);
    http_serve(&http_flow, NULL);
    assert_non_null(http_flow.parked);
    return 0;
}

/* Everything has been given back. */
int http_flow_teardown(void **state)
{
    (void)state;
    http_serve_end();
    assert_int_equal(http_flow_host.pages, 0);
    assert_int_equal(source.pages, 0);
    return 0;
}

void http_flow_reads(enum flow_status status, const char *text, size_t len)
{
    assert_true(http_flow.steps < STEPS_MAX);
    http_flow.step[http_flow.steps].status = status;
    http_flow.step[http_flow.steps].text = text;
    http_flow.step[http_flow.steps].len = len;
    http_flow.steps++;
}

/* The parked flow has something to read. */
void http_flow_wakes(void)
{
    flow_park_fn *fn = http_flow.parked;

    http_flow.parked = NULL;
    http_flow.read_deadline_us = FOREVER;
    http_flow.write_deadline_us = FOREVER;
    fn(&http_flow, NULL, FLOW_PARK_READABLE);
    http_flow.output[http_flow.output_bytes] = '\0';
}

void http_flow_gets(const char *text)
{
    http_flow_reads(FLOW_OK, text, strlen(text));
    http_flow_wakes();
}

bool http_flow_has(const char *text)
{
    return strstr(http_flow.output, text) != NULL;
}

size_t http_flow_count(const char *text)
{
    size_t n = 0;

    for (const char *at = http_flow.output; (at = strstr(at, text)); at++)
        n++;
    return n;
}
