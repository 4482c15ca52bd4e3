/*
 * SipHash against published values: the key is 00 01 .. 0f, the message 00 01
 * .. and so on. SipHash-2-4: the paper's Appendix A and its reference vectors;
 * SipHash-1-3: the vectors of Rust's and OpenBSD's tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "kernel/base.h"
#include "net/siphash.h"

static const uint64_t key[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};

static void counting(uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)i;
}

static void siphash__2_4_matches_the_published_vectors(void **state)
{
    static const uint64_t vectors[] = {
        0x726fdb47dd0e0e31u, 0x74f839c593dc67fdu, 0x0d6c8009d9a94f5au,
        0x85676696d7fb7e2du, 0xcf2794e0277187b7u, 0x18765564cd99a68du,
        0xcbc9466e58fee3ceu, 0xab0200f58b01d137u, 0x93f5f5799a932462u,
    };
    uint8_t bytes[16];

    (void)state;
    counting(bytes, sizeof(bytes));
    for (size_t len = 0; len < ARRAY_LEN(vectors); len++)
        assert_true(siphash(key, bytes, len) == vectors[len]);
    assert_true(siphash(key, bytes, 15) == 0xa129ca6149be45e5u);
}

static void siphash__1_3_matches_the_published_vectors(void **state)
{
    static const uint64_t vectors[] = {
        0xabac0158050fc4dcu, 0xc9f49bf37d57ca93u, 0x82cb9b024dc7d44du,
        0x8bf80ab8e7ddf7fbu, 0xcf75576088d38328u, 0xdef9d52f49533b67u,
    };
    uint8_t bytes[16];

    (void)state;
    counting(bytes, sizeof(bytes));
    for (size_t len = 0; len < ARRAY_LEN(vectors); len++)
        assert_true(siphash_1_3(key, bytes, len) == vectors[len]);
}

/* 12 bytes have functions of their own: the reference code's numbers, and the
 * same as the functions for any length. */
static void siphash__of_12_bytes_is_the_same_function(void **state)
{
    uint8_t bytes[12];

    (void)state;
    counting(bytes, sizeof(bytes));
    assert_true(siphash_of_12(key, bytes) == 0x751e8fbc860ee5fbu);
    assert_true(siphash_1_3_of_12(key, bytes) == 0x78a384b157b4d9a2u);
    for (unsigned bit = 0; bit < 8 * sizeof(bytes); bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_true(siphash_of_12(key, bytes) ==
                    siphash(key, bytes, sizeof(bytes)));
        assert_true(siphash_1_3_of_12(key, bytes) ==
                    siphash_1_3(key, bytes, sizeof(bytes)));
    }
}

static void siphash__every_bit_of_the_key_counts(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 128; bit++) {
        uint64_t other[2] = {key[0], key[1]};

        other[bit / 64] ^= 1ull << bit % 64;
        assert_true(siphash(other, "abc", 3) != siphash(key, "abc", 3));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash__2_4_matches_the_published_vectors),
        cmocka_unit_test(siphash__1_3_matches_the_published_vectors),
        cmocka_unit_test(siphash__of_12_bytes_is_the_same_function),
        cmocka_unit_test(siphash__every_bit_of_the_key_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
