/*
 * boot/network.c - from what is on the bus to a running stack.
 */
#include "boot/network.h"

#include "boot/config.h"
#include "drivers/pci.h"
#include "drivers/probe.h"
#include "kernel/log.h"
#include "kernel/page.h"
#include "kernel/power.h"
#include "kernel/random.h"
#include "libc-shim/runnel_setup.h"
#include "net/netdev.h"
#include "net/stack.h"

enum {
    SEED_BYTES = 64,
    SEED_TIMEOUT_US = 1000000,
    NET_SHARE_PERCENT = 70, /* of the pages that are free when we start */
    CAPS = NETDEV_CAP_TX_CSUM | NETDEV_CAP_RX_CSUM | NETDEV_CAP_TX_GSO_TCP4 |
           NETDEV_CAP_TX_GSO_ECN | NETDEV_CAP_RX_GSO_TCP4
};

static struct network {
    struct pci_device found[PCI_FOUND_MAX];
    size_t found_count;
    struct thread_signal signal; /* the cards have something for us */
} network;

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

static void fill_random(void *context, void *out, size_t bytes)
{
    (void)context;
    random_bytes(out, bytes);
}

static struct stack_config stack_config(void)
{
    struct stack_config config = {.net = net_config_default()};
    struct page_stats stats;

    page_stats_get(&stats);
    config.net.host = (struct net_host){
        .page_alloc = take_page,
        .page_free = give_page,
        .random = fill_random,
    };
    config.net.pages_max = stats.free / 100 * NET_SHARE_PERCENT;
    return config;
}

/* What the command line says, or QEMU's user network, said plainly. */
static struct net_address address_of(const struct config *config)
{
    struct net_address address = config->ipv4;
    char addr[IPV4_TEXT_BYTES], gateway[IPV4_TEXT_BYTES];

    if (!config->ipv4_given) {
        address.addr = IPV4_ADDR(10, 0, 2, 15);
        address.prefix_bits = 24;
        if (!config->gateway_given)
            address.gateway = IPV4_ADDR(10, 0, 2, 2);
        log_at(LOG_INFO, "net",
               "no --ipv4 given: using 10.0.2.15/24, QEMU's user network");
    }
    log_at(LOG_INFO, "net", "address %s/%u, gateway %s",
           ipv4_addr_text(address.addr, addr), address.prefix_bits,
           ipv4_addr_is_zero(address.gateway)
               ? "none"
               : ipv4_addr_text(address.gateway, gateway));
    return address;
}

static struct netdev *choose_card(const struct config *config,
                                  const char **problem)
{
    struct netdev *nic[PROBE_NICS_MAX];
    size_t count =
        probe_nics(network.found, network.found_count, config->virtio_off, CAPS,
                   &network.signal, nic, PROBE_NICS_MAX);

    *problem = NULL;
    if (count == 0) {
        log_at(LOG_WARNING, "net", "there is no network card that we know");
        return NULL;
    }
    if (config->nic >= count) {
        *problem = "--net names a network card that is not there";
        return NULL;
    }
    return nic[config->nic];
}

const char *network_start(const struct config *config)
{
    struct stack_config stack_settings = stack_config();
    struct net_address address;
    struct stack *stack;
    const char *problem;
    struct netdev *dev = choose_card(config, &problem);

    if (problem)
        return problem;
    stack = stack_create(&stack_settings, &network.signal);
    if (!stack)
        return "there is too little memory for a network stack";
    runnel_setup(stack, power_button());
    if (!dev)
        return NULL; /* a program may need no network */
    address = address_of(config);
    switch (stack_attach(stack, dev, &address)) {
    case NET_OK:
        return NULL;
    case NET_BAD_ADDRESS:
        return "--ipv4 is not the address of a host on that network";
    case NET_NO_MEMORY:
    case NET_FULL:
        break;
    }
    return "there is too little memory for the network card";
}
