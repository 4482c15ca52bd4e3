/*
 * DNS names: in messages, where they point at each other, and as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/dns_talk.h"

/* --- in messages ---------------------------------------------------------- */

static void name__N9_reserved_label_types_are_broken(void **state)
{
    (void)state;
    for (unsigned label = 64; label < 192; label++) {
        dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 1, 0, 0);
        dns_put8(&talk.text, (uint8_t)label);
        for (int i = 0; i < 200; i++)
            dns_put8(&talk.text, 1);
        assert_int_equal(talk_parse(), DNS_REPLY_BROKEN);
    }
}

/* An answer whose owner is a pointer to `at`. */
static void pointing(uint16_t at)
{
    dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 1, 0, 0);
    dns_put_pointer(&talk.text, at);
    dns_put_fixed(&talk.text, 1, 60, 4);
    dns_put32(&talk.text, 0x0a000001);
}

static void name__N10_pointers_lead_backwards_and_not_far(void **state)
{
    uint16_t here = (uint16_t)(12 + talk.asked.question_len);

    (void)state;
    pointing(12);
    talk_finds(0x0a000001);
    for (uint16_t at = 0; at < 12; at++) { /* into the header */
        pointing(at);
        assert_int_equal(talk_parse(), DNS_REPLY_BROKEN);
    }
    for (int at = here; at < 0x4000; at += at < here + 40 ? 1 : 997) {
        pointing((uint16_t)at); /* itself, forward, past the end */
        assert_int_equal(talk_parse(), DNS_REPLY_BROKEN);
    }
}

/* N10: alternating: each leads back, and forward again by its labels. */
static void name__N10_alternating_pointers_are_broken(void **state)
{
    uint16_t here = (uint16_t)(12 + talk.asked.question_len);

    (void)state;
    dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 1, 0, 0);
    dns_put_fixed(&talk.text, 1, 60, 4); /* never reached */
    talk.text.len = here;
    dns_put8(&talk.text, 1);
    dns_put8(&talk.text, 'a');
    dns_put_pointer(&talk.text, here); /* a label, and back to it */
    dns_put_fixed(&talk.text, 1, 60, 4);
    dns_put32(&talk.text, 0x0a000001);
    assert_int_equal(talk_parse(), DNS_REPLY_BROKEN);
}

static void name__N10_chain_of_1000_pointers_is_broken(void **state)
{
    uint16_t at;

    (void)state;
    dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 2, 0, 0);
    dns_put_pointer(&talk.text, 12);
    dns_put_fixed(&talk.text, 99, 60, 2000);
    at = (uint16_t)talk.text.len;
    dns_put_pointer(&talk.text, 12);
    for (int i = 1; i < 1000; i++, at += 2)
        dns_put_pointer(&talk.text, at);
    dns_put_pointer(&talk.text, at);
    dns_put_fixed(&talk.text, 1, 60, 4);
    dns_put32(&talk.text, 0x0a000001);
    assert_int_equal(talk_parse(), DNS_REPLY_BROKEN);
}

static void name__N11_longer_than_255_is_broken(void **state)
{
    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 2, 0, 0);
        for (int i = 0; i < 3; i++) { /* 3 * 64 + 62 + 1 = 255 */
            dns_put8(&talk.text, 63);
            for (int k = 0; k < 63; k++)
                dns_put8(&talk.text, 'x');
        }
        dns_put8(&talk.text, (uint8_t)(61 + extra));
        for (int k = 0; k < 61 + extra; k++)
            dns_put8(&talk.text, 'y');
        dns_put8(&talk.text, 0);
        dns_put_fixed(&talk.text, 1, 60, 4);
        dns_put32(&talk.text, 1);
        dns_put_a(&talk.text, NULL, 60, 0x0a000001);
        assert_int_equal(talk_parse(),
                         extra ? DNS_REPLY_BROKEN : DNS_REPLY_GOOD);
    }
}

static void name__N12_without_its_root_is_broken(void **state)
{
    (void)state;
    dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 1, 0, 0);
    dns_put8(&talk.text, 3);
    dns_put(&talk.text, "abc", 3);
    assert_int_equal(talk_parse(), DNS_REPLY_BROKEN);
    dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 1, 0, 0);
    dns_put8(&talk.text, 0xc0); /* half a pointer */
    assert_int_equal(talk_parse(), DNS_REPLY_BROKEN);
}

/* --- as text -------------------------------------------------------------- */

static void name__N27_text_that_is_no_hosts_name_is_refused(void **state)
{
    static const char *const bad[] = {"",    ".",     "..",   "a..b",  ".a",
                                      "a..", "a b",   "a/b",  "a\n",   "a\x80",
                                      "a:1", "[::1]", "*",    "a\\.b", "-",
                                      "-a",  "a-",    "a.-b", "a-.b"};
    char label[66] = {0}, whole[300] = {0};
    struct dns_name name;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(dns_name_parse(bad[i], &name));
    memset(label, 'x', 64);
    assert_false(dns_name_parse(label, &name));
    label[63] = '\0';
    assert_true(dns_name_parse(label, &name));
    for (int i = 0; i < 253; i++) /* 253 is the longest */
        whole[i] = i % 2 ? '.' : 'x';
    assert_true(dns_name_parse(whole, &name));
    assert_int_equal(name.len, 255);
    whole[253] = '.';
    assert_true(dns_name_parse(whole, &name)); /* its last dot is no byte */
    whole[254] = 'x';
    assert_false(dns_name_parse(whole, &name));
}

static void name__N20_bytes_of_no_host_are_not_shown(void **state)
{
    static const char *const bad[] = {".", " ", "<", "\n", "\x80"};
    char shown[DNS_NAME_TEXT_BYTES];

    (void)state;
    talk_ask(DNS_PTR);
    for (size_t i = 0; i <= ARRAY_LEN(bad); i++) {
        dns_begin(&talk.text, &talk.asked, DNS_PEER_ANSWER, 1, 0, 0);
        dns_put_pointer(&talk.text, 12);
        dns_put_fixed(&talk.text, 12, 60, 5);
        dns_put8(&talk.text, 3);
        dns_put8(&talk.text, 'a');
        dns_put8(&talk.text, i < ARRAY_LEN(bad) ? (uint8_t)bad[i][0] : 0);
        dns_put8(&talk.text, 'b');
        dns_put8(&talk.text, 0);
        assert_int_equal(talk_parse(), DNS_REPLY_GOOD);
        assert_false(dns_name_text(&talk.reply.target, shown));
    }
}

static void name__N20_that_begins_with_a_hyphen_is_not_shown(void **state)
{
    static const uint8_t option[] = {3, '-', 'r', 'f', 1, 'a', 0};
    struct dns_name name = {.len = sizeof(option)};
    char shown[DNS_NAME_TEXT_BYTES];

    (void)state;
    memcpy(name.bytes, option, sizeof(option));
    assert_false(dns_name_text(&name, shown));
    name.bytes[1] = 'x';
    assert_true(dns_name_text(&name, shown));
    assert_string_equal(shown, "xrf.a");
}

static void name__goes_to_text_and_back(void **state)
{
    char shown[DNS_NAME_TEXT_BYTES];
    struct dns_name name;

    (void)state;
    assert_true(dns_name_parse("Www.Example.org.", &name));
    assert_true(dns_name_text(&name, shown));
    assert_string_equal(shown, "Www.Example.org");
    assert_true(dns_name_equal(&name, &talk.question.name));
    name = dns_name_reverse(IPV4_ADDR(192, 0, 2, 17));
    assert_true(dns_name_text(&name, shown));
    assert_string_equal(shown, "17.2.0.192.in-addr.arpa");
}

#define TEST(name) cmocka_unit_test_setup(name, talk_asked)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(name__N9_reserved_label_types_are_broken),
        TEST(name__N10_pointers_lead_backwards_and_not_far),
        TEST(name__N10_alternating_pointers_are_broken),
        TEST(name__N10_chain_of_1000_pointers_is_broken),
        TEST(name__N11_longer_than_255_is_broken),
        TEST(name__N12_without_its_root_is_broken),
        TEST(name__N27_text_that_is_no_hosts_name_is_refused),
        TEST(name__N20_bytes_of_no_host_are_not_shown),
        TEST(name__N20_that_begins_with_a_hyphen_is_not_shown),
        TEST(name__goes_to_text_and_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
