/*
 * kernel/power.c - the end of the machine, and the button that asks for it.
 */
#include "kernel/power.h"

#include "kernel/acpi.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/interrupt.h"
#include "kernel/paging.h"
#include "kernel/port.h"

enum {
    PORT_DEBUG_EXIT = 0x501,
    PORT_KEYBOARD = 0x64,
    KEYBOARD_RESET = 0xfe,
    PORT_DELAY = 0x80, /* a port that does nothing, slowly */
    STATUS_MAX = 127
};

/* The fixed registers (ACPI 6.4 4.8.3). */
enum {
    EVENT_POWER_BUTTON = 1 << 8,
    CONTROL_SCI = 1 << 0,
    CONTROL_TYPE_SHIFT = 10,
    CONTROL_TYPE = 7 << CONTROL_TYPE_SHIFT,
    CONTROL_SLEEP = 1 << 13,
    REDUCED_TYPE_SHIFT = 2, /* 4.8.3.7 */
    REDUCED_SLEEP = 1 << 5
};

enum {
    ENABLE_POLLS_MAX = 300000, /* firmware may take its time: 3 s on a PC */
    OFF_POLLS_MAX = 1000000
};

static struct {
    bool ready;
    struct acpi_facts facts;
    struct thread_signal button;
} power;

static void acknowledge(uint16_t event_port)
{
    if (event_port && (port_read16(event_port) & EVENT_POWER_BUTTON)) {
        port_write16(event_port, EVENT_POWER_BUTTON);
        thread_signal_raise(&power.button);
    }
}

static void handle_sci(void *arg)
{
    (void)arg;
    acknowledge(power.facts.event_a);
    acknowledge(power.facts.event_b);
}

/* Events are ours, no longer the firmware's. Returns: whether they are. */
static bool enable_acpi(void)
{
    const struct acpi_facts *facts = &power.facts;

    if (facts->smi_command == 0 || facts->acpi_enable == 0 ||
        (port_read16(facts->control_a) & CONTROL_SCI))
        return true;
    port_write8(facts->smi_command, facts->acpi_enable);
    for (unsigned i = 0; i < ENABLE_POLLS_MAX; i++) {
        if (port_read16(facts->control_a) & CONTROL_SCI)
            return true;
        port_write8(PORT_DELAY, 0);
    }
    return false;
}

static void enable_button(uint16_t event_port)
{
    uint16_t enable = (uint16_t)(event_port + power.facts.event_bytes / 2);

    if (!event_port)
        return;
    port_write16(event_port, EVENT_POWER_BUTTON);
    port_write16(enable, EVENT_POWER_BUTTON);
}

static bool listen_to_button(void)
{
    const struct acpi_facts *facts = &power.facts;
    int vector;

    if (!facts->fixed_power_button || facts->event_a == 0 ||
        facts->control_a == 0 || facts->event_bytes < 4 || !enable_acpi())
        return false;
    vector = interrupt_alloc(handle_sci, NULL);
    if (vector < 0 || !interrupt_route_line(facts->sci, vector))
        return false;
    enable_button(facts->event_a);
    enable_button(facts->event_b);
    return true;
}

bool power_init(const struct acpi_facts *facts)
{
    power.facts = *facts;
    power.ready = true;
    if (facts->sleep_control && !facts->sleep_is_port &&
        !paging_map_device(facts->sleep_control, 1))
        power.facts.sleep_control = 0;
    return listen_to_button();
}

struct thread_signal *power_button(void)
{
    return &power.button;
}

/* "runnel: exit status 126"; status is 1 to 127. */
static void print_status(int status)
{
    char text[] = "runnel: exit status    \n";
    size_t digits = status > 99 ? 3 : status > 9 ? 2 : 1;
    size_t at = sizeof(text) - 5;

    for (size_t i = digits; i > 0; i--, status /= 10)
        text[at + i - 1] = (char)('0' + status % 10);
    text[at + digits] = '\n';
    text[at + digits + 1] = 0;
    console_print(text);
}

static void sleep_now(uint16_t port, uint8_t type)
{
    uint16_t value;

    if (!port)
        return;
    value = (uint16_t)(port_read16(port) & ~(CONTROL_TYPE | CONTROL_SLEEP));
    value = (uint16_t)(value | type << CONTROL_TYPE_SHIFT);
    port_write16(port, value);
    port_write16(port, (uint16_t)(value | CONTROL_SLEEP));
}

/* The emulator needs a moment to notice. */
static void wait_for_the_end(void)
{
    for (unsigned i = 0; i < OFF_POLLS_MAX; i++)
        port_write8(PORT_DELAY, 0);
}

static void power_off(void)
{
    const struct acpi_facts *facts = &power.facts;
    uint8_t reduced =
        (uint8_t)(facts->sleep_a << REDUCED_TYPE_SHIFT | REDUCED_SLEEP);

    if (!facts->sleep_given)
        return;
    sleep_now(facts->control_a, facts->sleep_a);
    sleep_now(facts->control_b, facts->sleep_b);
    if (facts->sleep_control && facts->sleep_is_port)
        port_write8((uint16_t)facts->sleep_control, reduced);
    else if (facts->sleep_control)
        mmio_write8((void *)(uintptr_t)facts->sleep_control, reduced);
    wait_for_the_end();
}

/* A fault that the CPU has no gates for resets every machine. */
static void reset(void)
{
    static const uint64_t no_gates[2];

    port_write8(PORT_KEYBOARD, KEYBOARD_RESET);
    for (unsigned i = 0; i < 1000; i++)
        port_write8(PORT_DELAY, 0);
    __asm__ volatile("lidt %0; int3" : : "m"(no_gates));
}

_Noreturn void power_exit(int status)
{
    cpu_interrupts_off();
    if (status < 0 || status > STATUS_MAX)
        status = STATUS_MAX;
    if (status != 0) {
        port_write8(PORT_DEBUG_EXIT, (uint8_t)status);
        print_status(status);
    }
    if (power.ready) {
        power_off();
        if (!power.facts.found)
            reset();
        console_print("runnel: this machine cannot be switched off\n");
    }
    cpu_halt_for_ever();
}
