/*
 * boot/config.c - the machine's own keys, after those of MirageOS.
 */
#include "boot/config.h"

#include "drivers/virtio_off.h"
#include "kernel/console.h"
#include "libc-shim/runnel.h"

enum { NAME_BYTES_MAX = 63 /* RFC 1035 2.3.4: a label */ };

static bool parse_ipv4(const char *text, void *out)
{
    struct net_address *address = out;

    return ipv4_prefix_parse(text, &address->addr, &address->prefix_bits);
}

static bool parse_addr(const char *text, void *out)
{
    return ipv4_addr_parse(text, out);
}

/* "10.0.0.3,10.0.0.4": one to CONFIG_DNS_MAX addresses. */
static bool parse_dns(const char *text, void *out)
{
    struct config *config = out;
    uint32_t count = 0;

    while (count < CONFIG_DNS_MAX) {
        char one[IPV4_TEXT_BYTES];
        size_t length = 0;

        while (text[length] && text[length] != ',') {
            if (length == sizeof(one) - 1)
                return false;
            one[length] = text[length];
            length++;
        }
        one[length] = '\0';
        if (!ipv4_addr_parse(one, &config->dns[count]))
            return false;
        count++;
        if (!text[length]) {
            config->dns_count = count;
            return true;
        }
        text += length + 1;
    }
    return false;
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

enum cmdline_status config_read(char *line, char *name, struct config *config)
{
    const struct cmdline_key keys[] = {
        {"ipv4", "ADDRESS/PREFIX", "10.0.0.2/24", "our address and network",
         parse_ipv4, &config->ipv4, &config->ipv4_given},
        {"ipv4-gateway", "ADDRESS", "10.0.0.1", "the way to other networks",
         parse_addr, &config->ipv4.gateway, &config->gateway_given},
        {"dns-servers", "ADDRESS[,ADDRESS...]", "10.0.0.3",
         "name servers, four at most; no resolver yet", parse_dns, config,
         NULL},
        {"name", "HOST", "web1", "the machine's name", parse_name,
         &config->name, NULL},
        {"net", "NUMBER", "0", "which network card; the first is 0",
         cmdline_parse_u32, &config->nic, NULL},
        {"virtio-off", "FEATURE[,FEATURE...]", "mrg_rxbuf,event_idx",
         "what of virtio is not to be used, by QEMU's names; msix, modern, all",
         virtio_off_parse, &config->virtio_off, NULL},
        {"logs", "LEVEL or MODULE:LEVEL,...", "info",
         "what the console shows: error, warning, info, debug",
         log_levels_parse, &config->logs, NULL},
    };
    const struct cmdline_table tables[] = {
        {keys, ARRAY_LEN(keys)},
        {runnel_keys, runnel_key_count},
    };

    *config = (struct config){.name = "runnel", .logs.others = LOG_INFO};
    return cmdline_parse(line, name, tables, ARRAY_LEN(tables), console_print,
                         &config->args);
}
