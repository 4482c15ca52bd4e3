/*
 * Pages that are scarce (net/pool.h): what is on its way still finds room,
 * what would stay does not, and what is merely kept is given when asked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/net_priv.h"
#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

enum { BOUND_PAGES = 64, LAST_PAGES = BOUND_PAGES / 16, PING_BYTES = 28 };

static int setup_bound(void **state)
{
    (void)state;
    peer_prepare(&peer);
    peer.config.pages_max = BOUND_PAGES;
    peer_start(&peer);
    peer_open_passive(&peer);
    return 0;
}

/* The host has few left; the stack learns it with the next page it takes. */
static void run_short(void)
{
    void *page;

    peer.host.scarce = true;
    pages_drain(&peer.net->pages);
    page = pages_take(&peer.net->pages);
    assert_non_null(page);
    pages_give(&peer.net->pages, page);
}

/* An echo request from the peer; whether there was an answer. */
static bool pings(void)
{
    static const uint8_t request[PING_BYTES] = {
        0x45, 0, 0, PING_BYTES, 0,  1, 0, 0, 64, 1, 0x66, 0xde,
        10,   0, 0, 2,          10, 0, 0, 1, 8,  0, 0xf7, 0xff};
    uint64_t before = PEER_COUNT(&peer, ip_tx);

    peer_send_raw(&peer, request, sizeof(request));
    peer_settle(&peer);
    peer_take_all(&peer);
    return PEER_COUNT(&peer, ip_tx) == before + 1;
}

static void scarce__text_is_refused_until_there_is_room(void **state)
{
    (void)state;
    run_short();
    peer_text(&peer, 1000, PEER_ACK);
    assert_int_equal(PEER_COUNT(&peer, tcp_rcv_memory), 1);
    assert_int_equal(peer_app_recv(&peer, 1000), 0);
    peer.host.scarce = false;
    peer.nxt -= 1000; /* it sends again */
    peer_text(&peer, 1000, PEER_ACK);
    assert_int_equal(peer_app_recv(&peer, 1000), 1000);
}

static void scarce__a_write_waits_until_there_is_room(void **state)
{
    struct buffer *chain;

    (void)state;
    run_short();
    chain = hostnet_chain(net_pool(peer.net), "text", 4);
    assert_int_equal(tcp_send(peer.conn, chain, host_now_us), TCP_AGAIN);
    peer.host.scarce = false;
    assert_int_equal(tcp_send(peer.conn, chain, host_now_us), TCP_OK);
    peer_settle(&peer);
    peer_take_all(&peer);
}

static void scarce__what_needs_no_memory_for_long_goes_on(void **state)
{
    (void)state;
    run_short();
    assert_true(pings());
    peer_send(&peer, (struct peer_seg){.seq = 5,
                                       .flags = PEER_SYN,
                                       .dst_port = 81,
                                       .src_port = 3000});
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_RST | PEER_ACK);
}

/* What was queued in time would else stay until its connection is ended for
 * standing still, and keep its memory so long. */
static void scarce__what_is_queued_gets_away(void **state)
{
    (void)state;
    assert_int_equal(tcp_send(peer.conn,
                              hostnet_chain(net_pool(peer.net), "text", 4),
                              host_now_us),
                     TCP_OK);
    run_short();
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, 4);
}

/* No memory for a header: it is tried again when a probe of a window would be
 * due, and is none. */
static void scarce__what_found_no_memory_is_no_window_probe(void **state)
{
    struct buffer *held = NULL, *buf;

    (void)state;
    assert_int_equal(tcp_send(peer.conn,
                              hostnet_chain(net_pool(peer.net), "text", 4),
                              host_now_us),
                     TCP_OK);
    peer.host.fail_at = peer.host.asked + 1;
    peer.host.fail_after = true;
    while ((buf = buffer_alloc(net_pool(peer.net), BUFFER_SMALL, 0))) {
        buf->link = held;
        held = buf;
    }
    peer_settle(&peer);
    assert_false(peer_take(&peer));
    peer_wait(&peer, 5000000);
    assert_false(peer_take(&peer));
    peer.host.fail_at = 0;
    peer.host.fail_after = false;
    buffer_release_queue(held);
    peer_wait(&peer, 5000000);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, 4);
    assert_int_equal(PEER_COUNT(&peer, tcp_zero_window_probe), 0);
}

/* Who gives memory so that there is enough again must see it come back: kept
 * for the next who takes one, it would leave the host as short as before, and
 * others would be made to give theirs. */
static void scarce__what_comes_back_is_the_hosts_at_once(void **state)
{
    struct pages *pages = &peer.net->pages;
    void *before, *short_of;
    size_t out;

    (void)state;
    before = pages_take(pages);
    run_short();
    pages->keep = 8;
    short_of = pages_take(pages);
    out = peer.host.pages;
    pages_give(pages, before);
    pages_give(pages, short_of);
    assert_int_equal(peer.host.pages, out - 2);
    peer.host.scarce = false;
    assert_false(pages_scarce(pages));
    pages_give(pages, pages_take(pages));
    assert_int_equal(pages->spares, 1);
}

static void scarce__idle_chunks_are_the_hosts_at_once(void **state)
{
    struct pages *pages = &peer.net->pages;
    struct buffer *chunks[2];
    size_t out = peer.host.pages;

    (void)state;
    pages->keep = 8;
    for (unsigned i = 0; i < ARRAY_LEN(chunks); i++)
        chunks[i] = buffer_alloc(net_pool(peer.net), BUFFER_PAGE, 0);
    buffer_release(chunks[0]);
    assert_int_equal(peer.host.pages, out + 2);
    peer.host.scarce = true;
    pages_give(pages, pages_take(pages));
    assert_int_equal(peer.host.pages, out + 1);
    buffer_release(chunks[1]);
    assert_int_equal(peer.host.pages, out);
}

/* Take the stack's pages down to its last `left`. */
static size_t take_down_to(size_t left, void **taken)
{
    struct net_memory memory;
    size_t count = 0;

    net_memory_get(peer.net, &memory);
    for (size_t i = memory.pages; i < memory.pages_max - left; i++)
        taken[count++] = pages_take(&peer.net->pages);
    return count;
}

static void bound__the_last_sixteenth_is_for_packets_alone(void **state)
{
    void *taken[BOUND_PAGES];
    size_t count = take_down_to(LAST_PAGES, taken);
    struct pool *conns = &peer.net->tcp.conns;

    (void)state;
    peer_text(&peer, 1000, PEER_ACK);
    assert_int_equal(PEER_COUNT(&peer, tcp_rcv_memory), 1);
    assert_true(pings());
    while (count > 0)
        pages_give(&peer.net->pages, taken[--count]);
    assert_true(conns->count == 1);
    peer.nxt -= 1000;
    peer_text(&peer, 1000, PEER_ACK);
    assert_int_equal(peer_app_recv(&peer, 1000), 1000);
}

/* Memory that nobody uses is no reason to refuse anything. */
static void bound__idle_chunks_do_not_make_it_near(void **state)
{
    void *taken[BOUND_PAGES];
    size_t count;
    struct buffer *chunk;

    (void)state;
    peer.net->pages.keep = 8;
    chunk = buffer_alloc(net_pool(peer.net), BUFFER_PAGE, 0);
    count = take_down_to(LAST_PAGES, taken);
    assert_true(pages_scarce(&peer.net->pages));
    buffer_release(chunk);
    assert_false(pages_scarce(&peer.net->pages));
    while (count > 0)
        pages_give(&peer.net->pages, taken[--count]);
}

/* --- what the host asks back ---------------------------------------------- */

enum { KEEP = 8 };

static int setup_keeping(void **state)
{
    (void)state;
    peer_prepare(&peer);
    peer.config.pages_keep = KEEP;
    peer_start(&peer);
    peer_open_passive(&peer);
    return 0;
}

/* As many chunks of each size, and pages, as traffic leaves at most. */
static void leave_all_that_is_kept(void)
{
    struct buffer *chunks = NULL;
    void *pages[KEEP];

    for (unsigned size = 0; size < BUFFER_SIZES; size++) {
        for (unsigned i = 0; i < KEEP; i++) {
            struct buffer *chunk = buffer_alloc(net_pool(peer.net), size, 0);

            assert_non_null(chunk);
            chunk->link = chunks;
            chunks = chunk;
        }
    }
    for (unsigned i = 0; i < KEEP; i++)
        pages[i] = pages_take(&peer.net->pages);
    buffer_release_queue(chunks);
    for (unsigned i = 0; i < KEEP; i++)
        pages_give(&peer.net->pages, pages[i]);
    assert_int_equal(peer.net->pages.spares, KEEP);
}

static void exchange(void)
{
    peer_text(&peer, 1000, PEER_ACK);
    assert_int_equal(peer_app_recv(&peer, 1000), 1000);
    assert_true(pings());
}

/* What is in use stays, and is all that is counted, before and after. */
static void trim__gives_what_is_kept_and_nothing_that_is_used(void **state)
{
    struct buffer *used, *slice;
    struct net_memory before, after;
    size_t pages_used;

    (void)state;
    net_trim(peer.net);
    used = hostnet_chain(net_pool(peer.net), "text", 4);
    slice = buffer_slice(net_pool(peer.net), used, 1, 2);
    pages_used = peer.host.pages;
    net_memory_get(peer.net, &before);
    leave_all_that_is_kept();
    assert_true(peer.host.pages > pages_used + 2 * KEEP + KEEP / 2);
    net_trim(peer.net);
    assert_int_equal(peer.host.pages, pages_used);
    net_memory_get(peer.net, &after);
    assert_int_equal(after.pages, before.pages);
    assert_int_equal(after.buffers, before.buffers);
    assert_memory_equal(slice->data, "ex", 2);
    buffer_release(slice);
    buffer_release(used);
}

static void trim__traffic_goes_on_and_pages_are_kept_anew(void **state)
{
    size_t asked;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        leave_all_that_is_kept();
        net_trim(peer.net);
        assert_int_equal(peer.net->pages.spares, 0);
        exchange();
        net_trim(peer.net);
        net_trim(peer.net); /* there is nothing */
        exchange();
    }
    leave_all_that_is_kept();
    asked = peer.host.asked;
    exchange();
    assert_int_equal(peer.host.asked, asked);
}

#define TEST(name) PEER_TEST(name, peer_opened)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(scarce__text_is_refused_until_there_is_room),
        TEST(scarce__a_write_waits_until_there_is_room),
        TEST(scarce__what_needs_no_memory_for_long_goes_on),
        TEST(scarce__what_is_queued_gets_away),
        TEST(scarce__what_found_no_memory_is_no_window_probe),
        TEST(scarce__what_comes_back_is_the_hosts_at_once),
        TEST(scarce__idle_chunks_are_the_hosts_at_once),
        PEER_TEST(bound__the_last_sixteenth_is_for_packets_alone, setup_bound),
        PEER_TEST(bound__idle_chunks_do_not_make_it_near, setup_bound),
        PEER_TEST(trim__gives_what_is_kept_and_nothing_that_is_used,
                  setup_keeping),
        PEER_TEST(trim__traffic_goes_on_and_pages_are_kept_anew, setup_keeping),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
