/*
 * tests/fuzz/fuzz_dns.c - what a name server may send, to the parser and to a
 * lookup in whatever state it has come to.
 *
 * The first byte says what is asked for; then come messages, each a byte that
 * says how it came, two of length and the rest. Behind a header and a question
 * that are made right the fuzzer gets at the records.
 *
 * Bounds: MESSAGES_MAX messages of an input; a lookup ends on its own, and
 * STEPS_MAX says by when.
 */
#include <stdlib.h>
#include <string.h>

#include "net/dns_lookup.h"
#include "tests/host/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGES_MAX = 40, STEPS_MAX = 200, HEADER_BYTES = 12 };

/* How a message came; a set. */
enum { RAW = 1, BY_TCP = 2, CUT = 4, LOST = 8 };

static uint64_t bits[2];

/* What has been said must hold, whatever came. */
static void check_reply(const struct dns_reply *reply)
{
    char host[DNS_NAME_TEXT_BYTES];
    size_t at = 0;

    ASSERT(reply->addr_count <= DNS_ADDRS_MAX);
    ASSERT(reply->chain <= DNS_CHAIN_MAX);
    ASSERT(reply->ttl_s <= DNS_TTL_MAX_S);
    ASSERT(reply->target.len >= 1 && reply->target.len <= DNS_NAME_BYTES);
    while (reply->target.bytes[at] != 0)
        at += 1u + reply->target.bytes[at];
    ASSERT(at + 1 == reply->target.len);
    if (dns_name_text(&reply->target, host))
        ASSERT(strlen(host) < DNS_NAME_TEXT_BYTES);
}

/* Put the question that is asked before the bytes of the input. */
static size_t make_right(uint8_t *copy, const struct dns_lookup *lookup)
{
    uint8_t question[DNS_QUESTION_BYTES];
    struct dns_question plain = lookup->question;
    size_t len;

    plain.edns = false;
    len = dns_emit(question, &plain);
    memcpy(copy, question, 2);         /* the id */
    memcpy(copy + 4, question + 4, 2); /* one question */
    memcpy(copy + HEADER_BYTES, question + HEADER_BYTES, len - HEADER_BYTES);
    return len;
}

/* One message: its header's flags and counts are the input's. */
static void take(struct dns_lookup *lookup, uint8_t how, const uint8_t *data,
                 size_t len)
{
    uint8_t *copy = malloc(len + DNS_QUESTION_BYTES);
    struct dns_message message = {.bytes = copy,
                                  .len = len,
                                  .by_tcp = how & BY_TCP,
                                  .cut = (how & BY_TCP) && (how & CUT)};
    struct dns_reply reply;

    memcpy(copy, data, len);
    if (!(how & RAW) && len >= HEADER_BYTES) {
        size_t right = make_right(copy, lookup);

        memcpy(copy + right, data + HEADER_BYTES, len - HEADER_BYTES);
        message.len = right + len - HEADER_BYTES;
    }
    copy = realloc(copy, message.len + !message.len);
    message.bytes = copy;
    if (dns_parse(&message, &lookup->question, &reply) == DNS_REPLY_GOOD)
        check_reply(&reply);
    (void)!dns_lookup_take(lookup, &message, bits);
    free(copy);
}

static void end(struct dns_lookup *lookup)
{
    for (int i = 0; lookup->step != DNS_DONE; i++) {
        ASSERT(i < STEPS_MAX);
        ASSERT(lookup->wait_us > 0);
        dns_lookup_failed(lookup, bits);
    }
    ASSERT(lookup->result.status < DNS_STATUS_COUNT);
    ASSERT(lookup->result.status != DNS_OK || lookup->result.addr_count > 0 ||
           lookup->question.type == DNS_PTR);
    ASSERT(lookup->result.ttl_s <= DNS_TTL_MAX_S);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct dns_servers servers = {
        .addr = {IPV4_ADDR(10, 0, 0, 1), IPV4_ADDR(10, 0, 0, 2)}, .count = 2};
    struct dns_lookup lookup;
    struct dns_name name;

    if (size == 0)
        return 0;
    bits[0] = 0x1234567812345678;
    bits[1] = 0x5555aaaa12345678;
    name = dns_name_reverse(IPV4_ADDR(192, 0, 2, 1));
    if (data[0] % 2 == 0 && !dns_name_parse("www.example.org", &name))
        abort();
    dns_lookup_init(&lookup, &servers, &name, data[0] % 2 ? DNS_PTR : DNS_A,
                    bits);
    data++;
    size--;
    for (int i = 0; i < MESSAGES_MAX && size >= 3 && lookup.step != DNS_DONE;
         i++) {
        size_t len = (size_t)data[1] << 8 | data[2];
        uint8_t how = data[0];

        data += 3;
        size -= 3;
        if (len > size)
            len = size;
        if (how & LOST)
            dns_lookup_failed(&lookup, bits);
        else
            take(&lookup, how, data, len);
        data += len;
        size -= len;
        bits[0]++;
    }
    end(&lookup);
    return 0;
}
