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
 * Make the stack on the chosen card, and tell libc-shim/runnel.c.
 *
 * Returns: null, or why the machine cannot go on.
 */
MUST_CHECK const char *network_start(const struct config *config);

#endif
