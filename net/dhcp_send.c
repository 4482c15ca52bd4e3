/*
 * net/dhcp_send.c - what a DHCP client says in which state.
 *
 * Source: RFC 2131 table 5 (which field in which message), 4.4.
 */
#include "net/dhcp_priv.h"
#include "net/net_priv.h"
#include "net/udp_priv.h"

/* Whether the server is asked directly, from the address that we have. */
static bool by_unicast(const struct dhcp *dhcp, enum dhcp_type type)
{
    return type == DHCP_REQUEST && dhcp->state == DHCP_RENEWING;
}

/* RFC 2131 table 5. */
static struct dhcp_request message(const struct dhcp *dhcp, enum dhcp_type type)
{
    const struct net *net = dhcp->net;
    const struct net_if *nif = &net->ifs[dhcp->index];
    uint64_t secs = (net->now_us - dhcp->started_us) / 1000000;
    bool extends = type == DHCP_REQUEST && (dhcp->state == DHCP_RENEWING ||
                                            dhcp->state == DHCP_REBINDING);
    struct dhcp_request request = {
        .type = type,
        .xid = dhcp->xid,
        .secs = secs < UINT16_MAX ? (uint16_t)secs : UINT16_MAX,
        .broadcast = !extends && type != DHCP_DECLINE,
        .client = nif->dev->mac,
        .message_bytes_max = DHCP_RECEIVE_BYTES,
        .hostname = dhcp->config.hostname,
    };

    if (extends)
        request.ciaddr = dhcp->lease.address.addr;
    else
        request.requested = dhcp->wanted;
    if (type == DHCP_DECLINE || dhcp->state == DHCP_REQUESTING)
        request.server = dhcp->server;
    return request;
}

/* A message that is lost, for want of memory or room, is sent again anyway. */
void dhcp_send(struct dhcp *dhcp, enum dhcp_type type)
{
    struct net *net = dhcp->net;
    const struct dhcp_request request = message(dhcp, type);
    struct udp_datagram to = {
        .src = request.ciaddr,
        .dst = IPV4_ADDR(255, 255, 255, 255),
        .src_port = DHCP_CLIENT_PORT,
        .dst_port = DHCP_SERVER_PORT,
    };
    struct buffer *data =
        buffer_alloc_last(net->pool, BUFFER_LARGE, BUFFER_HEADROOM);
    enum ipv4_status status;

    if (!data)
        return;
    data->len = (uint32_t)dhcp_emit(data->data, &request);
    if (by_unicast(dhcp, type)) {
        to.dst = dhcp->server;
        status = udp_output(net, &to, data);
    } else {
        status = udp_output_on(net, dhcp->index, &to, data);
    }
    if (status == IPV4_FULL)
        buffer_release(data);
    else if (status == IPV4_OK)
        net_count(&net->counters, dhcp_tx);
}
