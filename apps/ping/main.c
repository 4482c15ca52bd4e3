/*
 * apps/ping/main.c - asks a host whether it is there, and how far away.
 *
 * To learn from it: a program with arguments of its own, a name that is
 * resolved, and a call of the stack that is not TCP. Its exit status is that of
 * ping(8): 0 when an answer came, 1 when none did, 64 for usage.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kernel/clock.h"
#include "kernel/thread.h"
#include "libc-shim/runnel.h"
#include "net/dns.h"
#include "net/stack_ping.h"

enum {
    EXIT_NO_ANSWER = 1,
    EXIT_USAGE = 64,
    ONLINE_US = 30000000, /* for a DHCP server to answer */
    INTERVAL_US = 1000000,
    TIMEOUT_US = 1000000
};

static uint32_t count = 4;
static uint32_t bytes = 56;

const char runnel_about[] = "asks HOST, its one argument, whether it is there";

const struct cmdline_key runnel_keys[] = {
    {.name = "count",
     .value_name = "NUMBER",
     .example = "10",
     .help = "how many questions (4)",
     .out = &count,
     .min = 1,
     .max = UINT16_MAX},
    {.name = "bytes",
     .value_name = "NUMBER",
     .example = "1472",
     .help = "how many bytes of data in each (56)",
     .out = &bytes,
     .max = PING_BYTES_MAX},
};
const size_t runnel_key_count = ARRAY_LEN(runnel_keys);

/* One question, and a line about what came of it. */
static bool ask(struct ipv4_addr dst, uint16_t sequence)
{
    const struct ping_request request = {.dst = dst,
                                         .bytes = bytes,
                                         .sequence = sequence,
                                         .timeout_us = TIMEOUT_US};
    char from[IPV4_TEXT_BYTES];
    struct ping_answer answer;
    enum ping_status status = stack_ping(runnel_stack(), &request, &answer);

    if (status != PING_OK) {
        printf("seq=%u %s\n", sequence, ping_status_text(status));
        return false;
    }
    printf("%u bytes from %s: seq=%u ttl=%u time=%llu us\n", (unsigned)bytes,
           ipv4_addr_text(answer.from, from), sequence, answer.ttl,
           (unsigned long long)answer.rtt_us);
    return true;
}

/* The questions, a second apart. Returns: the exit status. */
static int ping(const char *host, struct ipv4_addr dst)
{
    uint64_t begin_us = clock_us();
    uint32_t received = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            thread_sleep_until(begin_us + i * (uint64_t)INTERVAL_US);
        received += ask(dst, (uint16_t)(i + 1));
    }
    printf("%s: %u sent, %u received\n", host, (unsigned)count,
           (unsigned)received);
    return received > 0 ? EXIT_SUCCESS : EXIT_NO_ANSWER;
}

static int fail(const char *host, const char *why)
{
    fprintf(stderr, "ping: %s: %s\n", host, why);
    return EXIT_NO_ANSWER;
}

int main(int argc, char **argv)
{
    struct dns_addrs addrs;
    enum dns_status status;

    if (argc != 2) {
        fprintf(stderr, "usage: %s [--count=NUMBER] [--bytes=NUMBER] HOST\n",
                argv[0]);
        return EXIT_USAGE;
    }
    if (!runnel_wait_online(clock_us() + ONLINE_US))
        return fail(argv[1], "the machine has no address");
    status = dns_resolve(runnel_dns(), argv[1], FOREVER, &addrs);
    if (status != DNS_OK)
        return fail(argv[1], dns_status_text(status));
    return ping(argv[1], addrs.addr[0]);
}
