/*
 * Buffers: views of shared bytes, alone and in chains.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "net/buffer.h"
#include "tests/host/hostnet.h"

static struct hostnet host;

static void buffer__chunk_lies_within_one_page(void **state)
{
    struct buffer_pool *pool = hostnet_pool(&host, 100);
    struct buffer *bufs[40];

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(bufs); i++) {
        uintptr_t first, last;

        bufs[i] = buffer_alloc(pool, i % 2 ? BUFFER_SMALL : BUFFER_LARGE, 0);
        assert_non_null(bufs[i]);
        first = (uintptr_t)bufs[i]->data;
        last = first + buffer_tailroom(bufs[i]) - 1;
        assert_int_equal(first / PAGE_BYTES, last / PAGE_BYTES);
        assert_int_equal(buffer_tailroom(bufs[i]),
                         i % 2 ? BUFFER_SMALL_BYTES : BUFFER_LARGE_BYTES);
        memset(bufs[i]->data, (int)i, buffer_tailroom(bufs[i]));
        bufs[i]->len = buffer_tailroom(bufs[i]);
    }
    for (unsigned i = 0; i < ARRAY_LEN(bufs); i++) {
        assert_int_equal(bufs[i]->data[0], i);
        assert_int_equal(bufs[i]->data[bufs[i]->len - 1], i);
        buffer_release(bufs[i]);
    }
    assert_int_equal(host.pages, 0);
}

static void buffer__page_chunk_fills_a_page(void **state)
{
    struct buffer_pool *pool = hostnet_pool(&host, 2);
    struct buffer *buf = buffer_alloc(pool, BUFFER_PAGE, 100);

    (void)state;
    assert_int_equal(host.pages, 1);
    assert_int_equal(buffer_headroom(buf), 100);
    assert_int_equal(buffer_tailroom(buf), BUFFER_PAGE_BYTES - 100);
    assert_int_equal(buffer_held_bytes(buf), PAGE_BYTES);
    memset(buf->data, 1, buffer_tailroom(buf));
    buffer_release(buf);
    assert_int_equal(host.pages, 0);
    assert_int_equal(hostnet_chunks(&host), 0);
}

static void buffer__memory_lives_until_its_last_view(void **state)
{
    struct buffer_pool *pool = hostnet_pool(&host, 10);
    struct buffer *root = buffer_alloc(pool, BUFFER_LARGE, 10);
    struct buffer *slice, *part;

    (void)state;
    memcpy(root->data, "abcdefgh", 8);
    root->len = 8;

    slice = buffer_slice(pool, root, 2, 4);
    part = buffer_slice(pool, slice, 1, 2);
    buffer_release(root);
    buffer_release(slice);

    assert_memory_equal(part->data, "de", 2);
    assert_int_equal(hostnet_chunks(&host), 2);
    buffer_release(part);
    assert_int_equal(hostnet_chunks(&host), 0);
    assert_int_equal(host.pages, 0);
}

static unsigned released;

static void count_release(struct buffer *root, void *context)
{
    assert_non_null(root);
    assert_ptr_equal(context, &released);
    released++;
}

static void
buffer__foreign_memory_is_released_once_with_the_last_view(void **state)
{
    struct buffer_pool *pool = hostnet_pool(&host, 10);
    struct buffer *root, *slice;

    (void)state;
    released = 0;
    root = buffer_wrap(pool, "constant", 8, count_release, &released);
    slice = buffer_slice(pool, root, 0, 3);
    assert_int_equal(buffer_headroom(root), 0);
    assert_int_equal(buffer_tailroom(slice), 0);

    buffer_release(root);
    assert_int_equal(released, 0);
    buffer_release(slice);

    assert_int_equal(released, 1);
    root = buffer_wrap(pool, "for ever", 8, NULL, NULL);
    buffer_release(root);
    assert_int_equal(host.pages, 0);
}

static void buffer__shared_memory_has_no_room(void **state)
{
    struct buffer_pool *pool = hostnet_pool(&host, 10);
    struct buffer *root = buffer_alloc(pool, BUFFER_SMALL, 100);
    struct buffer *slice;

    (void)state;
    root->len = 20;
    assert_int_equal(buffer_headroom(root), 100);
    assert_int_equal(buffer_tailroom(root), BUFFER_SMALL_BYTES - 120);

    slice = buffer_slice(pool, root, 10, 10);
    assert_int_equal(buffer_headroom(root), 0);
    assert_int_equal(buffer_tailroom(slice), 0);
    buffer_release(root);

    assert_int_equal(buffer_headroom(slice), 110);
    buffer_release(slice);
}

static void buffer__push_pull_trim_move_the_ends(void **state)
{
    struct buffer_pool *pool = hostnet_pool(&host, 10);
    struct buffer *buf = buffer_alloc(pool, BUFFER_SMALL, 20);
    uint8_t *first = buf->data;

    (void)state;
    buf->len = 10;
    assert_ptr_equal(buffer_push(buf, 20), first - 20);
    assert_int_equal(buf->len, 30);
    buffer_pull(buf, 25);
    assert_ptr_equal(buf->data, first + 5);
    buffer_trim(buf, 5);
    assert_int_equal(buf->len, 0);
    buffer_release(buf);
}

/* A chain of "abc", "", "defgh". */
static struct buffer *abc_chain(struct buffer_pool *pool)
{
    struct buffer *chain = buffer_wrap(pool, "abc", 3, NULL, NULL);

    chain->next = buffer_wrap(pool, "", 0, NULL, NULL);
    chain->next->next = hostnet_chain(pool, "defgh", 5);
    return chain;
}

static void chain__is_read_across_views(void **state)
{
    struct buffer_pool *pool = hostnet_pool(&host, 10);
    struct buffer *chain = abc_chain(pool);
    char out[9] = {0};

    (void)state;
    assert_int_equal(buffer_chain_len(chain), 8);
    assert_int_equal(buffer_copy_out(chain, 0, out, 8), 8);
    assert_string_equal(out, "abcdefgh");
    assert_int_equal(buffer_copy_out(chain, 2, out, 3), 3);
    assert_memory_equal(out, "cde", 3);
    assert_int_equal(buffer_copy_out(chain, 6, out, 100), 2);
    assert_int_equal(buffer_copy_out(chain, 8, out, 1), 0);
    assert_int_equal(buffer_copy_out(NULL, 0, out, 1), 0);
    buffer_release(chain);
    assert_int_equal(host.pages, 0);
}

static void chain__truncates_at_every_length(void **state)
{
    struct buffer_pool *pool = hostnet_pool(&host, 10);

    (void)state;
    for (uint32_t len = 0; len <= 10; len++) {
        struct buffer *chain = abc_chain(pool);

        buffer_chain_truncate(chain, len);
        assert_int_equal(buffer_chain_len(chain), len < 8 ? len : 8);
        buffer_release(chain);
        assert_int_equal(host.pages, 0);
    }
}

static void chain__gathers_any_number_of_bytes(void **state)
{
    struct buffer_pool *pool = hostnet_pool(&host, 10);

    (void)state;
    for (uint32_t bytes = 0; bytes <= 10; bytes++) {
        struct buffer *chain = abc_chain(pool);
        char out[9] = {0};

        chain->flags = BUFFER_CSUM_GOOD;
        chain = buffer_gather(pool, chain, bytes);
        assert_true(chain->len >= (bytes < 8 ? bytes : 8));
        assert_int_equal(chain->flags, BUFFER_CSUM_GOOD);
        assert_int_equal(buffer_copy_out(chain, 0, out, 9), 8);
        assert_string_equal(out, "abcdefgh");
        buffer_release(chain);
        assert_int_equal(host.pages, 0);
    }
}

static void chain__gather_without_memory_releases_all(void **state)
{
    struct buffer_pool *pool = hostnet_pool(&host, 2);
    struct buffer *chain = abc_chain(pool); /* views, and half a page */

    (void)state;
    assert_null(buffer_gather(pool, chain, 5));
    assert_int_equal(host.pages, 0);
}

static void chain__headroom_is_added_only_when_missing(void **state)
{
    struct buffer_pool *pool = hostnet_pool(&host, 10);
    struct buffer *chain = buffer_alloc(pool, BUFFER_SMALL, 60), *with;

    (void)state;
    assert_ptr_equal(buffer_with_headroom(pool, chain, 60), chain);
    chain->flags = BUFFER_CSUM_PARTIAL;
    chain->csum_start = 4;
    chain->csum_offset = 6;

    with = buffer_with_headroom(pool, chain, 61);

    assert_ptr_not_equal(with, chain);
    assert_ptr_equal(with->next, chain);
    assert_int_equal(with->flags, BUFFER_CSUM_PARTIAL);
    assert_int_equal(with->csum_start, 4);
    assert_int_equal(with->csum_offset, 6);
    assert_true(buffer_headroom(with) >= 61);
    buffer_release(with);
    assert_int_equal(host.pages, 0);
}

static void buffer__held_bytes_are_of_the_whole_chunk(void **state)
{
    struct buffer_pool *pool = hostnet_pool(&host, 10);
    struct buffer *root = buffer_alloc(pool, BUFFER_LARGE, 0);
    struct buffer *slice;

    (void)state;
    root->len = 100;
    slice = buffer_slice(pool, root, 0, 1);
    assert_int_equal(buffer_held_bytes(root), 2048);
    assert_int_equal(buffer_held_bytes(slice), 2048 + 64);
    buffer_release(root);
    buffer_release(slice);
}

static void buffer__a_queue_is_as_long_as_memory_lasts(void **state)
{
    enum { PAGES = 4 };
    struct buffer_pool *pool = hostnet_pool(&host, PAGES);
    struct buffer *queue = buffer_alloc_queue(pool, BUFFER_PAGE, 3), *rest;
    unsigned count = 0;

    (void)state;
    for (struct buffer *buf = queue; buf; buf = buf->link) {
        assert_int_equal(buf->len, 0);
        assert_null(buf->next);
        memset(buf->data, 0xee, BUFFER_PAGE_BYTES);
        count++;
    }
    assert_int_equal(count, 3);
    assert_null(buffer_alloc_queue(pool, BUFFER_PAGE, 0));
    rest = buffer_alloc_queue(pool, BUFFER_PAGE, 5);
    assert_non_null(rest);
    assert_null(rest->link);
    assert_null(buffer_alloc_queue(pool, BUFFER_PAGE, 1));
    buffer_release_queue(queue);
    buffer_release_queue(rest);
    assert_int_equal(host.pages, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer__chunk_lies_within_one_page),
        cmocka_unit_test(buffer__page_chunk_fills_a_page),
        cmocka_unit_test(buffer__memory_lives_until_its_last_view),
        cmocka_unit_test(
            buffer__foreign_memory_is_released_once_with_the_last_view),
        cmocka_unit_test(buffer__shared_memory_has_no_room),
        cmocka_unit_test(buffer__push_pull_trim_move_the_ends),
        cmocka_unit_test(chain__is_read_across_views),
        cmocka_unit_test(chain__truncates_at_every_length),
        cmocka_unit_test(chain__gathers_any_number_of_bytes),
        cmocka_unit_test(chain__gather_without_memory_releases_all),
        cmocka_unit_test(chain__headroom_is_added_only_when_missing),
        cmocka_unit_test(buffer__a_queue_is_as_long_as_memory_lasts),
        cmocka_unit_test(buffer__held_bytes_are_of_the_whole_chunk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
