/*
 * drivers/virtio_net_setup.c - what a virtio-net device and we agree on.
 *
 * Features, the configuration that the device shows, the rings.
 * Source: virtio 1.2 5.1.3 (features), 5.1.4 (configuration), 5.1.5 (set-up).
 */
#include <string.h>

#include "drivers/virtio_net_parts.h"
#include "kernel/log.h"
#include "kernel/random.h"

enum {
    RING_MOST = 256, /* descriptors: 512 KiB of receive buffers */
    MTU_ETHERNET = 1500,
    CONFIG_TRIES = 8,   /* reads of a configuration that keeps changing */
    GSO_RING_LEAST = 64 /* descriptors for a frame of 64 KiB */
};

/* --- features ------------------------------------------------------------ */

/* Every feature that a capability of the stack's is made of. */
static uint64_t features_for(unsigned caps)
{
    uint64_t features = 0;

    if (caps & NETDEV_CAP_TX_CSUM)
        features |= VIRTIO_BIT(VIRTIO_NET_F_CSUM);
    if (caps & NETDEV_CAP_TX_GSO_TCP4)
        features |= VIRTIO_BIT(VIRTIO_NET_F_HOST_TSO4);
    if (caps & NETDEV_CAP_TX_GSO_ECN)
        features |= VIRTIO_BIT(VIRTIO_NET_F_HOST_ECN);
    if (caps & NETDEV_CAP_RX_CSUM)
        features |= VIRTIO_BIT(VIRTIO_NET_F_GUEST_CSUM);
    if (caps & NETDEV_CAP_RX_GSO_TCP4)
        features |= VIRTIO_BIT(VIRTIO_NET_F_GUEST_TSO4) |
                    VIRTIO_BIT(VIRTIO_NET_F_GUEST_ECN);
    return features;
}

/* Drop `feature` unless all of `needs` are there. */
static uint64_t depends(uint64_t features, unsigned feature, unsigned needs)
{
    return features & VIRTIO_BIT(needs) ? features
                                        : features & ~VIRTIO_BIT(feature);
}

/*
 * What to accept of what is offered. A feature whose condition is missing is
 * dropped, whatever the device says: virtio 1.2 5.1.3.1. Receiving segments of
 * 64 KiB needs merged buffers here, as no buffer of ours is so large.
 */
static uint64_t features_choose(const struct virtio_net *nic, uint64_t offered)
{
    uint64_t features = offered;

    if (!nic->virtio->ops->legacy)
        features &= ~VIRTIO_BIT(VIRTIO_F_ANY_LAYOUT); /* goes without saying */
    features &= virtio_features_common() | features_for(nic->options.caps) |
                VIRTIO_BIT(VIRTIO_NET_F_MAC) | VIRTIO_BIT(VIRTIO_NET_F_STATUS) |
                VIRTIO_BIT(VIRTIO_NET_F_MTU) |
                VIRTIO_BIT(VIRTIO_NET_F_MRG_RXBUF) |
                VIRTIO_BIT(VIRTIO_NET_F_CTRL_VQ) |
                VIRTIO_BIT(VIRTIO_NET_F_GUEST_ANNOUNCE) |
                VIRTIO_BIT(VIRTIO_F_ANY_LAYOUT);
    features = depends(features, VIRTIO_NET_F_HOST_TSO4, VIRTIO_NET_F_CSUM);
    features = depends(features, VIRTIO_NET_F_HOST_ECN, VIRTIO_NET_F_HOST_TSO4);
    features =
        depends(features, VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_GUEST_CSUM);
    features =
        depends(features, VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_MRG_RXBUF);
    features =
        depends(features, VIRTIO_NET_F_GUEST_ECN, VIRTIO_NET_F_GUEST_TSO4);
    features =
        depends(features, VIRTIO_NET_F_GUEST_ANNOUNCE, VIRTIO_NET_F_CTRL_VQ);
    return depends(features, VIRTIO_NET_F_GUEST_ANNOUNCE, VIRTIO_NET_F_STATUS);
}

static uint16_t caps_of(const struct virtio_net *nic)
{
    unsigned caps = 0;

    if (virtio_net_has(nic, VIRTIO_NET_F_CSUM))
        caps |= NETDEV_CAP_TX_CSUM;
    if (nic->tx.size >= GSO_RING_LEAST) {
        if (virtio_net_has(nic, VIRTIO_NET_F_HOST_TSO4))
            caps |= NETDEV_CAP_TX_GSO_TCP4;
        if (virtio_net_has(nic, VIRTIO_NET_F_HOST_ECN))
            caps |= NETDEV_CAP_TX_GSO_ECN;
    }
    if (virtio_net_has(nic, VIRTIO_NET_F_GUEST_CSUM))
        caps |= NETDEV_CAP_RX_CSUM;
    if (virtio_net_has(nic, VIRTIO_NET_F_GUEST_TSO4))
        caps |= NETDEV_CAP_RX_GSO_TCP4;
    return (uint16_t)caps;
}

/* --- configuration ------------------------------------------------------- */

static void settings_read_once(struct virtio_device *virtio,
                               struct virtio_net_settings *out)
{
    const struct virtio_transport_ops *ops = virtio->ops;

    for (unsigned i = 0; i < ETH_ALEN; i++)
        out->mac.byte[i] = (uint8_t)ops->config_read(
            virtio, offsetof(struct virtio_net_config, mac) + i, 1);
    out->status = (uint16_t)ops->config_read(
        virtio, offsetof(struct virtio_net_config, status), 2);
    out->mtu = (uint16_t)ops->config_read(
        virtio, offsetof(struct virtio_net_config, mtu), 2);
}

/*
 * Read them all, until they belong together: the generation is the same, and,
 * as legacy devices have none, so is what is read twice (virtio 1.2 2.5.3).
 * False: they keep changing.
 */
bool virtio_net_settings_read(struct virtio_device *virtio,
                              struct virtio_net_settings *out)
{
    for (unsigned i = 0; i < CONFIG_TRIES; i++) {
        uint8_t before = virtio->ops->config_generation(virtio);
        struct virtio_net_settings again;

        settings_read_once(virtio, out);
        settings_read_once(virtio, &again);
        if (virtio->ops->config_generation(virtio) == before &&
            memcmp(out, &again, sizeof(again)) == 0)
            return true;
    }
    return false;
}

static bool mac_is_usable(const struct mac_addr *mac)
{
    uint8_t any = 0;

    for (unsigned i = 0; i < ETH_ALEN; i++)
        any |= mac->byte[i];
    return any != 0 && !(mac->byte[0] & 1);
}

/* The device's address, or one of the locally administered kind. */
static void mac_choose(struct virtio_net *nic,
                       const struct virtio_net_settings *settings)
{
    nic->dev.mac = settings->mac;
    if (virtio_net_has(nic, VIRTIO_NET_F_MAC) && mac_is_usable(&nic->dev.mac))
        return;
    log_at(LOG_WARNING, "virtio", "%s: no usable address: a random one",
           nic->dev.name);
    random_bytes(nic->dev.mac.byte, ETH_ALEN);
    nic->dev.mac.byte[0] = (uint8_t)((nic->dev.mac.byte[0] & 0xfc) | 2);
}

/*
 * Whether the offered MTU can be accepted: it must be one, and a receive
 * buffer must be able to hold a frame of it, unless buffers merge.
 */
static bool mtu_is_usable(uint64_t features, uint16_t mtu)
{
    enum { SPARE = sizeof(struct virtio_net_hdr_v1) + ETH_HLEN };

    if (mtu < NETDEV_MTU_MIN)
        return false;
    return features & VIRTIO_BIT(VIRTIO_NET_F_MRG_RXBUF) ||
           mtu <= BUFFER_LARGE_BYTES - SPARE;
}

bool virtio_net_link_of(const struct virtio_net *nic,
                        const struct virtio_net_settings *read)
{
    return !virtio_net_has(nic, VIRTIO_NET_F_STATUS) ||
           read->status & VIRTIO_NET_S_LINK_UP;
}

/* --- negotiation --------------------------------------------------------- */

/*
 * Negotiate with a device that has been reset.
 *
 * again:    it was set up before: exactly the features of that time, for which
 *           rings and headers were made.
 * settings: set on VIRTIO_OK.
 */
enum virtio_status virtio_net_negotiate(struct virtio_net *nic, bool again,
                                        struct virtio_net_settings *settings)
{
    uint64_t offered, features;
    enum virtio_status status = virtio_begin(nic->virtio, &offered);

    if (status != VIRTIO_OK)
        return status;
    if (!virtio_net_settings_read(nic->virtio, settings))
        return VIRTIO_REFUSED;
    features = features_choose(nic, offered);
    if (features & VIRTIO_BIT(VIRTIO_NET_F_MTU) &&
        !mtu_is_usable(features, settings->mtu)) {
        log_at(LOG_WARNING, "virtio", "%s: an MTU of %u is of no use",
               nic->dev.name, (unsigned)settings->mtu);
        features &= ~VIRTIO_BIT(VIRTIO_NET_F_MTU);
    }
    if (again) {
        if ((features & nic->features) != nic->features)
            return VIRTIO_REFUSED;
        features = nic->features;
    }
    status = virtio_accept(nic->virtio, features);
    if (status != VIRTIO_OK)
        return status;
    nic->features = features;
    nic->header_apart =
        nic->virtio->ops->legacy && !virtio_net_has(nic, VIRTIO_F_ANY_LAYOUT);
    return VIRTIO_OK;
}

/* Allocate both rings at the size that the device has. */
const char *virtio_net_make_rings(struct virtio_net *nic)
{
    bool event_idx = virtio_net_has(nic, VIRTIO_RING_F_EVENT_IDX);
    unsigned rx, tx;

    if (virtio_queue_size(nic->virtio, VIRTIO_NET_RX, RING_MOST, &rx) !=
            VIRTIO_OK ||
        virtio_queue_size(nic->virtio, VIRTIO_NET_TX, RING_MOST, &tx) !=
            VIRTIO_OK ||
        rx <= nic->header_apart || tx <= nic->header_apart)
        return virtio_status_text(VIRTIO_BAD_QUEUE);
    if (!virtq_create(&nic->rx, rx, event_idx))
        return "no memory";
    if (!virtq_create(&nic->tx, tx, event_idx)) {
        virtq_destroy(&nic->rx);
        return "no memory";
    }
    virtio_net_ctrl_make(nic);
    return NULL;
}

/* Take what negotiation brought over into what the stack sees. */
void virtio_net_describe(struct virtio_net *nic,
                         const struct virtio_net_settings *settings)
{
    bool modern = virtio_net_has(nic, VIRTIO_F_VERSION_1);

    nic->header_bytes = modern || virtio_net_has(nic, VIRTIO_NET_F_MRG_RXBUF)
                            ? sizeof(struct virtio_net_hdr_v1)
                            : sizeof(struct virtio_net_hdr);
    nic->dev.mtu_bytes =
        virtio_net_has(nic, VIRTIO_NET_F_MTU) ? settings->mtu : MTU_ETHERNET;
    nic->dev.caps = caps_of(nic);
    nic->dev.link_up = virtio_net_link_of(nic, settings);
    mac_choose(nic, settings);
}
