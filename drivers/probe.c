/*
 * drivers/probe.c - which of our drivers fit what is on the bus.
 */
#include "drivers/probe.h"

#include <linux/virtio_ids.h>

#include "drivers/virtio_net.h"
#include "drivers/virtio_pci.h"
#include "drivers/virtio_rng.h"
#include "kernel/log.h"

static const char *const NIC_NAMES[PROBE_NICS_MAX] = {
    "net0", "net1", "net2", "net3", "net4", "net5", "net6", "net7"};

static bool random_from(const struct pci_device *device, uint64_t off,
                        void *out, size_t bytes, uint64_t timeout_us)
{
    struct virtio_device *virtio = virtio_pci_open(device, off);
    bool filled, released;

    if (!virtio)
        return false;
    filled = virtio_rng_read(virtio, out, bytes, timeout_us, &released);
    if (released)
        virtio_pci_close(virtio);
    return filled;
}

bool probe_random(const struct pci_device *found, size_t count, uint64_t off,
                  void *out, size_t bytes, uint64_t timeout_us)
{
    for (size_t i = 0; i < count; i++)
        if (virtio_pci_is(&found[i], VIRTIO_ID_RNG) &&
            random_from(&found[i], off, out, bytes, timeout_us))
            return true;
    return false;
}

static void nic_log(const struct netdev *dev,
                    const struct virtio_device *virtio)
{
    const uint8_t *mac = dev->mac.byte;

    log_at(LOG_INFO, "virtio",
           "%s: %s%s, %02x:%02x:%02x:%02x:%02x:%02x, MTU %u, link %s, "
           "features 0x%llx",
           dev->name, virtio->name, virtio->ops->legacy ? " (legacy)" : "",
           mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
           (unsigned)dev->mtu_bytes, dev->link_up ? "up" : "down",
           (unsigned long long)virtio->features);
}

/* Null when it cannot be used; why is then in the log. */
static struct netdev *nic_open(const struct pci_device *device, uint64_t off,
                               const struct virtio_net_options *options)
{
    struct virtio_device *virtio = virtio_pci_open(device, off);
    struct netdev *dev;

    if (!virtio)
        return NULL;
    dev = virtio_net_create(virtio, options);
    if (dev)
        nic_log(dev, virtio);
    else
        virtio_pci_close(virtio);
    return dev;
}

size_t probe_nics(const struct pci_device *found, size_t count, uint64_t off,
                  uint16_t caps, struct thread_signal *signal,
                  struct netdev **nic, size_t max)
{
    struct virtio_net_options options = {.signal = signal, .caps = caps};
    size_t nics = 0;

    ASSERT(max <= PROBE_NICS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!virtio_pci_is(&found[i], VIRTIO_ID_NET))
            continue;
        if (nics == max) {
            log_at(LOG_WARNING, "virtio", "%s: one card too many",
                   found[i].name);
            continue;
        }
        options.name = NIC_NAMES[nics];
        nic[nics] = nic_open(&found[i], off, &options);
        if (nic[nics])
            nics++;
    }
    return nics;
}
