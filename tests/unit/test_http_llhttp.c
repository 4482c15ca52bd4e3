/*
 * tests/unit/test_http_llhttp.c - a second opinion on what HTTP requests are.
 *
 * Requests are put together from good and bad parts, and some bytes of them
 * are changed. Whatever our reader accepts, llhttp in its strict variant must
 * accept too, and see its end and its connection options the same way. (The
 * other way round it is not so: llhttp forgives more.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <llhttp/llhttp.h>

#include "tests/host/http_verdict.h"

enum { CASES = 100000, TEXT_BYTES_MAX = 1024 };

static const char *const lines[] = {
    "GET / HTTP/1.1\r\n",       "HEAD /healthz HTTP/1.1\r\n",
    "POST /x?y HTTP/1.1\r\n",   "POST / HTTP/1.0\r\n",
    "OPTIONS * HTTP/1.1\r\n",   "GET http://a:80/b HTTP/1.1\r\n",
    "PUT /%20!$ HTTP/1.1\r\n",  "FOO / HTTP/1.1\r\n",
    "GET / HTTP/2.0\r\n",       "\r\nGET /{|}\"<>\\ HTTP/1.1\r\n",
    "DELETE /a#b HTTP/1.1\r\n", "CONNECT a:80 HTTP/1.1\r\n",
};

static const char *const fields[] = {
    "Host: a\r\n",
    "Host: [::1]:80\r\n",
    "Content-Length: 5\r\n",
    "Content-Length:12 \r\n",
    "Content-Length: 0\r\n",
    "Transfer-Encoding: chunked\r\n",
    "transfer-encoding:Chunked \r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Connection: close\r\n",
    "Connection: keep-alive\r\n",
    "connection: Upgrade , Close\r\n",
    "Connection: ,closed,,keep-alive\r\n",
    "Upgrade: h2c\r\n",
    "A:\r\n",
    "User-Agent: x y/1.0 (\x80z)\r\n",
};

static const char *const bodies[] = {
    "",
    "hello",
    "hello, world",
    "5\r\nhello\r\n0\r\n\r\n",
    "5;a=b\r\nhello\r\n0\r\nT: x\r\n\r\n",
    "00A\r\n0123456789\r\n5\r\nhello\r\n0\r\n\r\n",
    "1;q=\"a b\"\r\nx\r\n0\r\n\r\n",
};

#define ANY(list) ((list)[random_below(ARRAY_LEN(list))])

static uint64_t random_state = 1;

static size_t random_below(size_t bound)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(random_state >> 33) % bound;
}

static size_t append(char *text, size_t len, const char *part)
{
    size_t bytes = strlen(part);

    assert_true(len + bytes < TEXT_BYTES_MAX);
    memcpy(text + len, part, bytes);
    return len + bytes;
}

/* Change, insert or remove a byte. */
static size_t spoil(char *text, size_t len)
{
    static const char bytes[] = "\r\n :,;=/?.\"0a5A\x7f\x80{[*#\x01@\\-";
    size_t at = random_below(len);
    char c = random_below(4) == 0 ? (char)random_below(256)
                                  : bytes[random_below(sizeof(bytes))];

    switch (random_below(3)) {
    case 0:
        text[at] = c;
        return len;
    case 1:
        memmove(text + at + 1, text + at, len - at);
        text[at] = c;
        return len + 1;
    default:
        memmove(text + at, text + at + 1, len - at - 1);
        return len - 1;
    }
}

static size_t make_request(char *text)
{
    size_t len = append(text, 0, ANY(lines));
    size_t changes = random_below(4);

    if (random_below(8) > 0)
        len = append(text, len, "Host: a\r\n");
    for (size_t i = random_below(4); i > 0; i--)
        len = append(text, len, ANY(fields));
    len = append(text, len, "\r\n");
    len = append(text, len, ANY(bodies));
    for (; changes > 0; changes--)
        len = spoil(text, len);
    return len;
}

static int pause_at_end(llhttp_t *llhttp)
{
    (void)llhttp;
    return HPE_PAUSED;
}

/* llhttp 8.1 refuses a second extension of a chunk, and takes a tab behind a
 * word for a part of it. RFC 9112 7.1.1 and RFC 9110 5.6.3 say otherwise. */
static bool llhttp_is_wrong_about(const char *text, size_t len)
{
    const char *first = memchr(text, ';', len);

    return memchr(text, '\t', len) ||
           (first && memchr(first + 1, ';', len - (size_t)(first + 1 - text)));
}

static void expect_second_opinion(const char *text, size_t len,
                                  const struct http_verdict *ours)
{
    const llhttp_settings_t settings = {.on_message_complete = pause_at_end};
    llhttp_t llhttp;
    llhttp_errno_t err;
    bool keeps_alive;

    llhttp_init(&llhttp, HTTP_REQUEST, &settings);
    err = llhttp_execute(&llhttp, text, len);
    if (err != HPE_PAUSED)
        fail_msg("llhttp: %s: %.*s", llhttp_get_error_reason(&llhttp), (int)len,
                 text);
    if (llhttp_get_error_pos(&llhttp) != text + ours->used)
        fail_msg("another end, not %zu: %.*s", ours->used, (int)len, text);
    keeps_alive =
        !(llhttp.flags & F_CONNECTION_CLOSE) &&
        (llhttp.http_minor > 0 || llhttp.flags & F_CONNECTION_KEEP_ALIVE);
    if (keeps_alive != ours->keep_alive)
        fail_msg("another end of the connection: %.*s", (int)len, text);
}

static void accepted__llhttp_accepts_the_same(void **state)
{
    char text[TEXT_BYTES_MAX + 8];
    size_t accepted = 0;

    (void)state;
    for (unsigned i = 0; i < CASES; i++) {
        size_t len = make_request(text);
        struct http_verdict ours = http_judge(text, len);

        if (!ours.accepted || llhttp_is_wrong_about(text, len))
            continue;
        accepted++;
        expect_second_opinion(text, len, &ours);
    }
    assert_true(accepted > CASES / 10); /* enough to say something */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted__llhttp_accepts_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
