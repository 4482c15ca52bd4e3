/*
 * Memory for all queues together, and who gives when it is used up: first
 * out-of-order text, then who stands still, orphans first (net/tcp_pressure.c).
 * Never who makes progress.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

#define SECOND 1000000ull

enum {
    BUDGET_PAGES = 50,
    BUDGET_BYTES = BUDGET_PAGES * PAGE_BYTES,
    CALLERS = 6
};

/* Several connections of one stack; number i is from port 3000 + i. */
struct caller {
    struct tcp_conn *conn;
    uint16_t port;
    uint32_t nxt, una; /* the peer's next number, ours not acknowledged */
    uint16_t window;
};

static struct caller callers[CALLERS];

static void start(uint32_t conns_max)
{
    peer_prepare(&peer);
    peer.config.flow_pages_max = BUDGET_PAGES;
    peer.config.tcp.conns_max = conns_max;
    peer.config.tcp.rcv_buf_begin_bytes = 256 * 1024;
    peer.config.tcp.r2_us = 3600 * SECOND;
    peer_start(&peer);
    peer_listen(&peer, 8, 8);
    memset(callers, 0, sizeof(callers));
}

static int setup(void **state)
{
    (void)state;
    start(100);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CALLERS; i++)
        if (callers[i].conn)
            tcp_release(callers[i].conn, host_now_us);
    peer_end(&peer);
    return 0;
}

static void from(struct caller *caller, struct peer_seg seg)
{
    seg.src_port = caller->port;
    seg.window = caller->window;
    if (seg.flags & PEER_ACK && seg.ack == 0)
        seg.ack = caller->una;
    peer_send(&peer, seg);
}

static struct caller *call(unsigned i)
{
    struct caller *caller = &callers[i];

    caller->port = (uint16_t)(3000 + i);
    caller->window = 60000;
    from(caller, (struct peer_seg){.seq = PEER_ISS,
                                   .flags = PEER_SYN,
                                   .options = (uint8_t[]){2, 4, 5, 180},
                                   .options_len = 4});
    assert_true(peer_take(&peer));
    caller->una = peer.got.seq + 1;
    caller->nxt = PEER_ISS + 1;
    from(caller, (struct peer_seg){.seq = caller->nxt, .flags = PEER_ACK});
    caller->conn = tcp_accept(peer.listener);
    assert_non_null(caller->conn);
    return caller;
}

/* Text in order, 1000 bytes; each holds a chunk of 2 KiB. */
static void say(struct caller *caller)
{
    from(caller,
         (struct peer_seg){.seq = caller->nxt, .flags = PEER_ACK, .len = 1000});
    caller->nxt += 1000;
}

/* The same behind a hole. */
static void say_out_of_order(struct caller *caller, unsigned count)
{
    for (unsigned i = 1; i <= count; i++)
        from(caller, (struct peer_seg){.seq = caller->nxt + 2000 * i,
                                       .flags = PEER_ACK,
                                       .len = 1000});
}

/* The application sends; what it held back of the budget is told. */
static enum tcp_status reply(struct caller *caller, uint32_t bytes)
{
    static uint8_t text[BUDGET_BYTES];
    struct buffer *chain = hostnet_chain(net_pool(peer.net), text, bytes);
    enum tcp_status status = tcp_send(caller->conn, chain, host_now_us);

    if (status != TCP_OK)
        buffer_release(chain);
    peer_settle(&peer);
    peer_take_all(&peer);
    return status;
}

/* The peer acknowledges so many bytes more. */
static void acknowledge(struct caller *caller, uint32_t bytes)
{
    caller->una += bytes;
    from(caller, (struct peer_seg){.seq = caller->nxt, .flags = PEER_ACK});
    peer_take_all(&peer);
}

/* ... or as much of that as is in flight. */
static void acknowledge_up_to(struct caller *caller, uint32_t bytes)
{
    struct tcp_info info;

    tcp_info_get(caller->conn, &info);
    acknowledge(caller,
                bytes < info.in_flight_bytes ? bytes : info.in_flight_bytes);
}

static bool is_open(const struct caller *caller)
{
    return tcp_end_reason(caller->conn) == TCP_END_NONE;
}

static void fill(struct caller *caller, unsigned segments)
{
    for (unsigned i = 0; i < segments; i++)
        say(caller);
}

/* ---- in this order ---- */

static void first__out_of_order_text_of_others_goes(void **state)
{
    struct caller *holes = call(0), *orphan = call(1), *reader = call(2);

    (void)state;
    assert_int_equal(reply(orphan, 40000), TCP_OK);
    say_out_of_order(holes, 20);
    tcp_release(orphan->conn, host_now_us);
    orphan->conn = NULL;
    fill(reader, 64);
    assert_int_equal(tcp_recv_ready(reader->conn), 64000);
    assert_true(PEER_COUNT(&peer, tcp_pressure_ooo) == 1);
    assert_int_equal(PEER_COUNT(&peer, tcp_orphan_killed), 0);
    assert_int_equal(PEER_COUNT(&peer, tcp_rcv_memory), 0);
    assert_true(is_open(holes)); /* it only sends again */
    fill(holes, 1);
    assert_int_equal(tcp_recv_ready(holes->conn), 1000);
}

/* ... and that of who was spared a moment ago, because he asked himself. */
static void first__nobody_is_spared_for_ever(void **state)
{
    struct caller *holes = call(0), *sender = call(1), *reader = call(2);

    (void)state;
    say_out_of_order(holes, 20);
    assert_int_equal(reply(sender, 60000), TCP_OK);
    assert_int_equal(reply(sender, 80000), TCP_OK);
    assert_int_equal(reply(holes, 60000), TCP_AGAIN); /* refused, and spared */
    assert_int_equal(PEER_COUNT(&peer, tcp_pressure_ooo), 0);
    fill(reader, 16);
    say(reader);
    assert_int_equal(tcp_recv_ready(reader->conn), 17000);
    assert_int_equal(PEER_COUNT(&peer, tcp_pressure_ooo), 1);
}

/* Or the hole in it could never be filled, and the peer would send for ever. */
static void own_out_of_order_text__gives_way_to_what_is_in_order(void **state)
{
    struct caller *holes = call(0);

    (void)state;
    say_out_of_order(holes, 60); /* more than the rest of the budget */
    while (reply(holes, 1460) == TCP_OK)
        ;
    fill(holes, 1);
    fill(holes, 1);
    fill(holes, 1);
    assert_int_equal(tcp_recv_ready(holes->conn), 3000);
}

/* Two ends that send all they can must still hear each other. */
static void sending__leaves_room_for_what_comes(void **state)
{
    struct caller *caller = call(0);

    (void)state;
    caller->window = 0;
    acknowledge(caller, 0);
    while (reply(caller, 1000) == TCP_OK)
        ;
    fill(caller, 1);
    assert_int_equal(tcp_recv_ready(caller->conn), 1000);
}

/* What they hold has not moved for five seconds, as nobody acknowledges it. */
static void second__orphans_that_stand_still_go_the_largest_first(void **state)
{
    struct caller *small = call(0), *large = call(1), *reader = call(2);

    (void)state;
    assert_int_equal(reply(small, 20000), TCP_OK);
    assert_int_equal(reply(large, 40000), TCP_OK);
    tcp_release(small->conn, host_now_us);
    tcp_release(large->conn, host_now_us);
    small->conn = large->conn = NULL;
    peer_wait(&peer, 6 * SECOND);
    peer_take_all(&peer);
    fill(reader, 72);
    assert_int_equal(PEER_COUNT(&peer, tcp_orphan_killed), 1);
    assert_int_equal(peer_memory(&peer).conns, 2);
    from(small, (struct peer_seg){.seq = small->nxt - 1, .flags = PEER_ACK});
    assert_true(peer_take(&peer)); /* the small one is still there */
    assert_false(peer.got.flags & PEER_RST);
}

/* Its peer would be cut short: rather, somebody waits. */
static void never__an_orphan_that_has_just_begun(void **state)
{
    struct caller *orphan = call(0), *sender = call(1);

    (void)state;
    assert_int_equal(reply(orphan, 60000), TCP_OK);
    tcp_release(orphan->conn, host_now_us);
    orphan->conn = NULL;
    while (reply(sender, 1000) == TCP_OK)
        ;
    assert_int_equal(PEER_COUNT(&peer, tcp_orphan_killed), 0);
}

/* The one that holds the most of those whose peer keeps the window shut. */
static void third__who_stands_still_and_holds_the_most_goes(void **state)
{
    struct caller *small = call(0), *large = call(1), *healthy = call(2);

    (void)state;
    small->window = large->window = 0;
    acknowledge(small, 0);
    acknowledge(large, 0);
    assert_int_equal(reply(small, 30000), TCP_OK);
    assert_int_equal(reply(large, 60000), TCP_OK);
    assert_int_equal(reply(healthy, 80000), TCP_OK);
    peer_wait(&peer, 6 * SECOND);
    peer_take_all(&peer);
    acknowledge(healthy, 20000);
    assert_int_equal(reply(healthy, 60000), TCP_OK);
    assert_false(is_open(large));
    assert_int_equal(tcp_end_reason(large->conn), TCP_END_NO_MEMORY);
    assert_true(is_open(small));
    assert_true(is_open(healthy));
    assert_int_equal(PEER_COUNT(&peer, tcp_pressure_ended), 1);
}

/* Sockstress: byte by byte is no progress either. */
static void third__one_byte_at_a_time_stands_still(void **state)
{
    struct caller *drip = call(0), *other = call(1);

    (void)state;
    drip->window = 1;
    acknowledge(drip, 0);
    assert_int_equal(reply(drip, 150000), TCP_OK);
    for (unsigned i = 0; i < 60; i++) {
        acknowledge(drip, i > 0);
        peer_wait(&peer, SECOND / 10);
        peer_take_all(&peer);
    }
    assert_int_equal(reply(other, 60000), TCP_OK);
    assert_int_equal(tcp_end_reason(drip->conn), TCP_END_NO_MEMORY);
}

/* ---- and never ---- */

static void never__who_makes_progress(void **state)
{
    struct caller *one = call(0), *two = call(1);

    (void)state;
    assert_int_equal(reply(two, 180000), TCP_OK);
    for (unsigned i = 0; i < 30; i++) {
        peer_wait(&peer, SECOND / 2);
        peer_take_all(&peer);
        acknowledge_up_to(two, 2 * 1460);
        while (reply(one, 9000) == TCP_OK)
            ; /* until it is refused, each time */
    }
    assert_true(is_open(one));
    assert_true(is_open(two));
    assert_int_equal(PEER_COUNT(&peer, tcp_pressure_ended), 0);
}

/* Five seconds are allowed: a lost segment and its repetitions fit in. */
static void never__who_has_just_begun_to_stand_still(void **state)
{
    struct caller *shut = call(0), *other = call(1);

    (void)state;
    shut->window = 0;
    acknowledge(shut, 0);
    assert_int_equal(reply(shut, 150000), TCP_OK);
    peer_wait(&peer, 4 * SECOND);
    assert_int_equal(reply(other, 60000), TCP_AGAIN);
    assert_true(is_open(shut));
    peer_wait(&peer, 2 * SECOND);
    assert_int_equal(reply(other, 60000), TCP_OK);
    assert_false(is_open(shut));
}

/* ... nor for what would not fit an empty queue. */
static void never__for_more_than_there_ever_is(void **state)
{
    struct caller *shut = call(0), *other = call(1);

    (void)state;
    shut->window = 0;
    acknowledge(shut, 0);
    assert_int_equal(reply(shut, 150000), TCP_OK);
    peer_wait(&peer, 10 * SECOND);
    assert_int_equal(reply(other, BUDGET_BYTES), TCP_AGAIN);
    assert_true(is_open(shut));
}

/* MUST-37: while there is memory, a window may stay shut for ever. */
static void never__while_there_is_memory(void **state)
{
    struct caller *shut = call(0), *other = call(1);

    (void)state;
    shut->window = 0;
    acknowledge(shut, 0);
    assert_int_equal(reply(shut, 60000), TCP_OK);
    for (unsigned i = 0; i < 600; i++) {
        peer_wait(&peer, SECOND);
        acknowledge(shut, 0);
    }
    assert_int_equal(reply(other, 60000), TCP_OK);
    assert_true(is_open(shut));
}

/* ---- windows ---- */

static void window__does_not_grow_when_memory_is_short(void **state)
{
    struct caller *holder = call(0), *reader = call(1);
    uint32_t edge;

    (void)state;
    assert_int_equal(reply(holder, 150000), TCP_OK); /* above 3/4 */
    say(reader);
    while (peer_take(&peer))
        ;
    edge = peer.got.ack + peer.got.window;
    for (unsigned i = 0; i < 20; i++) {
        struct buffer *chain;

        say(reader);
        assert_int_equal(
            tcp_recv(reader->conn, UINT32_MAX, host_now_us, &chain), TCP_OK);
        buffer_release(chain);
        peer_settle(&peer);
        while (peer_take(&peer))
            assert_true(peer.got.ack + peer.got.window == edge);
    }
}

/* ... but never shuts for it: two segments are always on offer. */
static void window__stays_open_a_little_when_memory_is_short(void **state)
{
    struct caller *holder = call(0), *reader = call(1);

    (void)state;
    assert_int_equal(reply(holder, 150000), TCP_OK);
    for (unsigned i = 0; i < 100; i++) {
        struct buffer *chain;

        say(reader);
        peer_wait(&peer, SECOND / 10); /* a delayed ACK */
        assert_int_equal(
            tcp_recv(reader->conn, UINT32_MAX, host_now_us, &chain), TCP_OK);
        buffer_release(chain);
        peer_settle(&peer);
        while (peer_take(&peer))
            ;
    }
    assert_in_range(peer.got.window, 1460, 2 * 1460);
    assert_int_equal(PEER_COUNT(&peer, tcp_rcv_memory), 0);
}

/* Who was refused text hears of it when there is room again. */
static void window__is_told_to_who_was_refused_when_some_is_read(void **state)
{
    struct caller *holder = call(0), *reader = call(1);
    struct buffer *chain;

    (void)state;
    assert_int_equal(reply(holder, 150000), TCP_OK);
    fill(reader, 40);
    assert_true(PEER_COUNT(&peer, tcp_rcv_memory) > 0);
    peer_wait(&peer, SECOND);
    while (peer_take(&peer))
        ;
    assert_int_equal(tcp_recv(reader->conn, 1000, host_now_us, &chain), TCP_OK);
    buffer_release(chain);
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_ACK);
    assert_int_equal(peer.got.dst_port, reader->port);
}

/* ---- control blocks ---- */

static void conns__an_orphan_gives_way_to_who_is_known_to_be_there(void **state)
{
    struct caller *orphan;

    (void)state;
    peer_end(&peer);
    start(1);
    orphan = call(0);
    assert_int_equal(reply(orphan, 1000), TCP_OK);
    tcp_release(orphan->conn, host_now_us);
    orphan->conn = NULL;
    peer_settle(&peer);
    peer_take_all(&peer);

    /* A SYN alone is worth no orphan: it gets a cookie. Its answer is. */
    call(1);
    assert_int_equal(PEER_COUNT(&peer, tcp_cookie_taken), 1);
    assert_int_equal(PEER_COUNT(&peer, tcp_orphan_killed), 1);
    assert_int_equal(peer_memory(&peer).conns, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* What begins an empty queue costs as much as any other text. */
static void budget__refuses_the_first_text_too(void **state)
{
    struct caller *greedy = call(0), *late = call(1);
    struct peer_seg seg = {.flags = PEER_ACK, .len = 1100};

    (void)state;
    for (unsigned i = 0; i < 120; i++, greedy->nxt += seg.len) {
        seg.seq = greedy->nxt;
        from(greedy, seg);
    }
    assert_true(PEER_COUNT(&peer, tcp_rcv_memory) > 0);
    seg.seq = late->nxt;
    from(late, seg);
    assert_int_equal(tcp_recv_ready(late->conn), 0);
    peer_take_all(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(budget__refuses_the_first_text_too),
        TEST(first__out_of_order_text_of_others_goes),
        TEST(first__nobody_is_spared_for_ever),
        TEST(own_out_of_order_text__gives_way_to_what_is_in_order),
        TEST(sending__leaves_room_for_what_comes),
        TEST(second__orphans_that_stand_still_go_the_largest_first),
        TEST(never__an_orphan_that_has_just_begun),
        TEST(third__who_stands_still_and_holds_the_most_goes),
        TEST(third__one_byte_at_a_time_stands_still),
        TEST(never__who_makes_progress),
        TEST(never__who_has_just_begun_to_stand_still),
        TEST(never__for_more_than_there_ever_is),
        TEST(never__while_there_is_memory),
        TEST(window__does_not_grow_when_memory_is_short),
        TEST(window__stays_open_a_little_when_memory_is_short),
        TEST(window__is_told_to_who_was_refused_when_some_is_read),
        TEST(conns__an_orphan_gives_way_to_who_is_known_to_be_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
