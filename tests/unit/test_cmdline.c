/*
 * tests/unit/test_cmdline.c - the command line, and what is said about a bad
 * one. Row M8 of the bad inputs: missing, empty, long, quotes, unknown,
 * malformed, repeated.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/cmdline.h"
#include "tests/host/host.h"

static char said[8192];
static const char *name_out;
static uint32_t port_out, prefix_out, seed_out;
static bool port_given, quiet_out;

static bool parse_prefix(const char *text, void *out)
{
    return sscanf(text, "10.0.0.2/%u", (uint32_t *)out) == 1;
}

static const struct cmdline_key machine_keys[] = {
    {.name = "ipv4",
     .value_name = "ADDRESS/PREFIX",
     .example = "10.0.0.2/24",
     .help = "the machine's own address",
     .parse = parse_prefix,
     .out = &prefix_out},
    {.name = "name",
     .value_name = "HOST",
     .example = "web",
     .help = "the machine's name",
     .parse = cmdline_parse_text,
     .out = &name_out},
};
static const struct cmdline_key program_keys[] = {
    {.name = "port",
     .value_name = "PORT",
     .example = "80",
     .help = "where to listen",
     .out = &port_out,
     .given = &port_given,
     .min = 1,
     .max = 65535},
    {.name = "seed",
     .value_name = "NUMBER",
     .example = "1",
     .help = "any number",
     .out = &seed_out,
     .max = UINT32_MAX},
    {.name = "quiet", .help = "says less", .out = &quiet_out},
};
static const struct cmdline_table tables[] = {
    {machine_keys, ARRAY_LEN(machine_keys)},
    {program_keys, ARRAY_LEN(program_keys)},
};

static struct cmdline_args args;

static void keep(const char *text)
{
    assert_int_equal(text[strlen(text) - 1], '\n');
    strncat(said, text, sizeof(said) - strlen(said) - 1);
}

/* Parse a copy of `line` that ends where its memory ends: ASan watches. */
static enum cmdline_status parse(const char *line)
{
    static char *copy;
    static char name[] = "app";

    free(copy);
    copy = line ? strdup(line) : NULL;
    said[0] = '\0';
    name_out = NULL;
    port_out = prefix_out = 0;
    port_given = quiet_out = false;
    if (!line)
        return CMDLINE_BAD;
    return cmdline_parse(copy, name, tables, ARRAY_LEN(tables), keep, &args);
}

static void check_bad(const char *line, const char *message)
{
    assert_int_equal(parse(line), CMDLINE_BAD);
    assert_string_equal(said, message);
}

static void cmdline__M8_empty_line_is_no_argument(void **state)
{
    (void)state;
    assert_int_equal(parse(""), CMDLINE_OK);
    assert_int_equal(args.argc, 1);
    assert_string_equal(args.argv[0], "app");
    assert_null(args.argv[1]);
    assert_int_equal(parse(" \t\r\n "), CMDLINE_OK);
    assert_int_equal(args.argc, 1);
    assert_string_equal(said, "");
}

static void cmdline__keys_of_all_tables_are_read(void **state)
{
    (void)state;
    assert_int_equal(
        parse("  --ipv4=10.0.0.2/24 --quiet --port=8080  --name=web "),
        CMDLINE_OK);
    assert_int_equal(prefix_out, 24);
    assert_int_equal(port_out, 8080);
    assert_true(port_given);
    assert_true(quiet_out);
    assert_string_equal(name_out, "web");
    assert_int_equal(args.argc, 1);
    assert_int_equal(parse("--quiet"), CMDLINE_OK);
    assert_false(port_given);
}

static void cmdline__other_words_are_the_programs(void **state)
{
    (void)state;
    assert_int_equal(parse("a --quiet -b key=value"), CMDLINE_OK);
    assert_int_equal(args.argc, 4);
    assert_string_equal(args.argv[1], "a");
    assert_string_equal(args.argv[2], "-b");
    assert_string_equal(args.argv[3], "key=value");
    assert_null(args.argv[4]);
}

static void cmdline__after_two_dashes_all_is_the_programs(void **state)
{
    (void)state;
    assert_int_equal(parse("--quiet -- --port=1 -- --help"), CMDLINE_OK);
    assert_int_equal(args.argc, 4);
    assert_string_equal(args.argv[1], "--port=1");
    assert_string_equal(args.argv[2], "--");
    assert_string_equal(args.argv[3], "--help");
    assert_false(port_given);
}

static void cmdline__M8_quotes_keep_spaces_together(void **state)
{
    (void)state;
    assert_int_equal(
        parse("--name=\"a b\" \"c  d\" e\"f g\"h \"\" \"--quiet\""),
        CMDLINE_OK);
    assert_string_equal(name_out, "a b");
    assert_true(quiet_out);
    assert_int_equal(args.argc, 4);
    assert_string_equal(args.argv[1], "c  d");
    assert_string_equal(args.argv[2], "ef gh");
    assert_string_equal(args.argv[3], "");
}

static void cmdline__M8_open_quote_is_an_error(void **state)
{
    (void)state;
    check_bad("a --name=\"b c", "--name=b c: a quote (\") is not closed\n");
    check_bad("\"", ": a quote (\") is not closed\n");
}

static void cmdline__M8_malformed_value_names_what_would_be_right(void **state)
{
    (void)state;
    check_bad("--ipv4=10.0.0.300/24",
              "--ipv4: \"10.0.0.300/24\" is malformed: expected "
              "ADDRESS/PREFIX (as in 10.0.0.2/24)\n"
              "      the machine's own address\n");
    check_bad("--port=80x", "--port: \"80x\" is malformed: expected PORT "
                            "(1 to 65535, as in 80)\n"
                            "      where to listen\n");
    assert_false(port_given);
}

static void cmdline__M8_missing_value_is_an_error(void **state)
{
    const char *message = "--port: a value is missing: expected --port=PORT "
                          "(1 to 65535, as in 80)\n";

    (void)state;
    check_bad("--port", message);
    check_bad("--port=", message);
    check_bad("--port 80", message);
    check_bad("--port=\"\"", message);
}

static void cmdline__flag_takes_no_value(void **state)
{
    (void)state;
    check_bad("--quiet=yes", "--quiet: takes no value\n");
    check_bad("--quiet=", "--quiet: takes no value\n");
    assert_false(quiet_out);
}

static void cmdline__M8_unknown_key_suggests_a_near_one(void **state)
{
    (void)state;
    check_bad("--ipv5=10.0.0.2/24",
              "--ipv5: no such key (did you mean --ipv4?; --help lists "
              "them)\n");
    check_bad("--prot=80", "--prot: no such key (did you mean --port?; "
                           "--help lists them)\n");
    check_bad("--quite", "--quite: no such key (did you mean --quiet?; "
                         "--help lists them)\n");
    check_bad("--verbose", "--verbose: no such key (--help lists them)\n");
    check_bad("--x", "--x: no such key (--help lists them)\n");
    check_bad("--=1", "--: no such key (--help lists them)\n");
    check_bad("---", "---: no such key (--help lists them)\n");
}

static void cmdline__M8_repeated_key_is_an_error(void **state)
{
    (void)state;
    check_bad("--port=80 --port=80", "--port: is there twice\n");
    check_bad("--quiet x --quiet", "--quiet: is there twice\n");
}

static void cmdline__M8_long_line_is_an_error(void **state)
{
    char *line = malloc(65536);

    (void)state;
    memset(line, 'a', 65535);
    line[65535] = '\0';
    check_bad(line, "the command line is longer than 4095 bytes\n");
    line[4095] = '\0';
    assert_int_equal(parse(line), CMDLINE_OK);
    assert_string_equal(args.argv[1], line);
    memcpy(line, "--", 2);
    check_bad(line, "--aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                    "aaaa...: no such key (--help lists them)\n");
    memcpy(line, "--port=", 7);
    check_bad(line, "--port: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                    "aaaaaaaaaaaa...\" is malformed: expected PORT (1 to "
                    "65535, as in 80)\n      where to listen\n");
    free(line);
}

static void cmdline__M8_too_many_words_are_an_error(void **state)
{
    char line[2 * CMDLINE_WORDS_MAX + 3];

    (void)state;
    for (size_t i = 0; i < CMDLINE_WORDS_MAX + 1; i++)
        memcpy(line + 2 * i, "w ", 3);
    check_bad(line, "the command line has more than 128 words\n");
    line[2 * CMDLINE_WORDS_MAX] = '\0';
    assert_int_equal(parse(line), CMDLINE_OK);
    assert_int_equal(args.argc, CMDLINE_WORDS_MAX + 1);
    assert_null(args.argv[args.argc]);
}

static void cmdline__M8_control_bytes_do_not_reach_the_console(void **state)
{
    (void)state;
    check_bad("--a\033[2J\200=\001", "--a?[2J?: no such key (--help lists "
                                     "them)\n");
}

static void cmdline__help_wins_over_errors_and_is_narrow(void **state)
{
    (void)state;
    assert_int_equal(parse("--nonsense --help"), CMDLINE_HELP);
    assert_string_equal(said, "usage: app [--KEY[=VALUE]]... [ARGUMENT]...\n"
                              "  --ipv4=ADDRESS/PREFIX (as in 10.0.0.2/24)\n"
                              "      the machine's own address\n"
                              "  --name=HOST (as in web)\n"
                              "      the machine's name\n"
                              "  --port=PORT (1 to 65535, as in 80)\n"
                              "      where to listen\n"
                              "  --seed=NUMBER (0 to 4294967295, as in 1)\n"
                              "      any number\n"
                              "  --quiet\n"
                              "      says less\n"
                              "  --help\n"
                              "      shows this, and ends\n");
}

static void cmdline__two_keys_of_one_name_are_a_bug(void **state)
{
    static const struct cmdline_key other_name = {.name = "name"};
    static const struct cmdline_table twice[] = {
        {machine_keys, ARRAY_LEN(machine_keys)}, {&other_name, 1}};
    char line[] = "", name[] = "app";

    (void)state;
    host_panic_caught = true;
    if (__builtin_setjmp(host_panic_jump) == 0) {
        enum cmdline_status status =
            cmdline_parse(line, name, twice, 2, keep, &args);

        fail_msg("no panic, but status %d", (int)status);
    }
}

static void cmdline__M8_numbers_are_decimal_and_nothing_else(void **state)
{
    static const char *const bad[] = {
        "--seed=-1",     "--seed=+1",
        "--seed=\"1 \"", "--seed=0x",
        "--seed=\" 1\"", "--seed=4294967296",
        "--seed=1.0",    "--seed=99999999999999999999999"};

    (void)state;
    seed_out = 7;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(parse(bad[i]), CMDLINE_BAD);
        assert_non_null(strstr(said, "(0 to 4294967295, as in 1)"));
    }
    assert_int_equal(seed_out, 7);
    assert_int_equal(parse("--seed=4294967295"), CMDLINE_OK);
    assert_int_equal(seed_out, UINT32_MAX);
    assert_int_equal(parse("--seed=0"), CMDLINE_OK);
    assert_int_equal(seed_out, 0);
}

static void cmdline__M8_numbers_end_at_their_limits(void **state)
{
    (void)state;
    assert_int_equal(parse("--port=1"), CMDLINE_OK);
    assert_int_equal(port_out, 1);
    assert_int_equal(parse("--port=65535"), CMDLINE_OK);
    assert_int_equal(port_out, 65535);
    assert_int_equal(parse("--port=0"), CMDLINE_BAD);
    assert_int_equal(parse("--port=65536"), CMDLINE_BAD);
    assert_int_equal(port_out, 0);
}

static void parse_seconds__is_exact_to_the_microsecond(void **state)
{
    static const char *const bad[] = {"",
                                      ".5",
                                      "1.",
                                      "1.2.3",
                                      "-1",
                                      "s",
                                      "1e3",
                                      "1,5",
                                      "0.1234567",
                                      "18446744073709",
                                      "1 ",
                                      "0.0000000",
                                      "99999999999999999999"};
    uint64_t out = 7;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(cmdline_parse_seconds(bad[i], &out));
    assert_int_equal(out, 7);
    assert_true(cmdline_parse_seconds("1.5", &out));
    assert_int_equal(out, 1500000);
    assert_true(cmdline_parse_seconds("0.000001", &out));
    assert_int_equal(out, 1);
    assert_true(cmdline_parse_seconds("3", &out));
    assert_int_equal(out, 3000000);
    assert_true(cmdline_parse_seconds("18446744073708.551615", &out));
    assert_int_equal(out, UINT64_C(18446744073708551615));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cmdline__M8_empty_line_is_no_argument),
        cmocka_unit_test(cmdline__keys_of_all_tables_are_read),
        cmocka_unit_test(cmdline__other_words_are_the_programs),
        cmocka_unit_test(cmdline__after_two_dashes_all_is_the_programs),
        cmocka_unit_test(cmdline__M8_quotes_keep_spaces_together),
        cmocka_unit_test(cmdline__M8_open_quote_is_an_error),
        cmocka_unit_test(cmdline__M8_malformed_value_names_what_would_be_right),
        cmocka_unit_test(cmdline__M8_missing_value_is_an_error),
        cmocka_unit_test(cmdline__flag_takes_no_value),
        cmocka_unit_test(cmdline__M8_unknown_key_suggests_a_near_one),
        cmocka_unit_test(cmdline__M8_repeated_key_is_an_error),
        cmocka_unit_test(cmdline__M8_long_line_is_an_error),
        cmocka_unit_test(cmdline__M8_too_many_words_are_an_error),
        cmocka_unit_test(cmdline__M8_control_bytes_do_not_reach_the_console),
        cmocka_unit_test(cmdline__help_wins_over_errors_and_is_narrow),
        cmocka_unit_test(cmdline__two_keys_of_one_name_are_a_bug),
        cmocka_unit_test(cmdline__M8_numbers_are_decimal_and_nothing_else),
        cmocka_unit_test(cmdline__M8_numbers_end_at_their_limits),
        cmocka_unit_test(parse_seconds__is_exact_to_the_microsecond),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    parse(NULL); /* frees the last copy */
    return failed;
}
