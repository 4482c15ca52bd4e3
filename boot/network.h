/*
 * boot/network.h - from what is on the bus to a running stack.
 */
#ifndef BOOT_NETWORK_H
#define BOOT_NETWORK_H

#include "kernel/base.h"

struct config;

/* Find the devices, and feed the generator from an entropy device, if any. */
void network_scan(const struct config *config);

/*
 * Make the stack on the chosen cards, and tell libc-shim/runnel.c. An address
 * from DHCP comes later; the boot does not wait for it.
 *
 * config:  must stay.
 * Returns: null, or why the machine cannot go on.
 */
MUST_CHECK const char *network_start(const struct config *config);

#endif
