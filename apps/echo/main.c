/*
 * apps/echo/main.c - sends back what it is sent, on TCP port 7 (RFC 862).
 *
 * To learn from it: the flow API without anything around it. flow_read() hands
 * over a view of received memory and flow_write() takes it over, so the bytes
 * are never copied on their way through. End of stream ends the loop; what was
 * written before is still delivered, because returning closes gracefully.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kernel/clock.h"
#include "libc-shim/runnel.h"
#include "net/flow.h"

enum { EXIT_CANNOT_LISTEN = 1, EXIT_USAGE = 64 };

/* What flows may take to finish when the machine is told to stop. */
#define STOP_US 3000000u

static uint32_t port = 7;

const char runnel_about[] = "sends back what it is sent by TCP";

static bool parse_port(const char *text, void *out)
{
    uint32_t value;

    if (!cmdline_parse_u32(text, &value) || value == 0 || value > UINT16_MAX)
        return false;
    *(uint32_t *)out = value;
    return true;
}

const struct cmdline_key runnel_keys[] = {
    {.name = "port",
     .value_name = "PORT",
     .example = "7",
     .help = "the TCP port to listen on (7)",
     .parse = parse_port,
     .out = &port},
};
const size_t runnel_key_count = ARRAY_LEN(runnel_keys);

/* One connection, on a thread of its own. */
static void echo(struct flow *flow, void *context)
{
    struct buffer *view;

    (void)context;
    while (flow_read(flow, &view) == FLOW_OK) {
        if (flow_write(flow, view) != FLOW_OK) /* takes the view in any case */
            return;
    }
}

int main(int argc, char **argv)
{
    struct flow_listener listener = {.callback = echo};

    if (argc > 1) {
        fprintf(stderr, "%s: takes no argument: %s\n", argv[0], argv[1]);
        return EXIT_USAGE;
    }
    if (!tcpv4_listen(runnel_tcp(), (uint16_t)port, &listener)) {
        fprintf(stderr, "%s: cannot listen on port %u\n", argv[0],
                (unsigned)port);
        return EXIT_CANNOT_LISTEN;
    }
    runnel_ready("echo", (uint16_t)port);
    runnel_wait_stop(FOREVER);
    tcpv4_disconnect(runnel_tcp(), clock_us() + STOP_US);
    return EXIT_SUCCESS;
}
