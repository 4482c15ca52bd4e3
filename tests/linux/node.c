/*
 * tests/linux/node.c - a stack of ours as a process: packets on one socket,
 * an application that does as it is told on another.
 *
 *   node PACKETS COMMANDS
 *
 * Both are inherited file descriptors of datagram sockets: PACKETS carries IP
 * packets both ways, COMMANDS one line each way. The stack is 10.9.0.1/24 and
 * runs on the real clock. Commands, each with a line as its answer:
 *
 *   listen PORT    connect PORT    accept    write BYTES    read    shutdown
 *   close          abort           state     idle PORT (stop listening)
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "net/net.h"
#include "tests/host/host.h"
#include "tests/host/hostnet.h"

enum {
    PACKET_BYTES_MAX = 65536,
    LINE_BYTES_MAX = 128,
    WRITE_BYTES_MAX = 65536
};

static struct node {
    struct hostnet host;
    struct net *net;
    struct tcp_listener *listener;
    struct tcp_conn *conn; /* the one that commands are about */
    int packets, commands;
    bool gone; /* whoever started us is */
} node;

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* ---- packets ---- */

static void flush(void)
{
    static uint8_t bytes[PACKET_BYTES_MAX];
    struct buffer *out;

    net_run(node.net, now_us());
    (void)net_flush(node.net, now_us());
    while ((out = hostnet_take_packet(&node.host))) {
        uint32_t len = buffer_copy_out(out, 0, bytes, sizeof bytes);

        buffer_release(out);
        (void)!send(node.packets, bytes, len, 0);
    }
}

static void take_packet(void)
{
    static uint8_t bytes[PACKET_BYTES_MAX];
    ssize_t len = recv(node.packets, bytes, sizeof bytes, 0);

    node.gone = len <= 0;
    if (len > 0)
        net_input_packet(
            node.net, hostnet_chain(net_pool(node.net), bytes, (uint32_t)len),
            now_us());
}

/* ---- commands ---- */

static const char *do_listen(unsigned port)
{
    struct tcp_listen_options options = {.backlog = 16, .syn_backlog = 16};

    return tcp_listen(node.net, (uint16_t)port, &options, &node.listener) ==
                   TCP_LISTEN_OK
               ? "ok"
               : "no";
}

static const char *do_idle(unsigned port)
{
    (void)port;
    tcp_unlisten(node.listener, now_us());
    return "ok";
}

static void leave_conn(void)
{
    if (node.conn)
        tcp_release(node.conn, now_us());
    node.conn = NULL;
}

static const char *do_connect(unsigned port)
{
    enum tcp_end why;

    leave_conn();
    return tcp_connect(node.net, IPV4_ADDR(10, 9, 0, 2), (uint16_t)port, 0,
                       now_us(), &node.conn, &why) == TCP_OK
               ? "ok"
               : "no";
}

static const char *do_accept(unsigned unused)
{
    struct tcp_conn *conn = tcp_accept(node.listener);

    (void)unused;
    if (!conn)
        return "none";
    leave_conn();
    node.conn = conn;
    return "ok";
}

static const char *do_write(unsigned bytes)
{
    static uint8_t text[WRITE_BYTES_MAX];
    struct buffer *chain;

    memset(text, 'a', sizeof text);
    if (!node.conn || bytes > sizeof text)
        return "no";
    chain = hostnet_chain(net_pool(node.net), text, bytes);
    if (tcp_send(node.conn, chain, now_us()) == TCP_OK)
        return "ok";
    buffer_release(chain);
    return "no";
}

/* All that is there: how many bytes, and whether the stream is over. */
static const char *do_read(unsigned unused)
{
    static char line[LINE_BYTES_MAX];
    struct buffer *chain;
    enum tcp_status status = TCP_ENDED;
    uint32_t bytes = 0;

    (void)unused;
    while (node.conn && (status = tcp_recv(node.conn, UINT32_MAX, now_us(),
                                           &chain)) == TCP_OK) {
        bytes += buffer_chain_len(chain);
        buffer_release(chain);
    }
    snprintf(line, sizeof line, "%u %s", bytes,
             status == TCP_AGAIN ? "more"
             : status == TCP_EOF ? "eof"
                                 : "error");
    return line;
}

static const char *do_shutdown(unsigned unused)
{
    (void)unused;
    if (node.conn)
        tcp_shutdown(node.conn, now_us());
    return "ok";
}

static const char *do_close(unsigned unused)
{
    (void)unused;
    leave_conn();
    return "ok";
}

static const char *do_abort(unsigned unused)
{
    (void)unused;
    if (node.conn)
        tcp_abort(node.conn, now_us());
    return do_close(0);
}

static const char *do_state(unsigned unused)
{
    struct tcp_info info;

    (void)unused;
    if (!node.conn)
        return "CLOSED";
    tcp_info_get(node.conn, &info);
    return info.state;
}

static const struct {
    const char *word;
    const char *(*act)(unsigned number);
} commands[] = {
    {"listen", do_listen},     {"idle", do_idle},   {"connect", do_connect},
    {"accept", do_accept},     {"write", do_write}, {"read", do_read},
    {"shutdown", do_shutdown}, {"close", do_close}, {"abort", do_abort},
    {"state", do_state},
};

static void take_command(void)
{
    char line[LINE_BYTES_MAX] = "", word[LINE_BYTES_MAX] = "";
    const char *answer = "unknown";
    unsigned number = 0;
    ssize_t len = recv(node.commands, line, sizeof line - 1, 0);

    node.gone = len <= 0;
    sscanf(line, "%100s %u", word, &number);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(word, commands[i].word) == 0)
            answer = commands[i].act(number);
    flush(); /* what it sends is out before the answer */
    (void)!send(node.commands, answer, strlen(answer), 0);
}

/* ---- all ---- */

static void rest(void)
{
    struct pollfd polled[] = {{.fd = node.packets, .events = POLLIN},
                              {.fd = node.commands, .events = POLLIN}};
    uint64_t until_us = net_next_deadline(node.net), now = now_us();
    int pause_ms = -1;

    if (until_us != FOREVER) {
        until_us = until_us > now ? until_us - now : 0;
        pause_ms = until_us < 1000000 ? (int)(until_us / 1000) + 1 : 1000;
    }
    if (poll(polled, 2, pause_ms) <= 0)
        return;
    if (polled[0].revents)
        take_packet();
    if (polled[1].revents)
        take_command();
}

int main(int argc, char **argv)
{
    struct net_config config = hostnet_config(&node.host);
    struct net_address address = {.addr = IPV4_ADDR(10, 9, 0, 1),
                                  .prefix_bits = 24};

    if (argc != 3)
        return 2;
    node.packets = atoi(argv[1]);
    node.commands = atoi(argv[2]);
    host_seed(now_us());
    hostnet_packets(&node.host, &config.host);
    node.net = net_create(&config, now_us());
    if (!node.net || net_attach(node.net, NULL, &address) != NET_OK)
        return 1;
    while (!node.gone) {
        flush();
        rest();
    }
    leave_conn();
    net_destroy(node.net);
    return 0;
}
