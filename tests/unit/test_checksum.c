/*
 * The Internet checksum against the plain way of RFC 1071.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "net/checksum.h"
#include "tests/host/host.h"
#include "tests/host/hostnet.h"

static uint16_t naive(const uint8_t *bytes, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)~sum;
}

static uint16_t ours(const uint8_t *bytes, size_t len)
{
    return be16_get(checksum_finish(checksum_add(0, bytes, len)));
}

static void checksum__rfc_1071_example(void **state)
{
    const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

    (void)state;
    assert_int_equal(ours(bytes, sizeof(bytes)), (uint16_t)~0xddf2);
}

static void checksum__agrees_at_every_length_and_alignment(void **state)
{
    uint8_t bytes[800];

    (void)state;
    host_seed(1);
    for (size_t len = 0; len <= 700; len++)
        for (size_t at = 0; at < 16; at++) {
            for (size_t i = 0; i < sizeof(bytes); i++) /* many carries */
                bytes[i] = (uint8_t)(host_random() % 3 ? 0xff : host_random());
            assert_int_equal(ours(bytes + at, len), naive(bytes + at, len));
        }
}

/* Beside each of `len` bytes at `to` lies one that must stay. */
static void check_copy(const uint8_t *from, uint8_t *to, size_t len)
{
    be16 sum;

    memset(to - 1, 0x5a, len + 2);
    sum = checksum_finish(checksum_copy(0, to, from, len));
    assert_int_equal(be16_get(sum), naive(from, len));
    assert_memory_equal(to, from, len);
    assert_int_equal(to[-1], 0x5a);
    assert_int_equal(to[len], 0x5a);
}

static void checksum__a_copy_sums_at_every_length_and_alignment(void **state)
{
    uint8_t bytes[800], copy[800];

    (void)state;
    host_seed(3);
    for (size_t len = 0; len <= 700; len++)
        for (size_t at = 0; at < 16; at++) {
            for (size_t i = 0; i < sizeof(bytes); i++) /* many carries */
                bytes[i] = (uint8_t)(host_random() % 3 ? 0xff : host_random());
            check_copy(bytes + at, copy + 1 + host_random() % 16, len);
        }
    for (size_t to = 0; to < 64; to++)
        check_copy(bytes + to % 8, copy + 1 + to / 8, 300);
}

static void checksum__a_copy_loses_no_carry_and_continues_a_sum(void **state)
{
    static uint8_t bytes[65535], copy[65537];
    uint32_t sum;

    (void)state;
    memset(bytes, 0xff, sizeof(bytes));
    for (size_t len = 65500; len <= sizeof(bytes); len++)
        check_copy(bytes, copy + 1, len);
    memset(bytes, 0xfe, 100);
    sum = checksum_copy(0, copy, bytes, 30);
    sum = checksum_add(sum, bytes + 30, 8);
    sum = checksum_copy(sum, copy, bytes + 38, 61);
    assert_int_equal(be16_get(checksum_finish(sum)), naive(bytes, 99));
}

static void checksum__carries_of_all_ones_are_not_lost(void **state)
{
    uint8_t bytes[65535];

    (void)state;
    memset(bytes, 0xff, sizeof(bytes));
    for (size_t len = 65500; len <= sizeof(bytes); len++)
        assert_int_equal(ours(bytes, len), naive(bytes, len));
    assert_int_equal(ours(bytes, 40), 0);
}

static void checksum__sums_are_continued(void **state)
{
    uint8_t bytes[100];
    uint32_t sum;

    (void)state;
    memset(bytes, 0xfe, sizeof(bytes));
    sum = checksum_add(0, bytes, 30);
    sum = checksum_add(sum, bytes + 30, 8);
    sum = checksum_add(sum, bytes + 38, 62);
    assert_int_equal(be16_get(checksum_finish(sum)), naive(bytes, 100));
}

/* `chain` has the `len` bytes from `offset` of `bytes` on. */
static void check_chain(const struct buffer *chain, uint32_t offset,
                        const uint8_t *bytes, uint32_t len)
{
    uint32_t part = (uint32_t)(host_random() % (len + 1));
    uint8_t copy[301];
    be16 sum = checksum_finish(checksum_chain(0, chain, offset));

    assert_int_equal(be16_get(sum), naive(bytes + offset, len));
    copy[part] = 0x5a;
    sum = checksum_finish(checksum_copy_out(0, chain, offset, copy, part));
    assert_int_equal(be16_get(sum), naive(bytes + offset, part));
    assert_memory_equal(copy, bytes + offset, part);
    assert_int_equal(copy[part], 0x5a);
}

static void checksum__chain_may_break_at_odd_places(void **state)
{
    struct hostnet host;
    struct buffer_pool *pool = hostnet_pool(&host, 100);
    uint8_t bytes[300];

    (void)state;
    host_seed(2);
    for (int round = 0; round < 2000; round++) {
        struct buffer *chain = NULL, **end = &chain;
        uint32_t len = (uint32_t)(host_random() % sizeof(bytes)), at = 0;
        uint32_t offset = (uint32_t)(host_random() % (len + 1));

        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)host_random();
        while (at < len) {
            uint32_t part = (uint32_t)(host_random() % 50);

            if (part > len - at)
                part = len - at;
            *end = buffer_wrap(pool, bytes + at, part, NULL, NULL);
            end = &(*end)->next;
            at += part;
        }
        check_chain(chain, offset, bytes, len - offset);
        buffer_release(chain);
    }
    assert_int_equal(host.pages, 0);
}

static void checksum__pseudo_header_is_rfc_9293_3_1(void **state)
{
    const uint8_t bytes[] = {10, 1, 2, 3, 200, 9, 8, 7, 0, 17, 0x12, 0x34};
    uint32_t sum = checksum_pseudo(IPV4_ADDR(10, 1, 2, 3),
                                   IPV4_ADDR(200, 9, 8, 7), 17, 0x1234);

    (void)state;
    assert_int_equal(be16_get(checksum_finish(sum)),
                     naive(bytes, sizeof(bytes)));
    assert_int_equal(be16_get(checksum_unfinished(sum)),
                     (uint16_t)~naive(bytes, sizeof(bytes)));
}

static void checksum__transport_believes_the_device_and_good_sums(void **state)
{
    struct hostnet host;
    struct buffer_pool *pool = hostnet_pool(&host, 10);
    const struct ipv4_addr a = {.byte = {1, 2, 3, 4}},
                           b = {.byte = {5, 6, 7, 8}};
    struct buffer *buf = buffer_alloc(pool, BUFFER_SMALL, 0);
    be16 sum;

    (void)state;
    memset(buf->data, 0x5a, 31);
    buf->len = 31;
    memset(buf->data + 6, 0, 2);
    sum = checksum_finish(checksum_chain(checksum_pseudo(a, b, 6, 31), buf, 0));
    memcpy(buf->data + 6, &sum, 2);
    assert_true(checksum_transport_ok(a, b, 6, buf));
    assert_false(checksum_transport_ok(a, b, 17, buf));
    buf->data[30] ^= 1;
    assert_false(checksum_transport_ok(a, b, 6, buf));
    buf->flags = BUFFER_CSUM_GOOD;
    assert_true(checksum_transport_ok(a, b, 6, buf));
    buf->flags = BUFFER_CSUM_PARTIAL;
    assert_true(checksum_transport_ok(a, b, 6, buf));
    buffer_release(buf);
}

/* RFC 791 3.1: with each of the 65536 sums that may stand in it. */
static void checksum__an_ip_header_is_good_with_its_own_sum_alone(void **state)
{
    uint8_t header[20];

    (void)state;
    host_seed(3);
    for (unsigned i = 0; i < 12; i++) {
        for (size_t at = 0; at < sizeof(header); at++)
            header[at] = i == 0 ? 0xff : i == 1 ? 0 : (uint8_t)host_random();
        header[0] = 0x45;
        for (uint32_t sum = 0; sum <= UINT16_MAX; sum++) {
            header[10] = (uint8_t)(sum >> 8);
            header[11] = (uint8_t)sum;
            assert_true(checksum_ipv4_header_is_good(header) ==
                        (naive(header, sizeof(header)) == 0));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksum__rfc_1071_example),
        cmocka_unit_test(checksum__agrees_at_every_length_and_alignment),
        cmocka_unit_test(checksum__a_copy_sums_at_every_length_and_alignment),
        cmocka_unit_test(checksum__a_copy_loses_no_carry_and_continues_a_sum),
        cmocka_unit_test(checksum__carries_of_all_ones_are_not_lost),
        cmocka_unit_test(checksum__sums_are_continued),
        cmocka_unit_test(checksum__chain_may_break_at_odd_places),
        cmocka_unit_test(checksum__pseudo_header_is_rfc_9293_3_1),
        cmocka_unit_test(checksum__transport_believes_the_device_and_good_sums),
        cmocka_unit_test(checksum__an_ip_header_is_good_with_its_own_sum_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
