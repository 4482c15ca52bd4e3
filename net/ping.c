/*
 * net/ping.c - ask a host whether it is there.
 */
#include "net/ping.h"

#include <string.h>

#include "net/checksum.h"
#include "net/net_priv.h"
#include "net/wire.h"

struct ping {
    struct ping *next;
    struct net *net;
    struct timer timer;
    ping_fn *done;
    void *context;
    struct ping_request request;
    uint64_t sent_us;
    uint16_t id;
};

/* As on the wire: RFC 792. */
struct wire_echo {
    uint8_t type, code;
    be16 checksum;
    be16 id, sequence;
};

_Static_assert(sizeof(struct wire_echo) == ICMP_HEADER_BYTES, "as on the wire");

const char *ping_status_text(enum ping_status status)
{
    static const char *const text[PING_STATUS_COUNT] = {
        [PING_OK] = "answered",
        [PING_TIMEOUT] = "no answer",
        [PING_UNREACHABLE] = "unreachable",
        [PING_TIME_EXCEEDED] = "time exceeded",
        [PING_NO_ROUTE] = "no route to host",
        [PING_NO_MEMORY] = "out of memory",
        [PING_FULL] = "the network card is full",
        [PING_CANCELLED] = "cancelled",
    };

    return (unsigned)status < PING_STATUS_COUNT ? text[status] : "unknown";
}

static void ping_timer(struct timer *timer, void *context);

void ping_init(struct net *net)
{
    pool_init(&net->pings.pool, &net->pages, sizeof(struct ping), PINGS_MAX);
}

void ping_destroy(struct net *net)
{
    while (net->pings.first)
        ping_cancel(net->pings.first);
}

void ping_cancel(struct ping *ping)
{
    struct ping **at = &ping->net->pings.first;

    while (*at != ping)
        at = &(*at)->next;
    *at = ping->next;
    timer_cancel(&ping->net->timers, &ping->timer);
    pool_free(ping);
}

static void finish(struct ping *ping, struct ping_answer answer)
{
    ping_fn *done = ping->done;
    void *context = ping->context;

    answer.rtt_us = ping->net->now_us - ping->sent_us;
    ping_cancel(ping);
    done(context, &answer);
}

static void ping_timer(struct timer *timer, void *context)
{
    (void)context;
    finish(CONTAINER_OF(timer, struct ping, timer),
           (struct ping_answer){.status = PING_TIMEOUT});
}

/* --- out ------------------------------------------------------------------ */

/* The data of a question: a pattern that differs from one to the next. */
static uint8_t data_byte(const struct ping *ping, uint32_t at)
{
    return (uint8_t)(ping->id + at);
}

/* A chain of `bytes`, the header's among them, which are left free. */
static struct buffer *make_message(struct net *net, const struct ping *ping)
{
    uint32_t left = ICMP_HEADER_BYTES + ping->request.bytes, at = 0;
    struct buffer *first = NULL, **end = &first;

    while (left > 0) {
        uint32_t headroom = first ? 0 : BUFFER_HEADROOM;
        uint32_t part = BUFFER_LARGE_BYTES - headroom;
        struct buffer *buf =
            buffer_alloc_last(net->pool, BUFFER_LARGE, headroom);

        if (!buf) {
            buffer_release(first);
            return NULL;
        }
        buf->len = part < left ? part : left;
        for (uint32_t i = 0; i < buf->len; i++)
            buf->data[i] = data_byte(ping, at + i);
        at += buf->len;
        left -= buf->len;
        *end = buf;
        end = &buf->next;
    }
    return first;
}

static enum ping_status send(struct net *net, const struct ping *ping)
{
    struct wire_echo wire = {.type = ICMP_ECHO,
                             .id = be16_make(ping->id),
                             .sequence = be16_make(ping->request.sequence)};
    struct ipv4_send how = {.dst = ping->request.dst,
                            .protocol = IPV4_PROTO_ICMP,
                            .ttl = ping->request.ttl,
                            .may_fragment = true};
    struct buffer *message;

    if (ipv4_addr_is_multicast(how.dst) || ipv4_is_broadcast(net, how.dst) ||
        !ipv4_source_for(net, how.dst, &how.src))
        return PING_NO_ROUTE;
    message = make_message(net, ping);
    if (!message)
        return PING_NO_MEMORY;
    memcpy(message->data, &wire, sizeof(wire));
    wire.checksum = checksum_finish(checksum_chain(0, message, 0));
    memcpy(message->data, &wire, sizeof(wire));
    switch (ipv4_output(net, &how, message)) {
    case IPV4_OK:
        net_count(&net->counters, icmp_tx);
        return PING_OK;
    case IPV4_FULL:
        buffer_release(message);
        return PING_FULL;
    case IPV4_NO_MEMORY:
        return PING_NO_MEMORY;
    case IPV4_NO_ROUTE:
    case IPV4_TOO_BIG:
        break;
    }
    return PING_NO_ROUTE;
}

enum ping_status ping_start(struct net *net, const struct ping_request *request,
                            ping_fn *done, void *context, uint64_t now_us,
                            struct ping **out)
{
    struct ping *ping = pool_alloc(&net->pings.pool);
    enum ping_status status;

    ASSERT(request->bytes <= PING_BYTES_MAX);
    *out = NULL;
    if (!ping)
        return PING_NO_MEMORY;
    net_set_now(net, now_us);
    *ping = (struct ping){
        .next = net->pings.first,
        .net = net,
        .timer.fire = ping_timer,
        .done = done,
        .context = context,
        .request = *request,
        .sent_us = net->now_us,
        .id = (uint16_t)net_random64(net),
    };
    net->pings.first = ping;
    timer_arm(&net->timers, &ping->timer, net->now_us + request->timeout_us);
    status = send(net, ping);
    if (status == PING_OK)
        *out = ping;
    else
        ping_cancel(ping);
    return status;
}

/* --- in ------------------------------------------------------------------- */

/* Whose question it is, by its header and who was asked; null: nobody's. */
static struct ping *find(struct net *net, const uint8_t *header,
                         struct ipv4_addr dst)
{
    struct ping *ping = net->pings.first;
    struct wire_echo wire;

    memcpy(&wire, header, sizeof(wire));
    while (ping && !(ping->id == be16_get(wire.id) &&
                     ping->request.sequence == be16_get(wire.sequence) &&
                     ipv4_addr_equal(ping->request.dst, dst)))
        ping = ping->next;
    return ping;
}

/* Whether a reply brings back what was sent. */
static bool data_ok(const struct ping *ping, const struct buffer *message)
{
    uint32_t at = 0;

    if (buffer_chain_len(message) != ICMP_HEADER_BYTES + ping->request.bytes)
        return false;
    for (; message; message = message->next)
        for (uint32_t i = 0; i < message->len; i++, at++)
            if (at >= ICMP_HEADER_BYTES &&
                message->data[i] != data_byte(ping, at))
                return false;
    return true;
}

void ping_input(struct net *net, const struct ipv4_packet *ip,
                const struct buffer *message)
{
    struct ping *ping = find(net, message->data, ip->header.src);

    if (!ping || ip->to_many || message->data[1] != 0 ||
        !data_ok(ping, message)) {
        net_count(&net->counters, icmp_unasked);
        return;
    }
    finish(ping, (struct ping_answer){.status = PING_OK,
                                      .from = ip->header.src,
                                      .ttl = ip->header.ttl});
}

void ping_error(struct net *net, struct ipv4_addr from, struct ipv4_addr dst,
                const uint8_t *header, enum ping_status error, uint8_t code)
{
    struct ping *ping = find(net, header, dst);

    if (!ping || header[0] != ICMP_ECHO) {
        net_count(&net->counters, icmp_embedded);
        return;
    }
    finish(ping,
           (struct ping_answer){.status = error, .from = from, .code = code});
}
