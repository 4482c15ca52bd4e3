/*
 * boot/main.c - the composition root: what starts, in order.
 *
 * The only place that knows every part. Read it from the bottom.
 */
#include "boot/boot_info.h"
#include "drivers/serial.h"
#include "kernel/console.h"
#include "kernel/power.h"

/* Called by boot/entry.S. */
_Noreturn void boot_main(uint32_t magic, uint64_t address);

extern uint8_t image_start[];
extern uint8_t image_end[];

static struct boot_info info;

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
    console_print("runnel: cannot use what the boot loader left (");
    console_print(info.protocol);
    console_print("): ");
    console_print(boot_status_text(status));
    console_print("\n");
    power_exit(POWER_STATUS_BOOT);
}

_Noreturn void boot_main(uint32_t magic, uint64_t address)
{
    serial_init();
    console_set(serial_write);
    read_loader(magic, address);
    console_print("runnel: booted by ");
    console_print(info.protocol);
    console_print("\n");
    power_exit(0);
}
