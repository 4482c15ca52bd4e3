/*
 * tests/qemu/apps/names/main.c - looks up what a datagram asks for.
 *
 * A datagram with a host's name, sent to PORT, is answered by one with its
 * first address, or with why there is none. One at a time.
 */
#include <stdio.h>
#include <string.h>

#include "libc-shim/runnel.h"
#include "net/buffer.h"
#include "net/dns.h"
#include "net/udp_flow.h"

enum { PORT = 5300, NAME_BYTES = 1024, TEXT_BYTES = 64 };

/* What is to be said of a name; at most `bytes` with its zero. */
static void look_up(const char *name, char *text, size_t bytes)
{
    struct dns_addrs addrs;
    enum dns_status status = dns_resolve(runnel_dns(), name, FOREVER, &addrs);
    char addr[IPV4_TEXT_BYTES];

    snprintf(text, bytes, "%s",
             status == DNS_OK ? ipv4_addr_text(addrs.addr[0], addr)
                              : dns_status_text(status));
}

static void answer(struct udp_flow *udp, const struct udp_datagram *from,
                   const char *text)
{
    size_t len = strlen(text);
    struct buffer *data =
        buffer_alloc(udp_flow_pool(udp), BUFFER_SMALL, BUFFER_HEADROOM);

    if (!data)
        return;
    memcpy(data->data, text, len);
    data->len = (uint32_t)len;
    (void)!udp_flow_reply(udp, from, data, FOREVER);
}

int main(void)
{
    struct udp_datagram from;
    struct udp_flow *udp;
    char name[NAME_BYTES], text[TEXT_BYTES];
    size_t len;

    if (udpv4_bind(runnel_udp(), IPV4_ADDR(0, 0, 0, 0), PORT, &udp) != UDP_OK)
        return 1;
    runnel_ready("names", PORT);
    while (udp_flow_receive_into(udp, &from, name, sizeof(name) - 1, &len,
                                 FOREVER) == UDP_OK) {
        name[len < sizeof(name) ? len : sizeof(name) - 1] = '\0';
        look_up(name, text, sizeof(text));
        answer(udp, &from, text);
    }
    return 0;
}
