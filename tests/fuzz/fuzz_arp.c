/*
 * tests/fuzz/fuzz_arp.c - ARP packets, conflicts, and an owner who changes his
 * mind about addresses, neighbours and routes.
 *
 * After every step the cache is within its bounds. Bounds: INPUT_MAX bytes, so
 * at most as many steps.
 */
#include "net/acd.h"
#include "net/arp.h"
#include "net/interface.h"
#include "net/route.h"
#include "net/udp.h"
#include "tests/host/fuzz_net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 2048 };

static void step_packet(struct fuzz *f)
{
    uint32_t shape = fuzz_get(f, 1);
    uint8_t from = (uint8_t)(2 + (shape & 3));

    fuzz_ethernet(f, shape & 4, from, 0x0806);
    fuzz_put(f, 0x00010800, 4);
    fuzz_put(f, 0x0604, 2);
    fuzz_put(f, shape & 8 ? 2 : 1, 2);
    fuzz_put(f, 0x02000000, 4);
    fuzz_put(f, from, 2);
    fuzz_put_addr(f, fuzz_addr(f));
    fuzz_put(f, 0, 4);
    fuzz_put(f, 0, 2);
    fuzz_put_addr(f, fuzz_addr(f));
    if (shape & 16)
        fuzz_spoil(f);
    if (shape & 32)
        f->len -= fuzz_get(f, 1) % f->len;
    fuzz_send(f);
}

static void step_raw(struct fuzz *f)
{
    fuzz_ethernet(f, false, 2, 0x0806);
    fuzz_put_raw(f, fuzz_get(f, 1) % 64);
    fuzz_send(f);
}

static void talk(struct fuzz *f)
{
    struct buffer *data =
        buffer_alloc(net_pool(f->net), BUFFER_SMALL, BUFFER_HEADROOM);

    if (data && udp_send(f->net, 5000, fuzz_addr(f), 6000, data) == IPV4_FULL)
        buffer_release(data);
}

static void set_address(struct fuzz *f)
{
    const struct net_address address = {
        fuzz_addr(f), (uint8_t)(fuzz_get(f, 1) % 34), fuzz_addr(f)};

    (void)!interface_set_address(f->net, 0, &address, f->now_us);
}

static void step_owner(struct fuzz *f)
{
    struct mac_addr mac = {{2, 0, 0, 0, 1, 1}};
    struct ipv4_addr dst;

    switch (fuzz_get(f, 1) % 10) {
    case 0:
        set_address(f);
        break;
    case 1:
        interface_clear_address(f->net, 0, f->now_us);
        break;
    case 2:
        acd_probe(f->net, 0, fuzz_addr(f), f->now_us);
        break;
    case 3:
        acd_cancel(f->net, 0);
        break;
    case 4:
        mac.byte[0] = (uint8_t)fuzz_get(f, 1);
        (void)!arp_add(f->net, 0, fuzz_addr(f), mac, f->now_us);
        break;
    case 5:
        arp_delete(f->net, 0, fuzz_addr(f));
        break;
    case 6:
        dst = fuzz_addr(f);
        (void)!route_add(f->net, dst, (uint8_t)(fuzz_get(f, 1) % 34),
                         fuzz_addr(f), 0);
        break;
    case 7:
        dst = fuzz_addr(f);
        route_delete(f->net, dst, (uint8_t)(fuzz_get(f, 1) % 34), 0);
        break;
    default:
        talk(f);
        break;
    }
    fuzz_wait(f, 0);
}

static void check(struct fuzz *f)
{
    struct arp_info info;
    unsigned entries = 0, fixed = 0;

    for (; arp_get(f->net, entries, &info); entries++) {
        fixed += info.state == ARP_STATIC;
        ASSERT(info.pending <= ARP_PENDING_MAX);
    }
    ASSERT(entries <= ARP_ENTRIES_MAX && fixed <= ARP_STATIC_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz f;

    if (size > INPUT_MAX)
        return 0;
    fuzz_init(&f, data, size);
    while (f.at < f.end) {
        uint32_t kind = fuzz_get(&f, 1);

        if (kind < 128)
            step_packet(&f);
        else if (kind < 144)
            step_raw(&f);
        else if (kind < 224)
            step_owner(&f);
        else
            fuzz_wait(&f, 1ull << (kind & 31));
        check(&f);
    }
    interface_clear_address(f.net, 0, f.now_us);
    fuzz_end(&f);
    return 0;
}
