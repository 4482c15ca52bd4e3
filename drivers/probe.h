/*
 * drivers/probe.h - which of our drivers fit what is on the bus.
 *
 * For boot/, in this order, after paging, interrupts and the clock are there:
 *
 *     struct pci_device found[PCI_FOUND_MAX];
 *     size_t count = pci_scan(&pci_port_access, found, PCI_FOUND_MAX);
 *     probe_random(found, count, off, seed, sizeof(seed), 1000000);
 *     ... seed the generator: a card without an address asks for one ...
 *     nics = probe_nics(found, count, off, caps, &signal, nic, PROBE_NICS_MAX);
 *     ... choose one; stack_attach() starts it; the others sleep ...
 */
#ifndef DRIVERS_PROBE_H
#define DRIVERS_PROBE_H

#include "drivers/pci.h"
#include "kernel/thread.h"
#include "net/netdev.h"

enum { PROBE_NICS_MAX = 8 };

/*
 * Read from the first entropy device that gives anything.
 *
 * found, count: from pci_scan().
 * off:          see virtio_pci_open().
 * out, bytes:   1 or more; all or nothing is filled.
 * timeout_us:   for each device.
 * Blocks:       the whole machine, for that long at most.
 * Returns:      whether `out` is filled.
 */
MUST_CHECK bool probe_random(const struct pci_device *found, size_t count,
                             uint64_t off, void *out, size_t bytes,
                             uint64_t timeout_us);

/*
 * Set up every network card, log each, and name them net0, net1, ... in the
 * order of the bus.
 *
 * off:     see virtio_pci_open().
 * caps:    enum netdev_cap that the stack is ready for.
 * signal:  raised by the cards' interrupts; must stay.
 * nic:     filled; they live for ever. One that is not start()ed stays silent.
 * max:     at most PROBE_NICS_MAX; more are left out, and that is logged.
 * Blocks:  the whole machine, until all have been reset.
 * Returns: how many.
 */
size_t probe_nics(const struct pci_device *found, size_t count, uint64_t off,
                  uint16_t caps, struct thread_signal *signal,
                  struct netdev **nic, size_t max);

#endif
