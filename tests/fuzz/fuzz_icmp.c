/*
 * tests/fuzz/fuzz_icmp.c - echoes, errors about what we have really sent, and
 * pings of ours whose replies may lie.
 *
 * Bounds: INPUT_MAX bytes, so at most as many steps.
 */
#include <string.h>

#include "net/ping.h"
#include "net/tcp.h"
#include "net/udp.h"
#include "tests/host/fuzz_net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 2048, PINGS = 4 };

struct world {
    struct fuzz f;
    struct ping *ping[PINGS];
    struct tcp_conn *conn;
    struct udp_socket *socket;
};

/* What a question's end is told with: where its handle stands. */
static void done(void *context, const struct ping_answer *answer)
{
    struct ping **ping = context;

    ASSERT(*ping && answer->status < PING_STATUS_COUNT);
    *ping = NULL;
}

static void step_message(struct fuzz *f)
{
    static const uint8_t types[] = {0, 3, 4, 5, 8, 9, 10, 11, 12, 13, 17, 18};
    uint32_t shape = fuzz_get(f, 1), bytes = 8 + fuzz_get(f, 1);

    fuzz_ethernet(f, shape & 1, 2, 0x0800);
    fuzz_ip(f, fuzz_addr(f), 1, bytes, 7, 0x4000);
    fuzz_put(f, types[shape / 16 % ARRAY_LEN(types)], 1);
    fuzz_put(f, fuzz_get(f, 1), 1);
    fuzz_put(f, 0, 2);
    fuzz_put_raw(f, bytes - 4);
    fuzz_repair(f);
    if (shape & 2)
        fuzz_spoil(f);
    if (shape & 4)
        fuzz_repair(f);
    fuzz_send(f);
}

/* An error that quotes the latest packet of the stack, or most of it. */
static void step_error(struct fuzz *f)
{
    static const uint8_t types[] = {3, 11, 12, 4, 5};
    uint32_t shape = fuzz_get(f, 1), code = fuzz_get(f, 1);
    uint32_t quoted = f->sent_len > 14 ? f->sent_len - 14 : 0;

    if (quoted > 20 + fuzz_get(f, 1) % 64)
        quoted = 20 + shape % 64;
    fuzz_ethernet(f, false, 2, 0x0800);
    fuzz_ip(f, fuzz_addr(f), 1, 8 + quoted, 7, 0x4000);
    fuzz_put(f, types[shape % ARRAY_LEN(types)], 1);
    fuzz_put(f, code, 1);
    fuzz_put(f, 0, 4);
    fuzz_put(f, fuzz_get(f, 2), 2);
    for (uint32_t i = 0; i < quoted; i++)
        fuzz_put(f, f->sent[14 + i], 1);
    if (shape & 128)
        fuzz_spoil(f);
    fuzz_repair(f);
    fuzz_send(f);
}

/* The latest packet of the stack comes back, as a reply. */
static void step_reply(struct fuzz *f)
{
    struct ipv4_addr src;

    if (f->sent_len < 34)
        return;
    memcpy(f->frame, f->sent, f->sent_len);
    f->len = f->sent_len;
    memcpy(f->frame, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02", 12);
    memcpy(src.byte, f->sent + 30, 4);
    memcpy(f->frame + 30, f->sent + 26, 4);
    memcpy(f->frame + 26, src.byte, 4);
    if (f->len > 34)
        f->frame[34] = 0;
    if (fuzz_get(f, 1) & 1)
        fuzz_spoil(f);
    fuzz_repair(f);
    fuzz_send(f);
}

static void step_ping(struct world *w)
{
    struct fuzz *f = &w->f;
    uint32_t index = fuzz_get(f, 1) % PINGS;
    const struct ping_request request = {
        .dst = fuzz_addr(f),
        .bytes = fuzz_get(f, 2) % (PING_BYTES_MAX + 1),
        .sequence = (uint16_t)index,
        .ttl = (uint8_t)fuzz_get(f, 1),
        .timeout_us = fuzz_get(f, 3),
    };

    if (w->ping[index]) {
        ping_cancel(w->ping[index]);
        w->ping[index] = NULL;
    } else {
        (void)!ping_start(f->net, &request, done, &w->ping[index], f->now_us,
                          &w->ping[index]);
    }
    fuzz_wait(f, 0);
}

/* Something of ours that errors can be about. */
static void step_talk(struct world *w)
{
    struct fuzz *f = &w->f;
    enum tcp_end why;

    if (fuzz_get(f, 1) & 1) {
        (void)!udp_send_to(w->socket, IPV4_ADDR(0, 0, 0, 0), 0, NULL);
    } else {
        if (w->conn)
            tcp_release(w->conn, f->now_us);
        w->conn = NULL;
        if (tcp_connect(f->net, IPV4_ADDR(10, 0, 0, 2), 80, 0, f->now_us,
                        &w->conn, &why) != TCP_OK)
            w->conn = NULL;
    }
    fuzz_wait(f, 0);
}

/* The neighbour says who it is, so that packets leave. */
static void meet(struct fuzz *f)
{
    fuzz_ethernet(f, false, 2, 0x0806);
    fuzz_put(f, 0x00010800, 4);
    fuzz_put(f, 0x06040001, 4);
    fuzz_put(f, 0x02000000, 4);
    fuzz_put(f, 2, 2);
    fuzz_put(f, 0x0a000002, 4);
    fuzz_put(f, 0, 4);
    fuzz_put(f, 0, 2);
    fuzz_put(f, 0x0a000001, 4);
    fuzz_send(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    struct udp_options options = {0};

    if (size > INPUT_MAX)
        return 0;
    memset(&w, 0, sizeof(w));
    fuzz_init(&w.f, data, size);
    ASSERT(udp_open(w.f.net, &options, &w.socket) == UDP_OK);
    ASSERT(udp_connect(w.socket, IPV4_ADDR(10, 0, 0, 2), 9) == UDP_OK);
    meet(&w.f);
    while (w.f.at < w.f.end) {
        uint32_t kind = fuzz_get(&w.f, 1);

        if (kind < 64)
            step_message(&w.f);
        else if (kind < 128)
            step_error(&w.f);
        else if (kind < 160)
            step_reply(&w.f);
        else if (kind < 192)
            step_ping(&w);
        else if (kind < 224)
            step_talk(&w);
        else
            fuzz_wait(&w.f, 1ull << (kind & 31));
    }
    if (w.conn)
        tcp_release(w.conn, w.f.now_us);
    udp_close(w.socket);
    fuzz_end(&w.f);
    return 0;
}
