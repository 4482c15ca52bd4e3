/*
 * boot/config.h - the machine's own keys of the command line.
 */
#ifndef BOOT_CONFIG_H
#define BOOT_CONFIG_H

#include "kernel/cmdline.h"
#include "kernel/log.h"
#include "net/dns_lookup.h"
#include "net/interface.h"

/* What a network card is to have. */
struct config_card {
    bool dhcp;                  /* a server says; or else: */
    struct net_address address; /* its gateway is apart */
};

struct config_cards {
    struct config_card card[INTERFACES_MAX];
    uint32_t count;
};

enum { CONFIG_ROUTES_MAX = 8 };

struct config_routes {
    struct config_route {
        struct ipv4_addr dst, gateway;
        uint8_t prefix_bits;
    } route[CONFIG_ROUTES_MAX];
    uint32_t count;
};

struct config {
    struct config_cards cards;
    struct config_routes routes;
    struct ipv4_addr gateway; /* of the first card; 0.0.0.0: none, or DHCP's */
    struct dns_servers dns;   /* none: DHCP's */
    const char *name;         /* of the machine */
    uint32_t conns;           /* at most; given, or else by the memory */
    uint32_t poll_us;
    bool cards_given, gateway_given, dns_given, name_given, conns_given,
        poll_given;
    uint32_t nic;        /* which card is the first of `cards` */
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
