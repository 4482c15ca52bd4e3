/*
 * libc-shim/runnel.h - what a program asks of its machine beyond libc.
 *
 * A program is an ordinary main(argc, argv) on a green thread. This header
 * gives it the TCP instance that boot/ configured, the stop event, the line
 * that says it is ready, and a place to declare its own command-line keys.
 */
#ifndef LIBC_SHIM_RUNNEL_H
#define LIBC_SHIM_RUNNEL_H

#include "kernel/base.h"
#include "kernel/cmdline.h"
#include "net/addr.h"

struct tcpv4;
struct udpv4;
struct dns;
struct stack;
struct net;

/* The machine's TCP instance, on the first network card. Never null. */
struct tcpv4 *runnel_tcp(void);

/* The machine's UDP instance. Never null. */
struct udpv4 *runnel_udp(void);

/* The machine's stack, for net/stack_ping.h. Never null. */
struct stack *runnel_stack(void);

/* The machine's resolver of names. Never null. */
struct dns *runnel_dns(void);

/* The non-blocking stack under it, for counters and the like. Never null. */
struct net *runnel_net(void);

/* The address that the machine has, or 0.0.0.0 before it has one. */
struct ipv4_addr runnel_address(void);

/*
 * Wait until the machine has an address: at once with --ipv4, by DHCP when a
 * server has answered. A client begins with it; who only listens need not.
 *
 * Returns: false when `deadline_us` passed first, the thread was cancelled, or
 *          no address can come: there is no network card.
 */
bool runnel_wait_online(uint64_t deadline_us);

/*
 * Wait until an address comes, changes or goes, or a gateway, or what a DHCP
 * server says besides. Connections of an address that another has replaced end
 * by themselves.
 *
 * seen:    how many changes the caller knows of: 0 at first, then as it was
 *          left; set on true.
 * Returns: false when `deadline_us` passed first, or the thread was cancelled.
 */
bool runnel_wait_address_change(uint32_t *seen, uint64_t deadline_us);

/*
 * Say that the program serves: writes `NAME listens on ADDRESS:PORT` and then
 * `runnel: ready`, the line that tools wait for: at once, or as soon as a DHCP
 * server has given an address. Call it once, after all listening: of calls
 * before there is an address only the last is heard.
 *
 * name:   must stay.
 * Blocks: never.
 */
void runnel_ready(const char *name, uint16_t port);

/* Whether a network card has a link now; false when there is no card. */
bool runnel_link_up(void);

/*
 * Wait until runnel_link_up() is other than `up`: the link was lost, or is
 * there again. Flows live through it; nothing needs to be done.
 *
 * Blocks:  the calling thread.
 * Returns: false when `deadline_us` passed first, or the wait was cancelled.
 */
bool runnel_wait_link(bool up, uint64_t deadline_us);

/*
 * Wait for the request to stop: the power button, which Ctrl-C presses under
 * `make run`, and system_powerdown in QEMU's monitor. QEMU itself takes SIGTERM
 * for the plug.
 *
 * Returns: true when it came, false when `deadline_us` passed first.
 */
bool runnel_wait_stop(uint64_t deadline_us);

/*
 * A program's own keys: define both, and they are parsed (and shown by
 * --help) with the machine's. A program without keys defines neither.
 */
extern const struct cmdline_key runnel_keys[] __attribute__((weak));
extern const size_t runnel_key_count __attribute__((weak));

/* What the program does, in words that follow its name in --help; a program
 * that says nothing does not define it. */
extern const char runnel_about[] __attribute__((weak));

#endif
