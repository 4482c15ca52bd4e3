/*
 * tests/fuzz/fuzz_ipv4.c - IP headers, options, fragments in any order, and
 * datagrams of ours that have to be cut.
 *
 * After every step what is held for reassembly is within its bounds, in all
 * and for each source. Bounds: INPUT_MAX bytes, so at most as many steps.
 */
#include "net/interface.h"
#include "net/net_priv.h"
#include "tests/host/fuzz_net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 4096, PORT = 4321 };

static void hear(void *context, struct net *net,
                 const struct udp_datagram *from, struct buffer *data)
{
    (void)context;
    (void)net;
    ASSERT(from->dst_port == PORT);
    buffer_release(data);
}

/* A packet of `bytes` with a UDP header in front, without a checksum. */
static void put_datagram(struct fuzz *f, uint32_t bytes, uint32_t whole_bytes)
{
    static const uint8_t ports[] = {4, 0xd2, PORT >> 8, PORT & 0xff};

    for (uint32_t i = 0; i < bytes; i++) {
        uint32_t value = i < 4 ? ports[i] : 0;

        if (i == 4)
            value = whole_bytes >> 8;
        if (i == 5)
            value = whole_bytes & 0xff;
        fuzz_put(f, value, 1);
    }
}

static void step_fragment(struct fuzz *f)
{
    static const uint16_t units[] = {0,  1,   2,   3,    5,    8,
                                     60, 185, 370, 8189, 8190, 8191};
    static const uint16_t lengths[] = {8, 16, 24, 480, 1480, 7, 1, 0};
    uint32_t shape = fuzz_get(f, 1), where = fuzz_get(f, 1);
    uint32_t bytes = lengths[shape & 7];
    uint16_t unit =
        where < 128 ? (uint16_t)where : units[where % ARRAY_LEN(units)];
    struct ipv4_addr src = shape & 8 ? fuzz_addr(f) : IPV4_ADDR(10, 0, 0, 2);
    uint8_t protocol = shape & 16 ? (uint8_t)fuzz_get(f, 1) : 17;
    uint16_t more = shape & 32 ? 0 : 0x2000;

    fuzz_ethernet(f, false, 2, 0x0800);
    fuzz_ip(f, src, protocol, bytes, (uint16_t)(shape >> 7),
            (uint16_t)(more | unit));
    f->frame[15] = shape & 64 ? (uint8_t)(fuzz_get(f, 1) & 3) : 0;
    put_datagram(f, bytes, 64);
    fuzz_repair(f);
    fuzz_send(f);
}

static void step_packet(struct fuzz *f)
{
    uint32_t shape = fuzz_get(f, 1), bytes = fuzz_get(f, 1);

    fuzz_ethernet(f, shape & 1, 2, 0x0800);
    fuzz_ip(f, fuzz_addr(f), (uint8_t)(shape & 2 ? 17 : fuzz_get(f, 1)), bytes,
            7, 0x4000);
    if (shape & 4) { /* options, out of what follows */
        f->frame[14] = 0x40 | (uint8_t)(5 + fuzz_get(f, 1) % 11);
        fuzz_put_raw(f, bytes);
    } else {
        put_datagram(f, bytes, bytes);
    }
    fuzz_spoil(f);
    if (shape & 8)
        fuzz_repair(f);
    fuzz_send(f);
}

static void step_raw(struct fuzz *f)
{
    fuzz_ethernet(f, false, 2, 0x0800);
    fuzz_put_raw(f, fuzz_get(f, 1));
    if (f->len >= 34)
        fuzz_repair(f);
    fuzz_send(f);
}

/* A datagram of ours, to somebody, in whatever the link carries. */
static void step_send(struct fuzz *f)
{
    static const uint8_t text[65507];
    struct ipv4_addr dst = fuzz_addr(f);
    uint32_t bytes = fuzz_get(f, 2) % sizeof(text) + 1;
    struct buffer *data;

    (void)!interface_set_mtu(f->net, 0, (uint16_t)(fuzz_get(f, 1) * 6));
    f->dev.tx_max = fuzz_get(f, 1);
    data = buffer_wrap(net_pool(f->net), text, bytes, NULL, NULL);
    if (data && udp_send(f->net, PORT, dst, 6000, data) == IPV4_FULL)
        buffer_release(data);
    fuzz_wait(f, 0);
    f->dev.tx_max = 256;
}

static void check(const struct fuzz *f)
{
    const struct ipv4_reass *reass = &f->net->ip.reass;

    ASSERT(reass->held_bytes <= IPV4_REASS_BYTES_MAX);
    ASSERT(reass->datagrams.count <= IPV4_DATAGRAMS_MAX);
    ASSERT(timer_is_armed(&reass->timer) == (reass->datagrams.count > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz f;

    if (size > INPUT_MAX)
        return 0;
    fuzz_init(&f, data, size);
    if (udp_bind(f.net, PORT, hear, NULL) != UDP_OK)
        return 0;
    while (f.at < f.end) {
        uint32_t kind = fuzz_get(&f, 1);

        if (kind < 144)
            step_fragment(&f);
        else if (kind < 192)
            step_packet(&f);
        else if (kind < 208)
            step_raw(&f);
        else if (kind < 224)
            step_send(&f);
        else
            fuzz_wait(&f, 1ull << (kind & 31));
        check(&f);
    }
    fuzz_wait(&f, IPV4_REASS_US);
    ASSERT(f.net->ip.reass.held_bytes == 0);
    udp_unbind(f.net, PORT);
    fuzz_end(&f);
    return 0;
}
