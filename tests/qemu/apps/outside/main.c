/*
 * tests/qemu/apps/outside/main.c - an application from outside the tree.
 *
 * What `make APP=/path/to/outside` builds, and the smallest program that uses
 * the network: it says the time since boot to whoever connects, and hangs up.
 */
#include <stdio.h>

#include "kernel/clock.h"
#include "libc-shim/runnel.h"
#include "net/flow.h"

enum { PORT = 13, STOP_US = 1000000 };

static void tell(struct flow *flow, void *context)
{
    char text[32];
    int len =
        snprintf(text, sizeof(text), "up %lu us\n", (unsigned long)clock_us());

    (void)context;
    if (flow_send(flow, text, (size_t)len, NULL) != FLOW_OK)
        return; /* the client is gone: nobody is left to tell */
}

int main(void)
{
    struct flow_listener listener = {.callback = tell};

    if (!tcpv4_listen(runnel_tcp(), PORT, &listener))
        return 1;
    runnel_ready("outside", PORT);
    runnel_wait_stop(FOREVER);
    tcpv4_disconnect(runnel_tcp(), clock_us() + STOP_US);
    return 0;
}
