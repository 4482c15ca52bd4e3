/*
 * tests/host/fuzz_net.c - a stack on a card, for fuzzers of frames.
 */
#include "tests/host/fuzz_net.h"

#include <string.h>

#include "tests/host/host.h"
#include "tests/host/station.h"

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1};

void fuzz_init(struct fuzz *f, const uint8_t *data, size_t size)
{
    const struct net_address address = {IPV4_ADDR(10, 0, 0, 1), 24,
                                        IPV4_ADDR(10, 0, 0, 254)};
    struct net_config config;
    struct mac_addr mac;

    host_seed(1);
    memset(f, 0, sizeof(*f));
    f->at = data;
    f->end = data + size;
    f->now_us = 1000000;
    memcpy(mac.byte, our_mac, sizeof(mac.byte));
    memdev_init(&f->dev, mac);
    config = hostnet_config(&f->host);
    config.pages_max = FUZZ_PAGES;
    f->net = net_create(&config, f->now_us);
    ASSERT(f->net);
    ASSERT(net_attach(f->net, &f->dev.dev, &address) == NET_OK);
    fuzz_wait(f, 0);
}

/* Take what the stack has sent, and keep the latest IP frame. */
static void take(struct fuzz *f)
{
    struct buffer *frame;

    while ((frame = memdev_take(&f->dev))) {
        uint8_t head[14];

        if (buffer_copy_out(frame, 0, head, 14) == 14 && head[12] == 8 &&
            head[13] == 0)
            f->sent_len = buffer_copy_out(frame, 0, f->sent, sizeof(f->sent));
        buffer_release(frame);
    }
}

void fuzz_wait(struct fuzz *f, uint64_t us)
{
    f->now_us += us;
    net_run(f->net, f->now_us);
    net_flush(f->net, f->now_us);
    take(f);
}

void fuzz_end(struct fuzz *f)
{
    struct net_memory memory;

    for (unsigned hour = 0; hour < 3; hour++)
        for (unsigned minute = 0; minute < 60; minute++)
            fuzz_wait(f, 60000000);
    net_memory_get(f->net, &memory);
    ASSERT(memory.buffers == 0);
    memdev_clear(&f->dev);
    net_destroy(f->net);
    ASSERT(f->host.pages == 0);
}

uint32_t fuzz_get(struct fuzz *f, unsigned bytes)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < bytes; i++) {
        value <<= 8;
        if (f->at < f->end)
            value |= *f->at++;
    }
    return value;
}

struct ipv4_addr fuzz_addr(struct fuzz *f)
{
    static const uint8_t some[][4] = {
        {10, 0, 0, 2},    {10, 0, 0, 3},  {10, 0, 0, 254}, {10, 0, 0, 1},
        {192, 168, 5, 7}, {0, 0, 0, 0},   {10, 0, 0, 255}, {255, 255, 255, 255},
        {127, 0, 0, 1},   {224, 0, 0, 1}, {240, 0, 0, 1}};
    uint32_t which = fuzz_get(f, 1);

    if (which < ARRAY_LEN(some))
        return IPV4_ADDR(some[which][0], some[which][1], some[which][2],
                         some[which][3]);
    return IPV4_ADDR(10, 0, 0, (uint8_t)which);
}

/* --- writing -------------------------------------------------------------- */

void fuzz_put(struct fuzz *f, uint32_t value, unsigned bytes)
{
    while (bytes-- > 0 && f->len < FUZZ_FRAME_MAX)
        f->frame[f->len++] = (uint8_t)(value >> bytes * 8);
}

void fuzz_put_addr(struct fuzz *f, struct ipv4_addr addr)
{
    fuzz_put(f, ipv4_addr_host(addr), 4);
}

void fuzz_ethernet(struct fuzz *f, bool broadcast, uint8_t from, uint16_t type)
{
    f->len = 0;
    fuzz_put(f, broadcast ? 0xffffffff : 0x02000000, 4);
    fuzz_put(f, broadcast ? 0xffff : 0x0001, 2);
    fuzz_put(f, 0x02000000, 4);
    fuzz_put(f, from, 2);
    fuzz_put(f, type, 2);
}

void fuzz_ip(struct fuzz *f, struct ipv4_addr src, uint8_t protocol,
             uint32_t payload, uint16_t id, uint16_t flags_offset)
{
    fuzz_put(f, 0x4500, 2);
    fuzz_put(f, 20 + payload, 2);
    fuzz_put(f, id, 2);
    fuzz_put(f, flags_offset, 2);
    fuzz_put(f, 64u << 8 | protocol, 2);
    fuzz_put(f, 0, 2);
    fuzz_put_addr(f, src);
    fuzz_put(f, 0x0a000001, 4);
}

void fuzz_put_raw(struct fuzz *f, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        fuzz_put(f, fuzz_get(f, 1), 1);
}

void fuzz_spoil(struct fuzz *f)
{
    uint32_t count = fuzz_get(f, 1) % 4;

    for (uint32_t i = 0; i < count && f->len > 0; i++) {
        uint32_t at = fuzz_get(f, 2) % f->len;

        f->frame[at] ^= (uint8_t)fuzz_get(f, 1);
    }
}

static void set_sum(struct fuzz *f, uint32_t from, uint32_t to, uint32_t field)
{
    uint16_t sum;

    f->frame[field] = f->frame[field + 1] = 0;
    sum = (uint16_t)~internet_sum(f->frame + from, to - from, 0);
    f->frame[field] = (uint8_t)(sum >> 8);
    f->frame[field + 1] = (uint8_t)sum;
}

void fuzz_repair(struct fuzz *f)
{
    uint32_t head = 14 + (f->frame[14] & 15u) * 4;
    uint32_t end;

    if (f->len < 34 || head < 34 || head > f->len)
        return;
    set_sum(f, 14, head, 24);
    end = 14 + (uint32_t)(f->frame[16] << 8 | f->frame[17]);
    if (f->frame[23] == 1 && end >= head + 4 && end <= f->len)
        set_sum(f, head, end, head + 2);
}

void fuzz_send(struct fuzz *f)
{
    uint32_t piece = fuzz_get(f, 1), at = 0;
    struct buffer *first = NULL, **end = &first;

    piece = piece < 192 ? FUZZ_FRAME_MAX : piece - 191;
    do {
        uint32_t part = f->len - at < piece ? f->len - at : piece;

        *end = buffer_alloc_last(net_pool(f->net), BUFFER_LARGE, 0);
        if (!*end) {
            buffer_release(first);
            return;
        }
        memcpy((*end)->data, f->frame + at, part);
        (*end)->len = part;
        end = &(*end)->next;
        at += part;
    } while (at < f->len);
    net_input(f->net, &f->dev.dev, first, f->now_us);
    fuzz_wait(f, 0);
}
