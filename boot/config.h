/*
 * boot/config.h - the machine's own keys of the command line.
 */
#ifndef BOOT_CONFIG_H
#define BOOT_CONFIG_H

#include "kernel/cmdline.h"
#include "kernel/log.h"
#include "net/net.h"

enum { CONFIG_DNS_MAX = 4 };

struct config {
    struct net_address ipv4; /* prefix_bits 0 to 32; gateway apart */
    bool ipv4_given, gateway_given;
    struct ipv4_addr dns[CONFIG_DNS_MAX];
    uint32_t dns_count;
    const char *name;    /* of the machine */
    uint32_t nic;        /* which card: 0 is the first */
    uint64_t virtio_off; /* features: virtio_device.off */
    struct log_levels logs;
    struct cmdline_args args; /* the program's own words */
};

/*
 * Read the command line: the machine's keys and the program's.
 *
 * line:    changed in place; must stay.
 * name:    the program's, for --help.
 * config:  set to the defaults, and to what the line says.
 * Returns: as cmdline_parse(); a text for the user has been written unless it
 *          is CMDLINE_OK.
 */
MUST_CHECK enum cmdline_status config_read(char *line, char *name,
                                           struct config *config);

#endif
