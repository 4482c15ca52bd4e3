/*
 * libc-shim/start.h - from the kernel to main(), and back.
 */
#ifndef LIBC_SHIM_START_H
#define LIBC_SHIM_START_H

#include "kernel/base.h"

struct cmdline_args;

/*
 * Set up libc. After memory, threads and randomness, before the first thread
 * that uses libc.
 */
void libc_init(void);

/*
 * Run the program: constructors, main(), exit handlers; then end the machine
 * with main's value as its status.
 *
 * args: must stay.
 */
_Noreturn void libc_run(struct cmdline_args *args);

#endif
