/*
 * DNS messages: rows N of the list of bad inputs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/dns_talk.h"

/* An answer with one address. */
static void good(void)
{
    dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 1, 0, 0);
    dns_put_a(&talk.text, NULL, 300, 0x0a000001);
}

/* --- the question --------------------------------------------------------- */

static void emit__is_one_recursive_question_with_edns(void **state)
{
    (void)state;
    assert_int_equal(talk.asked.id, 0xbeef);
    assert_int_equal(talk.asked.type, 1);
    assert_string_equal(talk.asked.name, DNS_TALK_HOST);
    assert_true(talk.asked.edns);
    assert_int_equal(talk.asked.edns_bytes, 1232);
}

/* --- is it an answer? ----------------------------------------------------- */

static void answer__address_and_ttl_are_read(void **state)
{
    (void)state;
    good();
    talk_finds(0x0a000001);
    assert_int_equal(talk.reply.ttl_s, 300);
    assert_int_equal(talk.reply.rcode, DNS_NOERROR);
}

static void answer__N1_shorter_than_a_header_is_none(void **state)
{
    (void)state;
    for (size_t len = 0; len < 12; len++) {
        good();
        talk.text.len = len;
        assert_int_equal(talk_parse(), DNS_REPLY_OTHER);
    }
}

static void answer__N2_N4_N5_N6_of_another_kind_is_none(void **state)
{
    static const struct {
        uint8_t at, flip;
    } changes[] = {
        {0, 1},    {1, 0x80},            /* N2 id */
        {2, 0x80},                       /* N4 QR */
        {2, 0x08}, {2, 0x10}, {2, 0x40}, /* N5 opcode */
        {5, 1},    {5, 3},    {4, 1},    /* N6 QDCOUNT 0, 2, 257 */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        good();
        talk.text.bytes[changes[i].at] ^= changes[i].flip;
        assert_int_equal(talk_parse(), DNS_REPLY_OTHER);
    }
}

static void answer__N7_to_another_question_is_none(void **state)
{
    size_t end = 12 + talk.asked.question_len;

    (void)state;
    for (size_t at = 12; at < end; at++) {
        good();
        talk.text.bytes[at] ^= 1;
        assert_int_equal(talk_parse(), DNS_REPLY_OTHER);
    }
}

/* N7, 0x20: another case is told apart; by TCP nobody can have guessed. */
static void answer__N7_letters_of_another_case_are_told_apart(void **state)
{
    (void)state;
    good();
    talk.text.bytes[13] ^= 0x20;
    assert_int_equal(talk_parse(), DNS_REPLY_CASE);
    assert_int_equal(talk_parse_as(true, false), DNS_REPLY_GOOD);
}

static void answer__N17_truncated_is_said_and_means_nothing_by_tcp(void **state)
{
    (void)state;
    good();
    talk.text.bytes[2] |= DNS_PEER_TC >> 8;
    assert_int_equal(talk_parse(), DNS_REPLY_TRUNCATED);
    assert_int_equal(talk_parse_as(true, false), DNS_REPLY_GOOD);
}

static void answer__N18_rcodes_are_read_with_their_extension(void **state)
{
    (void)state;
    for (uint16_t rcode = 0; rcode < 16; rcode++) {
        dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER | rcode, 0, 0, 0);
        assert_int_equal(talk_parse(), DNS_REPLY_GOOD);
        assert_int_equal(talk.reply.rcode, rcode);
    }
    dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 0, 0, 1);
    dns_put8(&talk.text, 0);
    dns_put16(&talk.text, 41);
    dns_put16(&talk.text, 1232);
    dns_put32(&talk.text, 1u << 24);
    dns_put16(&talk.text, 0);
    assert_int_equal(talk_parse(), DNS_REPLY_GOOD);
    assert_int_equal(talk.reply.rcode, DNS_BADVERS);
}

/* --- is it well formed? --------------------------------------------------- */

static void message__every_cut_is_noticed(void **state)
{
    size_t whole, question_end = 12 + talk.asked.question_len;

    (void)state;
    dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 2, 1, 0);
    dns_put_cname(&talk.text, NULL, 60, "a.b");
    dns_put_a(&talk.text, "a.b", 60, 0x0a000001);
    dns_put_soa(&talk.text, "b", 60, 60);
    whole = talk.text.len;
    assert_int_equal(talk_parse(), DNS_REPLY_GOOD);
    for (size_t len = 12; len < whole; len++) {
        talk.text.len = len;
        assert_int_equal(talk_parse(), len < question_end ? DNS_REPLY_OTHER
                                                          : DNS_REPLY_BROKEN);
    }
}

/* What is too long for us by TCP is used as far as it goes. */
static void message__cut_by_us_counts_what_is_whole(void **state)
{
    (void)state;
    dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 3, 1, 0);
    for (uint32_t i = 1; i <= 3; i++)
        dns_put_a(&talk.text, NULL, 60, 0x0a000000 + i);
    talk.text.len -= 3;
    assert_int_equal(talk_parse(), DNS_REPLY_BROKEN);
    assert_int_equal(talk_parse_as(true, true), DNS_REPLY_GOOD);
    assert_int_equal(talk.reply.addr_count, 2);
}

static void message__N8_counts_without_data_are_broken(void **state)
{
    (void)state;
    for (int at = 6; at < 12; at += 2) {
        good();
        talk.text.bytes[at] = talk.text.bytes[at + 1] = 0xff;
        assert_int_equal(talk_parse(), DNS_REPLY_BROKEN);
    }
}

static void record__N13_wrong_data_length_is_broken(void **state)
{
    static const uint16_t lengths[] = {0, 3, 5, 16, 65535};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 1, 0, 0);
        dns_put_pointer(&talk.text, 12);
        dns_put_fixed(&talk.text, 1, 60, lengths[i]);
        for (uint32_t k = 0; k < lengths[i] && k < 16; k++)
            dns_put8(&talk.text, 1);
        assert_int_equal(talk_parse(), DNS_REPLY_BROKEN);
    }
    dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 1, 0, 0);
    dns_put_pointer(&talk.text, 12);
    dns_put_fixed(&talk.text, 5, 60, 3); /* a CNAME and a byte behind it */
    dns_put_pointer(&talk.text, 12);
    dns_put8(&talk.text, 0);
    assert_int_equal(talk_parse(), DNS_REPLY_BROKEN);
}

static void record__N19_opt_twice_or_with_a_name_is_broken(void **state)
{
    (void)state;
    for (int bad = 0; bad < 4; bad++) {
        dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER,
                  (uint16_t)(bad == 3), 0,
                  (uint16_t)(bad == 3 ? 0 : 1 + (bad == 1)));
        for (int i = 0; i < 1 + (bad == 1); i++) {
            if (bad == 2)
                dns_put_pointer(&talk.text, 12);
            else
                dns_put8(&talk.text, 0);
            dns_put_fixed(&talk.text, 41, 0, 0);
        }
        /* A size below 512, here 1, is nothing to us. */
        assert_int_equal(talk_parse(), bad ? DNS_REPLY_BROKEN : DNS_REPLY_GOOD);
    }
}

/* --- what does it say? ---------------------------------------------------- */

static void find__N14_chain_of_8_is_followed_and_9_or_a_ring_not(void **state)
{
    static const char *const names[] = {DNS_TALK_HOST, "a.x", "b.x", "c.x",
                                        "d.x",         "e.x", "f.x", "g.x",
                                        "h.x",         "i.x"};

    (void)state;
    for (size_t links = 1; links <= 9; links++) {
        dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER,
                  (uint16_t)(links + 1), 0, 0);
        dns_put_a(&talk.text, names[links], 50, 0x0a000001);
        for (size_t i = links; i > 0; i--) /* in any order */
            dns_put_cname(&talk.text, names[i - 1], (uint32_t)(1000 - i),
                          names[i]);
        if (links <= 8) {
            talk_finds(0x0a000001);
            assert_int_equal(talk.reply.chain, links);
            assert_int_equal(talk.reply.ttl_s, 50);
        } else {
            assert_int_equal(talk_parse(), DNS_REPLY_BROKEN);
        }
    }
    dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 2, 0, 0);
    dns_put_cname(&talk.text, NULL, 60, "a.x");
    dns_put_cname(&talk.text, "a.x", 60, DNS_TALK_HOST);
    assert_int_equal(talk_parse(), DNS_REPLY_BROKEN);
}

static void find__chain_that_ends_in_the_middle_says_where(void **state)
{
    struct dns_name end;

    (void)state;
    dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 1, 0, 0);
    dns_put_cname(&talk.text, NULL, 60, "a.x");
    talk_finds_nothing();
    assert_int_equal(talk.reply.chain, 1);
    assert_true(dns_name_parse("A.X", &end));
    assert_true(dns_name_equal(&talk.reply.target, &end));
}

static void find__N15_records_of_other_names_are_ignored(void **state)
{
    (void)state;
    dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 3, 0, 1);
    dns_put_a(&talk.text, "www.example.com", 60, 0x0a0000ff);
    dns_put_a(&talk.text, NULL, 60, 0x0a000001);
    dns_put_a(&talk.text, "example.org", 60, 0x0a0000fe);
    dns_put_a(&talk.text, NULL, 60, 0x0a0000fd); /* additional */
    talk_finds(0x0a000001);
}

static void find__N16_ttl_is_bounded(void **state)
{
    static const struct {
        uint32_t sent, wanted;
    } ttls[] = {{0, 0},
                {1, 1},
                {86400, 86400},
                {86401, 86400},
                {0x7fffffff, 86400},
                {0x80000000, 0},
                {0xffffffff, 0}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ttls); i++) {
        dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 1, 0, 0);
        dns_put_a(&talk.text, NULL, ttls[i].sent, 0x0a000001);
        talk_finds(0x0a000001);
        assert_int_equal(talk.reply.ttl_s, ttls[i].wanted);
    }
}

static void find__N21_addresses_of_no_host_are_dropped(void **state)
{
    static const uint32_t bad[] = {
        0, 1, 0x7f000001, 0x7fffffff, 0xffffffff, 0xe0000001, 0xf0000000};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 1, 0, 0);
        dns_put_a(&talk.text, NULL, 60, bad[i]);
        talk_finds_nothing();
    }
}

static void find__more_addresses_than_fit_are_cut(void **state)
{
    (void)state;
    dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 70, 0, 0);
    for (uint32_t i = 0; i < 70; i++)
        dns_put_a(&talk.text, NULL, 60, 0x0a000001 + i);
    assert_int_equal(talk_parse(), DNS_REPLY_GOOD);
    assert_int_equal(talk.reply.addr_count, DNS_ADDRS_MAX);
}

/* RFC 2308 5: the smaller of the SOA's TTL and its minimum. */
static void find__negative_answer_holds_as_long_as_the_soa_says(void **state)
{
    static const struct {
        uint32_t ttl, minimum, wanted;
    } rows[] = {{100, 200, 100},
                {200, 100, 100},
                {99999, 99999, 10800},
                {0x80000000, 5, 0},
                {5, 0x80000000, 0}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER | 3, 0, 1, 0);
        dns_put_soa(&talk.text, "org", rows[i].ttl, rows[i].minimum);
        assert_int_equal(talk_parse(), DNS_REPLY_GOOD);
        assert_int_equal(talk.reply.rcode, DNS_NXDOMAIN);
        assert_true(talk.reply.has_soa);
        assert_int_equal(talk.reply.ttl_s, rows[i].wanted);
    }
}

static void find__referral_is_no_answer(void **state)
{
    (void)state;
    dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 0, 1, 0);
    dns_put_name(&talk.text, "org");
    dns_put_fixed(&talk.text, 2, 60, 2);
    dns_put_pointer(&talk.text, 12);
    talk_finds_nothing();
    assert_true(talk.reply.is_referral);
    assert_false(talk.reply.has_soa);
}

static void find__ptr_gives_a_name(void **state)
{
    struct dns_name wanted;

    (void)state;
    talk_ask(DNS_PTR);
    dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 1, 0, 0);
    dns_put_ptr(&talk.text, NULL, 60, "host.example");
    assert_int_equal(talk_parse(), DNS_REPLY_GOOD);
    assert_true(talk.reply.has_target);
    assert_true(dns_name_parse("host.example", &wanted));
    assert_true(dns_name_equal(&talk.reply.target, &wanted));
}

#define TEST(name) cmocka_unit_test_setup(name, talk_asked)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(emit__is_one_recursive_question_with_edns),
        TEST(answer__address_and_ttl_are_read),
        TEST(answer__N1_shorter_than_a_header_is_none),
        TEST(answer__N2_N4_N5_N6_of_another_kind_is_none),
        TEST(answer__N7_to_another_question_is_none),
        TEST(answer__N7_letters_of_another_case_are_told_apart),
        TEST(answer__N17_truncated_is_said_and_means_nothing_by_tcp),
        TEST(answer__N18_rcodes_are_read_with_their_extension),
        TEST(message__every_cut_is_noticed),
        TEST(message__cut_by_us_counts_what_is_whole),
        TEST(message__N8_counts_without_data_are_broken),
        TEST(record__N13_wrong_data_length_is_broken),
        TEST(record__N19_opt_twice_or_with_a_name_is_broken),
        TEST(find__N14_chain_of_8_is_followed_and_9_or_a_ring_not),
        TEST(find__chain_that_ends_in_the_middle_says_where),
        TEST(find__N15_records_of_other_names_are_ignored),
        TEST(find__N16_ttl_is_bounded),
        TEST(find__N21_addresses_of_no_host_are_dropped),
        TEST(find__more_addresses_than_fit_are_cut),
        TEST(find__negative_answer_holds_as_long_as_the_soa_says),
        TEST(find__referral_is_no_answer),
        TEST(find__ptr_gives_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
