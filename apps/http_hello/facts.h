/*
 * apps/http_hello/facts.h - what the machine can say about itself.
 */
#ifndef APPS_HTTP_HELLO_FACTS_H
#define APPS_HTTP_HELLO_FACTS_H

#include "kernel/base.h"
#include "net/addr.h"

enum { FACTS_CPU_BYTES = 64, FACTS_HYPERVISOR_BYTES = 13 };

struct facts {
    struct ipv4_addr address;
    uint64_t uptime_us;
    size_t memory_bytes; /* that the page allocator manages */
    size_t used_bytes;   /* of these, given out */
    uint32_t flows;      /* open, as the application sees them */
    uint32_t parked;     /* of these, waiting without a thread */
    size_t threads;
    uint64_t packets_in; /* IPv4 */
    uint64_t packets_out;
    char cpu[FACTS_CPU_BYTES];               /* printable, without <, > and & */
    char hypervisor[FACTS_HYPERVISOR_BYTES]; /* the same; empty: none seen */
};

/* Ask the machine. Blocks: never. */
void facts_get(struct facts *facts);

/*
 * Everything that is counted, as lines of "name value": the stack's counters
 * that are not zero, pages by owner, threads with what they wait for.
 *
 * out, size: room; what does not fit is left out.
 * Returns:   bytes written.
 */
size_t facts_write_status(char *out, size_t size);

#endif
