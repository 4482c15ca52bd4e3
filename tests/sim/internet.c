/*
 * tests/sim/internet.c - packets from hop to hop, and hosts' turns.
 */
#include "tests/sim/internet.h"

#include <stdlib.h>
#include <string.h>

#include "tests/host/host.h"

enum {
    BATCH = 64,
    TURNS_MAX = 64,      /* of one host at one moment, by itself */
    ROUTER = 254,        /* last byte of its address on each network */
    ICMP_TEXT = 28 + 20, /* of the packet that it is about */
};

/* Where a packet is until it is due. */
enum hop { HOP_UP, HOP_BOX, HOP_TRUNK, HOP_DOWN };

struct ipv4_addr internet_address(unsigned host)
{
    return IPV4_ADDR(10, 0, (uint8_t)host, 1);
}

/* --- the heap of what is under way ---------------------------------------- */

static bool sooner(const struct packet *a, const struct packet *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void push(struct internet *internet, struct packet *packet)
{
    struct packet **heap = internet->heap;
    size_t at = internet->flying++;

    if (at == internet->heap_max) {
        internet->heap_max = at ? 2 * at : 64;
        heap = realloc(heap, internet->heap_max * sizeof(*heap));
        if (!heap)
            abort();
        internet->heap = heap;
    }
    packet->order = internet->order++;
    for (; at > 0 && sooner(packet, heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = packet;
}

static struct packet *pop(struct internet *internet)
{
    struct packet **heap = internet->heap, *first = heap[0];
    struct packet *last = heap[--internet->flying];
    size_t at = 0, child;

    while ((child = 2 * at + 1) < internet->flying) {
        if (child + 1 < internet->flying &&
            sooner(heap[child + 1], heap[child]))
            child++;
        if (!sooner(heap[child], last))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return first;
}

/* --- hops ----------------------------------------------------------------- */

static void too_big(struct internet *internet, struct packet *packet,
                    const struct link *link, bool beyond_box);

/* Put a packet on a link, which it leaves as `hop`. Takes it. */
static void transmit(struct internet *internet, struct link *link,
                     struct packet *packet, enum hop hop)
{
    enum link_fate fate = link_send(link, packet, host_now_us);

    if (fate == LINK_TOO_BIG)
        too_big(internet, packet, link, hop != HOP_UP);
    if (fate == LINK_LOST || fate == LINK_TOO_BIG) {
        free(packet);
        return;
    }
    packet->hop = (uint8_t)hop;
    if (fate == LINK_TWICE)
        push(internet, packet_copy(packet));
    push(internet, packet);
}

static void to_host(struct internet *internet, unsigned host,
                    struct packet *packet)
{
    struct mac_addr mac = internet->host[host].dev.dev.mac;

    packet->to = (uint8_t)host;
    memcpy(packet->bytes, &mac, 6);
    memset(packet->bytes + 6, 2, 6);
    packet->bytes[7] = ROUTER;
    transmit(internet, &internet->host[host].down, packet, HOP_DOWN);
}

/* RFC 792, RFC 1191 4: from the router that could not pass it on. */
static void too_big(struct internet *internet, struct packet *packet,
                    const struct link *link, bool beyond_box)
{
    uint32_t about = packet->len - PACKET_ETH;
    struct packet *error;
    uint8_t *ip, *icmp;

    if (beyond_box)
        middlebox_restore(&internet->box, packet);
    about = about < ICMP_TEXT ? about : ICMP_TEXT;
    error = packet_new(PACKET_ETH + PACKET_IP + 8 + about);
    memset(error->bytes, 0, error->len);
    ip = packet_ip(error);
    icmp = packet_tcp(error);
    seg_put16(error->bytes + 12, 0x0800);
    ip[0] = 0x45;
    seg_put16(ip + 2, PACKET_IP + 8 + about);
    ip[8] = 64;
    ip[9] = 1;
    seg_put32(ip + 12, seg_get32(packet_ip(packet) + 12) - 1 + ROUTER);
    memcpy(ip + 16, packet_ip(packet) + 12, 4);
    icmp[0] = 3;
    icmp[1] = 4;
    seg_put16(icmp + 6, link->quality.mtu_bytes);
    memcpy(icmp + 8, packet_ip(packet), about);
    seg_put16(icmp + 2, ~packet_sum(icmp, 8 + about, 0));
    packet_repair(error);
    to_host(internet, packet->from, error);
}

/* A question for the router's address is answered. */
static void answer_arp(struct internet *internet, struct packet *packet)
{
    const uint8_t *arp = packet->bytes + PACKET_ETH;
    struct packet *reply;
    uint8_t *to;

    if (packet->len < PACKET_ETH + 28 || seg_get16(arp + 6) != 1 ||
        arp[27] != ROUTER || arp[17] == ROUTER)
        return;
    reply = packet_new(60);
    memset(reply->bytes, 0, reply->len);
    to = reply->bytes + PACKET_ETH;
    seg_put16(reply->bytes + 12, 0x0806);
    memcpy(to, arp, 6);
    seg_put16(to + 6, 2);
    memset(to + 8, 2, 6);
    to[9] = ROUTER;
    memcpy(to + 14, arp + 24, 4);
    memcpy(to + 18, arp + 8, 10);
    to_host(internet, packet->from, reply);
}

/* Each router takes one from the TTL; the checksum follows. */
static bool hop_count(struct packet *packet)
{
    uint8_t *ip = packet_ip(packet);

    if (!packet_ip_sum_ok(packet) || ip[8] < 2)
        return false;
    ip[8]--;
    seg_put16(ip + 10, 0);
    seg_put16(ip + 10, ~packet_sum(ip, PACKET_IP, 0));
    return true;
}

static void enter_trunk(struct internet *internet, struct packet *packet)
{
    struct packet *out[MIDDLEBOX_OUT];
    unsigned direction = packet->from % 2;
    bool hold;
    unsigned count =
        middlebox_pass(&internet->box, direction, packet, out, &hold);

    if (hold) {
        out[0]->hop = HOP_BOX;
        out[0]->due_us = host_now_us + internet->box.plan.join_us;
        push(internet, out[0]);
        return;
    }
    for (unsigned i = 0; i < count; i++)
        transmit(internet, &internet->trunk[direction], out[i], HOP_TRUNK);
}

/* A packet has come to the first router. Takes it. */
static void route(struct internet *internet, struct packet *packet)
{
    const uint8_t *ip = packet_ip(packet);

    if (!packet_is_ip(packet)) {
        if (packet->len >= PACKET_ETH &&
            seg_get16(packet->bytes + 12) == 0x0806)
            answer_arp(internet, packet);
        free(packet);
        return;
    }
    if (ip[16] != 10 || ip[17] != 0 || ip[18] >= internet->hosts ||
        ip[19] != 1 || !hop_count(packet)) {
        free(packet);
        return;
    }
    packet->to = ip[18];
    if (packet->from % 2 != packet->to % 2)
        enter_trunk(internet, packet);
    else
        to_host(internet, packet->to, packet);
}

static void arrive(struct internet *internet, struct packet *packet)
{
    struct internet_host *host = &internet->host[packet->to];

    if (host->dev.rx.count >= host->rx_max ||
        !memdev_inject(&host->dev, packet->bytes, packet->len))
        host->rx_dropped++;
    free(packet);
}

static void next_hop(struct internet *internet, struct packet *packet)
{
    switch ((enum hop)packet->hop) {
    case HOP_UP:
        route(internet, packet);
        break;
    case HOP_BOX:
        middlebox_let_go(&internet->box, packet);
        transmit(internet, &internet->trunk[packet->from % 2], packet,
                 HOP_TRUNK);
        break;
    case HOP_TRUNK:
        to_host(internet, packet->to, packet);
        break;
    case HOP_DOWN:
        arrive(internet, packet);
        break;
    }
}

/* --- hosts ---------------------------------------------------------------- */

struct sender {
    struct internet *internet;
    unsigned host;
};

static void leave_card(void *context, struct packet *packet)
{
    const struct sender *sender = context;
    struct internet *internet = sender->internet;

    packet->from = (uint8_t)sender->host;
    if (internet->seen)
        internet->seen(internet->context, sender->host, false, packet);
    transmit(internet, &internet->host[sender->host].up, packet, HOP_UP);
}

static void collect(struct internet *internet, unsigned i)
{
    struct sender sender = {internet, i};
    struct buffer *chain;

    while ((chain = memdev_take(&internet->host[i].dev))) {
        packet_emit(chain, leave_card, &sender);
        buffer_release(chain);
    }
}

/* The stack is about to see these frames. */
static void show(struct internet *internet, unsigned i, struct buffer *frames)
{
    for (struct buffer *at = frames; at && internet->seen; at = at->link) {
        struct packet *packet = packet_new(buffer_chain_len(at));

        buffer_copy_out(at, 0, packet->bytes, packet->len);
        internet->seen(internet->context, i, true, packet);
        free(packet);
    }
}

static bool has_work(const struct internet_host *host)
{
    return host->dev.rx.first || net_needs_flush(host->net) ||
           net_next_deadline(host->net) <= host_now_us;
}

/* One stack's turn, as the network thread takes it. */
static void turn(struct internet *internet, unsigned i)
{
    struct internet_host *host = &internet->host[i];
    struct netdev *dev = &host->dev.dev;
    struct buffer *frames = dev->ops->receive(dev, BATCH);

    show(internet, i, frames);
    if (frames)
        net_input(host->net, dev, frames, host_now_us);
    net_run(host->net, host_now_us);
    for (unsigned n = 0; n < TURNS_MAX && net_flush(host->net, host_now_us);
         n++)
        collect(internet, i); /* which makes room in the card */
    collect(internet, i);
    internet->turns++;
    if (internet->turned)
        internet->turned(internet->context, i);
}

void internet_step(struct internet *internet)
{
    while (internet->flying && internet->heap[0]->due_us <= host_now_us)
        next_hop(internet, pop(internet));
    for (unsigned i = 0; i < internet->hosts; i++) {
        struct internet_host *host = &internet->host[i];

        for (unsigned n = 0; n < TURNS_MAX && has_work(host) &&
                             host->sleeps_until_us <= host_now_us;
             n++) {
            turn(internet, i);
            host->sleeps_until_us = host_now_us + host->doze_us;
        }
    }
}

uint64_t internet_next(const struct internet *internet)
{
    uint64_t next_us = internet->flying ? internet->heap[0]->due_us : FOREVER;

    for (unsigned i = 0; i < internet->hosts; i++) {
        const struct internet_host *host = &internet->host[i];
        uint64_t at_us = net_next_deadline(host->net);

        if (has_work(host))
            at_us = host_now_us;
        if (at_us < host->sleeps_until_us)
            at_us = host->sleeps_until_us;
        if (at_us < next_us)
            next_us = at_us;
    }
    return next_us < host_now_us ? host_now_us : next_us;
}

/* --- made and ended ------------------------------------------------------- */

void internet_init(struct internet *internet, uint64_t seed)
{
    *internet = (struct internet){
        .box = {.key = seed, .rng = rng_stream(seed, 100)},
        .trunk = {{.rng = rng_stream(seed, 101)},
                  {.rng = rng_stream(seed, 102)}},
    };
    for (unsigned i = 0; i < HOSTS_MAX; i++) {
        internet->host[i].up.rng = rng_stream(seed, 110 + i);
        internet->host[i].down.rng = rng_stream(seed, 120 + i);
        internet->host[i].rx_max = 256;
    }
}

void internet_add(struct internet *internet, const struct net_config *config,
                  unsigned caps)
{
    unsigned i = internet->hosts;
    struct internet_host *host = &internet->host[i];
    struct net_address address = {
        .addr = internet_address(i),
        .prefix_bits = 24,
        .gateway = IPV4_ADDR(10, 0, (uint8_t)i, ROUTER),
    };
    struct net_config own = *config;

    ASSERT(i < HOSTS_MAX);
    own.host = hostnet_host(&host->hostnet);
    own.host.tcp_event = config->host.tcp_event;
    memdev_init(&host->dev, (struct mac_addr){{2, 0, 0, 0, 0, (uint8_t)i}});
    host->dev.dev.caps = (uint16_t)caps;
    host->net = net_create(&own, host_now_us);
    if (!host->net || net_attach(host->net, &host->dev.dev, &address) != NET_OK)
        abort();
    internet->hosts++;
}

size_t internet_destroy(struct internet *internet)
{
    size_t pages = 0;

    while (internet->flying)
        free(pop(internet));
    free(internet->heap);
    for (unsigned i = 0; i < internet->hosts; i++) {
        memdev_clear(&internet->host[i].dev);
        net_destroy(internet->host[i].net);
        pages += internet->host[i].hostnet.pages;
    }
    internet->hosts = 0;
    return pages;
}
