/*
 * net/poison.h - tells AddressSanitizer which bytes of a pool nobody may use.
 *
 * So a use after release inside our own pools is found as one of malloc's
 * would be. Outside a sanitizer's build both calls are nothing.
 */
#ifndef NET_POISON_H
#define NET_POISON_H

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISON_SANITIZER 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define POISON_SANITIZER 1
#endif

#ifdef POISON_SANITIZER

void __asan_poison_memory_region(void const volatile *first, size_t bytes);
void __asan_unpoison_memory_region(void const volatile *first, size_t bytes);

static inline void poison(const void *first, size_t bytes)
{
    __asan_poison_memory_region(first, bytes);
}

static inline void unpoison(const void *first, size_t bytes)
{
    __asan_unpoison_memory_region(first, bytes);
}

#else

static inline void poison(const void *first, size_t bytes)
{
    (void)first;
    (void)bytes;
}

static inline void unpoison(const void *first, size_t bytes)
{
    (void)first;
    (void)bytes;
}

#endif

#endif
