/*
 * tests/unit/test_url.c - the argument of apps/fetch.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "apps/fetch/url.h"

static void parses(const char *text, const char *host, uint16_t port,
                   const char *path)
{
    struct url url;

    assert_true(url_parse(text, &url));
    assert_string_equal(url.host, host);
    assert_string_equal(url.path, path);
    assert_int_equal(url.port, port);
}

static void url__every_part_but_the_address_may_be_missing(void **state)
{
    (void)state;
    parses("http://10.0.2.2:8080/a/b?c", "10.0.2.2", 8080, "/a/b?c");
    parses("10.0.2.2:8080/a", "10.0.2.2", 8080, "/a");
    parses("10.0.2.2:65535", "10.0.2.2", 65535, "/");
    parses("http://10.0.2.2", "10.0.2.2", 80, "/");
    parses("10.0.2.2/", "10.0.2.2", 80, "/");
    parses("http://www.example.org:8080/a", "www.example.org", 8080, "/a");
    parses("host", "host", 80, "/");
    parses("host.:80/", "host.", 80, "/");
}

static void url__the_authority_is_kept_as_written(void **state)
{
    struct url url;

    (void)state;
    assert_true(url_parse("http://Www.Example.org:080/", &url));
    assert_string_equal(url.authority, "Www.Example.org:080");
    assert_int_equal(url.port, 80);
}

static void url__malformed_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "/",
                                      "http://",
                                      "http:///",
                                      "10.0.2",
                                      "10.0.2.256",
                                      "10.0.2.2:",
                                      "10.0.2.2:0",
                                      "10.0.2.2:65536",
                                      "10.0.2.2:8x",
                                      "10.0.2.2:80:80",
                                      "host:",
                                      "ho st",
                                      "host..",
                                      ".host",
                                      "host.1",
                                      "https://10.0.2.2",
                                      "http://http://10.0.2.2",
                                      "user@10.0.2.2",
                                      "10.0.2.2?x",
                                      " 10.0.2.2",
                                      "10.0.2.2 ",
                                      "10.0.2.2/a b",
                                      "10.0.2.2/a\r\nX: y",
                                      "10.0.2.2/\x80",
                                      "10.0.2.2/#a",
                                      "255.255.255.255:655350"};
    struct url url;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (url_parse(bad[i], &url))
            fail_msg("accepted: %s", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(url__every_part_but_the_address_may_be_missing),
        cmocka_unit_test(url__the_authority_is_kept_as_written),
        cmocka_unit_test(url__malformed_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
