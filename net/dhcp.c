/*
 * net/dhcp.c - the DHCP client's state machine.
 *
 * What each state does with each event is one table; what a message says is
 * read in dhcp_wire.c, what a lease means is done in dhcp_lease.c.
 */
#include "net/dhcp.h"

#include <string.h>

#include "net/dhcp_priv.h"
#include "net/net_priv.h"

#define SECOND_US UINT64_C(1000000)

enum {
    BACKOFF_FIRST_S = 4, /* RFC 2131 4.1: 4, 8, 16, 32, 64, and 64 for ever */
    BACKOFF_LAST_S = 64,
    REQUEST_S = 30,         /* then another server is looked for */
    RENEW_RETRY_MIN_S = 60, /* RFC 2131 4.4.5 */
    DECLINED_S = 10         /* RFC 2131 3.1 5 */
};

enum event {
    EV_RETRY,
    EV_PHASE, /* the state's time is over */
    EV_OFFER,
    EV_ACK,
    EV_NAK,
    EV_CONFLICT,
    EV_LINK_UP,
    EVENT_COUNT
};

typedef void action_fn(struct dhcp *dhcp);

struct rule {
    enum dhcp_state next;
    action_fn *action; /* null: the event means nothing here */
};

/* --- time ----------------------------------------------------------------- */

static void arm(struct dhcp *dhcp)
{
    uint64_t when_us =
        dhcp->retry_us < dhcp->phase_us ? dhcp->retry_us : dhcp->phase_us;

    if (when_us == FOREVER)
        timer_cancel(&dhcp->net->timers, &dhcp->timer);
    else
        timer_arm(&dhcp->net->timers, &dhcp->timer, when_us);
}

/* `us` with up to a second less or more: clients that were switched on
 * together do not stay together. */
static uint64_t jittered(struct dhcp *dhcp, uint64_t us)
{
    return us - SECOND_US + net_random64(dhcp->net) % (2 * SECOND_US);
}

/* What is sent now is sent again after 4, 8, ... seconds. */
static void retry_by_backoff(struct dhcp *dhcp)
{
    uint64_t wait_s = BACKOFF_LAST_S;

    if (dhcp->attempt < 4)
        wait_s = (uint64_t)BACKOFF_FIRST_S << dhcp->attempt;
    dhcp->attempt++;
    dhcp->retry_us = dhcp->net->now_us + jittered(dhcp, wait_s * SECOND_US);
    arm(dhcp);
}

/* Half of what is left of the phase, a minute at least: RFC 2131 4.4.5. */
static void retry_by_phase(struct dhcp *dhcp)
{
    uint64_t now_us = dhcp->net->now_us;
    uint64_t half_us =
        dhcp->phase_us > now_us ? (dhcp->phase_us - now_us) / 2 : 0;

    if (half_us < RENEW_RETRY_MIN_S * SECOND_US)
        half_us = RENEW_RETRY_MIN_S * SECOND_US;
    dhcp->attempt++;
    dhcp->retry_us = now_us + half_us;
    arm(dhcp);
}

/* A new transaction: answers to older ones are not for us any more. */
static void begin(struct dhcp *dhcp, uint64_t phase_us)
{
    dhcp->xid = (uint32_t)net_random64(dhcp->net) | 1; /* never 0 */
    dhcp->asked_us = dhcp->net->now_us;
    dhcp->attempt = 0;
    dhcp->phase_us = phase_us;
}

/* Look for servers anew after a pause. */
static void pause_for(struct dhcp *dhcp, uint64_t us)
{
    dhcp->phase_us = FOREVER;
    dhcp->retry_us = dhcp->net->now_us + us;
    arm(dhcp);
}

/* --- actions, after the state was changed --------------------------------- */

static void discover_again(struct dhcp *dhcp)
{
    retry_by_backoff(dhcp);
    dhcp_send(dhcp, DHCP_DISCOVER);
}

static void discover(struct dhcp *dhcp)
{
    dhcp->started_us = dhcp->net->now_us;
    begin(dhcp, FOREVER);
    discover_again(dhcp);
}

static void request_again(struct dhcp *dhcp)
{
    retry_by_backoff(dhcp);
    dhcp_send(dhcp, DHCP_REQUEST);
}

/* The offer's transaction goes on: RFC 2131 4.4.1. */
static void request(struct dhcp *dhcp)
{
    dhcp->asked_us = dhcp->net->now_us;
    dhcp->attempt = 0;
    dhcp->phase_us = dhcp->net->now_us + REQUEST_S * SECOND_US;
    request_again(dhcp);
}

static void reboot(struct dhcp *dhcp)
{
    dhcp->started_us = dhcp->net->now_us;
    begin(dhcp, dhcp->net->now_us + REQUEST_S * SECOND_US);
    request_again(dhcp);
}

/* The lease holds until its T1. */
static void rest(struct dhcp *dhcp)
{
    dhcp->refusals = 0;
    dhcp->retry_us = FOREVER;
    dhcp->phase_us = dhcp->lease.renew_us;
    arm(dhcp);
}

static void extend_again(struct dhcp *dhcp)
{
    retry_by_phase(dhcp);
    dhcp_send(dhcp, DHCP_REQUEST);
}

static void renew(struct dhcp *dhcp)
{
    dhcp->started_us = dhcp->net->now_us;
    begin(dhcp, dhcp->lease.rebind_us);
    extend_again(dhcp);
}

static void rebind(struct dhcp *dhcp)
{
    begin(dhcp, dhcp->lease.expires_us);
    extend_again(dhcp);
}

/* No server has extended it: RFC 2131 4.4.5, the network halts. */
static void expire(struct dhcp *dhcp)
{
    dhcp_lease_drop(dhcp);
    discover(dhcp);
}

/* A server has said no. The first time we ask anew at once; a server, or
 * somebody in its name, that says no for ever is asked ever less. */
static void refused(struct dhcp *dhcp)
{
    uint64_t pause_s = 0;

    if (dhcp->refusals > 0)
        pause_s = dhcp->refusals < 6 ? UINT64_C(1) << dhcp->refusals
                                     : (uint64_t)BACKOFF_LAST_S;
    dhcp->refusals++;
    dhcp->wanted = IPV4_ADDR(0, 0, 0, 0);
    dhcp_lease_drop(dhcp);
    pause_for(dhcp, pause_s ? jittered(dhcp, pause_s * SECOND_US) : 0);
}

/* Somebody else has the address: RFC 2131 3.1 5. */
static void decline(struct dhcp *dhcp)
{
    dhcp_send(dhcp, DHCP_DECLINE);
    dhcp->wanted = IPV4_ADDR(0, 0, 0, 0);
    dhcp_lease_drop(dhcp);
    pause_for(dhcp, jittered(dhcp, (DECLINED_S + 1) * SECOND_US));
}

/* --- the table ------------------------------------------------------------ */

/* RFC 2131 figure 5. */
static const struct rule rules[DHCP_STATE_COUNT][EVENT_COUNT] = {
    [DHCP_INIT] = {[EV_RETRY] = {DHCP_SELECTING, discover}},
    [DHCP_SELECTING] = {[EV_RETRY] = {DHCP_SELECTING, discover_again},
                        [EV_OFFER] = {DHCP_REQUESTING, request},
                        [EV_LINK_UP] = {DHCP_SELECTING, discover}},
    [DHCP_REQUESTING] = {[EV_RETRY] = {DHCP_REQUESTING, request_again},
                         [EV_PHASE] = {DHCP_SELECTING, discover},
                         [EV_ACK] = {DHCP_BOUND, rest},
                         [EV_NAK] = {DHCP_INIT, refused},
                         [EV_CONFLICT] = {DHCP_INIT, decline},
                         [EV_LINK_UP] = {DHCP_SELECTING, discover}},
    [DHCP_REBOOTING] = {[EV_RETRY] = {DHCP_REBOOTING, request_again},
                        [EV_PHASE] = {DHCP_SELECTING, discover},
                        [EV_ACK] = {DHCP_BOUND, rest},
                        [EV_NAK] = {DHCP_INIT, refused},
                        [EV_CONFLICT] = {DHCP_INIT, decline},
                        [EV_LINK_UP] = {DHCP_REBOOTING, reboot}},
    [DHCP_VERIFYING] = {[EV_RETRY] = {DHCP_VERIFYING, request_again},
                        [EV_PHASE] = {DHCP_BOUND, rest},
                        [EV_ACK] = {DHCP_BOUND, rest},
                        [EV_NAK] = {DHCP_INIT, refused},
                        [EV_CONFLICT] = {DHCP_INIT, decline},
                        [EV_LINK_UP] = {DHCP_VERIFYING, reboot}},
    [DHCP_BOUND] = {[EV_PHASE] = {DHCP_RENEWING, renew},
                    [EV_CONFLICT] = {DHCP_INIT, decline},
                    [EV_LINK_UP] = {DHCP_VERIFYING, reboot}},
    [DHCP_RENEWING] = {[EV_RETRY] = {DHCP_RENEWING, extend_again},
                       [EV_PHASE] = {DHCP_REBINDING, rebind},
                       [EV_ACK] = {DHCP_BOUND, rest},
                       [EV_NAK] = {DHCP_INIT, refused},
                       [EV_CONFLICT] = {DHCP_INIT, decline},
                       [EV_LINK_UP] = {DHCP_VERIFYING, reboot}},
    [DHCP_REBINDING] = {[EV_RETRY] = {DHCP_REBINDING, extend_again},
                        [EV_PHASE] = {DHCP_SELECTING, expire},
                        [EV_ACK] = {DHCP_BOUND, rest},
                        [EV_NAK] = {DHCP_INIT, refused},
                        [EV_CONFLICT] = {DHCP_INIT, decline},
                        [EV_LINK_UP] = {DHCP_VERIFYING, reboot}},
};

/* The only writer of the state. Returns: whether the event meant something. */
static bool handle(struct dhcp *dhcp, enum event event)
{
    const struct rule *rule = &rules[dhcp->state][event];

    if (!rule->action)
        return false;
    dhcp->state = rule->next;
    rule->action(dhcp);
    return true;
}

/* --- what happens --------------------------------------------------------- */

static void fire(struct timer *timer, void *context)
{
    struct dhcp *dhcp = CONTAINER_OF(timer, struct dhcp, timer);

    (void)context;
    /* A phase that is over has no more to repeat. */
    handle(dhcp, dhcp->phase_us <= dhcp->net->now_us ? EV_PHASE : EV_RETRY);
}

/* Which server may speak in this state: RFC 2131 4.4.1, 4.4.5. */
static bool from_our_server(const struct dhcp *dhcp,
                            const struct dhcp_reply *reply)
{
    switch (dhcp->state) {
    case DHCP_REQUESTING:
        return ipv4_addr_equal(reply->server, dhcp->server) &&
               (reply->type == DHCP_NAK ||
                ipv4_addr_equal(reply->yiaddr, dhcp->wanted));
    case DHCP_RENEWING:
        return ipv4_addr_equal(reply->server, dhcp->server);
    default:
        return true;
    }
}

static void take_reply(struct dhcp *dhcp, const struct dhcp_reply *reply)
{
    enum event event = reply->type == DHCP_OFFER ? EV_OFFER
                       : reply->type == DHCP_ACK ? EV_ACK
                                                 : EV_NAK;

    if (!rules[dhcp->state][event].action || !from_our_server(dhcp, reply)) {
        net_count(&dhcp->net->counters, dhcp_ignored);
        return;
    }
    if (event == EV_OFFER) {
        dhcp->server = reply->server;
        dhcp->wanted = reply->yiaddr;
    }
    if (event == EV_ACK) {
        dhcp->server = reply->server;
        dhcp->wanted = reply->yiaddr;
        if (!dhcp_lease_take(dhcp, reply))
            event = EV_CONFLICT;
    }
    handle(dhcp, event);
}

/* Whose message it is; null: nobody's who waits for one. */
static struct dhcp *client_of(struct net *net, uint32_t xid)
{
    for (unsigned i = 0; i < net->if_count; i++) {
        struct dhcp *dhcp = net->ifs[i].dhcp;

        if (dhcp && dhcp->state != DHCP_INIT && dhcp->state != DHCP_BOUND &&
            dhcp->xid == xid)
            return dhcp;
    }
    return NULL;
}

/* A datagram for port 68. What answers no question of ours is gone after a
 * look at its first eight bytes: D26. */
static void receive(void *context, struct net *net,
                    const struct udp_datagram *from, struct buffer *data)
{
    uint8_t bytes[DHCP_RECEIVE_BYTES];
    uint32_t len = buffer_copy_out(data, 0, bytes, 8);
    struct dhcp *dhcp = client_of(net, dhcp_peek_xid(bytes, len));
    struct dhcp_reply reply;

    (void)context;
    (void)from;
    if (!dhcp) {
        net_count(&net->counters, dhcp_ignored);
        buffer_release(data);
        return;
    }
    len = buffer_copy_out(data, 0, bytes, sizeof(bytes));
    buffer_release(data);
    if (!dhcp_parse(bytes, len, &reply) ||
        memcmp(reply.client.byte, net->ifs[dhcp->index].dev->mac.byte,
               sizeof(reply.client.byte)) != 0) {
        net_count(&net->counters, dhcp_malformed);
        return;
    }
    take_reply(dhcp, &reply);
}

void dhcp_conflict(struct net *net, unsigned index)
{
    if (net->ifs[index].dhcp)
        handle(net->ifs[index].dhcp, EV_CONFLICT);
}

void dhcp_link_up(struct net *net, unsigned index)
{
    if (net->ifs[index].dhcp)
        handle(net->ifs[index].dhcp, EV_LINK_UP);
}

/* --- begin and end -------------------------------------------------------- */

enum net_status dhcp_start(struct net *net, unsigned index,
                           const struct dhcp_config *config, uint64_t now_us)
{
    struct dhcp *dhcp;

    ASSERT(index < net->if_count && net->ifs[index].dev &&
           !net->ifs[index].dhcp);
    net_set_now(net, now_us);
    if (!net->dhcp_hears) {
        if (udp_bind(net, DHCP_CLIENT_PORT, receive, NULL) != UDP_OK)
            return NET_FULL;
        net->dhcp_hears = true;
    }
    dhcp = pages_take(&net->pages);
    if (!dhcp)
        return NET_NO_MEMORY;
    *dhcp = (struct dhcp){
        .net = net,
        .index = index,
        .config = *config,
        .timer = {.fire = fire},
        .wanted = config->previous,
    };
    net->ifs[index].dhcp = dhcp;
    interface_hear_all(net, index, DHCP_CLIENT_PORT);
    if (ipv4_addr_is_zero(config->previous)) {
        pause_for(dhcp, 0);
        return NET_OK;
    }
    dhcp->state = DHCP_REBOOTING;
    reboot(dhcp);
    return NET_OK;
}

void dhcp_destroy(struct net *net)
{
    for (unsigned i = 0; i < INTERFACES_MAX; i++) {
        if (!net->ifs[i].dhcp)
            continue;
        timer_cancel(&net->timers, &net->ifs[i].dhcp->timer);
        pages_give(&net->pages, net->ifs[i].dhcp);
        net->ifs[i].dhcp = NULL;
    }
}

/* --- asking --------------------------------------------------------------- */

bool dhcp_lease_get(const struct net *net, unsigned index,
                    struct dhcp_lease *lease)
{
    const struct dhcp *dhcp =
        index < net->if_count ? net->ifs[index].dhcp : NULL;

    if (!dhcp || !dhcp->has_lease)
        return false;
    *lease = dhcp->lease;
    return true;
}

const char *dhcp_state(const struct net *net, unsigned index)
{
    static const char *const names[DHCP_STATE_COUNT] = {
        "INIT",      "SELECTING", "REQUESTING", "REBOOTING",
        "REBOOTING", "BOUND",     "RENEWING",   "REBINDING",
    };
    const struct dhcp *dhcp =
        index < net->if_count ? net->ifs[index].dhcp : NULL;

    return dhcp ? names[dhcp->state] : NULL;
}
