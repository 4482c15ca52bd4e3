/*
 * boot/config.c - the machine's own keys, after those of MirageOS.
 */
#include "boot/config.h"

#include "drivers/virtio_off.h"
#include <string.h>

#include "kernel/console.h"
#include "libc-shim/runnel.h"

enum {
    POLL_US_MAX = 1000,
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

/* At least one: without any, there is no need for a network. */
static bool parse_conns(const char *text, void *out)
{
    uint32_t conns;

    if (!cmdline_parse_u32(text, &conns) || conns == 0)
        return false;
    *(uint32_t *)out = conns;
    return true;
}

/* To look for longer would cost more than any interrupt. */
static bool parse_poll(const char *text, void *out)
{
    uint32_t us;

    if (!cmdline_parse_u32(text, &us) || us > POLL_US_MAX)
        return false;
    *(uint32_t *)out = us;
    return true;
}

static void print_about(const char *name)
{
    console_print(name);
    console_print(" ");
    console_print(runnel_about);
    console_print("\n");
}

enum cmdline_status config_read(char *line, char *name, struct config *config)
{
    const struct cmdline_key keys[] = {
        {"ipv4", "ADDRESS/PREFIX or dhcp[,...]", "10.0.0.2/24",
         "address and network of each card, from the first on (dhcp)",
         parse_cards, &config->cards, &config->cards_given},
        {"ipv4-gateway", "ADDRESS", "10.0.0.1",
         "the first card's way to other networks", parse_host, &config->gateway,
         &config->gateway_given},
        {"ipv4-routes", "NETWORK/PREFIX:GATEWAY[,...]", "10.0.0.0/8:10.0.2.1",
         "ways to other networks, eight at most, each to one of them",
         parse_routes, &config->routes, NULL},
        {"dns-servers", "ADDRESS[,ADDRESS...]", "10.0.0.3",
         "name servers, four at most (those of DHCP)", parse_dns, &config->dns,
         &config->dns_given},
        {"name", "HOST", "web1", "the machine's name, told to DHCP servers",
         parse_name, &config->name, &config->name_given},
        {"net", "NUMBER", "0", "which network card is the first one (0)",
         cmdline_parse_u32, &config->nic, NULL},
        {"tcp-conns", "NUMBER", "100000",
         "TCP connections at most (512 bytes each: as the memory allows)",
         parse_conns, &config->conns, &config->conns_given},
        {"poll", "MICROSECONDS", "200",
         "looks so long for packets before the CPU sleeps (200 on KVM, else 0)",
         parse_poll, &config->poll_us, &config->poll_given},
        {"virtio-off", "FEATURE[,FEATURE...]", "mrg_rxbuf,event_idx",
         "what of virtio is not to be used, by QEMU's names; msix, modern, all",
         virtio_off_parse, &config->virtio_off, NULL},
        {"logs", "LEVEL or MODULE:LEVEL,...", "info",
         "what the console shows: error, warning, info, debug",
         log_levels_parse, &config->logs, NULL},
    };
    const struct cmdline_table tables[] = {
        {keys, ARRAY_LEN(keys)},
        {runnel_keys, &runnel_key_count ? runnel_key_count : 0},
    };
    enum cmdline_status status;

    *config = (struct config){
        .cards = {.card = {{.dhcp = true}}, .count = 1},
        .name = "runnel",
        .logs.others = LOG_INFO,
    };
    status = cmdline_parse(line, name, tables, ARRAY_LEN(tables), console_print,
                           &config->args);
    if (status == CMDLINE_HELP && runnel_about)
        print_about(name);
    return status;
}
