/*
 * tests/qemu/apps/crash/main.c - does the one bad thing that it is told.
 *
 * For tests/qemu/test_boot.py, which looks at the last words.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/base.h"
#include "kernel/clock.h"
#include "kernel/page.h"
#include "kernel/random.h"
#include "kernel/thread.h"
#include "libc-shim/runnel.h"

/* Not inlined, so that the backtrace has something to name. */
#define NOINLINE __attribute__((noinline))

static const char constant[] = "constant";

/* The frame is large enough to reach the guard, and used after the call. */
static NOINLINE unsigned endless(unsigned depth)
{
    volatile char frame[256];

    frame[depth % sizeof(frame)] = (char)depth;
    if (depth == UINT32_MAX)
        return 0;
    return endless(depth + 1) + (unsigned)frame[depth % sizeof(frame)];
}

static void overflow(void *arg)
{
    (void)arg;
    printf("%u\n", endless(0));
}

/* An array that reaches past the guard, and is used at its far end alone. */
static NOINLINE unsigned wide(void)
{
    volatile char frame[30 * 1024];

    frame[0] = 1;
    return (unsigned)frame[0];
}

static void reach(void *arg)
{
    (void)arg;
    printf("%u\n", wide());
}

static NOINLINE void write_to(volatile char *at)
{
    *at = 1;
}

static void stack_overflow(void)
{
    if (thread_spawn(NULL, "deep", 0, overflow, NULL) != THREAD_OK)
        exit(1);
    thread_sleep_until(FOREVER);
}

static void rest(void *arg)
{
    (void)arg;
    thread_sleep_until(FOREVER);
}

/* Between other stacks, so that the leap ends in somebody's memory. */
static void stack_leap(void)
{
    if (thread_spawn(NULL, "below", 0, rest, NULL) != THREAD_OK ||
        thread_spawn(NULL, "wide", 0, reach, NULL) != THREAD_OK ||
        thread_spawn(NULL, "above", 0, rest, NULL) != THREAD_OK)
        exit(1);
    thread_sleep_until(FOREVER);
}

static void null_write(void)
{
    write_to(NULL);
}

static void text_write(void)
{
    write_to((volatile char *)(uintptr_t)null_write);
}

static void rodata_write(void)
{
    write_to((volatile char *)(uintptr_t)constant);
}

/* Bytes that would return at once, were they code. */
static void execute(void *at)
{
    memset(at, 0xc3, 1);
    ((void (*)(void))(uintptr_t)at)();
}

static void heap_execute(void)
{
    execute(malloc(64));
}

static void data_execute(void)
{
    static char data[16];

    execute(data);
}

static void page_execute(void)
{
    execute(page_alloc(1, PAGE_HEAP));
}

static void invalid_instruction(void)
{
    __asm__ volatile("ud2");
}

static void divide(void)
{
    volatile int seven = 7;
    volatile int zero = 0;

    printf("%d\n", seven / zero);
}

static void assertion(void)
{
    volatile int two = 2;

    ASSERT(two == 3);
}

static NOINLINE void smash(volatile char *buffer, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        buffer[i] = 1;
}

static NOINLINE unsigned smashed(unsigned bytes)
{
    volatile char buffer[16];

    smash(buffer, bytes);
    return (unsigned)buffer[0];
}

static void canary(void)
{
    printf("%u\n", smashed(64));
}

static void free_twice(void)
{
    void *page = page_alloc(1, PAGE_HEAP);

    page_free(page, 1, PAGE_HEAP);
    page_free(page, 1, PAGE_HEAP);
}

static void aborted(void)
{
    abort();
}

/* Sleeps overlap, deadlines hold, and time goes on: said, then the end. */
static void sleeper(void *until)
{
    thread_sleep_until(*(uint64_t *)until);
}

static void sleep_well(void)
{
    struct thread *threads[10];
    uint64_t start_us = clock_us();
    uint64_t until_us = start_us + 300000;

    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        if (thread_spawn(&threads[i], "sleeper", 0, sleeper, &until_us) !=
            THREAD_OK)
            exit(1);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        if (thread_join(threads[i], FOREVER) != WAIT_OK)
            exit(1);
    }
    printf("slept %llu us\n", (unsigned long long)(clock_us() - start_us));
    printf("the time is %llu\n",
           (unsigned long long)(clock_wall_us() / 1000000));
}

/* Every page can be had, written and given back, and then there are as many.
 * The network's, for whom some are kept from everybody else. */
static void all_memory(void)
{
    struct page_stats before, after;
    uintptr_t *list = NULL;
    size_t pages = 0;

    page_stats_get(&before);
    for (;;) {
        uintptr_t *page = page_alloc(1, PAGE_NET);

        if (!page)
            break;
        memset(page, 0xa5, PAGE_BYTES);
        page[0] = (uintptr_t)list;
        list = page;
        pages++;
    }
    while (list) {
        uintptr_t *next = (uintptr_t *)list[0];

        page_free(list, 1, PAGE_NET);
        list = next;
    }
    page_stats_get(&after);
    printf("pages %zu of %zu, free before %zu, after %zu\n", pages,
           before.total, before.free, after.free);
}

/* kernel/memory.S against one byte at a time. */
static bool copy_is_right(size_t from, size_t to, size_t bytes)
{
    static uint8_t got[512], wanted[512], before[512];

    random_bytes(before, sizeof(before));
    for (size_t i = 0; i < sizeof(before); i++)
        got[i] = wanted[i] = before[i];
    for (size_t i = 0; i < bytes; i++)
        wanted[to + i] = before[from + i];
    memmove(got + to, got + from, bytes);
    for (size_t i = 0; i < sizeof(got); i++) {
        if (got[i] != wanted[i])
            return false;
    }
    if (memcmp(got, wanted, sizeof(got)) != 0)
        return false;
    got[to + bytes] ^= 0x80;
    if ((memcmp(got + to, wanted + to, bytes + 1) < 0) !=
        (got[to + bytes] < wanted[to + bytes]))
        return false;
    memset(got + to, (int)bytes, bytes);
    for (size_t i = 0; i < bytes; i++)
        wanted[to + i] = (uint8_t)bytes;
    got[to + bytes] ^= 0x80;
    for (size_t i = 0; i < sizeof(got); i++) {
        if (got[i] != wanted[i])
            return false;
    }
    return true;
}

static void copies(void)
{
    for (size_t bytes = 0; bytes < 200; bytes++) {
        for (size_t from = 0; from < 150; from += 7) {
            for (size_t to = 0; to < 150; to += 13) {
                if (!copy_is_right(from, to, bytes)) {
                    printf("wrong: %zu from %zu to %zu\n", bytes, from, to);
                    exit(1);
                }
            }
        }
    }
}

static void random_numbers(void)
{
    uint64_t numbers[2];

    random_bytes(numbers, sizeof(numbers));
    printf("random %016llx%016llx\n", (unsigned long long)numbers[0],
           (unsigned long long)numbers[1]);
}

static void wait_for_button(void)
{
    puts("waiting");
    printf("stop %d\n", runnel_wait_stop(FOREVER));
}

static void wait_for_address(void)
{
    printf("online %d\n", runnel_wait_online(FOREVER));
}

static const struct {
    const char *name;
    void (*act)(void);
} acts[] = {
    {"stack-overflow", stack_overflow},
    {"stack-leap", stack_leap},
    {"null-write", null_write},
    {"text-write", text_write},
    {"rodata-write", rodata_write},
    {"heap-execute", heap_execute},
    {"data-execute", data_execute},
    {"page-execute", page_execute},
    {"invalid-instruction", invalid_instruction},
    {"divide", divide},
    {"assertion", assertion},
    {"canary", canary},
    {"free-twice", free_twice},
    {"abort", aborted},
    {"sleep", sleep_well},
    {"all-memory", all_memory},
    {"copies", copies},
    {"random", random_numbers},
    {"button", wait_for_button},
    {"online", wait_for_address},
};

int main(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        printf("argv[%d] is <%s>\n", i, argv[i]);
    if (argc == 3 && strcmp(argv[1], "status") == 0)
        return atoi(argv[2]);
    for (size_t i = 0; i < ARRAY_LEN(acts) && argc > 1; i++) {
        if (strcmp(argv[1], acts[i].name) == 0) {
            acts[i].act();
            printf("%s is done\n", argv[1]);
        }
    }
    return 0;
}
