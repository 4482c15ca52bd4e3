/*
 * drivers/serial.c - the 16550 at port 0x3f8.
 *
 * It keeps no state: whether a port is there is asked of the port. A missing
 * one reads as 0xff, which is a line status that no 16550 has.
 * Source: National Semiconductor PC16550D, table II; Linux serial_reg.h.
 */
#include "drivers/serial.h"

#include <linux/serial_reg.h>

#include "kernel/port.h"

static const uint16_t PORT = 0x3f8;

enum {
    DIVISOR_115200 = 1,
    FIFO_BYTES = 16,
    /* At 115200 baud a full FIFO empties in 1.4 ms; a read of the port takes
       about a microsecond. Beyond this the port is stuck: drop the text. */
    POLLS_MAX = 50000,
    LINE_STATUS_NONE = 0xff
};

static void set(uint16_t port_register, uint8_t value)
{
    port_write8((uint16_t)(PORT + port_register), value);
}

static uint8_t line_status(void)
{
    return port_read8((uint16_t)(PORT + UART_LSR));
}

bool serial_init(void)
{
    set(UART_IER, 0);
    set(UART_LCR, UART_LCR_DLAB);
    set(UART_DLL, DIVISOR_115200);
    set(UART_DLM, 0);
    set(UART_LCR, UART_LCR_WLEN8);
    set(UART_FCR,
        UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR | UART_FCR_CLEAR_XMIT);
    set(UART_MCR, UART_MCR_DTR | UART_MCR_RTS);
    return line_status() != LINE_STATUS_NONE;
}

/* Wait until the FIFO is empty. Returns: false when it never is. */
static bool wait_empty(void)
{
    for (unsigned i = 0; i < POLLS_MAX; i++) {
        uint8_t status = line_status();

        if (status == LINE_STATUS_NONE)
            return false;
        if (status & UART_LSR_THRE)
            return true;
    }
    return false;
}

void serial_write(const char *text, size_t bytes)
{
    unsigned room = 0;

    for (size_t i = 0; i < bytes; i++) {
        bool newline = text[i] == '\n';

        if (room < 1u + newline) {
            if (!wait_empty())
                return;
            room = FIFO_BYTES;
        }
        if (newline)
            set(UART_TX, '\r');
        set(UART_TX, (uint8_t)text[i]);
        room -= 1u + newline;
    }
}
