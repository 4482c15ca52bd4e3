/*
 * drivers/virtio_off.c - features of virtio that the user forbids.
 */
#include "drivers/virtio_off.h"

#include <string.h>

#include <linux/virtio_net.h>

#include "drivers/virtio.h"

static const struct name {
    const char *text;
    uint64_t bits;
} names[] = {
    {"csum", VIRTIO_BIT(VIRTIO_NET_F_CSUM)},
    {"guest_csum", VIRTIO_BIT(VIRTIO_NET_F_GUEST_CSUM)},
    {"mtu", VIRTIO_BIT(VIRTIO_NET_F_MTU)},
    {"mac", VIRTIO_BIT(VIRTIO_NET_F_MAC)},
    {"guest_tso4", VIRTIO_BIT(VIRTIO_NET_F_GUEST_TSO4)},
    {"guest_ecn", VIRTIO_BIT(VIRTIO_NET_F_GUEST_ECN)},
    {"host_tso4", VIRTIO_BIT(VIRTIO_NET_F_HOST_TSO4)},
    {"host_ecn", VIRTIO_BIT(VIRTIO_NET_F_HOST_ECN)},
    {"mrg_rxbuf", VIRTIO_BIT(VIRTIO_NET_F_MRG_RXBUF)},
    {"status", VIRTIO_BIT(VIRTIO_NET_F_STATUS)},
    {"ctrl_vq", VIRTIO_BIT(VIRTIO_NET_F_CTRL_VQ)},
    {"guest_announce", VIRTIO_BIT(VIRTIO_NET_F_GUEST_ANNOUNCE)},
    {"any_layout", VIRTIO_BIT(VIRTIO_F_ANY_LAYOUT)},
    {"event_idx", VIRTIO_BIT(VIRTIO_RING_F_EVENT_IDX)},
    {"msix", VIRTIO_OFF_MSIX},
    {"modern", VIRTIO_BIT(VIRTIO_F_VERSION_1)},
    {"all", ~VIRTIO_BIT(VIRTIO_F_VERSION_1)},
};

/* The bits of the name of `length` letters. 0: there is no such name. */
static uint64_t bits_of(const char *text, size_t length)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strlen(names[i].text) == length &&
            memcmp(names[i].text, text, length) == 0)
            return names[i].bits;
    return 0;
}

bool virtio_off_parse(const char *text, void *out)
{
    uint64_t off = 0;

    for (;;) {
        size_t length = strcspn(text, ",");
        uint64_t bits = bits_of(text, length);

        if (!bits)
            return false;
        off |= bits;
        if (!text[length])
            break;
        text += length + 1;
    }
    *(uint64_t *)out = off;
    return true;
}
