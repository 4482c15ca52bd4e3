/*
 * apps/http_hello/facts.c - what the machine can say about itself.
 *
 * The only file of this program that asks the kernel and the stack for
 * figures, so that the rest runs on the host as it is.
 *
 * Source: Intel SDM vol. 2, CPUID (brand string: leaves 0x80000002 to 4);
 * leaf 0x40000000 is how hypervisors agreed to name themselves.
 */
#include "apps/http_hello/facts.h"

#include <cpuid.h>
#include <string.h>

#include "kernel/clock.h"
#include "kernel/page.h"
#include "kernel/thread.h"
#include "libc-shim/runnel.h"
#include "net/flow.h"
#include "net/net.h"
#include "net/stack.h"
#include "net/view.h"

enum {
    CPUID_FEATURES = 1,
    CPUID_HYPERVISOR_BIT = 1u << 31, /* of leaf 1, ECX */
    CPUID_HYPERVISOR_NAME = 0x40000000,
    CPUID_EXTENDED_MAX = 0x80000000,
    CPUID_BRAND = 0x80000002 /* and the two after it: 16 bytes each */
};

static const char *const owner_name[PAGE_OWNER_COUNT] = {
    [PAGE_HEAP] = "heap",     [PAGE_STACK] = "stack", [PAGE_NET] = "net",
    [PAGE_DEVICE] = "device", [PAGE_TABLE] = "table",
};

/* What a CPU says may stand in a page: printable, and no markup. */
static void make_harmless(char *text)
{
    for (; *text; text++) {
        if (*text < ' ' || *text > '~' || strchr("<>&", *text))
            *text = '?';
    }
}

static void read_cpu(char *cpu)
{
    unsigned part[4];
    unsigned highest = __get_cpuid_max(CPUID_EXTENDED_MAX, NULL);
    char brand[3 * sizeof(part) + 1] = "x86-64";
    const char *first;

    if (highest >= CPUID_BRAND + 2) {
        for (unsigned i = 0; i < 3; i++) {
            __cpuid(CPUID_BRAND + i, part[0], part[1], part[2], part[3]);
            memcpy(brand + i * sizeof(part), part, sizeof(part));
        }
        brand[sizeof(brand) - 1] = '\0';
    }
    first = brand + strspn(brand, " ");
    strcpy(cpu, *first ? first : "x86-64");
    make_harmless(cpu);
}

/* The name that people know it by; the signature itself where nobody does. */
static void name_hypervisor(char *hypervisor)
{
    static const struct {
        const char *signature, *name;
    } known[] = {
        {"TCGTCGTCGTCG", "QEMU"},    {"KVMKVMKVM", "KVM"},
        {"Microsoft Hv", "Hyper-V"}, {"VMwareVMware", "VMware"},
        {"XenVMMXenVMM", "Xen"},     {"bhyve bhyve ", "bhyve"},
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(hypervisor, known[i].signature) == 0)
            strcpy(hypervisor, known[i].name);
}

static void read_hypervisor(char *hypervisor)
{
    unsigned a, b, c, d;

    hypervisor[0] = '\0';
    if (!__get_cpuid(CPUID_FEATURES, &a, &b, &c, &d) ||
        !(c & CPUID_HYPERVISOR_BIT))
        return;
    __cpuid(CPUID_HYPERVISOR_NAME, a, b, c, d);
    memcpy(hypervisor, &b, 4);
    memcpy(hypervisor + 4, &c, 4);
    memcpy(hypervisor + 8, &d, 4);
    hypervisor[FACTS_HYPERVISOR_BYTES - 1] = '\0';
    name_hypervisor(hypervisor);
    make_harmless(hypervisor);
}

void facts_get(struct facts *facts)
{
    const struct net_counters *counters = net_counters(runnel_net());
    struct page_stats pages;
    struct tcpv4_stats tcp;
    struct thread_stats threads;

    page_stats_get(&pages);
    tcpv4_stats_get(runnel_tcp(), &tcp);
    thread_stats_get(&threads);
    *facts = (struct facts){
        .address = runnel_address(),
        .uptime_us = clock_us(),
        .memory_bytes = pages.total * PAGE_BYTES,
        .used_bytes = (pages.total - pages.free) * PAGE_BYTES,
        .flows = tcp.flows,
        .parked = tcp.parked,
        .threads = threads.threads,
        .packets_in = counters->value[NET_COUNT_ip_rx],
        .packets_out = counters->value[NET_COUNT_ip_tx],
    };
    read_cpu(facts->cpu);
    read_hypervisor(facts->hypervisor);
}

/* ---- /status ---- */

enum { TCP_SHOWN_MAX = 64 };

static void write_pages(struct view *view)
{
    struct page_stats pages;

    page_stats_get(&pages);
    view_line(view, "pages_total %lu\n", (unsigned long)pages.total);
    view_line(view, "pages_free %lu\n", (unsigned long)pages.free);
    for (size_t i = 0; i < PAGE_OWNER_COUNT; i++)
        view_line(view, "pages_%s %lu\n",
                  owner_name[i] ? owner_name[i] : "other",
                  (unsigned long)pages.used[i]);
}

static void write_net(struct view *view)
{
    const struct net_counters *counters = net_counters(runnel_net());
    struct stack_counters rounds;
    struct net_memory memory;
    struct tcpv4_stats tcp;

    net_memory_get(runnel_net(), &memory);
    tcpv4_stats_get(runnel_tcp(), &tcp);
    view_line(view, "net_pages %lu\n", (unsigned long)memory.pages);
    view_line(view, "net_pages_max %lu\n", (unsigned long)memory.pages_max);
    view_line(view, "net_buffers %lu\n", (unsigned long)memory.buffers);
    view_line(view, "net_conns %lu\n", (unsigned long)memory.conns);
    view_line(view, "net_conns_max %lu\n", (unsigned long)memory.conns_max);
    view_line(view, "net_time_waits %lu\n", (unsigned long)memory.time_waits);
    view_line(view, "flows %lu\n", (unsigned long)tcp.flows);
    view_line(view, "flows_parked %lu\n", (unsigned long)tcp.parked);
    view_line(view, "flow_threads %lu\n", (unsigned long)tcp.threads);
    stack_counters_get(runnel_stack(), &rounds);
    view_line(view, "net_sleeps %lu\n", (unsigned long)rounds.sleeps);
    view_line(view, "net_polls %lu\n", (unsigned long)rounds.polls);
    view_line(view, "net_poll_hits %lu\n", (unsigned long)rounds.poll_hits);
    for (unsigned i = 0; i < NET_COUNTER_COUNT; i++) {
        if (counters->value[i])
            view_line(view, "%s %lu\n", net_counter_name((enum net_counter)i),
                      (unsigned long)counters->value[i]);
    }
}

static void write_thread(const struct thread_view *thread, void *context)
{
    view_line(context, "thread %s: %s\n", thread->name,
              thread->reason ? thread->reason : "ready");
}

size_t facts_write_status(char *out, size_t size)
{
    struct view view = {.out = out, .size = size};
    struct thread_stats threads;

    thread_stats_get(&threads);
    view_line(&view, "uptime_us %lu\n", (unsigned long)clock_us());
    write_pages(&view);
    write_net(&view);
    view_line(&view, "threads %lu\n", (unsigned long)threads.threads);
    view_line(&view, "thread_switches %lu\n", (unsigned long)threads.switches);
    thread_for_each(write_thread, &view);
    view_interfaces(&view, runnel_net(), clock_us());
    view_routes(&view, runnel_net());
    view_neighbours(&view, runnel_net());
    view_names(&view, runnel_dns());
    view_udp(&view, runnel_net());
    view_tcp(&view, runnel_net(), TCP_SHOWN_MAX);
    return view.used;
}
