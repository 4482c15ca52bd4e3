/*
 * tests/host/dns_talk.c - see dns_talk.h.
 */
#include "tests/host/dns_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct dns_talk talk;

void talk_ask(enum dns_type type)
{
    uint8_t out[DNS_QUESTION_BYTES];
    size_t len;

    talk.question =
        (struct dns_question){.id = 0xbeef, .type = type, .edns = true};
    assert_true(dns_name_parse(DNS_TALK_HOST, &talk.question.name));
    len = dns_emit(out, &talk.question);
    assert_true(dns_peer_read(out, len, &talk.asked));
}

int talk_asked(void **state)
{
    (void)state;
    talk_ask(DNS_A);
    return 0;
}

enum dns_verdict talk_parse_as(bool by_tcp, bool cut)
{
    uint8_t *copy = malloc(talk.text.len + 1);
    struct dns_message message = {copy, talk.text.len, by_tcp, cut};
    enum dns_verdict verdict;

    memcpy(copy, talk.text.bytes, talk.text.len);
    memset(&talk.reply, 0xa5, sizeof(talk.reply));
    verdict = dns_parse(&message, &talk.question, &talk.reply);
    free(copy);
    return verdict;
}

enum dns_verdict talk_parse(void)
{
    return talk_parse_as(false, false);
}

void talk_finds(uint32_t addr)
{
    assert_int_equal(talk_parse(), DNS_REPLY_GOOD);
    assert_int_equal(talk.reply.addr_count, 1);
    assert_int_equal(ipv4_addr_host(talk.reply.addrs[0]), addr);
}

void talk_finds_nothing(void)
{
    assert_int_equal(talk_parse(), DNS_REPLY_GOOD);
    assert_int_equal(talk.reply.addr_count, 0);
}
