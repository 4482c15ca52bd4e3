/*
 * net/tcp_option.c - options: their ranges, where they stand, what follows.
 *
 * An option is a member of struct tcp_config. A connection reads the stack's
 * own, at no cost, until something is set for it; then it gets a copy, which
 * the connections of one listener share.
 */
#include "net/tcp_conn.h"
#include "net/tcp_rtt.h"

#define MS     1000ull
#define SECOND 1000000ull
#define WEEK   (7 * 24 * 3600 * SECOND)

/* What has to be done when a connection's value changes. */
enum effect {
    EFFECT_NONE,       /* it is read when it is needed */
    EFFECT_SYN,        /* our SYN says it: only before that */
    EFFECT_SHIFT,      /* likewise in part: the window's scale */
    EFFECT_RTO,        /* the present time-out is to be clamped */
    EFFECT_CONGESTION, /* another one begins where the window stands */
    EFFECT_TIMERS,     /* a deadline may be another */
};

struct option {
    uint64_t least, most;
    uint16_t offset; /* in struct tcp_config */
    uint8_t bytes;
    uint8_t effect;
};

#define OPTION(member, least, most, effect)                                    \
    {                                                                          \
        least, most, offsetof(struct tcp_config, member),                      \
            sizeof(((struct tcp_config *)0)->member), effect                   \
    }

/* clang-format off */
static const struct option options[TCP_OPTION_COUNT] = {
    [TCP_OPTION_TTL] = OPTION(ttl, 1, 255, EFFECT_NONE),
    [TCP_OPTION_DSCP] = OPTION(dscp, 0, 63, EFFECT_NONE),
    [TCP_OPTION_MSS] = OPTION(mss_bytes, 0, 65495, EFFECT_SYN),
    [TCP_OPTION_RCV_BUF] = OPTION(rcv_buf_bytes, 1, 1u << 30, EFFECT_SHIFT),
    [TCP_OPTION_SND_BUF] = OPTION(snd_buf_bytes, 1, 1u << 30, EFFECT_NONE),
    [TCP_OPTION_INITIAL_WINDOW] =
        OPTION(initial_cwnd_segments, 1, 100, EFFECT_NONE),
    [TCP_OPTION_CONGESTION] =
        OPTION(congestion, 0, TCP_CONGESTION_COUNT - 1, EFFECT_CONGESTION),
    [TCP_OPTION_ECN] = OPTION(ecn, TCP_ECN_OFF, TCP_ECN_ON, EFFECT_SYN),
    [TCP_OPTION_RTO_INITIAL] =
        OPTION(rto_initial_us, MS, 60 * SECOND, EFFECT_RTO),
    [TCP_OPTION_RTO_MIN] = OPTION(rto_min_us, MS, 60 * SECOND, EFFECT_RTO),
    [TCP_OPTION_RTO_MAX] = OPTION(rto_max_us, SECOND, 600 * SECOND, EFFECT_RTO),
    [TCP_OPTION_R1] = OPTION(r1_retransmissions, 1, 16, EFFECT_NONE),
    [TCP_OPTION_R2] = OPTION(r2_us, SECOND, WEEK, EFFECT_NONE),
    [TCP_OPTION_SYN_R2] = OPTION(syn_timeout_us, SECOND, WEEK, EFFECT_TIMERS),
    [TCP_OPTION_SYN_ACK_R2] =
        OPTION(synack_timeout_us, SECOND, WEEK, EFFECT_NONE),
    [TCP_OPTION_DELAYED_ACK] =
        OPTION(delayed_ack_us, 0, 499 * MS, EFFECT_NONE),
    [TCP_OPTION_KEEPALIVE_IDLE] =
        OPTION(keepalive_idle_us, MS, WEEK, EFFECT_TIMERS),
    [TCP_OPTION_KEEPALIVE_INTERVAL] =
        OPTION(keepalive_interval_us, MS, WEEK, EFFECT_TIMERS),
    [TCP_OPTION_KEEPALIVE_PROBES] =
        OPTION(keepalive_probes, 2, 255, EFFECT_NONE),
    [TCP_OPTION_FIN_WAIT_2] = OPTION(fin_wait_2_us, MS, WEEK, EFFECT_NONE),
    [TCP_OPTION_WINDOW_SCALING] = OPTION(window_scaling, 0, 1, EFFECT_SYN),
    [TCP_OPTION_TIMESTAMPS] = OPTION(timestamps, 0, 1, EFFECT_SYN),
    [TCP_OPTION_SACK] = OPTION(sack, 0, 1, EFFECT_SYN),
    [TCP_OPTION_SYN_COOKIES] =
        OPTION(syn_cookies, 0, TCP_COOKIES_WHEN_COUNT - 1, EFFECT_NONE),
    [TCP_OPTION_CHALLENGE_ACKS] =
        OPTION(challenge_acks_per_second, 1, 120, EFFECT_NONE),
    [TCP_OPTION_OOO_PIECES] = OPTION(ooo_pieces_max, 1, 65535, EFFECT_NONE),
    [TCP_OPTION_SOFT_ERRORS] = OPTION(soft_errors, 0, 1, EFFECT_NONE),
};
/* clang-format on */

static bool in_range(enum tcp_option which, uint64_t value)
{
    ASSERT((unsigned)which < TCP_OPTION_COUNT);
    return options[which].least <= value && value <= options[which].most;
}

static void put(struct tcp_config *config, enum tcp_option which,
                uint64_t value)
{
    void *at = (char *)config + options[which].offset;

    switch (options[which].bytes) {
    case sizeof(uint64_t):
        *(uint64_t *)at = value;
        break;
    case sizeof(uint32_t):
        *(uint32_t *)at = (uint32_t)value;
        break;
    default:
        *(bool *)at = value != 0;
        break;
    }
}

static uint64_t get(const struct tcp_config *config, enum tcp_option which)
{
    const void *at = (const char *)config + options[which].offset;

    switch (options[which].bytes) {
    case sizeof(uint64_t):
        return *(const uint64_t *)at;
    case sizeof(uint32_t):
        return *(const uint32_t *)at;
    default:
        return *(const bool *)at;
    }
}

/* ---- copies ---- */

/* A copy of the stack's options, and how many read it. */
struct tcp_own_config {
    struct tcp_config config;
    uint32_t refs;
};

void tcp_options_init(struct net *net)
{
    pool_init(&net->tcp.own_configs, &net->pages, sizeof(struct tcp_own_config),
              SIZE_MAX);
}

static struct tcp_own_config *own_of(const struct net *net,
                                     const struct tcp_config *config)
{
    return config == &net->config.tcp
               ? NULL
               : CONTAINER_OF(config, struct tcp_own_config, config);
}

const struct tcp_config *tcp_options_share(const struct net *net,
                                           const struct tcp_config *config)
{
    struct tcp_own_config *own = own_of(net, config);

    if (own)
        own->refs++;
    return config;
}

void tcp_options_drop(const struct net *net, const struct tcp_config *config)
{
    struct tcp_own_config *own = own_of(net, config);

    if (own && --own->refs == 0)
        pool_free(own);
}

/* Make *config a copy that nobody else reads. */
static struct tcp_config *make_own(struct net *net,
                                   const struct tcp_config **config)
{
    struct tcp_own_config *own = own_of(net, *config), *made;

    if (own && own->refs == 1)
        return &own->config;
    made = pool_alloc(&net->tcp.own_configs);
    if (!made)
        return NULL;
    *made = (struct tcp_own_config){.config = **config, .refs = 1};
    tcp_options_drop(net, *config);
    *config = &made->config;
    return &made->config;
}

static enum tcp_set_status set_own(struct net *net,
                                   const struct tcp_config **config,
                                   enum tcp_option which, uint64_t value)
{
    struct tcp_config *own;

    if (!in_range(which, value))
        return TCP_SET_RANGE;
    own = make_own(net, config);
    if (!own)
        return TCP_SET_NO_MEMORY;
    put(own, which, value);
    return TCP_SET_OK;
}

/* ---- for the stack, a listener, a connection ---- */

enum tcp_set_status tcp_default_set(struct net *net, enum tcp_option which,
                                    uint64_t value)
{
    if (!in_range(which, value))
        return TCP_SET_RANGE;
    put(&net->config.tcp, which, value);
    return TCP_SET_OK;
}

enum tcp_set_status tcp_listener_set(struct tcp_listener *listener,
                                     enum tcp_option which, uint64_t value)
{
    return set_own(listener->net, &listener->config, which, value);
}

/* Our SYN has not left yet. */
static bool before_syn(const struct tcp_conn *conn)
{
    return conn->state == TCP_SYN_SENT && conn->segments_sent == 0;
}

static void apply(struct tcp_conn *conn, enum effect effect)
{
    const struct tcp_config *config = tcp_config_of(conn);

    switch (effect) {
    case EFFECT_NONE:
        break;
    case EFFECT_SYN:
    case EFFECT_SHIFT:
        if (before_syn(conn))
            tcp_open_prepare(conn,
                             (struct tcp_numbers){conn->iss, conn->ts.offset});
        break;
    case EFFECT_RTO:
        if (before_syn(conn))
            conn->rto_us = (uint32_t)config->rto_initial_us;
        tcp_rto_update(conn);
        if (before_syn(conn))
            tcp_timer_rtx(conn);
        break;
    case EFFECT_CONGESTION:
        if (conn->active)
            conn->active->cubic.growing = false;
        break;
    case EFFECT_TIMERS:
        if (conn->state == TCP_SYN_SENT)
            tcp_deadline_set(conn, TCP_DEADLINE_USER,
                             conn->heard_us + config->syn_timeout_us);
        tcp_timer_keep(conn);
        break;
    }
}

enum tcp_set_status tcp_set(struct tcp_conn *conn, enum tcp_option which,
                            uint64_t value, uint64_t now_us)
{
    struct net *net = conn->net;
    enum tcp_set_status status;

    if (now_us > net->now_us)
        net->now_us = now_us;
    ASSERT((unsigned)which < TCP_OPTION_COUNT);
    if (conn->end != TCP_END_NONE ||
        (options[which].effect == EFFECT_SYN && !before_syn(conn)))
        return TCP_SET_LATE;
    status = set_own(net, &conn->config, which, value);
    if (status == TCP_SET_OK)
        apply(conn, (enum effect)options[which].effect);
    return status;
}

uint64_t tcp_get(const struct tcp_conn *conn, enum tcp_option which)
{
    ASSERT((unsigned)which < TCP_OPTION_COUNT);
    return get(conn->config, which);
}

/* ---- in words ---- */

const char *tcp_soft_error_message(enum tcp_soft_error error)
{
    static const char *const text[TCP_SOFT_COUNT] = {
        [TCP_SOFT_NONE] = "no error",
        [TCP_SOFT_NO_ANSWER] = "no answer",
        [TCP_SOFT_NET] = "network unreachable",
        [TCP_SOFT_HOST] = "host unreachable",
        [TCP_SOFT_ROUTE] = "source route failed",
        [TCP_SOFT_PROTOCOL] = "protocol unreachable",
        [TCP_SOFT_PORT] = "port unreachable",
        [TCP_SOFT_PROHIBITED] = "prohibited",
        [TCP_SOFT_TIME_EXCEEDED] = "time exceeded on the way",
        [TCP_SOFT_PARAMETER] = "parameter problem",
    };

    return (unsigned)error < TCP_SOFT_COUNT ? text[error] : text[TCP_SOFT_NONE];
}
