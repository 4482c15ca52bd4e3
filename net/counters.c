/*
 * net/counters.c - the names of the counters.
 */
#include "net/counters.h"

#include "kernel/base.h"

const char *net_counter_name(enum net_counter counter)
{
    static const char *const names[] = {
#define NAME(name) #name,
        NET_COUNTERS(NAME)
#undef NAME
    };

    ASSERT((size_t)counter < ARRAY_LEN(names));
    return names[counter];
}
