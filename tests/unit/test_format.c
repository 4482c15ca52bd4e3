/*
 * tests/unit/test_format.c - what log lines look like.
 *
 * Where the C library supports the same, it says what is right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/format.h"

/* Both must say the same about the same format and arguments. */
#define CHECK_AS_LIBC(...)                                                     \
    do {                                                                       \
        char ours[128], theirs[128];                                           \
        int length = snprintf(theirs, sizeof(theirs), __VA_ARGS__);            \
                                                                               \
        assert_int_equal(format_text(ours, sizeof(ours), __VA_ARGS__),         \
                         length);                                              \
        assert_string_equal(ours, theirs);                                     \
    } while (0)

static void format__plain_text_and_percent(void **state)
{
    (void)state;
    CHECK_AS_LIBC("no conversion%s", "");
    CHECK_AS_LIBC("100%% of %s", "it");
}

static void format__numbers_at_their_limits(void **state)
{
    (void)state;
    CHECK_AS_LIBC("%d %i %d %d", 0, 1, INT32_MAX, INT32_MIN);
    CHECK_AS_LIBC("%u %x %x", UINT32_MAX, UINT32_MAX, 0u);
    CHECK_AS_LIBC("%ld %ld", INT64_MAX, INT64_MIN);
    CHECK_AS_LIBC("%lld", (long long)INT64_MIN);
    CHECK_AS_LIBC("%lu %lx %zu", UINT64_MAX, UINT64_MAX, SIZE_MAX);
    CHECK_AS_LIBC("%llu %llx", 1234567890123ull, 0xfedcba9876543210ull);
    CHECK_AS_LIBC("%p", (void *)0xdeadbeef);
}

static void format__width_zero_and_left(void **state)
{
    (void)state;
    CHECK_AS_LIBC("[%5d|%-5d|%05d|%5d]", 42, 42, 42, 1234567);
    CHECK_AS_LIBC("[%05d|%-6d|%6d]", -42, -42, -42);
    CHECK_AS_LIBC("[%08x|%-8x|%8x]", 0xbeefu, 0xbeefu, 0xbeefu);
    CHECK_AS_LIBC("[%06llu]", 7ull);
    CHECK_AS_LIBC("[%6s|%-6s|%2s]", "abc", "abc", "abc");
    CHECK_AS_LIBC("[%3c|%-3c|%c]", 'x', 'y', 'z');
    CHECK_AS_LIBC("[%*d|%*d|%-*s]", 6, 42, -6, 42, 5, "ab");
}

static void format__precision_cuts_a_text(void **state)
{
    static const char unterminated[3] = {'a', 'b', 'c'};

    (void)state;
    CHECK_AS_LIBC("[%.2s|%.0s|%.9s|%6.2s|%-6.2s]", "abc", "abc", "abc", "abc",
                  "abc");
    CHECK_AS_LIBC("%.*s", 3, unterminated);
    CHECK_AS_LIBC("%.*s", -1, "negative means none");
}

static void format__null_is_said(void **state)
{
    char out[16];
    const char *volatile null = NULL;

    (void)state;
    format_text(out, sizeof(out), "<%s>", null);
    assert_string_equal(out, "<(null)>");
}

static void format__never_writes_past_the_end(void **state)
{
    (void)state;
    for (size_t bytes = 1; bytes < 40; bytes++) {
        char *out = malloc(bytes); /* ASan watches what is behind it */
        size_t length =
            format_text(out, bytes, "%s %5d %-9s|%x", "name", 42, "left", 255u);

        assert_true(length < bytes);
        assert_int_equal(strlen(out), length);
        assert_int_equal(strncmp(out, "name    42 left     |ff", length), 0);
        free(out);
    }
    assert_int_equal(format_text(NULL, 0, "%s", "text"), 0);
}

static void format__a_huge_width_is_cut_and_ends_soon(void **state)
{
    char out[8];
    const volatile int widest = INT32_MAX, narrowest = INT32_MIN;
    const char *volatile long_width = "%99999999999d";

    (void)state;
    assert_int_equal(format_text(out, sizeof(out), "%*d", widest, 1), 7);
    assert_string_equal(out, "       ");
    assert_int_equal(format_text(out, sizeof(out), "%*d", narrowest, 1), 7);
    assert_string_equal(out, "1      ");
    assert_int_equal(format_text(out, sizeof(out), long_width, 1), 7);
}

static void format__unknown_conversion_shows_the_format(void **state)
{
    char out[32];
    const char *volatile unknown = "a %d b %y %s";
    const char *volatile cut = "cut %-0";

    (void)state;
    format_text(out, sizeof(out), unknown, 1);
    assert_string_equal(out, "a 1 b %y %s");
    format_text(out, sizeof(out), cut, 0);
    assert_string_equal(out, "cut %-0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(format__plain_text_and_percent),
        cmocka_unit_test(format__numbers_at_their_limits),
        cmocka_unit_test(format__width_zero_and_left),
        cmocka_unit_test(format__precision_cuts_a_text),
        cmocka_unit_test(format__null_is_said),
        cmocka_unit_test(format__never_writes_past_the_end),
        cmocka_unit_test(format__a_huge_width_is_cut_and_ends_soon),
        cmocka_unit_test(format__unknown_conversion_shows_the_format),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
