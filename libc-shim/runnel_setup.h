/*
 * libc-shim/runnel_setup.h - what boot/ tells libc-shim/runnel.c.
 */
#ifndef LIBC_SHIM_RUNNEL_SETUP_H
#define LIBC_SHIM_RUNNEL_SETUP_H

struct stack;
struct thread_signal;

/*
 * The machine's stack, before main() runs.
 *
 * stop: raised when the power button is pressed.
 */
void runnel_setup(struct stack *stack, struct thread_signal *stop);

/* An address has come, changed or gone, or what DHCP says besides. */
void runnel_address_changed(void);

#endif
