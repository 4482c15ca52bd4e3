/*
 * boot/network.c - from what is on the bus to a running stack.
 */
#include "boot/network.h"

#include <stdarg.h>

#include "boot/config.h"
#include "boot/settings.h"
#include "drivers/pci.h"
#include "drivers/probe.h"
#include "kernel/clock.h"
#include "kernel/format.h"
#include "kernel/log.h"
#include "kernel/page.h"
#include "kernel/power.h"
#include "kernel/random.h"
#include "libc-shim/runnel_setup.h"
#include "net/dhcp.h"
#include "net/dns.h"
#include "net/netdev.h"
#include "net/route.h"
#include "net/stack.h"

enum {
    SEED_BYTES = 64,
    SEED_TIMEOUT_US = 1000000,
    NET_SHARE_PERCENT = 70, /* of the pages that are free when we start */
    KEEP_SHARE = 64,        /* a part of these: spare pages, and idle chunks of
                               each size, for a batch; until others want them */
    KEEP_PAGES_MAX = 256,
    CONNS_PER_PAGE = PAGE_BYTES / NET_CONN_BYTES,
    RESERVE_SHARE = 8, /* a part of these, that the program cannot take */
    RESERVE_PAGES_MAX = 512,
    PROBLEM_BYTES = 96,
    CAPS = NETDEV_CAP_TX_CSUM | NETDEV_CAP_RX_CSUM | NETDEV_CAP_TX_GSO_TCP4 |
           NETDEV_CAP_TX_GSO_ECN | NETDEV_CAP_RX_GSO_TCP4
};

static struct network {
    struct pci_device found[PCI_FOUND_MAX];
    size_t found_count;
    struct thread_signal signal; /* the cards have something for us */
    const struct config *config;
    struct stack *stack;
    size_t reserve; /* pages that the program cannot take */
    char problem[PROBLEM_BYTES];
} network;

/* Why the machine cannot go on, in figures. */
static const char *PRINTF_LIKE(1, 2) problem(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    format_text_va(network.problem, sizeof(network.problem), format, args);
    va_end(args);
    return network.problem;
}

void network_scan(const struct config *config)
{
    uint8_t seed[SEED_BYTES];

    network.found_count =
        pci_scan(&pci_port_access, network.found, PCI_FOUND_MAX);
    if (probe_random(network.found, network.found_count, config->virtio_off,
                     seed, sizeof(seed), SEED_TIMEOUT_US))
        random_add(seed, sizeof(seed), SEED_BYTES * 8);
}

static void *take_page(void *context)
{
    (void)context;
    return page_alloc(1, PAGE_NET);
}

static void give_page(void *context, void *page)
{
    (void)context;
    page_free(page, 1, PAGE_NET);
}

/* Half of the reserve is for connections and what is queued on them, so that
 * they work on; the other half for packets on their way. */
static bool pages_scarce(void *context)
{
    struct page_stats stats;

    (void)context;
    page_stats_get(&stats);
    return stats.free < network.reserve / 2;
}

static void fill_random(void *context, void *out, size_t bytes)
{
    (void)context;
    random_bytes(out, bytes);
}

static bool is_on(const struct net_address *address, struct ipv4_addr other)
{
    uint32_t differs = ipv4_addr_host(address->addr) ^ ipv4_addr_host(other);

    return (differs & interface_mask(address->prefix_bits)) == 0;
}

/* Whose network a gateway is on; where none has it, the first card's, which a
 * DHCP server may put there. */
static unsigned card_of(struct ipv4_addr gateway)
{
    const struct config_cards *cards = &network.config->cards;

    for (unsigned i = 0; i < cards->count; i++) {
        const struct config_card *card = &cards->card[i];

        if (!card->dhcp && is_on(&card->address, gateway))
            return i;
    }
    return 0;
}

/* The command line's routes by a card: an address that comes anew has none.
 * Returns: false when one of them cannot be. */
static bool add_routes(unsigned index)
{
    const struct config_routes *routes = &network.config->routes;
    bool added = true;

    for (uint32_t i = 0; i < routes->count; i++) {
        const struct config_route *route = &routes->route[i];

        if (card_of(route->gateway) == index &&
            route_add(stack_net(network.stack), route->dst, route->prefix_bits,
                      route->gateway, index) != NET_OK)
            added = false;
    }
    return added;
}

/* It is used, as a cloud may want it; where it was a slip, it will not answer.
 * A network of one address never holds its gateway. */
static void warn_of_gateway(const struct interface_info *info,
                            struct ipv4_addr gateway)
{
    char text[IPV4_TEXT_BYTES];

    if (!ipv4_addr_is_zero(gateway) && info->address.prefix_bits < 32 &&
        !is_on(&info->address, gateway))
        log_at(LOG_WARNING, "net", "%s: gateway %s is not on its network",
               info->name, ipv4_addr_text(gateway, text));
}

static void warn_of_gateways(unsigned index)
{
    const struct config_routes *routes = &network.config->routes;
    struct interface_info info;

    if (!interface_get(stack_net(network.stack), index, &info) ||
        !info.has_address)
        return;
    warn_of_gateway(&info, info.address.gateway);
    for (uint32_t i = 0; i < routes->count; i++)
        if (card_of(routes->route[i].gateway) == index)
            warn_of_gateway(&info, routes->route[i].gateway);
}

/* The network thread tells; see struct net_host. */
static void address_event(void *context, unsigned index, unsigned changes)
{
    (void)context;
    if (changes & (NET_ADDRESS_IN_USE | NET_ADDRESS_CONFLICT))
        log_at(LOG_WARNING, "net", "another host has our address");
    if (!(changes & NET_ADDRESS_CHANGED))
        return;
    if (!add_routes(index))
        log_at(LOG_WARNING, "net", "a route of --ipv4-routes cannot be used");
    settings_say(network.config, network.stack, index);
    warn_of_gateways(index);
    runnel_address_changed();
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void give_back(void)
{
    net_trim(stack_net(network.stack));
}

/*
 * The cards' rings are full from now on; what they use up comes from here
 * when the program has taken all other memory. Its malloc() fails before, but
 * not while the stack keeps what it does not use.
 */
static void keep_reserve(size_t pages_max)
{
    network.reserve = least(pages_max / RESERVE_SHARE, RESERVE_PAGES_MAX);
    page_reserve(PAGE_NET, network.reserve, give_back);
}

static struct stack_config stack_config(const struct config *line)
{
    struct stack_config config = {.net = net_config_default()};
    struct page_stats stats;

    page_stats_get(&stats);
    net_config_fit(&config.net, stats.free / 100 * NET_SHARE_PERCENT);
    if (line->conns_given)
        config.net.tcp.conns_max = line->conns;
    config.net.host = (struct net_host){
        .page_alloc = take_page,
        .page_free = give_page,
        .random = fill_random,
        .pages_scarce = pages_scarce,
        .address_event = address_event,
    };
    config.net.pages_keep =
        (uint32_t)least(config.net.pages_max / KEEP_SHARE, KEEP_PAGES_MAX);
    return config;
}

/* Give a card what the command line says. Returns: null, or why not. */
static const char *start_card(struct netdev *dev, unsigned index)
{
    const struct config *config = network.config;
    const struct config_card *card = &config->cards.card[index];
    const struct dhcp_config dhcp = {
        .hostname = config->name_given ? config->name : NULL};
    struct net_address address = card->address;
    enum net_status status;

    if (index == 0)
        address.gateway = config->gateway;
    status = stack_attach(network.stack, dev, card->dhcp ? NULL : &address);
    if (status == NET_OK && card->dhcp) {
        log_at(LOG_INFO, "net", "%s: address by DHCP (%s)", dev->name,
               config->cards_given ? "command line" : "default");
        status = dhcp_start(stack_net(network.stack), index, &dhcp, clock_us());
    }
    switch (status) {
    case NET_OK:
        return NULL;
    case NET_BAD_ADDRESS:
        return "--ipv4 and --ipv4-gateway give the same address twice";
    case NET_NO_MEMORY:
    case NET_FULL:
        break;
    }
    return "there is too little memory for the network cards";
}

static const char *start_cards(void)
{
    const struct config *config = network.config;
    struct netdev *nic[PROBE_NICS_MAX];
    size_t count =
        probe_nics(network.found, network.found_count, config->virtio_off, CAPS,
                   &network.signal, nic, PROBE_NICS_MAX);
    const char *why = NULL;

    if (count == 0) {
        log_at(LOG_WARNING, "net",
               "no network card that we drive; QEMU has one: "
               "-device virtio-net-pci");
        return NULL; /* a program may need no network */
    }
    if (config->nic >= count)
        return problem("--net=%u: of network cards there are %u, from 0 on",
                       config->nic, (unsigned)count);
    if (config->cards.count > count - config->nic)
        return problem("--ipv4 has %u network cards, and there are %u",
                       config->cards.count, (unsigned)count - config->nic);
    for (unsigned i = 0; i < config->cards.count && !why; i++)
        why = start_card(nic[config->nic + i], i);
    for (unsigned i = 0; i < config->cards.count && !why; i++)
        if (!add_routes(i))
            why = "--ipv4-routes has a gateway that is our own address";
    return why;
}

const char *network_start(const struct config *config)
{
    struct stack_config settings = stack_config(config);
    const unsigned conns_that_fit =
        (unsigned)least(settings.net.pages_max * CONNS_PER_PAGE, UINT32_MAX);
    const char *why;

    if (config->gateway_given && config->cards.card[0].dhcp)
        return "--ipv4-gateway goes with an address: --ipv4=ADDRESS/PREFIX";
    if (settings.net.tcp.conns_max > conns_that_fit)
        return problem("--tcp-conns=%u: there is memory for %u at most",
                       settings.net.tcp.conns_max, conns_that_fit);
    network.config = config;
    network.stack = stack_create(&settings, &network.signal);
    if (!network.stack)
        return "there is too little memory for a network stack";
    stack_set_polling(network.stack, config->poll_us);
    settings_say_start(config, settings.net.tcp.conns_max);
    dns_set_servers(stack_dns(network.stack), &config->dns);
    runnel_setup(network.stack, power_button());
    why = start_cards();
    if (!why)
        keep_reserve(settings.net.pages_max);
    return why;
}
