/*
 * tests/unit/test_log_levels.c - the text of --logs.
 */
#include "kernel/log_levels.c"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct log_levels parsed(const char *text)
{
    struct log_levels levels = {.others = LOG_INFO};

    assert_true(log_levels_parse(text, &levels));
    return levels;
}

static void logs__one_level_is_for_all(void **state)
{
    (void)state;
    assert_int_equal(parsed("error").others, LOG_ERROR);
    assert_int_equal(parsed("debug").others, LOG_DEBUG);
    assert_int_equal(parsed("debug").count, 0);
}

static void logs__modules_have_levels_of_their_own(void **state)
{
    struct log_levels levels = parsed("tcp:debug,warning,arp:info,tcp:error");

    (void)state;
    assert_int_equal(levels.others, LOG_WARNING);
    assert_int_equal(levels.count, 2);
    assert_string_equal(levels.named[0].module, "tcp");
    assert_int_equal(levels.named[0].level, LOG_ERROR); /* the last word */
    assert_string_equal(levels.named[1].module, "arp");
    assert_int_equal(levels.named[1].level, LOG_INFO);
}

static void logs__malformed_text_changes_nothing(void **state)
{
    static const char *const texts[] = {
        "",         ",",          "info,",
        ",info",    "inf",        "infos",
        "INFO",     "tcp",        ":info",
        "tcp:",     "tcp:shout",  "tcp:info:debug",
        " info",    "tcp:info ",  "sixteen_letters_:info",
        "a b:info", "a\033:info", "\200:info"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct log_levels levels = {.others = LOG_WARNING};
        struct log_levels before = levels;

        assert_false(log_levels_parse(texts[i], &levels));
        assert_memory_equal(&levels, &before, sizeof(levels));
    }
}

static void logs__as_many_modules_as_there_is_room_for(void **state)
{
    struct log_levels levels = {.others = LOG_INFO};
    char text[LOG_MODULES_MAX * 8 + 16] = "";

    (void)state;
    for (char c = 'a'; c < 'a' + LOG_MODULES_MAX; c++) {
        char word[] = {c, ':', 'd', 'e', 'b', 'u', 'g', ',', 0};

        strcat(text, word);
    }
    strcat(text, "error");
    assert_true(log_levels_parse(text, &levels));
    assert_int_equal(levels.count, LOG_MODULES_MAX);
    strcat(text, ",z:debug");
    assert_false(log_levels_parse(text, &levels));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logs__one_level_is_for_all),
        cmocka_unit_test(logs__modules_have_levels_of_their_own),
        cmocka_unit_test(logs__malformed_text_changes_nothing),
        cmocka_unit_test(logs__as_many_modules_as_there_is_room_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
