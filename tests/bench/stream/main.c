/*
 * tests/bench/stream/main.c - the bench's own server: bytes in one direction.
 *
 * TCP: port 9 drops what it is sent (RFC 863), port 19 sends without an end
 * (after RFC 864). UDP: port 7 sends back what it gets (RFC 862).
 */
#include <stdio.h>
#include <stdlib.h>

#include "kernel/clock.h"
#include "libc-shim/runnel.h"
#include "net/flow.h"
#include "net/udp.h"

enum { PORT_ECHO = 7, PORT_DISCARD = 9, PORT_SOURCE = 19 };

static const char block[64 * 1024];

static void discard(struct flow *flow, void *context)
{
    struct buffer *view;

    (void)context;
    while (flow_read(flow, &view) == FLOW_OK)
        buffer_release(view);
}

static void source(struct flow *flow, void *context)
{
    struct buffer *view;

    (void)context;
    do {
        view = buffer_wrap(flow_pool(flow), block, sizeof(block), NULL, NULL);
    } while (view && flow_write(flow, view) == FLOW_OK);
}

static void echo(void *context, struct net *net,
                 const struct udp_datagram *from, struct buffer *data)
{
    (void)context;
    if (udp_send(net, PORT_ECHO, from->src, from->src_port, data) == IPV4_FULL)
        buffer_release(data);
}

int main(void)
{
    struct flow_listener discarding = {.callback = discard};
    struct flow_listener sending = {.callback = source};

    if (!tcpv4_listen(runnel_tcp(), PORT_DISCARD, &discarding) ||
        !tcpv4_listen(runnel_tcp(), PORT_SOURCE, &sending) ||
        udp_bind(runnel_net(), PORT_ECHO, echo, NULL) != UDP_OK) {
        fprintf(stderr, "stream: cannot listen\n");
        return 1;
    }
    runnel_ready("stream", PORT_DISCARD);
    runnel_wait_stop(FOREVER);
    return 0;
}
