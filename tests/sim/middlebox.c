/*
 * tests/sim/middlebox.c - strips, rewrites, thins, splits and joins.
 */
#include "tests/sim/middlebox.h"

#include <stdlib.h>
#include <string.h>

enum { NOP = 1, SACK = 5, JOIN_BYTES_MAX = PACKET_ETH + 1500 };

/* --- options -------------------------------------------------------------- */

/* Calls `each` for every option but NOP of a well-formed header. */
static void walk(struct middlebox *box, uint8_t *tcp,
                 void (*each)(struct middlebox *box, uint8_t *tcp,
                              uint8_t *option))
{
    uint8_t *at = tcp + 20, *end = tcp + (tcp[12] >> 4) * 4;

    while (at < end && *at) {
        uint32_t step = *at == NOP ? 1u : end - at > 1 ? at[1] : 0u;

        if (step == 0 || step > (uint32_t)(end - at) ||
            (*at != NOP && step < 2))
            return;
        if (*at != NOP)
            each(box, tcp, at);
        at += step;
    }
}

static void strip(struct middlebox *box, uint8_t *tcp, uint8_t *option)
{
    bool syn = tcp[13] & SEG_SYN;

    if (*option < 16 && syn ? box->plan.strip_syn >> *option & 1
                            : box->plan.strip_sack && *option == SACK) {
        memset(option, NOP, option[1]);
        box->stripped++;
    }
}

/* --- numbers -------------------------------------------------------------- */

/* What is added to the numbers that src sends to dst. */
static uint32_t shift_of(const struct middlebox *box, const uint8_t *src,
                         const uint8_t *dst, const uint8_t *src_port,
                         const uint8_t *dst_port)
{
    struct rng rng = {box->key ^ seg_get32(src) ^
                      (uint64_t)seg_get32(dst) << 32};

    rng.state += (uint64_t)seg_get16(src_port) << 16 | seg_get16(dst_port);
    return (uint32_t)rng_next(&rng);
}

static uint32_t shift_out(const struct middlebox *box, const uint8_t *tcp)
{
    const uint8_t *ip = tcp - PACKET_IP;

    return shift_of(box, ip + 12, ip + 16, tcp, tcp + 2);
}

static uint32_t shift_back(const struct middlebox *box, const uint8_t *tcp)
{
    const uint8_t *ip = tcp - PACKET_IP;

    return shift_of(box, ip + 16, ip + 12, tcp + 2, tcp);
}

static void shift_sack(struct middlebox *box, uint8_t *tcp, uint8_t *option)
{
    if (*option != SACK)
        return;
    for (uint8_t *at = option + 2; at + 4 <= option + option[1]; at += 4)
        seg_put32(at, seg_get32(at) - shift_back(box, tcp));
}

static void rewrite(struct middlebox *box, uint8_t *tcp)
{
    seg_put32(tcp + 4, seg_get32(tcp + 4) + shift_out(box, tcp));
    if (!(tcp[13] & SEG_ACK))
        return;
    seg_put32(tcp + 8, seg_get32(tcp + 8) - shift_back(box, tcp));
    walk(box, tcp, shift_sack);
    box->rewritten++;
}

void middlebox_restore(const struct middlebox *box, struct packet *packet)
{
    uint8_t *tcp = packet_tcp(packet);

    if (!box->plan.rewrite || !packet_is_tcp(packet))
        return;
    seg_put32(tcp + 4, seg_get32(tcp + 4) - shift_out(box, tcp));
    packet_repair(packet);
}

/* --- segments ------------------------------------------------------------- */

static bool is_bare_ack(const struct segment *seg)
{
    return seg->flags == SEG_ACK && seg->len == 0;
}

static struct packet *part(const struct packet *packet,
                           const struct segment *seg, uint32_t from,
                           uint32_t bytes)
{
    uint32_t headers = (uint32_t)(seg->text - packet->bytes);
    struct packet *made = packet_new(headers + bytes);
    uint8_t *tcp = packet_tcp(made);

    memcpy(made->bytes, packet->bytes, headers);
    memcpy(made->bytes + headers, seg->text + from, bytes);
    made->from = packet->from;
    made->to = packet->to;
    seg_put16(packet_ip(made) + 2, headers + bytes - PACKET_ETH);
    seg_put32(tcp + 4, seg->seq + from);
    if (from + bytes < seg->len)
        tcp[13] &= (uint8_t) ~(SEG_FIN | SEG_PSH);
    packet_repair(made);
    return made;
}

static void split(struct middlebox *box, struct packet *packet,
                  const struct segment *seg, struct packet **out)
{
    uint32_t first = 1 + (uint32_t)rng_below(&box->rng, seg->len - 1u);

    out[0] = part(packet, seg, 0, first);
    out[1] = part(packet, seg, first, seg->len - first);
    free(packet);
    box->split++;
}

/* Whether `seg` goes on where the held one ends, with nothing else to say. */
static bool joins(const struct packet *held, const struct segment *before,
                  const struct segment *seg)
{
    return before->src == seg->src && before->dst == seg->dst &&
           before->src_port == seg->src_port &&
           before->dst_port == seg->dst_port && before->ecn == seg->ecn &&
           before->seq + before->len == seg->seq && seg->len > 0 &&
           before->sacks == 0 && seg->sacks == 0 &&
           !((before->flags | seg->flags) &
             (SEG_SYN | SEG_RST | SEG_URG | SEG_FIN | SEG_CWR)) &&
           before->text - held->bytes ==
               PACKET_ETH + PACKET_IP + 20 + (before->has_ts ? 12 : 0) &&
           held->len + seg->len <= JOIN_BYTES_MAX;
}

/* Grow the held packet, which has room for it; the later header counts. */
static void join(struct middlebox *box, struct packet *held,
                 const struct segment *before, struct packet *packet,
                 const struct segment *seg)
{
    uint8_t *tcp = packet_tcp(held), *later = packet_tcp(packet);
    uint32_t seq = before->seq;

    memcpy(held->bytes + held->len, seg->text, seg->len);
    held->len += seg->len;
    seg_put16(packet_ip(held) + 2, held->len - PACKET_ETH);
    memcpy(tcp + 8, later + 8, 8); /* ack, flags, window */
    tcp[12] = (uint8_t)((before->text - tcp) / 4 << 4);
    seg_put32(tcp + 4, seq);
    packet_repair(held);
    free(packet);
    box->joined++;
}

static struct packet *roomy(struct packet *packet)
{
    struct packet *copy = packet_new(JOIN_BYTES_MAX);

    memcpy(copy, packet, sizeof(*packet) + packet->len);
    free(packet);
    return copy;
}

/* True: it is held, or joined to what is. */
static bool holds(struct middlebox *box, unsigned direction,
                  struct packet *packet, const struct segment *seg,
                  struct packet **out, unsigned *count, bool *hold)
{
    struct packet *held = box->held[direction];
    struct segment before;

    if (held && packet_read(held, &before) && joins(held, &before, seg)) {
        join(box, held, &before, packet, seg);
        *count = 0;
        return true;
    }
    if (held || seg->len == 0 || packet->len > JOIN_BYTES_MAX)
        return false;
    box->held[direction] = out[0] = roomy(packet);
    *count = 1;
    *hold = true;
    return true;
}

unsigned middlebox_pass(struct middlebox *box, unsigned direction,
                        struct packet *packet,
                        struct packet *out[MIDDLEBOX_OUT], bool *hold)
{
    struct segment seg;
    unsigned count = 1;

    *hold = false;
    out[0] = packet;
    if (!packet_is_tcp(packet) || packet->spoiled)
        return 1;
    if (box->plan.strip_syn || box->plan.strip_sack)
        walk(box, packet_tcp(packet), strip);
    if (box->plan.rewrite)
        rewrite(box, packet_tcp(packet));
    packet_repair(packet);
    packet_read(packet, &seg);
    if (box->plan.thin && is_bare_ack(&seg) &&
        !rng_one_in(&box->rng, box->plan.thin)) {
        box->thinned++;
        free(packet);
        return 0;
    }
    if (box->plan.join_us &&
        holds(box, direction, packet, &seg, out, &count, hold))
        return count;
    if (box->plan.split_bytes && seg.len > box->plan.split_bytes &&
        !(seg.flags & (SEG_SYN | SEG_URG))) {
        split(box, packet, &seg, out);
        return 2;
    }
    return 1;
}

void middlebox_let_go(struct middlebox *box, const struct packet *packet)
{
    for (unsigned i = 0; i < 2; i++)
        if (box->held[i] == packet)
            box->held[i] = NULL;
}
