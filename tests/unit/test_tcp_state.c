/*
 * The two tables of the state machine, against the arrows of RFC 9293 3.3.2
 * Figure 5 written down once more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "kernel/base.h"
#include "net/tcp_state.h"

/* One row is one arrow; what is not here must not exist. */
static const struct {
    enum tcp_state from;
    enum tcp_event event;
    enum tcp_state to;
} arrows[] = {
    {TCP_CLOSED, TCP_EV_LISTEN, TCP_LISTEN},
    {TCP_CLOSED, TCP_EV_CONNECT, TCP_SYN_SENT},
    {TCP_LISTEN, TCP_EV_SYN, TCP_SYN_RECEIVED},
    {TCP_SYN_SENT, TCP_EV_SYN, TCP_SYN_RECEIVED},
    {TCP_SYN_SENT, TCP_EV_SYN_ACKED, TCP_ESTABLISHED},
    {TCP_SYN_SENT, TCP_EV_CLOSE, TCP_CLOSED},
    {TCP_SYN_RECEIVED, TCP_EV_SYN_ACKED, TCP_ESTABLISHED},
    {TCP_ESTABLISHED, TCP_EV_CLOSE, TCP_FIN_WAIT_1},
    {TCP_ESTABLISHED, TCP_EV_FIN, TCP_CLOSE_WAIT},
    {TCP_FIN_WAIT_1, TCP_EV_FIN_ACKED, TCP_FIN_WAIT_2},
    {TCP_FIN_WAIT_1, TCP_EV_FIN, TCP_CLOSING},
    {TCP_FIN_WAIT_2, TCP_EV_FIN, TCP_TIME_WAIT},
    {TCP_CLOSE_WAIT, TCP_EV_CLOSE, TCP_LAST_ACK},
    {TCP_CLOSING, TCP_EV_FIN_ACKED, TCP_TIME_WAIT},
    {TCP_LAST_ACK, TCP_EV_FIN_ACKED, TCP_CLOSED},
    {TCP_TIME_WAIT, TCP_EV_QUIET, TCP_CLOSED},
};

static enum tcp_state arrow(enum tcp_state from, enum tcp_event event)
{
    for (size_t i = 0; i < ARRAY_LEN(arrows); i++) {
        if (arrows[i].from == from && arrows[i].event == event)
            return arrows[i].to;
    }
    if (event == TCP_EV_DEAD && from != TCP_CLOSED)
        return TCP_CLOSED;
    return TCP_NO_STATE;
}

static void next_state__has_the_arrows_of_figure_5_and_no_other(void **state)
{
    (void)state;
    for (unsigned from = TCP_CLOSED; from < TCP_STATE_COUNT; from++)
        for (unsigned event = 0; event < TCP_EVENT_COUNT; event++)
            assert_int_equal(
                tcp_next_state((enum tcp_state)from, (enum tcp_event)event),
                arrow((enum tcp_state)from, (enum tcp_event)event));
}

static void traits__follow_from_the_arrows(void **state)
{
    (void)state;
    for (unsigned i = TCP_CLOSED; i < TCP_STATE_COUNT; i++) {
        enum tcp_state at = (enum tcp_state)i;
        const struct tcp_traits *traits = tcp_traits(at);

        assert_non_null(traits->name);
        assert_int_equal(traits->can_receive,
                         tcp_next_state(at, TCP_EV_FIN) != TCP_NO_STATE);
        assert_int_equal(traits->can_send,
                         tcp_next_state(at, TCP_EV_CLOSE) != TCP_NO_STATE ||
                             at == TCP_SYN_RECEIVED);
        assert_true(!traits->open || traits->synchronized);
        assert_int_equal(traits->closed,
                         at == TCP_CLOSED || at == TCP_TIME_WAIT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_state__has_the_arrows_of_figure_5_and_no_other),
        cmocka_unit_test(traits__follow_from_the_arrows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
