/*
 * boot/settings.h - says on the console what the network is set to, and who
 * has said so: the command line, a DHCP server, or nobody.
 */
#ifndef BOOT_SETTINGS_H
#define BOOT_SETTINGS_H

#include "kernel/base.h"

struct config;
struct stack;

/* What is set from the beginning, by the line or for want of a word there. */
void settings_say_start(const struct config *config, uint32_t conns_max);

/* The address of an interface has come, changed or gone. */
void settings_say(const struct config *config, struct stack *stack,
                  unsigned index);

#endif
