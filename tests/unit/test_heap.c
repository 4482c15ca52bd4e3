/*
 * tests/unit/test_heap.c - memory for applications: no overlap, no leak.
 *
 * Pages come from the host, so ASan watches the runs' bounds; overlaps inside
 * a page are found by filling each object with its own byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libc-shim/heap.h"
#include "tests/host/host.h"
#include "tests/host/page.h"

static int teardown(void **state)
{
    (void)state;
    host_pages_max = SIZE_MAX;
    return host_pages_of(PAGE_HEAP) == 0 ? 0 : -1;
}

static void heap__every_size_has_its_room_and_alignment(void **state)
{
    (void)state;
    for (size_t bytes = 0; bytes < 10000; bytes += bytes < 2100 ? 1 : 97) {
        char *memory = heap_alloc(bytes, 1);

        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % HEAP_ALIGNMENT, 0);
        assert_true(heap_room(memory) >= bytes);
        memset(memory, 0xff, heap_room(memory));
        heap_free(memory);
    }
}

static void heap__little_is_wasted(void **state)
{
    (void)state;
    /* No class is more than half as large again, but for the rounding. */
    for (size_t bytes = 1; bytes <= 2016; bytes++) {
        void *memory = heap_alloc(bytes, 1);

        assert_true(heap_room(memory) < bytes + bytes / 2 + 16);
        heap_free(memory);
    }
}

static void heap__any_alignment_is_kept(void **state)
{
    static const size_t sizes[] = {0, 1, 100, 1000, 2016, 4032, 4096, 70000};

    (void)state;
    for (size_t alignment = 1; alignment <= 1 << 20; alignment *= 2) {
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            char *memory = heap_alloc(sizes[i], alignment);

            assert_non_null(memory);
            assert_int_equal((uintptr_t)memory % alignment, 0);
            assert_true(heap_room(memory) >= sizes[i]);
            memset(memory, 0xff, heap_room(memory));
            heap_free(memory);
        }
    }
}

static void heap__objects_of_a_page_are_many_and_empty_pages_go_back(void **s)
{
    void *memory[252];

    (void)s;
    for (size_t i = 0; i < ARRAY_LEN(memory); i++)
        memory[i] = heap_alloc(16, 1);
    assert_int_equal(host_pages_of(PAGE_HEAP), 1);
    for (size_t i = 0; i < ARRAY_LEN(memory); i++)
        heap_free(memory[i]);
    assert_int_equal(host_pages_of(PAGE_HEAP), 0);
}

static void heap__full_page_takes_again_what_was_freed(void **state)
{
    void *a = heap_alloc(2000, 1), *b = heap_alloc(2000, 1), *c;

    (void)state;
    heap_free(a);
    c = heap_alloc(2000, 1);
    assert_ptr_equal(a, c);
    assert_int_equal(host_pages_of(PAGE_HEAP), 1);
    heap_free(b);
    heap_free(c);
}

static void heap__without_pages_is_null_and_recovers(void **state)
{
    void *small, *large;

    (void)state;
    host_pages_max = 0;
    assert_null(heap_alloc(10, 1));
    assert_null(heap_alloc(5000, 1));
    assert_null(heap_alloc(100, 64));
    assert_null(heap_alloc(SIZE_MAX, 1));
    assert_null(heap_alloc(SIZE_MAX - 64, 1));
    assert_null(heap_alloc(1, SIZE_MAX / 2 + 1));
    host_pages_max = 3;
    small = heap_alloc(10, 1);
    large = heap_alloc(8000, 1);
    assert_non_null(small);
    assert_non_null(large);
    assert_null(heap_alloc(100, 1));
    heap_free(small);
    heap_free(large);
}

enum { SLOTS = 500 };

struct slot {
    unsigned char *memory;
    size_t bytes;
    unsigned char fill;
};

static void fill_slot(struct slot *slot)
{
    static const size_t limits[] = {64, 600, 3000, 20000};

    slot->bytes = host_random() % limits[host_random() % ARRAY_LEN(limits)];
    slot->memory = heap_alloc(slot->bytes, (size_t)1 << host_random() % 9);
    slot->fill = (unsigned char)host_random();
    assert_non_null(slot->memory);
    memset(slot->memory, slot->fill, slot->bytes);
}

static void empty_slot(struct slot *slot)
{
    for (size_t i = 0; i < slot->bytes; i++)
        if (slot->memory[i] != slot->fill)
            fail_msg("an object was overwritten");
    heap_free(slot->memory);
    slot->memory = NULL;
}

static void heap__objects_never_overlap(void **state)
{
    static struct slot slots[SLOTS];

    (void)state;
    host_seed(3);
    for (int step = 0; step < 50000; step++) {
        struct slot *slot = &slots[host_random() % SLOTS];

        if (slot->memory)
            empty_slot(slot);
        else
            fill_slot(slot);
    }
    for (size_t i = 0; i < SLOTS; i++)
        if (slots[i].memory)
            empty_slot(&slots[i]);
}

static void heap__what_looks_freed_is_not(void **state)
{
    uint64_t *a = heap_alloc(16, 1), *b = heap_alloc(16, 1);
    uint64_t mark;

    (void)state;
    heap_free(a);
    mark = a[1]; /* in a page that is still ours, for b is in it */
    b[0] = 0;
    b[1] = mark;
    heap_free(b);
}

static bool frees_with_a_panic(void *memory)
{
    host_panic_caught = true;
    if (__builtin_setjmp(host_panic_jump) == 0) {
        heap_free(memory);
        host_panic_caught = false;
        return false;
    }
    assert_non_null(strstr(host_panic_what, "freed twice"));
    return true;
}

static void heap__what_is_not_out_panics_when_freed(void **state)
{
    char *keep = heap_alloc(16, 1), *twice = heap_alloc(16, 1);
    char *large = heap_alloc(20000, 1);

    (void)state;
    heap_free(twice);
    assert_true(frees_with_a_panic(twice));
    memset(large, 0, 20000);
    assert_true(frees_with_a_panic(large + 9000));
    heap_free(large);
    heap_free(keep);
}

#define CASE(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(heap__every_size_has_its_room_and_alignment),
        CASE(heap__little_is_wasted),
        CASE(heap__any_alignment_is_kept),
        CASE(heap__objects_of_a_page_are_many_and_empty_pages_go_back),
        CASE(heap__full_page_takes_again_what_was_freed),
        CASE(heap__without_pages_is_null_and_recovers),
        CASE(heap__objects_never_overlap),
        CASE(heap__what_looks_freed_is_not),
        CASE(heap__what_is_not_out_panics_when_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
