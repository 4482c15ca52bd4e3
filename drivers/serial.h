/*
 * drivers/serial.h - the console: the first serial port, output only.
 *
 * Polled: it works at any time, in a panic too, and needs no interrupt.
 */
#ifndef DRIVERS_SERIAL_H
#define DRIVERS_SERIAL_H

#include "kernel/base.h"

/*
 * Set the port to 115200 baud, 8N1, with its FIFO on.
 * Returns: false when there is no such port; writing is then without effect.
 */
bool serial_init(void);

/*
 * Write `bytes` of `text`; a newline goes out as carriage return, newline.
 * Blocks: never; waits for the port's FIFO, for a bounded time per byte.
 */
void serial_write(const char *text, size_t bytes);

#endif
