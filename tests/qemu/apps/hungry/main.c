/*
 * tests/qemu/apps/hungry/main.c - takes all memory there is, and serves on.
 *
 * Port 7 sends back what it is sent.
 * The first datagram to port 7 makes main() take memory until malloc() says
 * that there is none; it is never given back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/clock.h"
#include "libc-shim/runnel.h"
#include "net/flow.h"
#include "net/udp_flow.h"

enum { PORT = 7, LARGEST = 1 << 20, SMALLEST = 16 };

static void echo(struct flow *flow, void *context)
{
    struct buffer *view;

    (void)context;
    while (flow_read(flow, &view) == FLOW_OK) {
        if (flow_write(flow, view) != FLOW_OK)
            return;
    }
}

/* From large pieces to small ones. Returns: the bytes. */
static size_t take_all(void)
{
    size_t taken = 0;

    for (size_t bytes = LARGEST; bytes >= SMALLEST; bytes /= 2)
        while (malloc(bytes))
            taken += bytes;
    return taken;
}

int main(void)
{
    struct flow_listener listener = {.callback = echo};
    struct udp_datagram from;
    struct udp_flow *udp;
    struct buffer *data;
    size_t taken;

    if (!tcpv4_listen(runnel_tcp(), PORT, &listener) ||
        udpv4_bind(runnel_udp(), IPV4_ADDR(0, 0, 0, 0), PORT, &udp) != UDP_OK)
        return EXIT_FAILURE;
    runnel_ready("hungry", PORT);
    if (udp_flow_receive(udp, &from, &data, FOREVER) != UDP_OK)
        return EXIT_FAILURE;
    errno = 0;
    taken = take_all();
    printf("taken: %lu KiB, errno %s\n", (unsigned long)(taken / 1024),
           errno == ENOMEM ? "ENOMEM" : "wrong");
    (void)!udp_flow_reply(udp, &from, data, FOREVER);
    runnel_wait_stop(FOREVER);
    return EXIT_SUCCESS;
}
