/*
 * tests/unit/test_example_host.c - hosting the stack in a Linux program.
 *
 * What net/README.md describes, in some hundred lines: two stacks, joined by a
 * queue of IP packets, on the real clock; one echoes what the other sends.
 * A program with a TAP device or a raw socket differs in take_packet() and
 * deliver() alone. Uses only net/net.h, net/tcp.h and net/buffer.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "net/net.h"

struct host {
    struct net *net;
    struct buffer *out, **out_end; /* IP packets on their way, through link */
    struct tcp_conn *conn;         /* the client's */
    char heard[64];
    size_t heard_bytes;
    bool done;
};

/* ---- what the stack needs: pages, random bytes, a way out, the time ---- */

static void *take_page(void *context)
{
    (void)context;
    return aligned_alloc(PAGE_BYTES, PAGE_BYTES);
}

static void give_page(void *context, void *page)
{
    (void)context;
    free(page);
}

static void fill_random(void *context, void *out, size_t bytes)
{
    (void)context;
    if (getrandom(out, bytes, 0) != (ssize_t)bytes)
        abort();
}

/* The packet is ours now. Nothing of the stack is called from here. */
static void take_packet(void *context, struct buffer *packet)
{
    struct host *host = context;

    packet->link = NULL;
    *host->out_end = packet;
    host->out_end = &packet->link;
}

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* ---- what the program does with its connections ---- */

/* The client: hear until the end of the stream. */
static void client_event(void *context, struct tcp_conn *conn, unsigned changes)
{
    struct host *host = context;
    struct buffer *chain;

    if (changes & TCP_CHANGE_OPEN)
        tcp_shutdown(conn, now_us()); /* FIN follows what is queued */
    while (tcp_recv(conn, 32, now_us(), &chain) == TCP_OK) {
        host->heard_bytes +=
            buffer_copy_out(chain, 0, host->heard + host->heard_bytes,
                            (uint32_t)(sizeof host->heard - host->heard_bytes));
        buffer_release(chain);
    }
    host->done = tcp_closed(conn);
}

/* The server: send back what comes, close after the peer. */
static void server_event(void *context, struct tcp_conn *conn, unsigned changes)
{
    struct buffer *chain;
    enum tcp_status status;

    (void)context;
    (void)changes; /* a hint: asking is always right */
    while ((status = tcp_recv(conn, tcp_send_room(conn), now_us(), &chain)) ==
           TCP_OK)
        if (tcp_send(conn, chain, now_us()) != TCP_OK)
            buffer_release(chain);
    if (status != TCP_AGAIN)
        tcp_release(conn, now_us());
}

static void accept_all(void *context, struct tcp_listener *listener)
{
    struct tcp_conn *conn;

    while ((conn = tcp_accept(listener)))
        server_event(context, conn, 0);
}

/* ---- hosting ---- */

static void start(struct host *host, struct ipv4_addr addr,
                  void (*event)(void *, struct tcp_conn *, unsigned))
{
    struct net_address address = {.addr = addr, .prefix_bits = 24};
    struct net_config config = net_config_default();

    *host = (struct host){.out_end = &host->out};
    config.host = (struct net_host){
        .context = host,
        .page_alloc = take_page,
        .page_free = give_page,
        .random = fill_random,
        .tcp_event = event,
        .packet_out = take_packet,
    };
    host->net = net_create(&config, now_us());
    if (!host->net || net_attach(host->net, NULL, &address) != NET_OK)
        abort();
}

/* Hand one's packets to the other; each stack has buffers of its own. */
static void deliver(struct host *from, struct host *to)
{
    struct buffer *packets = from->out;
    struct buffer *packet;
    struct buffer *copy;

    from->out = NULL;
    from->out_end = &from->out;
    while ((packet = packets)) {
        packets = packet->link;
        copy = buffer_alloc(net_pool(to->net), BUFFER_LARGE, 0);
        if (copy) { /* else it is lost, as on any network */
            copy->len =
                buffer_copy_out(packet, 0, copy->data, buffer_tailroom(copy));
            net_input_packet(to->net, copy, now_us());
        }
        buffer_release(packet);
    }
}

/* One round: what has come, then the timers, then one flush. */
static void round_of(struct host *host, struct host *peer)
{
    deliver(peer, host);
    if (net_next_deadline(host->net) <= now_us()) /* a poll()'s time-out */
        net_run(host->net, now_us());
    (void)net_flush(host->net, now_us());
}

static void say(struct host *client, struct ipv4_addr server, const char *text)
{
    struct buffer *buffer;
    enum tcp_end why;

    if (tcp_connect(client->net, server, 7, 0, now_us(), &client->conn, &why) !=
        TCP_OK)
        abort();
    buffer = buffer_wrap(net_pool(client->net), text, (uint32_t)strlen(text),
                         NULL, NULL);
    /* Queued now, sent when the connection is open. */
    if (!buffer || tcp_send(client->conn, buffer, now_us()) != TCP_OK)
        abort();
}

int main(void)
{
    struct tcp_listen_options options = {
        .backlog = 8, .syn_backlog = 8, .acceptable = accept_all};
    struct tcp_listener *listener;
    struct host client;
    struct host server;
    bool good;

    start(&client, IPV4_ADDR(192, 0, 2, 1), client_event);
    start(&server, IPV4_ADDR(192, 0, 2, 2), server_event);
    if (tcp_listen(server.net, 7, &options, &listener) != TCP_LISTEN_OK)
        abort();
    say(&client, IPV4_ADDR(192, 0, 2, 2), "hello, host");
    while (!client.done) {
        round_of(&client, &server);
        round_of(&server, &client);
    }
    deliver(&client, &server);
    deliver(&server, &client);
    good = client.heard_bytes == 11 &&
           memcmp(client.heard, "hello, host", 11) == 0;
    printf("heard \"%.*s\"\n", (int)client.heard_bytes, client.heard);
    tcp_release(client.conn, now_us());
    net_destroy(client.net);
    net_destroy(server.net);
    return good ? 0 : 1;
}
