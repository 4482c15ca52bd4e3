/*
 * kernel/power.c - the end of the machine.
 */
#include "kernel/power.h"

#include "kernel/console.h"
#include "kernel/port.h"

enum {
    PORT_DEBUG_EXIT = 0x501,
    PORT_KEYBOARD = 0x64,
    KEYBOARD_RESET = 0xfe,
    STATUS_MAX = 127
};

/* " 126" for 126; `out` holds 4 bytes. */
static void print_status(int status)
{
    char text[] = "runnel: exit status 000\n";
    size_t at = sizeof(text) - 3;

    for (int left = status; left > 0; left /= 10)
        text[at--] = (char)('0' + left % 10);
    console_print(text);
}

static void reset(void)
{
    port_write8(PORT_KEYBOARD, KEYBOARD_RESET);
}

_Noreturn void power_exit(int status)
{
    if (status < 0 || status > STATUS_MAX)
        status = STATUS_MAX;
    __asm__ volatile("cli");
    if (status != 0) {
        port_write8(PORT_DEBUG_EXIT, (uint8_t)status);
        print_status(status);
    }
    reset();
    for (;;)
        __asm__ volatile("cli; hlt");
}
