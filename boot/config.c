/*
 * boot/config.c - the machine's own keys, after those of MirageOS.
 */
#include "boot/config.h"

#include <stddef.h>
#include <string.h>

#include "drivers/probe.h"
#include "drivers/virtio_off.h"
#include "kernel/console.h"
#include "libc-shim/runnel.h"

enum {
    POLL_US = 200,
    POLL_US_MAX = 1000,  /* to look for longer costs more than an interrupt */
    NAME_BYTES_MAX = 63, /* RFC 1035 2.3.4: a label */
    ITEM_BYTES = 36 /* "255.255.255.255/32:255.255.255.255", its zero, ... */
};

/* The next item of a list with commas, cut off; *text moves behind it.
 * Returns: false when it is too long to be one, or ends with the comma. */
static bool take_item(const char **text, char item[ITEM_BYTES])
{
    size_t length = strcspn(*text, ",");

    if (length >= ITEM_BYTES)
        return false;
    memcpy(item, *text, length);
    item[length] = '\0';
    *text += length;
    if (**text == '\0')
        return true;
    ++*text;
    return **text != '\0';
}

/* Whether it can be the address of a host on a network. */
static bool is_host_on(const struct net_address *address)
{
    uint32_t mask = interface_mask(address->prefix_bits);
    uint32_t rest = ipv4_addr_host(address->addr) & ~mask;

    return interface_is_host(address->addr) &&
           (address->prefix_bits > 30 || /* RFC 3021 */
            (rest != 0 && rest != ~mask));
}

/* "10.0.0.2/24,dhcp": a card each. */
static bool parse_cards(const char *text, void *out)
{
    struct config_cards cards = {0};
    char item[ITEM_BYTES];

    while (*text) {
        struct config_card *card = &cards.card[cards.count];

        if (cards.count == INTERFACES_MAX || !take_item(&text, item))
            return false;
        card->dhcp = strcmp(item, "dhcp") == 0;
        if (!card->dhcp && (!ipv4_prefix_parse(item, &card->address.addr,
                                               &card->address.prefix_bits) ||
                            !is_host_on(&card->address)))
            return false;
        cards.count++;
    }
    *(struct config_cards *)out = cards;
    return true;
}

static bool parse_host(const char *text, void *out)
{
    struct ipv4_addr addr;

    if (!ipv4_addr_parse(text, &addr) || !interface_is_host(addr))
        return false;
    *(struct ipv4_addr *)out = addr;
    return true;
}

/* "10.0.0.0/8:10.0.2.1", changed on the way. The default route has a key of its
 * own. */
static bool parse_route(char *item, struct config_route *route)
{
    char *colon = strchr(item, ':');

    if (!colon)
        return false;
    *colon = '\0';
    return ipv4_prefix_parse(item, &route->dst, &route->prefix_bits) &&
           route->prefix_bits > 0 && interface_is_host(route->dst) &&
           (ipv4_addr_host(route->dst) & ~interface_mask(route->prefix_bits)) ==
               0 &&
           parse_host(colon + 1, &route->gateway);
}

static bool has_route(const struct config_routes *routes,
                      const struct config_route *to)
{
    for (uint32_t i = 0; i < routes->count; i++)
        if (ipv4_addr_equal(routes->route[i].dst, to->dst) &&
            routes->route[i].prefix_bits == to->prefix_bits)
            return true;
    return false;
}

static bool parse_routes(const char *text, void *out)
{
    struct config_routes routes = {0};
    char item[ITEM_BYTES];

    while (*text) {
        struct config_route route;

        if (routes.count == CONFIG_ROUTES_MAX || !take_item(&text, item) ||
            !parse_route(item, &route) || has_route(&routes, &route))
            return false;
        routes.route[routes.count++] = route;
    }
    *(struct config_routes *)out = routes;
    return true;
}

/* "10.0.0.3,10.0.0.4": one to DNS_SERVERS_MAX addresses. */
static bool parse_dns(const char *text, void *out)
{
    struct dns_servers servers = {0};
    char item[ITEM_BYTES];

    while (*text) {
        if (servers.count == DNS_SERVERS_MAX || !take_item(&text, item) ||
            !parse_host(item, &servers.addr[servers.count]))
            return false;
        servers.count++;
    }
    *(struct dns_servers *)out = servers;
    return true;
}

/* A label of letters, digits and inner hyphens: RFC 1123 2.1. */
static bool parse_name(const char *text, void *out)
{
    size_t length = 0;

    for (; text[length]; length++) {
        char c = text[length];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      (c >= '0' && c <= '9');
        bool inner = c == '-' && length > 0 && text[length + 1];

        if (length == NAME_BYTES_MAX || !(letter || inner))
            return false;
    }
    if (length == 0)
        return false;
    *(const char **)out = text;
    return true;
}

/* Who logs, each with a space; `make check` compares. */
static const char modules[] =
    "app arp boot clock net pci power random tcp virtio ";

static bool is_module(const char *name)
{
    size_t length = strlen(name);

    for (const char *word = modules; *word; word += strcspn(word, " ") + 1)
        if (strncmp(word, name, length) == 0 && word[length] == ' ')
            return true;
    return false;
}

/* Whom --logs names that is not there would be silent, and nobody would know
 * why. No error: a program may log under a name of its own. */
static void warn_of_modules(const struct log_levels *logs)
{
    for (size_t i = 0; i < logs->count; i++) {
        if (is_module(logs->named[i].module))
            continue;
        console_print("--logs: ");
        console_print(logs->named[i].module);
        console_print(": no module of the machine, which are ");
        console_print(modules);
        console_print("\n");
    }
}

static void print_about(const char *name)
{
    console_print(name);
    console_print(" ");
    console_print(runnel_about);
    console_print("\n");
}

/* The machine's keys, and where in struct config their values go. */
static const struct setting {
    struct cmdline_key key;
    uint16_t out, given; /* given: 0 where nobody asks */
} settings[] = {
    {{.name = "ipv4",
      .value_name = "ADDRESS/PREFIX or dhcp[,...]",
      .example = "10.0.0.2/24",
      .help = "address and network of each card, from the first on (dhcp)",
      .parse = parse_cards},
     .out = offsetof(struct config, cards),
     .given = offsetof(struct config, cards_given)},
    {{.name = "ipv4-gateway",
      .value_name = "ADDRESS",
      .example = "10.0.0.1",
      .help = "the first card's way to other networks",
      .parse = parse_host},
     .out = offsetof(struct config, gateway),
     .given = offsetof(struct config, gateway_given)},
    {{.name = "ipv4-routes",
      .value_name = "NETWORK/PREFIX:GATEWAY[,...]",
      .example = "10.0.0.0/8:10.0.2.1",
      .help = "ways to other networks, eight at most, each to one of them",
      .parse = parse_routes},
     .out = offsetof(struct config, routes)},
    {{.name = "dns-servers",
      .value_name = "ADDRESS[,ADDRESS...]",
      .example = "10.0.0.3",
      .help = "name servers, four at most (those of DHCP)",
      .parse = parse_dns},
     .out = offsetof(struct config, dns),
     .given = offsetof(struct config, dns_given)},
    {{.name = "name",
      .value_name = "HOST",
      .example = "web1",
      .help = "for DHCP servers: 63 letters, digits and inner hyphens",
      .parse = parse_name},
     .out = offsetof(struct config, name),
     .given = offsetof(struct config, name_given)},
    {{.name = "net",
      .value_name = "NUMBER",
      .example = "0",
      .help = "which network card is the first one (0)",
      .max = PROBE_NICS_MAX - 1},
     .out = offsetof(struct config, nic)},
    {{.name = "tcp-conns",
      .value_name = "NUMBER",
      .example = "100000",
      .help = "connections at most (512 bytes each: as the memory allows)",
      .min = 1, /* without any, there is no need for a network */
      .max = UINT32_MAX},
     .out = offsetof(struct config, conns),
     .given = offsetof(struct config, conns_given)},
    {{.name = "poll",
      .value_name = "MICROSECONDS",
      .example = "200",
      .help = "looks so long for packets before the CPU sleeps (200)",
      .max = POLL_US_MAX},
     .out = offsetof(struct config, poll_us),
     .given = offsetof(struct config, poll_given)},
    {{.name = "virtio-off",
      .value_name = "FEATURE[,FEATURE...]",
      .example = "mrg_rxbuf,event_idx",
      .help = "what of virtio is not to be used, by QEMU's names; msix, "
              "modern, all",
      .parse = virtio_off_parse},
     .out = offsetof(struct config, virtio_off)},
    {{.name = "logs",
      .value_name = "LEVEL or MODULE:LEVEL,...",
      .example = "tcp:debug",
      .help = "what the console shows: error, warning, info, debug (info)",
      .parse = log_levels_parse},
     .out = offsetof(struct config, logs)},
};

/* The keys for this `config`. */
static void make_keys(struct config *config,
                      struct cmdline_key keys[ARRAY_LEN(settings)])
{
    char *base = (char *)config;

    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        keys[i] = settings[i].key;
        keys[i].out = base + settings[i].out;
        if (settings[i].given)
            keys[i].given = (bool *)(base + settings[i].given);
    }
}

enum cmdline_status config_read(char *line, char *name, struct config *config)
{
    struct cmdline_key keys[ARRAY_LEN(settings)];
    const struct cmdline_table tables[] = {
        {keys, ARRAY_LEN(keys)},
        {runnel_keys, &runnel_key_count ? runnel_key_count : 0},
    };
    enum cmdline_status status;

    make_keys(config, keys);
    *config = (struct config){
        .cards = {.card = {{.dhcp = true}}, .count = 1},
        .name = "runnel",
        .poll_us = POLL_US,
        .logs.others = LOG_INFO,
    };
    status = cmdline_parse(line, name, tables, ARRAY_LEN(tables), console_print,
                           &config->args);
    if (status == CMDLINE_HELP && runnel_about)
        print_about(name);
    if (status == CMDLINE_OK)
        warn_of_modules(&config->logs);
    return status;
}
