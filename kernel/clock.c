/*
 * kernel/clock.c - what time it is.
 *
 * The TSC, by one multiplication; where KVM offers its own clock, that one,
 * for it stays right when the machine moves. Whatever the source does, time
 * never goes back.
 */
#include "kernel/clock.h"

#include "kernel/acpi.h"
#include "kernel/cpu.h"
#include "kernel/kvmclock.h"
#include "kernel/port.h"
#include "kernel/rtc.h"

/* No TSC that runs Runnel is slower or faster than this. */
static const uint64_t HZ_MIN = 10000000;
static const uint64_t HZ_MAX = 20000000000;

/* When nothing says or measures the rate. */
static const uint64_t HZ_GUESS = 1000000000;

static const uint64_t KVMCLOCK_HZ = 1000000000; /* it counts nanoseconds */

static const uint64_t HOUR_US = 3600000000;

enum {
    PM_TIMER_HZ = 3579545,
    PIT_HZ = 1193182,
    PIT_GATE = 0x61,
    PIT_CHANNEL_2 = 0x42,
    PIT_COMMAND = 0x43,
    PIT_LOAD_2 = 0xb0,  /* channel 2, both bytes, mode 0, binary */
    PIT_LATCH_2 = 0x80, /* hold channel 2's count */
    SAMPLES = 5,
    MEASURE_PER_SECOND = 200, /* 5 ms */
    READS_MAX = 200000
};

static struct {
    bool by_kvm;
    uint64_t hz;
    uint64_t ticks_per_us; /* of the TSC; 32.32 fixed point */
    uint64_t us_per_count; /* 0.64 fixed point */
    uint64_t start;        /* a count: the TSC's, or kvmclock's nanoseconds */
    uint64_t latest;       /* the same */
    uint64_t epoch_us;     /* wall-clock time at start; 0: unknown */
} clock;

/* A counter of known rate, to measure the TSC by. */
struct reference {
    uint64_t hz;
    uint32_t mask;
    uint16_t port;
    uint32_t (*read)(const struct reference *reference);
};

/* The counter and the TSC at the same moment, give or take `width`. */
struct sample {
    uint32_t count;
    uint64_t tsc;
    uint64_t width;
};

static uint32_t read_pm_timer(const struct reference *reference)
{
    return port_read32(reference->port);
}

/* Counts down. */
static uint32_t read_pit(const struct reference *reference)
{
    uint32_t low;

    port_write8(PIT_COMMAND, PIT_LATCH_2);
    low = port_read8(reference->port);
    return ~(low | (uint32_t)port_read8(reference->port) << 8);
}

static void start_pit(void)
{
    uint8_t gate = port_read8(PIT_GATE);

    port_write8(PIT_GATE, (uint8_t)((gate & ~2) | 1)); /* count; no sound */
    port_write8(PIT_COMMAND, PIT_LOAD_2);
    port_write8(PIT_CHANNEL_2, 0xff);
    port_write8(PIT_CHANNEL_2, 0xff);
}

/* The host may take the CPU away in any one of them: the narrowest counts. */
static struct sample sample_take(const struct reference *reference)
{
    struct sample best = {.width = UINT64_MAX};

    for (unsigned i = 0; i < SAMPLES; i++) {
        uint64_t before = cpu_tsc();
        uint32_t count = reference->read(reference);
        uint64_t after = cpu_tsc();

        if (after - before < best.width)
            best = (struct sample){count, before + (after - before) / 2,
                                   after - before};
    }
    return best;
}

/* Returns: the TSC's rate by a reference, or 0 when that stands still. */
static uint64_t measure(const struct reference *reference)
{
    struct sample first = sample_take(reference);
    struct sample last;
    uint64_t counted = 0;

    for (unsigned i = 0;
         counted < reference->hz / MEASURE_PER_SECOND && i < READS_MAX; i++)
        counted = (reference->read(reference) - first.count) & reference->mask;
    last = sample_take(reference);
    counted = (last.count - first.count) & reference->mask;
    if (counted < reference->hz / MEASURE_PER_SECOND)
        return 0;
    return (uint64_t)((unsigned __int128)(last.tsc - first.tsc) *
                      reference->hz / counted);
}

static uint64_t hz_by_pm_timer(const struct acpi_facts *facts)
{
    const struct reference timer = {
        .hz = PM_TIMER_HZ,
        .mask = 0xffffff,
        .port = facts->timer,
        .read = read_pm_timer,
    };

    return facts->timer ? measure(&timer) : 0;
}

static uint64_t hz_by_pit(const struct acpi_facts *facts)
{
    const struct reference timer = {
        .hz = PIT_HZ,
        .mask = 0xffff,
        .port = PIT_CHANNEL_2,
        .read = read_pit,
    };

    (void)facts;
    start_pit();
    return measure(&timer);
}

/* Leaf 0x15: a crystal's rate and the TSC's ratio to it. */
static uint64_t hz_by_cpu(const struct acpi_facts *facts)
{
    struct cpuid id = cpu_id(0x15, 0);

    (void)facts;
    return id.eax && id.ebx ? (uint64_t)id.ecx * id.ebx / id.eax : 0;
}

/* Leaf 0x40000010, by convention of several hypervisors: kHz. */
static uint64_t hz_by_hypervisor(const struct acpi_facts *facts)
{
    (void)facts;
    if (!(cpu_id(1, 0).ecx & 1u << 31))
        return 0;
    return (uint64_t)cpu_id(0x40000010, 0).eax * 1000;
}

/* Leaf 0x16: the base frequency in MHz, which most TSCs run at. */
static uint64_t hz_by_base(const struct acpi_facts *facts)
{
    (void)facts;
    return (uint64_t)(cpu_id(0x16, 0).eax & 0xffff) * 1000000;
}

static uint64_t hz_by_kvm(const struct acpi_facts *facts)
{
    (void)facts;
    return kvmclock_init();
}

/* Best first. */
static const struct {
    const char *name;
    uint64_t (*hz)(const struct acpi_facts *facts);
} sources[] = {
    {"kvmclock", hz_by_kvm}, {"the hypervisor", hz_by_hypervisor},
    {"CPUID", hz_by_cpu},    {"ACPI's timer", hz_by_pm_timer},
    {"the PIT", hz_by_pit},  {"the base frequency", hz_by_base},
};

static void set_rate(uint64_t hz)
{
    clock.hz = hz;
    clock.us_per_count = (uint64_t)(((unsigned __int128)1000000 << 64) /
                                    (clock.by_kvm ? KVMCLOCK_HZ : hz));
    clock.ticks_per_us = (hz << 24) / 1000000 << 8;
}

static void set_epoch(void)
{
    if (clock.by_kvm)
        clock.epoch_us = (kvmclock_epoch_ns() + clock.start) / 1000;
    else
        clock.epoch_us = rtc_seconds() * 1000000;
    if (clock.epoch_us)
        clock.epoch_us -= clock_us();
}

const char *clock_init(const struct acpi_facts *facts)
{
    const char *name = NULL;
    uint64_t hz = 0;

    for (size_t i = 0; i < ARRAY_LEN(sources) && !name; i++) {
        hz = sources[i].hz(facts);
        if (hz >= HZ_MIN && hz <= HZ_MAX)
            name = sources[i].name;
        clock.by_kvm = name && sources[i].hz == hz_by_kvm;
    }
    set_rate(name ? hz : HZ_GUESS);
    clock.start = clock.by_kvm ? kvmclock_ns() : cpu_tsc();
    clock.latest = clock.start;
    set_epoch();
    return name;
}

uint64_t clock_tsc_hz(void)
{
    return clock.hz;
}

uint64_t clock_tsc_ticks(uint64_t us)
{
    if (us > HOUR_US)
        us = HOUR_US;
    return (uint64_t)((unsigned __int128)us * clock.ticks_per_us >> 32) + 1;
}

uint64_t clock_us(void)
{
    uint64_t now = clock.by_kvm ? kvmclock_ns() : cpu_tsc();

    /* One that went back stands still until it has caught up. */
    if ((int64_t)(now - clock.latest) < 0)
        now = clock.latest;
    clock.latest = now;
    return (uint64_t)((unsigned __int128)(now - clock.start) *
                          clock.us_per_count >>
                      64);
}

uint64_t clock_wall_us(void)
{
    return clock.epoch_us ? clock.epoch_us + clock_us() : 0;
}
