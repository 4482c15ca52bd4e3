/*
 * boot/main.c - the composition root: what starts, in order.
 *
 * The only place that knows every part. Read it from the bottom.
 */
#include "boot/boot_info.h"
#include "boot/config.h"
#include "boot/memory.h"
#include "boot/network.h"
#include "drivers/serial.h"
#include "kernel/acpi.h"
#include "kernel/clock.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/descriptor.h"
#include "kernel/interrupt.h"
#include "kernel/log.h"
#include "kernel/machine.h"
#include "kernel/page.h"
#include "kernel/power.h"
#include "kernel/random.h"
#include "kernel/stack.h"
#include "kernel/thread.h"
#include "libc-shim/start.h"

/* Called by boot/entry.S. */
_Noreturn void boot_main(uint32_t magic, uint64_t address);

extern uint8_t image_start[];
extern uint8_t image_end[];

/* boot/entry.S; compiled code looks for its canary at FS + 0x28. */
extern uint64_t boot_fs_block[];
/* The program's; written by scripts/symbols.py. */
extern const char image_name[];
enum { IMAGE_NAME_BYTES = 64 };

enum { CANARY = 0x28 / sizeof(uint64_t) };

static struct boot_info info;
static struct acpi_facts facts;
static struct config config;

enum { PROGRAM_STACK_BYTES = 65536 };

/* The machine cannot be used: say why, and end. */
static _Noreturn void refuse(const char *why)
{
    console_print("runnel: ");
    console_print(why);
    console_print("\n");
    power_exit(POWER_STATUS_BOOT);
}

/* Everything that follows works on our own copy: the original may go. */
static void read_loader(uint32_t magic, uint64_t address)
{
    const struct boot_memory memory = {
        .bytes = NULL,
        .base = 0,
        .end = UINT64_C(1) << 32,
        .hole_start = (uintptr_t)image_start,
        .hole_end = (uintptr_t)image_end,
    };
    enum boot_status status = boot_info_parse(&memory, magic, address, &info);

    if (status == BOOT_OK)
        return;
    console_print("runnel: what the boot loader says cannot be used (");
    console_print(info.protocol);
    console_print("):\n");
    refuse(boot_status_text(status));
}

/* While all below 4 GiB is mapped: the tables are not in usable memory. */
static void read_acpi(void)
{
    const struct acpi_window window = {
        .bytes = NULL, .base = 0, .end = UINT64_C(1) << 32};
    const struct acpi_root root = {
        .address = info.rsdp_address,
        .copy = info.rsdp,
        .copy_bytes = info.rsdp_bytes,
    };

    acpi_read(&window, &root, &facts);
}

static void start_memory(void)
{
    struct page_stats stats;

    if (!memory_start(&info))
        refuse("there is too little memory");
    page_stats_get(&stats);
    log_at(LOG_INFO, "boot", "%s by %s, %zu KiB of memory", info.protocol,
           info.loader[0] ? info.loader : "an unnamed loader",
           stats.total * (PAGE_BYTES / 1024));
    if (info.regions_dropped)
        log_at(LOG_WARNING, "boot", "%zu memory regions too many: ignored",
               info.regions_dropped);
}

static void start_clock(void)
{
    const char *source = clock_init(&facts);

    if (source)
        log_at(LOG_INFO, "clock", "TSC at %llu kHz, by %s",
               (unsigned long long)(clock_tsc_hz() / 1000), source);
    else
        log_at(LOG_WARNING, "clock",
               "nothing tells the TSC's rate: taking "
               "1 GHz, time may be wrong");
}

static void start_interrupts(void)
{
    if (!interrupt_init(&facts))
        refuse("there is no usable local APIC");
    if (!machine_timer_init())
        refuse("the local APIC's timer does not run");
    if (!power_init(&facts))
        log_at(LOG_INFO, "power", "this machine has no power button");
    cpu_interrupts_on();
}

static void start_random(void)
{
    if (random_init() == RANDOM_DISTRUSTED)
        log_at(LOG_WARNING, "random",
               "the CPU's generator repeats itself or "
               "fails: not trusted");
}

/* Nothing that needs a secret starts before the generator has one. */
static void finish_random(void)
{
    if (random_seeded())
        return;
    random_add_jitter();
    log_at(LOG_WARNING, "random",
           "NO SOURCE OF RANDOMNESS but timing: give "
           "the machine a virtio-rng device");
}

static void start_threads(void)
{
    static const struct thread_host host = {
        .now_us = clock_us,
        .idle = machine_idle,
        .stack_alloc = stack_alloc,
        .stack_free = stack_free,
    };

    thread_init(&host);
}

/* Once power_exit() works, and before anything acts on what the line says. */
static void read_config(void)
{
    static char name[IMAGE_NAME_BYTES]; /* argv[0], which may be written to */

    for (size_t i = 0; i < sizeof(name) - 1 && image_name[i]; i++)
        name[i] = image_name[i];
    switch (config_read(info.cmdline, name, &config)) {
    case CMDLINE_OK:
        log_set_levels(&config.logs);
        return;
    case CMDLINE_HELP:
        power_exit(0);
    case CMDLINE_BAD:
        power_exit(POWER_STATUS_USAGE);
    }
}

static void start_network(void)
{
    const char *problem = network_start(&config);

    if (!problem)
        return;
    console_print("runnel: ");
    console_print(problem);
    console_print("\n");
    power_exit(POWER_STATUS_USAGE);
}

static void program(void *context)
{
    (void)context;
    libc_run(&config.args);
}

static void start_program(void)
{
    if (thread_spawn(NULL, "program", PROGRAM_STACK_BYTES, program, NULL) !=
        THREAD_OK)
        refuse("there is too little memory for the program's stack");
}

/*
 * Never returns, and has no canary itself: it may change what it is compared
 * with.
 */
__attribute__((no_stack_protector)) _Noreturn void boot_main(uint32_t magic,
                                                             uint64_t address)
{
    serial_init();
    console_set(serial_write);
    descriptor_init();
    read_loader(magic, address);
    read_acpi();
    start_memory();
    start_clock();
    start_random();
    start_interrupts();
    start_threads();
    read_config();
    network_scan(&config);
    finish_random();
    random_bytes(&boot_fs_block[CANARY], sizeof(boot_fs_block[CANARY]));
    libc_init();
    start_network();
    start_program();
    for (;;)
        thread_sleep_until(FOREVER); /* this thread's work is done */
}
