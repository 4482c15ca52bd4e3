/*
 * tests/unit/test_page.c - the page allocator, on a few megabytes of the host.
 *
 * Includes the file under test: the host has a page allocator of its own
 * (tests/host/page.c), and what is looked at here is inside this one.
 */
#include "kernel/page.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"

enum { ZONE_PAGES = 1000, OTHER_PAGES = 77 };

static void *memory[2];

static int set_up(void **state)
{
    (void)state;
    memset(&page, 0, sizeof(page));
    memory[0] = aligned_alloc(PAGE_BYTES, ZONE_PAGES * PAGE_BYTES);
    memory[1] = aligned_alloc(PAGE_BYTES, OTHER_PAGES * PAGE_BYTES);
    if (!memory[0] || !memory[1])
        return -1;
    page_add((uintptr_t)memory[0],
             (uintptr_t)memory[0] + ZONE_PAGES * PAGE_BYTES);
    page_add((uintptr_t)memory[1],
             (uintptr_t)memory[1] + OTHER_PAGES * PAGE_BYTES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(memory[0]);
    free(memory[1]);
    return 0;
}

/* The sum over the owners and the free ones is what there is. */
static void assert_sums(void)
{
    struct page_stats stats;
    size_t sum;

    page_stats_get(&stats);
    sum = stats.free;
    for (size_t i = 0; i < PAGE_OWNER_COUNT; i++)
        sum += stats.used[i];
    assert_int_equal(sum, stats.total);
    assert_int_equal(stats.total, ZONE_PAGES - 1 + OTHER_PAGES - 1);
}

static bool panics(void (*act)(void *arg), void *arg)
{
    host_panic_caught = true;
    if (__builtin_setjmp(host_panic_jump))
        return true;
    act(arg);
    host_panic_caught = false;
    return false;
}

static void page__every_page_is_given_once_and_comes_back(void **state)
{
    void *taken[ZONE_PAGES + OTHER_PAGES];
    size_t count = 0;
    struct page_stats stats;

    (void)state;
    while ((taken[count] = page_alloc(1, PAGE_NET)) != NULL) {
        memset(taken[count], (int)count, PAGE_BYTES);
        count++;
    }
    assert_int_equal(count, ZONE_PAGES - 1 + OTHER_PAGES - 1);
    assert_sums();
    for (size_t i = 0; i < count; i++)
        assert_int_equal(*(uint8_t *)taken[i], i & 0xff);
    for (size_t i = 0; i < count; i++)
        page_free(taken[i * 7 % count], 1, PAGE_NET);
    page_stats_get(&stats);
    assert_int_equal(stats.free, stats.total);
    assert_sums();
}

static void
page__after_all_is_freed_the_largest_run_is_there_again(void **state)
{
    void *whole = page_alloc(ZONE_PAGES / 2, PAGE_HEAP);
    void *single[ZONE_PAGES];

    (void)state;
    assert_non_null(whole);
    page_free(whole, ZONE_PAGES / 2, PAGE_HEAP);
    for (size_t i = 0; i < 600; i++) {
        single[i] = page_alloc(1, PAGE_HEAP);
        assert_non_null(single[i]);
    }
    for (size_t i = 0; i < 600; i++)
        page_free(single[i], 1, PAGE_HEAP);
    whole = page_alloc(ZONE_PAGES / 2, PAGE_HEAP);
    assert_non_null(whole);
    page_free(whole, ZONE_PAGES / 2, PAGE_HEAP);
}

static void page__hot_pages_are_joined_when_a_run_needs_them(void **state)
{
    void *taken[ZONE_PAGES + OTHER_PAGES];
    size_t count = 0;

    (void)state;
    while ((taken[count] = page_alloc(1, PAGE_NET)) != NULL)
        count++;
    for (size_t i = count - HOT_MAX; i < count; i++)
        page_free(taken[i], 1, PAGE_NET);
    assert_int_equal(page.hot_count, HOT_MAX);
    assert_non_null(page_alloc(2, PAGE_NET));
}

static void page__a_run_that_is_too_long_is_refused(void **state)
{
    (void)state;
    assert_null(page_alloc(ZONE_PAGES, PAGE_HEAP));
    assert_null(page_alloc(SIZE_MAX, PAGE_HEAP));
    assert_null(page_alloc((size_t)1 << 40, PAGE_HEAP));
    assert_sums();
}

static void page__the_last_pages_are_for_one_owner_alone(void **state)
{
    enum { KEPT = 40 };
    size_t count = 0;
    void *last;

    (void)state;
    page_reserve(PAGE_NET, KEPT, NULL);
    while ((last = page_alloc(1, PAGE_HEAP)) != NULL)
        count++;
    assert_int_equal(count, page.stats.total - KEPT);
    assert_null(page_alloc(1, PAGE_STACK));
    for (size_t i = 0; i < KEPT; i++) {
        last = page_alloc(1, PAGE_NET);
        assert_non_null(last);
    }
    assert_null(page_alloc(1, PAGE_NET));
    page_free(last, 1, PAGE_NET); /* and comes back to him alone */
    assert_null(page_alloc(1, PAGE_HEAP));
    assert_non_null(page_alloc(1, PAGE_NET));
    page_reserve(PAGE_NET, 0, NULL);
    assert_sums();
}

/* Runs that the owner of the reserve keeps and does not use. */
static struct {
    void *run[2];
    size_t pages;
    size_t count;
    size_t asked;
} kept;

static void give_kept(void)
{
    kept.asked++;
    while (kept.count > 0)
        page_free(kept.run[--kept.count], kept.pages, PAGE_NET);
}

static void keep(size_t pages)
{
    kept.pages = pages;
    kept.count = 0;
    kept.asked = 0;
    while (kept.count < ARRAY_LEN(kept.run)) {
        kept.run[kept.count] = page_alloc(pages, PAGE_NET);
        assert_non_null(kept.run[kept.count++]);
    }
}

/* Returns: how many single pages an owner could have. */
static size_t take_all(enum page_owner owner)
{
    size_t count = 0;

    while (page_alloc(1, owner))
        count++;
    return count;
}

static void page__what_is_merely_kept_is_given_before_a_refusal(void **state)
{
    enum { RESERVE = 40 };

    (void)state;
    for (enum page_owner owner = 0; owner < PAGE_OWNER_COUNT; owner++) {
        if (owner == PAGE_NET)
            continue;
        tear_down(NULL);
        assert_int_equal(set_up(NULL), 0);
        keep(100);
        page_reserve(PAGE_NET, RESERVE, give_kept);
        assert_int_equal(take_all(owner), page.stats.total - RESERVE);
        assert_int_equal(kept.asked, 2); /* when short, and at the end */
        assert_int_equal(page.stats.used[PAGE_NET], 0);
        assert_sums();
    }
}

static void page__he_who_keeps_is_not_asked_for_himself(void **state)
{
    (void)state;
    keep(128);
    page_reserve(PAGE_NET, 40, give_kept);
    assert_int_equal(take_all(PAGE_NET), page.stats.total - 2 * 128);
    assert_int_equal(kept.asked, 0);
    assert_non_null(page_alloc(128, PAGE_STACK));
    assert_int_equal(kept.asked, 1);
}

static void page__nobody_is_asked_while_there_is_enough(void **state)
{
    (void)state;
    keep(1);
    page_reserve(PAGE_NET, 40, give_kept);
    assert_non_null(page_alloc(ZONE_PAGES / 2, PAGE_HEAP));
    assert_int_equal(kept.asked, 0);
    assert_null(page_alloc(ZONE_PAGES, PAGE_HEAP)); /* nor is it repeated */
    assert_int_equal(kept.asked, 1);
}

struct run {
    uint8_t *first;
    size_t pages;
    enum page_owner owner;
};

/* Write the run's own number into it; later it must still be there. */
static void fill(const struct run *run, size_t number)
{
    for (size_t i = 0; i < run->pages; i++)
        memset(run->first + i * PAGE_BYTES, (int)(number % 251), PAGE_BYTES);
}

static void assert_filled(const struct run *run, size_t number)
{
    for (size_t i = 0; i < run->pages * PAGE_BYTES; i += 64)
        assert_int_equal(run->first[i], number % 251);
}

static void page__random_runs_never_overlap(void **state)
{
    struct run runs[64] = {{NULL, 0, PAGE_HEAP}};

    (void)state;
    host_seed(7);
    for (size_t step = 0; step < 20000; step++) {
        size_t number = host_random() % ARRAY_LEN(runs);
        struct run *run = &runs[number];

        if (run->first) {
            assert_filled(run, number);
            page_free(run->first, run->pages, run->owner);
            run->first = NULL;
            continue;
        }
        run->pages = 1 + host_random() % (host_random() % 8 ? 8 : 100);
        run->owner = host_random() % PAGE_OWNER_COUNT;
        run->first = page_alloc(run->pages, run->owner);
        if (run->first)
            fill(run, number);
        if (step % 64 == 0)
            assert_sums();
    }
    for (size_t i = 0; i < ARRAY_LEN(runs); i++)
        if (runs[i].first)
            page_free(runs[i].first, runs[i].pages, runs[i].owner);
    assert_int_equal(page.stats.free, page.stats.total);
}

static void free_one(void *first)
{
    page_free(first, 1, PAGE_HEAP);
}

static void free_three(void *first)
{
    page_free(first, 3, PAGE_HEAP);
}

static void free_two(void *first)
{
    page_free(first, 2, PAGE_HEAP);
}

static void free_as_net(void *first)
{
    page_free(first, 3, PAGE_NET);
}

static void page__freeing_what_was_not_given_panics(void **state)
{
    uint8_t *run = page_alloc(3, PAGE_HEAP);
    uint8_t *single = page_alloc(1, PAGE_HEAP);
    static uint8_t stranger[PAGE_BYTES];

    (void)state;
    assert_non_null(run);
    assert_non_null(single);
    assert_true(panics(free_one, run));                /* too few */
    assert_true(panics(free_two, single));             /* too many */
    assert_true(panics(free_as_net, run));             /* not the owner */
    assert_true(panics(free_three, run + PAGE_BYTES)); /* not the first */
    assert_true(panics(free_one, stranger));
    assert_false(panics(free_one, single));
    assert_true(panics(free_one, single)); /* twice, while it is hot */
    assert_false(panics(free_three, run));
    assert_true(panics(free_three, run)); /* twice */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(page__every_page_is_given_once_and_comes_back),
        TEST(page__after_all_is_freed_the_largest_run_is_there_again),
        TEST(page__hot_pages_are_joined_when_a_run_needs_them),
        TEST(page__a_run_that_is_too_long_is_refused),
        TEST(page__the_last_pages_are_for_one_owner_alone),
        TEST(page__what_is_merely_kept_is_given_before_a_refusal),
        TEST(page__he_who_keeps_is_not_asked_for_himself),
        TEST(page__nobody_is_asked_while_there_is_enough),
        TEST(page__random_runs_never_overlap),
        TEST(page__freeing_what_was_not_given_panics),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
