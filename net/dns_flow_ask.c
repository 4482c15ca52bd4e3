/*
 * net/dns_flow_ask.c - a lookup's steps on the wire: UDP from a port of its
 * own each time (RFC 5452 9.2), TCP where that is asked for.
 */
#include "kernel/clock.h"
#include "net/dns_flow_priv.h"
#include "net/udp_flow.h"

enum { LENGTH_BYTES = 2 /* before a message on TCP: RFC 1035 4.2.2 */ };

/* Beside enum dns_status, for what a step has come to. */
enum outcome { NEXT, FAILED, LATE, CANCELLED };

void dns_random(struct dns *dns, uint64_t random[2])
{
    dns->random(dns->random_context, random, 2 * sizeof(random[0]));
}

static bool take(struct dns *dns, struct dns_lookup *lookup,
                 const struct dns_message *message)
{
    bool forged = lookup->forged;
    uint64_t random[2];
    bool taken;

    dns_random(dns, random);
    taken = dns_lookup_take(lookup, message, random);
    if (lookup->forged && !forged)
        dns->forged++;
    return taken;
}

/* --- UDP ------------------------------------------------------------------ */

static enum outcome outcome_of(enum udp_status status)
{
    switch (status) {
    case UDP_CANCELLED:
        return CANCELLED;
    case UDP_DEADLINE:
        return LATE;
    default: /* ICMP, no route: another server */
        return FAILED;
    }
}

static enum outcome exchange_udp(struct dns *dns, struct dns_lookup *lookup,
                                 struct udp_flow *flow, uint8_t *page,
                                 uint64_t until_us)
{
    uint8_t question[DNS_QUESTION_BYTES];
    size_t len = dns_emit(question, &lookup->question);
    struct dns_message message = {.bytes = page};
    struct udp_datagram from;
    enum udp_status status;

    status = udp_flow_send(flow, question, len, until_us);
    /* Ends with the answer, the deadline, or DNS_MISMATCHES_MAX others. */
    while (status == UDP_OK) {
        status = udp_flow_receive_into(flow, &from, page, PAGE_BYTES,
                                       &message.len, until_us);
        if (status == UDP_OK && message.len <= PAGE_BYTES &&
            take(dns, lookup, &message))
            return NEXT;
    }
    return outcome_of(status);
}

static enum outcome ask_udp(struct dns *dns, struct dns_lookup *lookup,
                            uint8_t *page, uint64_t until_us)
{
    struct udp_flow *flow;
    enum udp_status status =
        udpv4_connect(dns->udp, lookup->server, DNS_PORT, &flow);
    enum outcome outcome;

    if (status != UDP_OK)
        return outcome_of(status);
    outcome = exchange_udp(dns, lookup, flow, page, until_us);
    udp_flow_close(flow);
    return outcome;
}

/* --- TCP ------------------------------------------------------------------ */

static enum outcome outcome_of_flow(enum flow_status status)
{
    switch (status) {
    case FLOW_CANCELLED:
        return CANCELLED;
    case FLOW_DEADLINE:
        return LATE;
    default:
        return FAILED;
    }
}

/* Exactly `bytes` of the stream. */
static enum flow_status receive_all(struct flow *flow, uint8_t *out,
                                    size_t bytes)
{
    enum flow_status status = FLOW_OK;
    size_t part;

    for (; bytes > 0 && status == FLOW_OK; bytes -= part, out += part)
        status = flow_receive(flow, out, bytes, &part);
    return status;
}

/* Our question and the server's answer, each behind its length. What does not
 * fit a page of the answer is left: it is more than anybody uses. */
static enum outcome exchange_tcp(struct dns *dns, struct dns_lookup *lookup,
                                 struct flow *flow, uint8_t *page)
{
    uint8_t question[LENGTH_BYTES + DNS_QUESTION_BYTES];
    size_t len = dns_emit(question + LENGTH_BYTES, &lookup->question);
    struct dns_message message = {.bytes = page, .by_tcp = true};
    uint8_t length[LENGTH_BYTES];
    enum flow_status status;

    question[0] = (uint8_t)(len >> 8);
    question[1] = (uint8_t)len;
    status = flow_send(flow, question, LENGTH_BYTES + len, NULL);
    if (status == FLOW_OK)
        status = receive_all(flow, length, sizeof(length));
    if (status != FLOW_OK)
        return outcome_of_flow(status);
    message.len = (size_t)length[0] << 8 | length[1];
    message.cut = message.len > PAGE_BYTES;
    if (message.cut)
        message.len = PAGE_BYTES;
    status = receive_all(flow, page, message.len);
    if (status != FLOW_OK)
        return outcome_of_flow(status);
    return take(dns, lookup, &message) ? NEXT : FAILED;
}

static enum outcome ask_tcp(struct dns *dns, struct dns_lookup *lookup,
                            uint8_t *page, uint64_t until_us)
{
    struct flow_error error;
    struct flow *flow;
    enum flow_status status = tcpv4_create_connection(
        dns->tcp, lookup->server, DNS_PORT, until_us, &flow, &error);
    enum outcome outcome;

    dns->by_tcp++;
    if (status != FLOW_OK)
        return outcome_of_flow(status);
    flow_set_read_deadline(flow, until_us);
    flow_set_write_deadline(flow, until_us);
    outcome = exchange_tcp(dns, lookup, flow, page);
    flow_release(flow);
    return outcome;
}

/* --- a lookup ------------------------------------------------------------- */

enum dns_status dns_ask(struct dns *dns, struct dns_lookup *lookup,
                        uint8_t *page, uint64_t deadline_us)
{
    while (lookup->step != DNS_DONE) {
        uint64_t now_us = clock_us();
        uint64_t until_us = now_us + lookup->wait_us;
        enum outcome outcome;
        uint64_t random[2];

        if (deadline_us <= now_us)
            return DNS_DEADLINE;
        if (deadline_us < until_us)
            until_us = deadline_us;
        dns->questions++;
        outcome = lookup->step == DNS_ASK_TCP
                      ? ask_tcp(dns, lookup, page, until_us)
                      : ask_udp(dns, lookup, page, until_us);
        if (outcome == CANCELLED)
            return DNS_CANCELLED;
        if (outcome == NEXT)
            continue;
        dns_random(dns, random);
        dns_lookup_failed(lookup, random);
    }
    return DNS_OK;
}
