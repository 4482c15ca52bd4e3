/*
 * net/tcp_state.c - the two tables that are the TCP state machine.
 *
 * Source: RFC 9293 3.3.2 and 3.10.
 */
#include "net/tcp_state.h"

/* clang-format off */
static const struct tcp_traits traits[TCP_STATE_COUNT] = {
    /*                     name            synch- open   can_   can_   closed
                                           ronized       receive send */
    [TCP_CLOSED]       = { "CLOSED",       false, false, false, false, true  },
    [TCP_LISTEN]       = { "LISTEN",       false, false, false, false, false },
    [TCP_SYN_SENT]     = { "SYN-SENT",     false, false, false, true,  false },
    [TCP_SYN_RECEIVED] = { "SYN-RECEIVED", true,  false, false, true,  false },
    [TCP_ESTABLISHED]  = { "ESTABLISHED",  true,  true,  true,  true,  false },
    [TCP_FIN_WAIT_1]   = { "FIN-WAIT-1",   true,  true,  true,  false, false },
    [TCP_FIN_WAIT_2]   = { "FIN-WAIT-2",   true,  true,  true,  false, false },
    [TCP_CLOSE_WAIT]   = { "CLOSE-WAIT",   true,  true,  false, true,  false },
    [TCP_CLOSING]      = { "CLOSING",      true,  true,  false, false, false },
    [TCP_LAST_ACK]     = { "LAST-ACK",     true,  true,  false, false, false },
    [TCP_TIME_WAIT]    = { "TIME-WAIT",    true,  true,  false, false, true  },
};

/* Four letters a state, so that all arrows fit 80 columns. */
enum {
    no   = TCP_NO_STATE,   clsd = TCP_CLOSED,       lstn = TCP_LISTEN,
    sent = TCP_SYN_SENT,   rcvd = TCP_SYN_RECEIVED, estb = TCP_ESTABLISHED,
    fin1 = TCP_FIN_WAIT_1, fin2 = TCP_FIN_WAIT_2,   cwai = TCP_CLOSE_WAIT,
    clsg = TCP_CLOSING,    lack = TCP_LAST_ACK,     twai = TCP_TIME_WAIT
};

static const uint8_t next[TCP_STATE_COUNT][TCP_EVENT_COUNT] = {
/*                    listn conn. SYN   SYN   close FIN   FIN   quiet dead
                                        acked             acked            */
[TCP_CLOSED]       = {lstn, sent, no,   no,   no,   no,   no,   no,   no},
[TCP_LISTEN]       = {no,   no,   rcvd, no,   no,   no,   no,   no,   clsd},
[TCP_SYN_SENT]     = {no,   no,   rcvd, estb, clsd, no,   no,   no,   clsd},
[TCP_SYN_RECEIVED] = {no,   no,   no,   estb, no,   no,   no,   no,   clsd},
[TCP_ESTABLISHED]  = {no,   no,   no,   no,   fin1, cwai, no,   no,   clsd},
[TCP_FIN_WAIT_1]   = {no,   no,   no,   no,   no,   clsg, fin2, no,   clsd},
[TCP_FIN_WAIT_2]   = {no,   no,   no,   no,   no,   twai, no,   no,   clsd},
[TCP_CLOSE_WAIT]   = {no,   no,   no,   no,   lack, no,   no,   no,   clsd},
[TCP_CLOSING]      = {no,   no,   no,   no,   no,   no,   twai, no,   clsd},
[TCP_LAST_ACK]     = {no,   no,   no,   no,   no,   no,   clsd, no,   clsd},
[TCP_TIME_WAIT]    = {no,   no,   no,   no,   no,   no,   no,   clsd, clsd},
};
/* clang-format on */

const struct tcp_traits *tcp_traits(enum tcp_state state)
{
    ASSERT(state > TCP_NO_STATE && state < TCP_STATE_COUNT);
    return &traits[state];
}

enum tcp_state tcp_next_state(enum tcp_state state, enum tcp_event event)
{
    ASSERT(state > TCP_NO_STATE && state < TCP_STATE_COUNT);
    ASSERT(event < TCP_EVENT_COUNT);
    return (enum tcp_state)next[state][event];
}
