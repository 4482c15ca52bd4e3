/*
 * tests/fuzz/fuzz_cmdline.c - any text as the kernel's command line, against
 * the machine's own keys.
 *
 * What is accepted must make sense; what is refused must say so in whole lines
 * of printable letters, and name the way out.
 *
 * Bounds: LINE_MAX bytes of line.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/config.h"
#include "drivers/probe.h"
#include "kernel/console.h"
#include "libc-shim/runnel.h"
#include "tests/host/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINE_MAX = 8192 };

static uint32_t port = 80;

/* A program's keys beside the machine's. */
const struct cmdline_key runnel_keys[] = {
    {.name = "port",
     .value_name = "PORT",
     .example = "80",
     .help = "where to listen",
     .out = &port,
     .min = 1,
     .max = UINT16_MAX},
};
const size_t runnel_key_count = ARRAY_LEN(runnel_keys);

static size_t lines;
static bool in_line; /* what was printed last did not end one */

void console_print(const char *text)
{
    size_t len = strlen(text);

    ASSERT(len > 0);
    for (size_t i = 0; i < len; i++)
        ASSERT(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
    in_line = text[len - 1] != '\n';
    lines += !in_line;
}

/* What was accepted: the rest of the machine relies on it. */
static void check(const struct config *config)
{
    ASSERT(config->cards.count >= 1 && config->cards.count <= INTERFACES_MAX);
    for (uint32_t i = 0; i < config->cards.count; i++) {
        const struct config_card *card = &config->cards.card[i];

        ASSERT(card->dhcp || (interface_is_host(card->address.addr) &&
                              card->address.prefix_bits <= 32));
    }
    ASSERT(port >= 1 && port <= UINT16_MAX);
    ASSERT(config->nic < PROBE_NICS_MAX);
    ASSERT(config->dns.count <= DNS_SERVERS_MAX);
    ASSERT(ipv4_addr_is_zero(config->gateway) ||
           interface_is_host(config->gateway));
    ASSERT(config->name && config->name[0] && strlen(config->name) <= 63);
    ASSERT(config->args.argc >= 1);
    ASSERT(!config->args.argv[config->args.argc]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char program[] = "program";
    struct config config;
    char *line;

    if (size > LINE_MAX)
        return 0;
    line = malloc(size + 1); /* of its own size: reading past it shows */
    memcpy(line, data, size);
    line[size] = '\0';
    lines = 0;
    switch (config_read(line, program, &config)) {
    case CMDLINE_OK:
        ASSERT(lines <= config.logs.count); /* warnings */
        check(&config);
        break;
    case CMDLINE_HELP:
    case CMDLINE_BAD:
        ASSERT(lines > 0);
        break;
    }
    ASSERT(!in_line);
    free(line);
    return 0;
}
