/*
 * The pool under buffers, pages that wait for their next use, pools of objects.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "net/buffer_pool.h"
#include "tests/host/host.h"
#include "tests/host/hostnet.h"

static struct hostnet host;

static void pages__that_came_back_lately_are_kept_and_given_first(void **state)
{
    struct pages *pages = hostnet_pool(&host, 10)->pages;
    void *page[3];

    (void)state;
    pages->keep = 2;
    for (unsigned i = 0; i < ARRAY_LEN(page); i++)
        page[i] = pages_take(pages);
    for (unsigned i = 0; i < ARRAY_LEN(page); i++)
        pages_give(pages, page[i]);
    assert_int_equal(pages->count, 0);
    assert_int_equal(host.pages, 2);
    assert_ptr_equal(pages_take(pages), page[1]);
    assert_int_equal(host.pages, 2);
    pages_give(pages, page[1]);
    pages_drain(pages);
    assert_int_equal(host.pages, 0);
}

static void buffer__bound_and_refusing_host_are_counted(void **state)
{
    struct buffer_pool *pool = hostnet_pool(&host, 1);
    struct buffer *a = buffer_alloc(pool, BUFFER_LARGE, 0);
    struct buffer *b = buffer_alloc(pool, BUFFER_LARGE, 0);
    struct buffer_pool_stats stats;

    (void)state;
    assert_non_null(b);
    assert_null(buffer_alloc(pool, BUFFER_LARGE, 0));
    assert_null(buffer_slice(pool, a, 0, 0));
    assert_null(buffer_wrap(pool, "", 0, NULL, NULL));
    buffer_pool_stats_get(pool, &stats);
    assert_int_equal(stats.refused, 3);
    assert_int_equal(stats.pages, 1);
    assert_int_equal(a->refs, 1);
    buffer_release(a);
    buffer_release(b);
    host.fail_at = host.asked + 1;
    assert_null(buffer_alloc(pool, BUFFER_LARGE, 0));
    assert_int_equal(host.pages, 0);
}

static void buffer__released_memory_is_reused_first(void **state)
{
    struct buffer_pool *pool = hostnet_pool(&host, 10);
    struct buffer *keep = buffer_alloc(pool, BUFFER_LARGE, 0);
    struct buffer *buf = buffer_alloc(pool, BUFFER_LARGE, 0);

    (void)state;
    buffer_release(buf);
    assert_ptr_equal(buffer_alloc(pool, BUFFER_LARGE, 0), buf);
    buffer_release(buf);
    buffer_release(keep);
}

static void release_again_panics(struct buffer *buf)
{
    host_panic_caught = true;
    if (__builtin_setjmp(host_panic_jump) == 0) {
        buffer_release(buf);
        fail();
    }
    assert_false(host_panic_caught);
}

static void buffer__second_release_panics(void **state)
{
    struct buffer_pool *pool = hostnet_pool(&host, 10);
    struct buffer *keep = buffer_alloc(pool, BUFFER_LARGE, 0);
    struct buffer *buf = buffer_alloc(pool, BUFFER_LARGE, 0);

    (void)state;
    buffer_release(buf);
    release_again_panics(buf);
    buffer_release(keep);
}

/* --- idle chunks ---------------------------------------------------------- */

enum { KEEP = 3 };

static void idle__as_many_of_a_size_stay_as_pages_are_kept(void **state)
{
    struct buffer_pool *pool = hostnet_pool(&host, 20);
    struct buffer *bufs[KEEP + 2];

    (void)state;
    pool->pages->keep = KEEP;
    for (unsigned i = 0; i < ARRAY_LEN(bufs); i++)
        bufs[i] = buffer_alloc(pool, BUFFER_PAGE, 0);
    for (unsigned i = 0; i < ARRAY_LEN(bufs); i++)
        buffer_release(bufs[i]);
    assert_int_equal(hostnet_chunks(&host), 0);
    assert_int_equal(pool->pages->count, KEEP);
    for (unsigned i = KEEP; i-- > 0;) /* last in, first out */
        assert_ptr_equal(buffer_alloc(pool, BUFFER_PAGE, 0), bufs[i]);
    assert_int_equal(hostnet_chunks(&host), KEEP);
    assert_int_equal(pool->pages->count, KEEP);
    for (unsigned i = 0; i < KEEP; i++)
        buffer_release(bufs[i]);
    pages_drain(pool->pages);
    assert_int_equal(host.pages, 0);
}

static void idle__a_chunk_comes_back_as_new(void **state)
{
    for (unsigned size = 0; size < BUFFER_SIZES; size++) {
        struct buffer_pool *pool = hostnet_pool(&host, 20);
        struct buffer *buf = buffer_alloc(pool, size, 0);

        pool->pages->keep = KEEP;
        buffer_release(buffer_alloc(pool, size, 0));
        buffer_release(buf);
        buf = buffer_alloc(pool, size, 0);
        buf->len = 10;
        buf->flags = BUFFER_GSO_TCP4;
        buf->csum_start = buf->csum_offset = buf->gso_bytes = 1;
        buf->link = buf;
        buffer_release(buf);
        assert_ptr_equal(buffer_alloc(pool, size, 7), buf);
        assert_null(buf->next);
        assert_null(buf->link);
        assert_int_equal(buf->len, 0);
        assert_int_equal(buf->flags, 0);
        assert_int_equal(buf->csum_start + buf->csum_offset, 0);
        assert_int_equal(buf->gso_bytes, 0);
        assert_int_equal(buffer_headroom(buf), 7);
        assert_int_equal(buffer_tailroom(buf), buffer_size_bytes(size) - 7);
        buffer_release(buf);
        pages_drain(pool->pages);
        assert_int_equal(host.pages, 0);
    }
    (void)state;
}

static void idle__pages_are_given_up_before_one_is_refused(void **state)
{
    struct buffer_pool *pool = hostnet_pool(&host, 2);
    struct buffer *bufs[4];

    (void)state;
    pool->pages->keep = KEEP;
    bufs[0] = buffer_alloc_last(pool, BUFFER_PAGE, 0);
    bufs[1] = buffer_alloc_last(pool, BUFFER_PAGE, 0);
    buffer_release(bufs[0]);
    buffer_release(bufs[1]);
    for (unsigned i = 0; i < ARRAY_LEN(bufs); i++) {
        bufs[i] = buffer_alloc_last(pool, BUFFER_LARGE, 0);
        assert_non_null(bufs[i]);
    }
    for (unsigned i = 0; i < ARRAY_LEN(bufs); i++)
        buffer_release(bufs[i]);
    pages_drain(pool->pages);
    assert_int_equal(host.pages, 0);
}

static void idle__second_release_panics(void **state)
{
    struct buffer_pool *pool = hostnet_pool(&host, 10);
    struct buffer *buf;

    (void)state;
    pool->pages->keep = KEEP;
    buf = buffer_alloc(pool, BUFFER_SMALL, 0);
    buffer_release(buf);
    assert_int_equal(host.pages, 1);
    release_again_panics(buf);
    pages_drain(pool->pages);
    assert_int_equal(host.pages, 0);
}

/* Random life of many buffers; what is in each must stay. */
static void random_use(uint32_t keep)
{
    struct buffer_pool *pool = hostnet_pool(&host, 60);
    struct buffer *bufs[200] = {0};
    uint8_t marks[200];

    host_seed(7);
    pool->pages->keep = keep;
    for (int round = 0; round < 20000; round++) {
        size_t i = host_random() % ARRAY_LEN(bufs);

        if (bufs[i]) {
            for (uint32_t at = 0; at < bufs[i]->len; at += 61)
                assert_int_equal(bufs[i]->data[at], marks[i]);
            buffer_release(bufs[i]);
            bufs[i] = NULL;
            continue;
        }
        bufs[i] = buffer_alloc(
            pool, host_random() % 2 ? BUFFER_LARGE : BUFFER_SMALL, 0);
        if (!bufs[i])
            continue;
        marks[i] = (uint8_t)host_random();
        bufs[i]->len = buffer_tailroom(bufs[i]);
        memset(bufs[i]->data, marks[i], bufs[i]->len);
    }
    for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
        buffer_release(bufs[i]);
    assert_int_equal(hostnet_chunks(&host), 0);
    pages_drain(pool->pages);
    assert_int_equal(host.pages, 0);
    assert_true(host.pages_peak <= 60);
}

static void pool__random_use_keeps_contents_and_gives_all_back(void **state)
{
    (void)state;
    random_use(0);
    random_use(KEEP);
    random_use(200);
}

static void pool__objects_have_a_bound_of_their_own(void **state)
{
    struct pool pool;
    void *objects[5];

    (void)state;
    hostnet_pool(&host, 10);
    pool_init(&pool, &host.pool_pages, 1000, 5);
    for (int i = 0; i < 5; i++) {
        objects[i] = pool_alloc(&pool);
        assert_non_null(objects[i]);
        memset(objects[i], i, 1000);
    }
    assert_int_equal(host.pages, 2); /* four to a page */
    assert_null(pool_alloc(&pool));
    assert_int_equal(pool.refused, 1);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(((uint8_t *)objects[i])[999], i);
        pool_free(objects[i]);
    }
    assert_int_equal(host.pages, 0);
    assert_int_equal(pool.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages__that_came_back_lately_are_kept_and_given_first),
        cmocka_unit_test(buffer__bound_and_refusing_host_are_counted),
        cmocka_unit_test(buffer__released_memory_is_reused_first),
        cmocka_unit_test(buffer__second_release_panics),
        cmocka_unit_test(idle__as_many_of_a_size_stay_as_pages_are_kept),
        cmocka_unit_test(idle__a_chunk_comes_back_as_new),
        cmocka_unit_test(idle__pages_are_given_up_before_one_is_refused),
        cmocka_unit_test(idle__second_release_panics),
        cmocka_unit_test(pool__random_use_keeps_contents_and_gives_all_back),
        cmocka_unit_test(pool__objects_have_a_bound_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
