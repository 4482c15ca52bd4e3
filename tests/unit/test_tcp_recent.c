/*
 * Connections that were met lately are found before the table is asked: each
 * takes what is its own, however many there are, and none that is gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "net/tcp_conn.h"
#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

#define TEST(name) PEER_TEST(name, peer_started)

enum {
    MANY = 1500, /* more than there are places: some share one */
    FIRST_PORT = 3000
};

/* As tcp_table_recent() knows it: the peer's port in the upper half. */
#define PORTS ((uint32_t)FIRST_PORT << 16 | PEER_OUR_PORT)

static const struct ipv4_addr local = {.byte = {10, 0, 0, 1}};
static const struct ipv4_addr other = {.byte = {10, 0, 0, 2}};

/* Another peer, which has just opened a connection, says one byte. */
static void say(uint16_t port, uint32_t ack, uint32_t at)
{
    peer_send(&peer, (struct peer_seg){.seq = PEER_OTHER_ISS + 1 + at,
                                       .ack = ack,
                                       .flags = PEER_ACK | PEER_PSH,
                                       .src_port = port,
                                       .len = 1});
    (void)peer_take_all(&peer);
}

static void recent__each_of_many_takes_what_is_its_own(void **state)
{
    static struct tcp_conn *conn[MANY];
    static uint32_t ack[MANY];
    uint64_t before;

    (void)state;
    peer_listen(&peer, 8, 8);
    for (unsigned i = 0; i < MANY; i++) {
        peer_open_from(&peer, (uint16_t)(FIRST_PORT + i));
        ack[i] = peer.rcv;
        conn[i] = tcp_accept(peer.listener);
        assert_non_null(conn[i]);
    }
    before = PEER_COUNT(&peer, tcp_predicted); /* the handshakes' ACKs */
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < MANY; i++) {
            say((uint16_t)(FIRST_PORT + i), ack[i], round);
            assert_int_equal(tcp_recv_ready(conn[i]), round + 1);
        }
    assert_int_equal(PEER_COUNT(&peer, tcp_predicted), before + 2 * MANY);
    for (unsigned i = 0; i < MANY; i++) {
        tcp_release(conn[i], host_now_us);
        (void)peer_take_all(&peer);
    }
}

/* The old one is gone with a RST; what its ends say next is of another. */
static void recent__one_that_is_gone_is_not_found(void **state)
{
    struct tcp_conn *conn;

    (void)state;
    peer_listen(&peer, 8, 8);
    for (unsigned i = 0; i < 3; i++) {
        peer_open_from(&peer, FIRST_PORT);
        conn = tcp_accept(peer.listener);
        assert_non_null(conn);
        say(FIRST_PORT, peer.rcv, 0);
        assert_int_equal(tcp_recv_ready(conn), 1);
        tcp_abort(conn, host_now_us);
        tcp_release(conn, host_now_us);
        (void)peer_take_all(&peer);
        assert_null(tcp_table_recent(peer.net, local, other, PORTS));
        peer_send(&peer, (struct peer_seg){.seq = PEER_OTHER_ISS + 2,
                                           .flags = PEER_ACK,
                                           .src_port = FIRST_PORT});
        assert_true(peer_take(&peer));
        assert_int_equal(peer.got.flags, PEER_RST);
    }
}

/* Every bit of the four counts. */
static void recent__a_tuple_that_differs_is_another(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    peer_open_from(&peer, FIRST_PORT);
    peer.conn = tcp_accept(peer.listener);
    assert_ptr_equal(tcp_table_recent(peer.net, local, other, PORTS),
                     peer.conn);
    for (unsigned bit = 0; bit < 32; bit++) {
        struct ipv4_addr local_odd = {.word = local.word ^ 1u << bit};
        struct ipv4_addr other_odd = {.word = other.word ^ 1u << bit};

        assert_null(tcp_table_recent(peer.net, local_odd, other, PORTS));
        assert_null(tcp_table_recent(peer.net, local, other_odd, PORTS));
        assert_null(
            tcp_table_recent(peer.net, local, other, PORTS ^ 1u << bit));
    }
}

/* Two whose values meet in one place, found in turn. */
static void recent__two_that_meet_give_way_to_each_other(void **state)
{
    struct tcp_conn *first, *second = NULL;
    uint32_t acks[2] = {0};
    uint16_t port = FIRST_PORT;

    (void)state;
    peer_listen(&peer, 8, 8);
    peer_open_from(&peer, FIRST_PORT);
    acks[0] = peer.rcv;
    first = tcp_accept(peer.listener);
    while (tcp_table_recent(peer.net, local, other, PORTS)) {
        if (second)
            tcp_release(second, host_now_us);
        (void)peer_take_all(&peer);
        peer_open_from(&peer, ++port);
        acks[1] = peer.rcv;
        second = tcp_accept(peer.listener);
    }
    for (unsigned i = 0; i < 3; i++) {
        say(FIRST_PORT, acks[0], i);
        assert_int_equal(tcp_recv_ready(first), i + 1);
        say(port, acks[1], i);
        assert_int_equal(tcp_recv_ready(second), i + 1);
    }
    tcp_release(first, host_now_us);
    tcp_release(second, host_now_us);
    (void)peer_take_all(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(recent__each_of_many_takes_what_is_its_own),
        TEST(recent__one_that_is_gone_is_not_found),
        TEST(recent__two_that_meet_give_way_to_each_other),
        TEST(recent__a_tuple_that_differs_is_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
