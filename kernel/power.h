/*
 * kernel/power.h - the end of the machine, and the button that asks for it.
 */
#ifndef KERNEL_POWER_H
#define KERNEL_POWER_H

#include "kernel/base.h"
#include "kernel/thread.h"

enum {
    POWER_STATUS_USAGE = 64, /* the command line is wrong */
    POWER_STATUS_PANIC = 125,
    POWER_STATUS_BOOT = 126 /* the loader's information is; boot/entry.S */
};

struct acpi_facts;

/*
 * Keep what ACPI says about switching off, and listen to the power button.
 *
 * facts:   copied.
 * Returns: whether there is a power button to press.
 * Source:  ACPI 6.4 4.8.3.1 (fixed power button), 4.8.2.1 (enabling ACPI).
 */
bool power_init(const struct acpi_facts *facts);

/* Raised when the power button is pressed; never null. */
struct thread_signal *power_button(void);

/*
 * End the machine.
 *
 * status: 0 powers off by ACPI. 1 to 127 goes to QEMU's isa-debug-exit at port
 *         0x501, where QEMU ends with 2 * status + 1; without that device the
 *         console says the status, and the machine powers off. Other values
 *         count as 127. A machine without ACPI is reset: that ends QEMU under
 *         -no-reboot, and Firecracker. Before power_init() it halts.
 * Source: ACPI 6.4 4.8.3.2, 7.4.2; QEMU hw/misc/debugexit.c.
 */
_Noreturn void power_exit(int status);

#endif
