/*
 * apps/fetch/main.c - asks an HTTP server for a page, and prints the answer.
 *
 * To learn from it: a client. It waits for the machine's address, resolves a
 * name and connects with a deadline, writes, reads to the end of the stream,
 * tells an error in words, and leaves an exit status: 0, 1 (the network said
 * no), 64 (usage).
 *
 * What comes is printed as it comes, head and body: it is a tool to see with.
 */
#include <stdio.h>
#include <stdlib.h>

#include "apps/fetch/url.h"
#include "kernel/clock.h"
#include "libc-shim/runnel.h"
#include "net/dns.h"
#include "net/flow.h"

enum {
    EXIT_NETWORK = 1,
    EXIT_USAGE = 64,
    REQUEST_BYTES_MAX = 2048,
    CLOSE_US = 2000000,
    ONLINE_US = 30000000 /* for a DHCP server to answer */
};

static uint64_t connect_timeout_us; /* 0: the stack's own */

const char runnel_about[] =
    "gets http://HOST:PORT/PATH, its one argument, and prints the answer";

static bool parse_timeout(const char *text, void *out)
{
    uint64_t value_us;

    if (!cmdline_parse_seconds(text, &value_us) || value_us == 0)
        return false;
    *(uint64_t *)out = value_us;
    return true;
}

const struct cmdline_key runnel_keys[] = {
    {.name = "connect-timeout",
     .value_name = "SECONDS",
     .example = "2.5",
     .help = "how long connecting may take (180)",
     .parse = parse_timeout,
     .out = &connect_timeout_us},
};
const size_t runnel_key_count = ARRAY_LEN(runnel_keys);

static int fail(const struct url *url, const char *why)
{
    fprintf(stderr, "fetch: %s: %s\n", url->host, why);
    return EXIT_NETWORK;
}

static int fail_flow(const struct url *url, const struct flow *flow)
{
    return fail(url, flow_error_message(flow_error(flow)));
}

/* When connecting has to have come to its end. */
static uint64_t connect_deadline(void)
{
    uint64_t now_us = clock_us();

    if (connect_timeout_us == 0 || connect_timeout_us >= FOREVER - now_us)
        return FOREVER;
    return now_us + connect_timeout_us;
}

/* The machine's address: without --ipv4 a DHCP server has to give it first. */
static bool wait_online(uint64_t deadline_us)
{
    uint64_t patience_us = clock_us() + ONLINE_US;

    return runnel_wait_online(deadline_us < patience_us ? deadline_us
                                                        : patience_us);
}

/* Connect. Returns: the flow, or null when `status` is the exit status. */
static struct flow *dial(const struct url *url, int *status)
{
    uint64_t deadline_us = connect_deadline();
    struct flow_error error;
    enum dns_status name;
    struct flow *flow;

    if (!wait_online(deadline_us)) {
        *status = fail(url, "the machine has no address");
        return NULL;
    }
    switch (dns_connect(runnel_dns(), runnel_tcp(), url->host, url->port,
                        deadline_us, &flow, &name, &error)) {
    case FLOW_OK:
        return flow;
    case FLOW_ERROR:
        break;
    case FLOW_DEADLINE:
        error = (struct flow_error){.kind = FLOW_ERROR_TIMEOUT};
        break;
    default:
        error = (struct flow_error){FLOW_ERROR_UNKNOWN, FLOW_REASON_CANCELLED};
        break;
    }
    *status = fail(url, name == DNS_OK ? flow_error_message(error)
                                       : dns_status_text(name));
    return NULL;
}

/* Ask for the page, and print what comes. Returns: the exit status. */
static int get(struct flow *flow, const struct url *url)
{
    char request[REQUEST_BYTES_MAX];
    enum flow_status status;
    struct buffer *view;
    int len = snprintf(request, sizeof(request),
                       "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
                       "\r\n",
                       url->path, url->authority);

    if (len < 0 || (size_t)len >= sizeof(request))
        return fail(url, "the path is too long");
    if (flow_send(flow, request, (size_t)len, NULL) != FLOW_OK)
        return fail_flow(url, flow);
    while ((status = flow_read(flow, &view)) == FLOW_OK) {
        fwrite(view->data, 1, view->len, stdout);
        buffer_release(view);
    }
    fflush(stdout);
    return status == FLOW_EOF ? EXIT_SUCCESS : fail_flow(url, flow);
}

int main(int argc, char **argv)
{
    struct url url;
    struct flow *flow;
    int status;

    if (argc != 2 || !url_parse(argv[1], &url)) {
        fprintf(stderr,
                "usage: %s [--connect-timeout=SECONDS] "
                "[http://]HOST[:PORT][/PATH]\n",
                argv[0]);
        return EXIT_USAGE;
    }
    flow = dial(&url, &status);
    if (!flow)
        return status;
    status = get(flow, &url);
    /* The machine is off when main() returns: first the server hears of it. */
    flow_close(flow);
    if (flow_wait_closed(flow, clock_us() + CLOSE_US) == FLOW_DEADLINE)
        flow_abort(flow);
    flow_release(flow);
    return status;
}
