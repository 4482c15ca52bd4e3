/*
 * Connections in every state while their own address goes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "net/interface.h"
#include "tests/host/states.h"

static enum net_status set_address(struct world *w, uint8_t last)
{
    const struct net_address address = {.addr = IPV4_ADDR(10, 0, 0, last),
                                        .prefix_bits = 24};

    return interface_set_address(w->net, 0, &address, w->now_us);
}

/* Connections that are over, or are about to be, are none of its business. */
static bool is_a_connection(enum state state)
{
    return state > S_LISTEN && state < S_TIME_WAIT;
}

static void change__ends_a_connection_in_any_state(void **cmocka_state)
{
    (void)cmocka_state;
    for (enum state state = S_CLOSED; state < S_COUNT; state++) {
        struct net_memory memory;
        struct world w;

        world_make(&w, states_start_us(state));
        world_go(&w, state);
        assert_int_equal(set_address(&w, 77), NET_OK);
        if (w.conn && is_a_connection(state))
            assert_int_equal(tcp_end_reason(w.conn), TCP_END_ADDRESS);
        net_flush(w.net, w.now_us);
        assert_int_equal(w.out_count, 0); /* not a word to the peer */
        net_memory_get(w.net, &memory);
        assert_int_equal(memory.conns, w.conn ? 1 : 0);
        world_end(&w);
    }
}

/* What nobody has accepted yet goes, and can no longer be accepted. */
static void change__takes_what_was_not_accepted(void **cmocka_state)
{
    struct net_memory memory;
    struct world w;

    (void)cmocka_state;
    world_make(&w, states_start_us(S_SYN_RCVD_PASSIVE));
    world_go(&w, S_SYN_RCVD_PASSIVE);
    world_arrive(
        &w, (struct seg){.seq = PEER_ISS + 1, .ack = w.iss + 1, .flags = ACK});
    assert_int_equal(set_address(&w, 77), NET_OK);
    assert_null(tcp_accept(w.listener));
    net_memory_get(w.net, &memory);
    assert_int_equal(memory.conns, 0);
    world_end(&w);
}

/* The listener is not bound to an address: it hears the new one. */
static void change__leaves_listeners(void **cmocka_state)
{
    struct world w;

    (void)cmocka_state;
    world_make(&w, states_start_us(S_LISTEN));
    world_go(&w, S_LISTEN);
    assert_int_equal(set_address(&w, 77), NET_OK);
    assert_int_equal(set_address(&w, 1), NET_OK);
    world_arrive(&w, (struct seg){.seq = PEER_ISS, .flags = SYN});
    assert_int_equal(w.out_count, 1);
    assert_int_equal(w.out[0].flags, SYN | ACK);
    world_end(&w);
}

static void absence__lets_every_connection_wait(void **cmocka_state)
{
    (void)cmocka_state;
    for (enum state state = S_CLOSED; state < S_COUNT; state++) {
        struct world w;

        world_make(&w, states_start_us(state));
        world_go(&w, state);
        interface_clear_address(w.net, 0, w.now_us);
        for (int second = 0; second < 3; second++) {
            w.now_us += 1000000;
            net_run(w.net, w.now_us);
            net_flush(w.net, w.now_us);
        }
        assert_int_equal(w.out_count, 0);
        assert_int_equal(set_address(&w, 1), NET_OK);
        assert_true(!w.conn || tcp_end_reason(w.conn) != TCP_END_ADDRESS);
        world_end(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(change__ends_a_connection_in_any_state),
        cmocka_unit_test(change__takes_what_was_not_accepted),
        cmocka_unit_test(change__leaves_listeners),
        cmocka_unit_test(absence__lets_every_connection_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
