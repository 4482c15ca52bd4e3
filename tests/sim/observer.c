/*
 * tests/sim/observer.c - the rules, one function each.
 *
 * Source: RFC 9293 3.4, 3.7.1, 3.8.6, 3.10; RFC 7323 2; RFC 791; RFC 6864.
 */
#include "tests/sim/observer.h"

#include <stdio.h>
#include <string.h>

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

struct look {
    struct observer *observer;
    struct observer_side *us, *them;
    const uint8_t *text;
    uint32_t seq, ack, len; /* len: text */
    uint32_t window;        /* as on the wire */
    uint32_t mss;
    uint16_t src_port, dst_port;
    uint8_t flags, shift;
    bool has_mss, has_shift;
};

static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) << 16 | get16(at + 2);
}

static void broken(struct look *look, const char *rule)
{
    struct observer *observer = look->observer;

    if (observer->broken)
        return;
    observer->broken = rule;
    snprintf(observer->detail, sizeof observer->detail,
             "%u > %u flags %02x seq iss+%u ack %u len %u window %u; top "
             "iss+%u, peer's edge iss+%u",
             look->src_port, look->dst_port, look->flags,
             look->seq - look->us->iss, look->ack - look->them->iss, look->len,
             look->window, look->us->top - look->us->iss,
             look->them->edge - look->us->iss);
}

static uint32_t sum16(const uint8_t *data, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++)
        sum += i & 1 ? data[i] : (uint32_t)data[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* --- rules ---------------------------------------------------------------- */

static void rule_syn(struct look *look)
{
    struct observer_side *us = look->us;

    if (!(look->flags & SYN)) {
        if (look->has_mss || look->has_shift)
            broken(look, "MSS and window scale stand on SYN alone (MUST-65)");
        return;
    }
    if (us->syn && us->iss == look->seq &&
        (us->mss != look->mss || us->has_shift != look->has_shift ||
         us->shift != look->shift))
        broken(look, "a SYN that is sent again is the same SYN");
    if (look->flags & ACK && look->has_shift && !look->them->has_shift)
        broken(look, "window scale only in answer to one (RFC 7323 2.2)");
    if (look->shift > 14)
        broken(look, "a shift of at most 14 (RFC 7323 2.3)");
    if (look->len)
        broken(look, "no text on a SYN");
}

static void rule_sequence(struct look *look)
{
    struct observer_side *us = look->us;
    uint32_t end = look->seq + look->len + (look->flags & FIN ? 1u : 0);

    if (look->flags & (SYN | RST))
        return;
    if (before(us->top, look->seq))
        broken(look, "no hole in what is sent");
    if (us->fin && before(us->fin_end, end))
        broken(look, "nothing after FIN");
    if (us->fin && look->flags & FIN && end != us->fin_end)
        broken(look, "FIN stays where it is");
    if (!us->fin && look->flags & FIN && before(end, us->top))
        broken(look, "FIN comes after what was sent");
}

static void rule_window(struct look *look)
{
    struct observer_side *them = look->them;
    uint32_t end = look->seq + look->len;

    if (look->flags & (SYN | RST) || !look->len || !them->acked)
        return;
    /* One byte more is a probe of a closed window (3.8.6.1). */
    if (before(them->edge + (look->len == 1), end))
        broken(look, "text stays inside the window");
    if (look->len > them->mss)
        broken(look, "text of at most one MSS (MUST-16)");
}

static void rule_ack(struct look *look)
{
    struct observer_side *us = look->us, *them = look->them;

    if (look->flags & RST)
        return;
    if (!(look->flags & ACK)) {
        if (!(look->flags & SYN))
            broken(look, "every segment but the first SYN has ACK");
        return;
    }
    if (before(them->top, look->ack))
        broken(look, "no acknowledgement of what was never sent");
    if (us->acked && before(look->ack, us->ack))
        broken(look, "acknowledgements do not go back");
}

static void rule_edge(struct look *look)
{
    struct observer_side *us = look->us;
    uint32_t shift = us->has_shift && look->them->has_shift ? us->shift : 0;
    uint32_t edge;

    if (!(look->flags & ACK) || look->flags & RST)
        return;
    if (look->flags & SYN)
        shift = 0; /* never scaled: RFC 7323 2.2 */
    edge = look->ack + (look->window << shift);
    /* A SYN that is sent again cannot say more than 65535, and what is left of
     * a window is no multiple of its scale (RFC 7323 2.4). */
    if (us->acked && before(edge + (1u << shift) - 1, us->edge) &&
        !(look->flags & SYN))
        broken(look, "the right edge does not move left (SHLD-14)");
    if (!us->acked || before(us->edge, edge))
        us->edge = edge;
    us->ack = look->ack;
    us->acked = true;
}

static void rule_text(struct look *look)
{
    struct observer *observer = look->observer;

    if (look->len && observer->text_is_right && !(look->flags & RST) &&
        !observer->text_is_right(observer->context, look->src_port,
                                 look->dst_port, look->seq - look->us->iss - 1,
                                 look->text, look->len))
        broken(look, "a byte of the stream is the same each time");
}

/* --- state ---------------------------------------------------------------- */

/* The connection, and which side speaks; a new one for a new SYN. */
static struct observer_conn *find(struct observer *observer, uint32_t src,
                                  uint32_t dst, const struct look *look,
                                  unsigned *side)
{
    struct observer_conn *oldest = &observer->conn[0];
    uint32_t addr[2] = {src < dst ? src : dst, src < dst ? dst : src};
    uint16_t port[2];

    *side = src < dst ? 0 : 1;
    port[*side] = look->src_port;
    port[!*side] = look->dst_port;
    for (unsigned i = 0; i < OBSERVER_CONNS; i++) {
        struct observer_conn *conn = &observer->conn[i];

        if (conn->addr[0] == addr[0] && conn->addr[1] == addr[1] &&
            conn->port[0] == port[0] && conn->port[1] == port[1])
            return conn;
        if (conn->order < oldest->order)
            oldest = conn;
    }
    *oldest = (struct observer_conn){
        .addr = {addr[0], addr[1]},
        .port = {port[0], port[1]},
        .order = ++observer->order,
    };
    return oldest;
}

static void remember(struct look *look)
{
    struct observer_side *us = look->us;
    uint32_t end = look->seq + look->len + (look->flags & FIN ? 1u : 0) +
                   (look->flags & SYN ? 1u : 0);

    if (look->flags & RST)
        return;
    if (look->flags & SYN && (!us->syn || us->iss != look->seq))
        *us = (struct observer_side){
            .syn = true,
            .iss = look->seq,
            .top = end,
            .mss = look->mss,
            .has_shift = look->has_shift,
            .shift = look->shift,
        };
    if (look->flags & FIN) {
        us->fin = true;
        us->fin_end = end;
    }
    if (before(us->top, end))
        us->top = end;
}

/* --- bytes ---------------------------------------------------------------- */

static void parse_options(struct look *look, const uint8_t *at, size_t len)
{
    look->mss = 536;
    while (len > 0 && at[0] != 0) {
        size_t step = at[0] == 1 ? 1 : len > 1 ? at[1] : 0;

        if (step == 0 || step > len || (at[0] != 1 && step < 2)) {
            broken(look, "options are well formed");
            return;
        }
        if (at[0] == 2) {
            look->has_mss = true;
            look->mss = get16(at + 2);
        }
        if (at[0] == 3) {
            look->has_shift = true;
            look->shift = at[2];
        }
        at += step;
        len -= step;
    }
}

static void check_ip(struct look *look, const uint8_t *ip, size_t len)
{
    if (ip[0] != 0x45 || get16(ip + 2) != len)
        broken(look, "an IPv4 header of five words, its length true");
    if (sum16(ip, 20, 0) != 0xffff)
        broken(look, "the header's checksum is right");
    if (!(ip[6] & 0x40) || get16(ip + 4) != 0)
        broken(look, "DF, and an id of 0 (RFC 6864 4.1)");
    if (ip[8] < 2)
        broken(look, "a TTL that goes far");
}

static void check_tcp(struct look *look, const uint8_t *ip, const uint8_t *tcp,
                      size_t len, bool csum_partial)
{
    uint8_t pseudo[12] = {0};

    memcpy(pseudo, ip + 12, 8);
    pseudo[9] = 6;
    pseudo[10] = (uint8_t)(len >> 8);
    pseudo[11] = (uint8_t)len;
    if (!csum_partial &&
        sum16(tcp, len, sum16(pseudo, sizeof pseudo, 0)) != 0xffff)
        broken(look, "the checksum is right (MUST-2)");
    if (tcp[12] & 15)
        broken(look, "reserved bits are zero");
}

static void print_segment(const struct look *look)
{
    printf("%5u > %-5u %c%c%c%c %u:%u ack %u win %u\n", look->src_port,
           look->dst_port, look->flags & SYN ? 'S' : '.',
           look->flags & ACK ? 'A' : '.', look->flags & FIN ? 'F' : '.',
           look->flags & RST ? 'R' : '.', look->seq - look->us->iss,
           look->seq + look->len - look->us->iss, look->ack - look->them->iss,
           look->window);
}

void observer_frame(struct observer *observer, const uint8_t *frame, size_t len,
                    bool csum_partial)
{
    const uint8_t *ip = frame + 14, *tcp = ip + 20;
    struct look look = {.observer = observer};
    struct observer_conn *conn;
    unsigned side;
    size_t header;

    if (len < 54 || get16(frame + 12) != 0x0800 || ip[9] != 6)
        return;
    observer->segments++;
    len = get16(ip + 2) + 14u < len ? get16(ip + 2) : len - 14;
    header = (tcp[12] >> 4) * 4u;
    look.src_port = (uint16_t)get16(tcp);
    look.dst_port = (uint16_t)get16(tcp + 2);
    look.seq = get32(tcp + 4);
    look.ack = get32(tcp + 8);
    look.flags = tcp[13];
    look.window = get16(tcp + 14);
    look.text = tcp + header;
    look.len = (uint32_t)(len - 20 - header);
    conn = find(observer, get32(ip + 12), get32(ip + 16), &look, &side);
    look.us = &conn->side[side];
    look.them = &conn->side[!side];
    check_ip(&look, ip, len);
    check_tcp(&look, ip, tcp, len - 20, csum_partial);
    parse_options(&look, tcp + 20, header - 20);
    if (observer->trace_port == look.src_port ||
        observer->trace_port == look.dst_port)
        print_segment(&look);
    rule_syn(&look);
    if (look.us->syn || look.flags & SYN) {
        if (look.flags & SYN)
            remember(&look);
        rule_sequence(&look);
        rule_window(&look);
        rule_ack(&look);
        rule_edge(&look);
        rule_text(&look);
        remember(&look);
    }
}
