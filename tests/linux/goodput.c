/*
 * tests/linux/goodput.c - one TCP stream over a bad wire, in real time.
 *
 *   goodput ours|linux LEFT RIGHT LOSS_PPM RTT_US BITS_PER_S QUEUE SECONDS SEED
 *
 * LEFT and RIGHT are network namespaces, each with a TUN device, 10.9.0.1
 * and 10.9.0.2. This program is the wire between them: a bottleneck of so many
 * bits per second with a queue of QUEUE packets each way, then a delay of half
 * the round trip; each packet is lost with the given chance. Linux listens on
 * the right; from the left comes a stream that never ends, of Linux, or of a
 * stack of ours in this process. Prints the bytes that the right has read.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net/net.h"
#include "tests/host/host.h"
#include "tests/host/hostnet.h"

enum {
    MTU = 1500,
    SO_CONGESTION = 13, /* TCP_CONGESTION; its header has a struct tcp_info */
    PORT = 5001,
    WIRE_FRAMES = 1 << 14, /* on a wire at one time; a power of two */
    CHUNK_BYTES = 1 << 16,
    BATCH = 64, /* packets read, writes made, before the rest has its turn */
    BUFFER_BYTES = 1920000 /* what Linux queues with goodput.py's settings */
};

#define LEFT_ADDR  "10.9.0.1"
#define RIGHT_ADDR "10.9.0.2"

struct frame {
    uint64_t leaves_us, arrives_us; /* the bottleneck; the far end */
    uint32_t len;
    uint8_t bytes[MTU];
};

/* One way of the wire: first in, first out. */
struct way {
    struct frame *frame; /* WIRE_FRAMES of them */
    uint32_t head, tail; /* free-running */
    uint32_t queue_head; /* the first that has not left the bottleneck */
    uint64_t free_us;    /* when the bottleneck is */
    uint64_t delay_us;
    uint64_t bits_per_s;
    uint32_t queue_max;
    uint32_t loss_ppm;
    uint64_t random; /* of its own: what one stack sends moves no other loss */
};

struct bench {
    struct way to_right, to_left;
    int tun_left, tun_right; /* tun_left: -1 when the left is ours */
    int listener, sink, source;
    uint64_t received;
    struct hostnet host;
    struct net *net;
    struct tcp_conn *conn;
};

static uint8_t pattern[CHUNK_BYTES];

static uint64_t clock_real_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void must(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

/* ---- the wire ---- */

static void way_init(struct way *way, const char *const *word, uint64_t seed)
{
    *way = (struct way){
        .frame = calloc(WIRE_FRAMES, sizeof(struct frame)),
        .loss_ppm = (uint32_t)atoi(word[0]),
        .delay_us = strtoull(word[1], NULL, 10) / 2,
        .bits_per_s = strtoull(word[2], NULL, 10),
        .queue_max = (uint32_t)atoi(word[3]),
        .random = seed * 0x9e3779b97f4a7c15u + 1,
    };
    must(way->frame != NULL, "memory");
}

/* xorshift64*: good enough for losses. */
static uint32_t way_chance(struct way *way, uint32_t below)
{
    way->random ^= way->random >> 12;
    way->random ^= way->random << 25;
    way->random ^= way->random >> 27;
    return (uint32_t)((way->random * 0x2545f4914f6cdd1du) >> 32) % below;
}

static void way_send(struct way *way, const void *bytes, uint32_t len,
                     uint64_t now_us)
{
    struct frame *frame = &way->frame[way->tail % WIRE_FRAMES];
    uint64_t starts_us = way->free_us > now_us ? way->free_us : now_us;

    while (way->queue_head != way->tail &&
           way->frame[way->queue_head % WIRE_FRAMES].leaves_us <= now_us)
        way->queue_head++;
    if (way_chance(way, 1000000) < way->loss_ppm ||
        way->tail - way->queue_head >= way->queue_max ||
        way->tail - way->head == WIRE_FRAMES || len > MTU)
        return;
    frame->leaves_us = starts_us + len * 8000000ull / way->bits_per_s;
    frame->arrives_us = frame->leaves_us + way->delay_us;
    frame->len = len;
    memcpy(frame->bytes, bytes, len);
    way->free_us = frame->leaves_us;
    way->tail++;
}

/* The next frame that has arrived by now, or null; valid until the next call
 * of way_send(). */
static const struct frame *way_take(struct way *way, uint64_t now_us)
{
    const struct frame *frame = &way->frame[way->head % WIRE_FRAMES];

    if (way->head == way->tail || frame->arrives_us > now_us)
        return NULL;
    if (way->queue_head == way->head)
        way->queue_head++;
    way->head++;
    return frame;
}

static uint64_t way_next_us(const struct way *way)
{
    return way->head == way->tail
               ? FOREVER
               : way->frame[way->head % WIRE_FRAMES].arrives_us;
}

/* ---- Linux at an end ---- */

static void enter(const char *name)
{
    char path[128];
    int fd;

    snprintf(path, sizeof path, "/run/netns/%s", name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    must(fd >= 0 && setns(fd, CLONE_NEWNET) == 0, path);
    close(fd);
}

/* What is sent before the kernel has noticed that the device has a user is
 * lost, and a SYN costs a second. */
static void tun_wait(struct ifreq *request)
{
    const struct timespec nap = {.tv_nsec = 20000000};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    do {
        must(fd >= 0 && ioctl(fd, SIOCGIFFLAGS, request) == 0, "tun0");
        nanosleep(&nap, NULL);
    } while (!(request->ifr_flags & IFF_RUNNING));
    close(fd);
}

static int tun_open(void)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    must(fd >= 0, "/dev/net/tun");
    strcpy(request.ifr_name, "tun0");
    must(ioctl(fd, TUNSETIFF, &request) == 0, "tun0");
    tun_wait(&request);
    return fd;
}

static struct sockaddr_in address_of(const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(PORT)};

    inet_pton(AF_INET, text, &address.sin_addr);
    return address;
}

static int socket_new(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    must(fd >= 0, "socket");
    return fd;
}

static void listen_right(struct bench *bench)
{
    struct sockaddr_in address = address_of(RIGHT_ADDR);

    bench->listener = socket_new();
    must(bind(bench->listener, (struct sockaddr *)&address, sizeof address) ==
                 0 &&
             listen(bench->listener, 1) == 0,
         "listen");
}

static void connect_left(struct bench *bench)
{
    struct sockaddr_in address = address_of(RIGHT_ADDR);

    bench->source = socket_new();
    must(setsockopt(bench->source, IPPROTO_TCP, SO_CONGESTION, "cubic", 5) == 0,
         "cubic");
    must(connect(bench->source, (struct sockaddr *)&address, sizeof address) ==
                 0 ||
             errno == EINPROGRESS,
         "connect");
}

static void source_write(struct bench *bench)
{
    for (unsigned i = 0; i < BATCH; i++)
        if (write(bench->source, pattern, sizeof pattern) <= 0)
            break;
}

static void sink_read(struct bench *bench)
{
    static uint8_t room[CHUNK_BYTES];

    if (bench->sink < 0)
        bench->sink =
            accept4(bench->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    for (unsigned i = 0; i < BATCH && bench->sink >= 0; i++) {
        ssize_t got = read(bench->sink, room, sizeof room);

        if (got <= 0)
            break;
        bench->received += (uint64_t)got;
    }
}

static void tun_read(int tun, struct way *way, uint64_t now_us)
{
    uint8_t packet[MTU + 1];

    for (unsigned i = 0; i < BATCH; i++) {
        ssize_t len = read(tun, packet, sizeof packet);

        if (len <= 0)
            break;
        way_send(way, packet, (uint32_t)len, now_us);
    }
}

/* ---- our stack at the left ---- */

static void ours_start(struct bench *bench, uint64_t seed)
{
    struct net_config config = hostnet_config(&bench->host);
    struct net_address address = {.addr = IPV4_ADDR(10, 9, 0, 1),
                                  .prefix_bits = 24};
    enum tcp_end why;

    host_seed(seed);
    hostnet_packets(&bench->host, &config.host);
    config.tcp.snd_buf_bytes = BUFFER_BYTES;
    config.tcp.rcv_buf_bytes = BUFFER_BYTES;
    bench->net = net_create(&config, clock_real_us());
    must(bench->net && net_attach(bench->net, NULL, &address) == NET_OK,
         "stack");
    must(tcp_connect(bench->net, IPV4_ADDR(10, 9, 0, 2), PORT, 0,
                     clock_real_us(), &bench->conn, &why) == TCP_OK,
         "connect");
}

static void ours_write(struct bench *bench, uint64_t now_us)
{
    for (unsigned i = 0; i < BATCH; i++) {
        uint32_t room = tcp_send_room(bench->conn);
        struct buffer *chunk;

        if (room == 0)
            break;
        chunk =
            buffer_wrap(net_pool(bench->net), pattern,
                        room < CHUNK_BYTES ? room : CHUNK_BYTES, NULL, NULL);
        if (!chunk)
            break;
        if (tcp_send(bench->conn, chunk, now_us) != TCP_OK) {
            buffer_release(chunk);
            break;
        }
    }
}

static void ours_flush(struct bench *bench, uint64_t now_us)
{
    uint8_t packet[MTU];
    struct buffer *out;

    (void)net_flush(bench->net, now_us);
    while ((out = hostnet_take_packet(&bench->host))) {
        uint32_t len = buffer_copy_out(out, 0, packet, sizeof packet);

        buffer_release(out);
        way_send(&bench->to_right, packet, len, now_us);
    }
}

static void ours_take(struct bench *bench, const struct frame *frame,
                      uint64_t now_us)
{
    struct buffer *in = buffer_alloc(net_pool(bench->net), BUFFER_LARGE, 0);

    if (!in)
        return;
    memcpy(in->data, frame->bytes, frame->len);
    in->len = frame->len;
    net_input_packet(bench->net, in, now_us);
}

/* ---- all ---- */

static void deliver(struct bench *bench, uint64_t now_us)
{
    const struct frame *frame;

    while ((frame = way_take(&bench->to_right, now_us)))
        (void)!write(bench->tun_right, frame->bytes, frame->len);
    while ((frame = way_take(&bench->to_left, now_us))) {
        if (bench->net)
            ours_take(bench, frame, now_us);
        else
            (void)!write(bench->tun_left, frame->bytes, frame->len);
    }
}

static void step(struct bench *bench, uint64_t now_us)
{
    deliver(bench, now_us);
    tun_read(bench->tun_right, &bench->to_left, now_us);
    sink_read(bench);
    if (bench->net) {
        net_run(bench->net, now_us);
        ours_write(bench, now_us);
        ours_flush(bench, now_us);
    } else {
        source_write(bench);
        tun_read(bench->tun_left, &bench->to_right, now_us);
    }
}

static uint64_t earlier(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

/* Sleep until something can happen. */
static void rest(const struct bench *bench, uint64_t end_us)
{
    struct pollfd polled[] = {
        {.fd = bench->tun_right, .events = POLLIN},
        {.fd = bench->sink >= 0 ? bench->sink : bench->listener,
         .events = POLLIN},
        {.fd = bench->tun_left, .events = POLLIN},
        {.fd = bench->source, .events = POLLOUT},
    };
    uint64_t until_us =
        earlier(way_next_us(&bench->to_left), way_next_us(&bench->to_right));
    uint64_t now_us = clock_real_us();
    struct timespec pause;

    until_us = earlier(until_us, end_us);
    if (bench->net)
        until_us = earlier(until_us, net_next_deadline(bench->net));
    until_us = until_us > now_us ? until_us - now_us : 0;
    pause = (struct timespec){.tv_sec = (time_t)(until_us / 1000000),
                              .tv_nsec = (long)(until_us % 1000000) * 1000};
    (void)ppoll(polled, 4, &pause, NULL);
}

int main(int argc, char **argv)
{
    static struct bench bench = {.tun_left = -1, .sink = -1, .source = -1};
    uint64_t end_us, seed;

    if (argc != 10) {
        fprintf(stderr,
                "usage: %s ours|linux LEFT RIGHT LOSS_PPM RTT_US "
                "BITS_PER_S QUEUE SECONDS SEED\n",
                argv[0]);
        return 2;
    }
    seed = strtoull(argv[9], NULL, 10);
    way_init(&bench.to_right, (const char *const *)&argv[4], 2 * seed);
    way_init(&bench.to_left, (const char *const *)&argv[4], 2 * seed + 1);
    enter(argv[3]);
    bench.tun_right = tun_open();
    listen_right(&bench);
    if (strcmp(argv[1], "ours") == 0) {
        ours_start(&bench, seed);
    } else {
        enter(argv[2]);
        bench.tun_left = tun_open();
        connect_left(&bench);
    }
    end_us = clock_real_us() + strtoull(argv[8], NULL, 10) * 1000000;
    while (clock_real_us() < end_us) {
        step(&bench, clock_real_us());
        rest(&bench, end_us);
    }
    printf("%llu\n", (unsigned long long)bench.received);
    return 0;
}
