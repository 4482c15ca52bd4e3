/*
 * tests/sim/link.c - what becomes of a packet on one hop.
 */
#include "tests/sim/link.h"

/* --- damage --------------------------------------------------------------- */

/* Not in the Ethernet header, which nothing but a card's FCS protects. */
static void flip(struct link *link, struct packet *packet)
{
    uint64_t bit;

    if (packet->spoiled) /* a second one might undo the first's checksum */
        return;
    bit = PACKET_ETH * 8ull +
          rng_below(&link->rng, (packet->len - PACKET_ETH) * 8ull);
    packet->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    packet->spoiled = true;
    link->count.spoiled++;
}

/* The first option of a kind in a TCP header, or null. */
static uint8_t *option(uint8_t *tcp, uint8_t kind)
{
    uint8_t *at = tcp + 20, *end = tcp + (tcp[12] >> 4) * 4;

    while (at < end && *at) {
        uint32_t step = *at == 1 ? 1u : end - at > 1 ? at[1] : 0u;

        if (*at == kind)
            return at;
        if (step == 0 || step > (uint32_t)(end - at))
            return NULL;
        at += step;
    }
    return NULL;
}

/* A receiver may discard what it has reported (RFC 2018 8): a block that says
 * too much is nothing worse, for whoever keeps his text until it is
 * acknowledged. */
static void shift_sack(struct link *link, uint8_t *tcp)
{
    uint8_t *sack = option(tcp, 5);

    if (sack && sack[1] >= 10)
        seg_put32(sack + 6,
                  seg_get32(sack + 6) + (uint32_t)rng_below(&link->rng, 3000));
}

/*
 * Change one field and repair the checksums. Only fields about which a peer,
 * or a router, may say anything without harm to the stream: a stream whose
 * text or acknowledgement is forged is lost for every TCP.
 */
static void forge(struct link *link, struct packet *packet)
{
    uint8_t *ip = packet_ip(packet), *tcp = packet_tcp(packet);

    /* What a checksum would have caught must not be repaired. */
    if (packet->spoiled || !packet_is_tcp(packet) ||
        tcp[13] & (SEG_SYN | SEG_RST))
        return;
    link->count.forged++;
    switch (rng_below(&link->rng, 8)) {
    case 0: /* a smaller window than the peer's: SHLD-14 robustness */
        seg_put16(tcp + 14,
                  (uint32_t)rng_below(&link->rng, seg_get16(tcp + 14) + 1u));
        break;
    case 1: /* an acknowledgement that is late */
        seg_put32(tcp + 8,
                  seg_get32(tcp + 8) - (uint32_t)rng_below(&link->rng, 3000));
        break;
    case 2:
        tcp[13] ^= SEG_PSH;
        break;
    case 3: /* urgent, wherever to */
        tcp[13] |= SEG_URG;
        seg_put16(tcp + 18, (uint32_t)rng_below(&link->rng, 65536));
        break;
    case 4:
        tcp[12] |= (uint8_t)(1 + rng_below(&link->rng, 15)); /* reserved */
        break;
    case 5:
        shift_sack(link, tcp);
        break;
    case 6:
        ip[1] ^= (uint8_t)(4 << rng_below(&link->rng, 6)); /* DSCP */
        break;
    default:
        ip[8] = (uint8_t)(1 + rng_below(&link->rng, 255)); /* TTL */
    }
    packet_repair(packet);
}

/* --- queue ---------------------------------------------------------------- */

static bool is_lost(struct link *link)
{
    const struct link_quality *quality = &link->quality;

    if (rng_ppm(&link->rng, link->in_burst ? quality->burst_end_ppm
                                           : quality->burst_begin_ppm))
        link->in_burst = !link->in_burst;
    return link->cut ||
           (link->in_burst && rng_ppm(&link->rng, quality->burst_loss_ppm)) ||
           rng_ppm(&link->rng, quality->loss_ppm);
}

/* Random early marking: RFC 3168 5, of what can be marked. */
static void mark(struct link *link, struct packet *packet, uint64_t queued)
{
    uint64_t least = link->quality.mark_bytes;
    uint8_t *ip = packet_ip(packet);

    if (packet->spoiled || !least || queued <= least || !packet_is_ip(packet) ||
        !(ip[1] & 3))
        return;
    if (rng_below(&link->rng, 2 * least) >= queued - least)
        return;
    ip[1] |= ECN_CE;
    seg_put16(ip + 10, 0);
    seg_put16(ip + 10, ~packet_sum(ip, PACKET_IP, 0));
    link->count.marked++;
}

/* Whether the queue of a limited link takes it; moves busy_until_us. */
static bool enqueue(struct link *link, struct packet *packet, uint64_t now_us)
{
    const struct link_quality *quality = &link->quality;
    uint64_t wait_us, queued;

    if (quality->bytes_per_s == 0) {
        packet->due_us = now_us;
        return true;
    }
    wait_us = link->busy_until_us > now_us ? link->busy_until_us - now_us : 0;
    queued = wait_us * quality->bytes_per_s / 1000000;
    if (wait_us && queued + packet->len > quality->queue_bytes) {
        link->count.full++;
        return false;
    }
    mark(link, packet, queued);
    link->count.queue_us_sum += wait_us;
    if (wait_us > link->count.queue_us_max)
        link->count.queue_us_max = wait_us;
    packet->due_us = now_us + wait_us +
                     (uint64_t)packet->len * 1000000 / quality->bytes_per_s;
    link->busy_until_us = packet->due_us;
    return true;
}

static void fly(struct link *link, struct packet *packet)
{
    const struct link_quality *quality = &link->quality;

    packet->due_us += quality->delay_us;
    packet->due_us += rng_below(&link->rng, quality->jitter_us);
    if (packet->due_us < link->last_us)
        packet->due_us = link->last_us;
    link->last_us = packet->due_us;
    if (rng_ppm(&link->rng, quality->reorder_ppm)) {
        packet->due_us += quality->reorder_us;
        link->count.reordered++;
    }
}

enum link_fate link_send(struct link *link, struct packet *packet,
                         uint64_t now_us)
{
    const struct link_quality *quality = &link->quality;

    link->count.sent++;
    link->count.bytes += packet->len;
    if (is_lost(link)) {
        link->count.lost++;
        return LINK_LOST;
    }
    if (quality->mtu_bytes && packet_is_ip(packet) &&
        packet->len > (uint32_t)quality->mtu_bytes + PACKET_ETH) {
        link->count.too_big++;
        return quality->mtu_silent ? LINK_LOST : LINK_TOO_BIG;
    }
    if (!enqueue(link, packet, now_us))
        return LINK_LOST;
    if (rng_ppm(&link->rng, quality->forge_ppm))
        forge(link, packet);
    if (rng_ppm(&link->rng, quality->corrupt_ppm))
        flip(link, packet);
    fly(link, packet);
    if (!rng_ppm(&link->rng, quality->duplicate_ppm))
        return LINK_PASSES;
    link->count.duplicated++;
    return LINK_TWICE;
}
