/*
 * tests/bench/micro.c - small pieces of the stack, done COUNT times.
 *
 *   micro NAME COUNT
 *
 * Counts nothing itself: tests/bench/micro.py runs it twice under callgrind,
 * with one count and with another, and divides the difference.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/http_hello/http.h"
#include "kernel/thread.h"
#include "net/checksum.h"
#include "net/tcp_conn.h"
#include "tests/host/host.h"
#include "tests/host/hostnet.h"
#include "tests/host/tcp_peer.h"

enum { TEXT_BYTES = 1000, STACK_BYTES = 65536 };

static struct tcp_peer peer;

static void prepare_peer(void)
{
    peer_prepare(&peer);
    peer.config.pages_keep = 64; /* the host's own malloc() is not counted */
}

static void connect_peer(void)
{
    prepare_peer();
    peer_start(&peer);
    peer_open_passive(&peer);
    peer_take_all(&peer);
}

/* A segment of text comes and is read; building it is not counted. */
static void segment_in(long count)
{
    struct buffer *view;

    connect_peer();
    for (long i = 0; i < count; i++) {
        peer_text(&peer, TEXT_BYTES, PEER_ACK);
        while (tcp_recv_view(peer.conn, host_now_us, &view) == TCP_OK)
            buffer_release(view);
        net_flush(peer.net, host_now_us);
        peer_take_all(&peer);
    }
}

/* One is written and leaves; that it is acknowledged is not counted. */
static void segment_out(long count)
{
    static const char text[TEXT_BYTES];

    connect_peer();
    for (long i = 0; i < count; i++) {
        struct buffer *view =
            buffer_wrap(net_pool(peer.net), text, TEXT_BYTES, NULL, NULL);

        if (tcp_send(peer.conn, view, host_now_us) != TCP_OK)
            abort();
        net_flush(peer.net, host_now_us);
        while (peer_take(&peer))
            continue;
        peer_ack(&peer, peer.rcv);
    }
}

/* See what the stack has sent, and where its numbers stand. */
static void take_in(struct tcp_peer *from)
{
    while (peer_take(from))
        continue;
}

/* What the stack does for a connection with one request: five segments in,
 * three out, the last of which leaves a TIME-WAIT entry; the next connection,
 * from the same port, takes its place. The peer's own work is not counted. */
static void connection(long count)
{
    static const char text[] = "an answer";
    struct buffer *view;

    prepare_peer();
    peer.timestamps = peer.sack = true;
    peer.shift = 7;
    peer_start(&peer);
    peer_listen(&peer, 8, 8);
    for (long i = 0; i < count; i++) {
        peer.ts++;
        peer_syn(&peer);
        take_in(&peer);
        peer_ack(&peer, peer.rcv);
        peer.conn = tcp_accept(peer.listener);
        peer_text(&peer, 64, PEER_ACK | PEER_PSH);
        if (tcp_recv_view(peer.conn, host_now_us, &view) != TCP_OK)
            abort();
        buffer_release(view);
        view = buffer_wrap(net_pool(peer.net), text, sizeof(text), NULL, NULL);
        if (tcp_send(peer.conn, view, host_now_us) != TCP_OK)
            abort();
        tcp_shutdown(peer.conn, host_now_us);
        net_flush(peer.net, host_now_us);
        take_in(&peer);
        peer_ack(&peer, peer.rcv);
        peer_send(&peer, (struct peer_seg){.seq = peer.nxt++,
                                           .ack = peer.rcv,
                                           .window = peer.window,
                                           .flags = PEER_FIN | PEER_ACK});
        take_in(&peer);
        tcp_release(peer.conn, host_now_us);
    }
    peer.conn = NULL;
    if (PEER_COUNT(&peer, tcp_time_wait_reused) != (uint64_t)count - 1)
        abort();
}

static void lookup(long count)
{
    connect_peer();
    for (long i = 0; i < count; i++)
        if (tcp_table_find(peer.net, &peer.conn->tuple,
                           tcp_table_hash(peer.net, &peer.conn->tuple)) !=
            peer.conn)
            abort();
}

static void timer(long count)
{
    static void *slots[TIMER_WHEEL_BYTES / sizeof(void *)];
    struct timer_wheel wheel;
    struct timer armed = {0};

    timer_wheel_init(&wheel, slots, 0);
    for (long i = 0; i < count; i++) {
        timer_arm(&wheel, &armed, 1000 + (uint64_t)i * 77777 % 10000000);
        timer_cancel(&wheel, &armed);
    }
}

static void checksum(long count)
{
    static uint8_t text[1460];
    uint32_t sum = 0;

    for (long i = 0; i < count; i++)
        sum = checksum_add(sum, text, sizeof(text));
    if (sum != 0)
        abort();
}

static void checksum_copied(long count)
{
    static uint8_t text[1460], copy[sizeof(text)];
    uint32_t sum = 0;

    for (long i = 0; i < count; i++)
        sum = checksum_copy(sum, copy, text, sizeof(text));
    if (sum != 0)
        abort();
}

static void buffer(long count)
{
    static struct hostnet host;
    struct buffer_pool *pool = hostnet_pool(&host, 10);

    host.pool_pages.keep = 4; /* as in the image: it waits for the next */
    for (long i = 0; i < count; i++)
        buffer_release(buffer_alloc(pool, BUFFER_LARGE, 0));
    pages_drain(&host.pool_pages);
}

static void parse(long count, struct http_memo *memo)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\n"
                                  "Host: 10.8.0.2\r\n\r\n";
    static struct http_parser parser;
    size_t used;

    for (long i = 0; i < count; i++) {
        http_parser_init(&parser, memo);
        if (http_parse(&parser, request, sizeof(request) - 1, &used) !=
            HTTP_PARSE_DONE)
            abort();
    }
}

static void http(long count)
{
    parse(count, NULL);
}

static void http_again(long count)
{
    static struct http_memo memo;

    parse(count, &memo);
}

/* ---- threads ---- */

static uint64_t now_us(void)
{
    return host_now_us;
}

static void idle(uint64_t deadline_us)
{
    (void)deadline_us;
    abort(); /* somebody can always run */
}

static void *stack_alloc(size_t bytes)
{
    return aligned_alloc(PAGE_BYTES, bytes);
}

static void stack_free(void *stack, size_t bytes)
{
    (void)bytes;
    free(stack);
}

static const struct thread_host thread_host = {
    .now_us = now_us,
    .idle = idle,
    .stack_alloc = stack_alloc,
    .stack_free = stack_free,
};

static void yield(void *count)
{
    for (long i = 0; i < *(long *)count; i++)
        thread_yield();
}

static void thread_switches(long count)
{
    long half = count / 2;

    thread_init(&thread_host);
    if (thread_spawn(NULL, "other", STACK_BYTES, yield, &half) != THREAD_OK)
        abort();
    yield(&half);
    thread_yield(); /* its end */
}

static void nothing(void *arg)
{
    (void)arg;
}

static void thread_lives(long count)
{
    thread_init(&thread_host);
    for (long i = 0; i < count; i++) {
        if (thread_spawn(NULL, "short", STACK_BYTES, nothing, NULL) !=
            THREAD_OK)
            abort();
        thread_yield();
    }
}

static const struct {
    const char *name;
    void (*work)(long count);
} known[] = {
    {"segment-in", segment_in},
    {"segment-out", segment_out},
    {"connection", connection},
    {"lookup", lookup},
    {"timer", timer},
    {"checksum-1460", checksum},
    {"checksum-copy-1460", checksum_copied},
    {"buffer", buffer},
    {"thread-switch", thread_switches},
    {"thread-life", thread_lives},
    {"http-parse", http},
    {"http-parse-again", http_again},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 3 && i < ARRAY_LEN(known); i++) {
        if (strcmp(argv[1], known[i].name) == 0) {
            known[i].work(atol(argv[2]));
            return 0;
        }
    }
    fprintf(stderr, "usage: micro NAME COUNT\n");
    return 2;
}
