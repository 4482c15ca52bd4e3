/*
 * net/flow_error.c - why a flow is over, and how to say it to a person.
 */
#include "net/flow_priv.h"

/* clang-format off */
static const char *const reason_text[FLOW_REASON_COUNT] = {
    [FLOW_REASON_NONE]        = "unknown error",
    [FLOW_REASON_RESET]       = "connection reset by peer",
    [FLOW_REASON_ABORTED]     = "connection aborted",
    [FLOW_REASON_UNREACHABLE] = "host unreachable",
    [FLOW_REASON_NO_ROUTE]    = "no route to host",
    [FLOW_REASON_BAD_ADDRESS] = "not an address to connect to",
    [FLOW_REASON_NO_PORT]     = "no free local port",
    [FLOW_REASON_NO_MEMORY]   = "out of memory",
    [FLOW_REASON_RELEASED]    = "released",
    [FLOW_REASON_CANCELLED]   = "cancelled",
    [FLOW_REASON_ADDRESS]     = "our address has changed",
};

static const struct flow_error end_error[TCP_END_REASON_COUNT] = {
    [TCP_END_NONE]         = {FLOW_ERROR_NONE, FLOW_REASON_NONE},
    [TCP_END_CLOSED]       = {FLOW_ERROR_NONE, FLOW_REASON_NONE},
    [TCP_END_RESET]        = {FLOW_ERROR_UNKNOWN, FLOW_REASON_RESET},
    [TCP_END_REFUSED]      = {FLOW_ERROR_REFUSED, FLOW_REASON_NONE},
    [TCP_END_SYN_TIMEOUT]  = {FLOW_ERROR_TIMEOUT, FLOW_REASON_NONE},
    [TCP_END_TIMEOUT]      = {FLOW_ERROR_TIMEOUT, FLOW_REASON_NONE},
    [TCP_END_KEEPALIVE]    = {FLOW_ERROR_TIMEOUT, FLOW_REASON_NONE},
    [TCP_END_USER_TIMEOUT] = {FLOW_ERROR_TIMEOUT, FLOW_REASON_NONE},
    [TCP_END_ABORTED]      = {FLOW_ERROR_UNKNOWN, FLOW_REASON_ABORTED},
    [TCP_END_UNREACHABLE]  = {FLOW_ERROR_UNKNOWN, FLOW_REASON_UNREACHABLE},
    [TCP_END_NO_ROUTE]     = {FLOW_ERROR_UNKNOWN, FLOW_REASON_NO_ROUTE},
    [TCP_END_BAD_ADDRESS]  = {FLOW_ERROR_UNKNOWN, FLOW_REASON_BAD_ADDRESS},
    [TCP_END_NO_PORT]      = {FLOW_ERROR_UNKNOWN, FLOW_REASON_NO_PORT},
    [TCP_END_NO_MEMORY]    = {FLOW_ERROR_UNKNOWN, FLOW_REASON_NO_MEMORY},
    [TCP_END_ADDRESS]      = {FLOW_ERROR_UNKNOWN, FLOW_REASON_ADDRESS},
};
/* clang-format on */

struct flow_error flow_error_of(enum tcp_end end)
{
    ASSERT((unsigned)end < TCP_END_REASON_COUNT);
    return end_error[end];
}

struct flow_error flow_error(const struct flow *flow)
{
    if (flow->flags & FLOW_RELEASED)
        return (struct flow_error){FLOW_ERROR_UNKNOWN, FLOW_REASON_RELEASED};
    return flow_error_of(tcp_end_reason(flow->conn));
}

const char *flow_error_message(struct flow_error error)
{
    switch (error.kind) {
    case FLOW_ERROR_NONE:
        return "no error";
    case FLOW_ERROR_TIMEOUT:
        return "connection timed out";
    case FLOW_ERROR_REFUSED:
        return "connection refused";
    case FLOW_ERROR_UNKNOWN:
        break;
    }
    if ((unsigned)error.reason < FLOW_REASON_COUNT)
        return reason_text[error.reason];
    return reason_text[FLOW_REASON_NONE];
}
