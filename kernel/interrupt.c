/*
 * kernel/interrupt.c - interrupts: a vector each, delivered by the local APIC.
 */
#include "kernel/interrupt.h"

#include "kernel/descriptor.h"
#include "kernel/ioapic.h"
#include "kernel/lapic.h"
#include "kernel/port.h"

enum { HANDLERS = VECTOR_STUBS - VECTOR_EXCEPTIONS };

/* PCI devices share lines; each of ours still has a vector. */
enum { LINES_MAX = 16, SHARERS_MAX = 4 };

/* The old pair of 8259s. */
enum {
    PIC1_COMMAND = 0x20,
    PIC1_DATA = 0x21,
    PIC2_COMMAND = 0xa0,
    PIC2_DATA = 0xa1,
    PIC_INIT = 0x11,
    PIC_8086 = 0x01
};

/* Messages (Intel SDM vol. 3, 10.11.1): the CPU is in bits 12 to 19. */
static const uint64_t MESSAGE_ADDRESS = 0xfee00000;

struct slot {
    interrupt_fn *handler;
    void *arg;
    int next_on_line; /* the slot of the next device on its line, or -1 */
};

struct line {
    unsigned irq_line;
    int vector; /* that the line raises: its first device's */
};

static struct {
    struct slot slots[HANDLERS];
    int slot_count;
    struct line lines[LINES_MAX];
    size_t line_count;
    volatile bool seen;
} interrupt;

/* Called by kernel/vectors.S with interrupts off. */
void interrupt_dispatch(uint32_t vector);

void interrupt_dispatch(uint32_t vector)
{
    int index = (int)vector - VECTOR_EXCEPTIONS;

    interrupt.seen = true;
    for (int i = 0; i < SHARERS_MAX && index >= 0; i++) {
        const struct slot *slot = &interrupt.slots[index];

        if (!slot->handler)
            break;
        slot->handler(slot->arg);
        index = slot->next_on_line;
    }
    lapic_end_of_interrupt();
}

/* Move its vectors out of the exceptions' way, and mask all of them. */
static void silence_old_pic(void)
{
    port_write8(PIC1_COMMAND, PIC_INIT);
    port_write8(PIC2_COMMAND, PIC_INIT);
    port_write8(PIC1_DATA, VECTOR_OLD_PIC);
    port_write8(PIC2_DATA, VECTOR_OLD_PIC + 8);
    port_write8(PIC1_DATA, 4);
    port_write8(PIC2_DATA, 2);
    port_write8(PIC1_DATA, PIC_8086);
    port_write8(PIC2_DATA, PIC_8086);
    port_write8(PIC1_DATA, 0xff);
    port_write8(PIC2_DATA, 0xff);
}

bool interrupt_init(const struct acpi_facts *facts)
{
    silence_old_pic();
    if (!lapic_init(VECTOR_SPURIOUS))
        return false;
    ioapic_init(facts);
    return true;
}

bool interrupt_take_seen(void)
{
    bool seen = interrupt.seen;

    interrupt.seen = false;
    return seen;
}

int interrupt_alloc(interrupt_fn *handler, void *arg)
{
    struct slot *slot = &interrupt.slots[interrupt.slot_count];

    if (interrupt.slot_count == HANDLERS)
        return -1;
    slot->arg = arg;
    slot->next_on_line = -1;
    slot->handler = handler;
    return VECTOR_EXCEPTIONS + interrupt.slot_count++;
}

void interrupt_msi_message(int vector, uint64_t *address, uint32_t *data)
{
    *address = MESSAGE_ADDRESS | (uint64_t)(lapic_id() & 0xff) << 12;
    *data = (uint32_t)vector; /* fixed delivery, edge */
}

static const struct line *line_find(unsigned irq_line)
{
    for (size_t i = 0; i < interrupt.line_count; i++) {
        if (interrupt.lines[i].irq_line == irq_line)
            return &interrupt.lines[i];
    }
    return NULL;
}

/* Returns: false when as many devices as we serve share the line already. */
static bool line_share(const struct line *line, int vector)
{
    struct slot *slot = &interrupt.slots[line->vector - VECTOR_EXCEPTIONS];

    for (int i = 1; i < SHARERS_MAX; i++) {
        if (slot->next_on_line < 0) {
            slot->next_on_line = vector - VECTOR_EXCEPTIONS;
            return true;
        }
        slot = &interrupt.slots[slot->next_on_line];
    }
    return false;
}

bool interrupt_route_line(unsigned irq_line, int vector)
{
    const struct line *line = line_find(irq_line);

    if (irq_line == 0)
        return false;
    if (line)
        return line_share(line, vector);
    if (interrupt.line_count == LINES_MAX ||
        !ioapic_route(irq_line, (uint8_t)vector, lapic_id()))
        return false;
    interrupt.lines[interrupt.line_count++] = (struct line){irq_line, vector};
    return true;
}

void interrupt_mask_line(unsigned irq_line, bool masked)
{
    ioapic_mask(irq_line, masked);
}
