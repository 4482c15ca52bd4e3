/*
 * apps/echo/main.c - sends back what it is sent, on port 7 of TCP and UDP
 * (RFC 862).
 *
 * To learn from it: the flow API without anything around it. flow_read() hands
 * over a view of received memory and flow_write() takes it over, so the bytes
 * are never copied on their way through. End of stream ends the loop; what was
 * written before is still delivered, because returning closes gracefully.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kernel/clock.h"
#include "kernel/thread.h"
#include "libc-shim/runnel.h"
#include "net/flow.h"
#include "net/udp_flow.h"

enum { EXIT_CANNOT_LISTEN = 1, EXIT_USAGE = 64 };

/* What flows may take to finish when the machine is told to stop. */
#define STOP_US 3000000u

static uint32_t port = 7;

const char runnel_about[] = "sends back what it is sent by TCP and UDP";

const struct cmdline_key runnel_keys[] = {
    {.name = "port",
     .value_name = "PORT",
     .example = "7",
     .help = "the port to listen on (7)",
     .out = &port,
     .min = 1,
     .max = UINT16_MAX},
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

/* All datagrams, on one thread, until the flow is closed. What cannot be sent
 * back is lost, as datagrams are. */
static void echo_datagrams(void *arg)
{
    struct udp_flow *udp = arg;
    struct udp_datagram from;
    struct buffer *data;

    while (udp_flow_receive(udp, &from, &data, FOREVER) == UDP_OK)
        (void)!udp_flow_reply(udp, &from, data, FOREVER);
}

/* Take the port and start the thread. Returns: false when that cannot be. */
static bool listen_udp(void)
{
    struct udp_flow *udp;

    if (udpv4_bind(runnel_udp(), IPV4_ADDR(0, 0, 0, 0), (uint16_t)port, &udp) !=
        UDP_OK)
        return false;
    return thread_spawn(NULL, "echo:udp", 0, echo_datagrams, udp) == THREAD_OK;
}

int main(int argc, char **argv)
{
    struct flow_listener listener = {.callback = echo};

    if (argc > 1) {
        fprintf(stderr, "%s: takes no argument: %s\n", argv[0], argv[1]);
        return EXIT_USAGE;
    }
    if (!tcpv4_listen(runnel_tcp(), (uint16_t)port, &listener) ||
        !listen_udp()) {
        fprintf(stderr, "%s: cannot listen on port %u\n", argv[0],
                (unsigned)port);
        return EXIT_CANNOT_LISTEN;
    }
    runnel_ready("echo", (uint16_t)port);
    runnel_wait_stop(FOREVER);
    tcpv4_disconnect(runnel_tcp(), clock_us() + STOP_US);
    return EXIT_SUCCESS;
}
