/*
 * libc-shim/runnel_setup.h - what boot/ tells libc-shim/runnel.c.
 */
#ifndef LIBC_SHIM_RUNNEL_SETUP_H
#define LIBC_SHIM_RUNNEL_SETUP_H

struct net;
struct tcpv4;
struct thread_signal;

/*
 * The machine's instances, before main() runs.
 *
 * stop: raised when the power button is pressed.
 */
void runnel_setup(struct tcpv4 *tcp, struct net *net,
                  struct thread_signal *stop);

#endif
