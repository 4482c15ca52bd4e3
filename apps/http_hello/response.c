/*
 * apps/http_hello/response.c - the head of an answer.
 *
 * Written by hand from constant pieces: printf() would cost more than all the
 * rest of the program, of instructions and of image.
 */
#include "apps/http_hello/response.h"

#include <string.h>
#include <time.h>

#include "kernel/format.h"

static char *put(char *out, const char *text, size_t len)
{
    memcpy(out, text, len);
    return out + len;
}

#define PUT(out, literal) put((out), (literal), sizeof(literal) - 1)

static char *put_decimal(char *out, size_t value)
{
    size_t digits = 1;
    char *end;

    for (size_t rest = value; rest > 9; rest /= 10)
        digits++;
    end = out + digits;
    do {
        out[--digits] = (char)('0' + value % 10);
        value /= 10;
    } while (digits > 0);
    return end;
}

size_t response_emit_head(char *out, const struct response *response,
                          size_t body_bytes,
                          enum response_connection connection,
                          const struct response_date *date)
{
    char *at = put(out, response->head, response->head_bytes);

    at = PUT(at, "Content-Length: ");
    at = put_decimal(at, body_bytes);
    at = PUT(at, "\r\n");
    memcpy(at, date->text, sizeof(date->text)); /* a fixed size: no call */
    at += date->bytes;
    if (connection == RESPONSE_CLOSE)
        at = PUT(at, "Connection: close\r\n");
    else if (connection == RESPONSE_KEEP_SAID)
        at = PUT(at, "Connection: keep-alive\r\n");
    at = PUT(at, "\r\n");
    return (size_t)(at - out);
}

void response_date_set(struct response_date *date, uint64_t wall_us)
{
    static const char day[][4] = {"Sun", "Mon", "Tue", "Wed",
                                  "Thu", "Fri", "Sat"};
    static const char month[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm tm;

    date->text[0] = '\0';
    date->bytes = 0;
    if (wall_us == 0 || !gmtime_r(&seconds, &tm) || tm.tm_year > 9999 - 1900)
        return;
    date->bytes = (uint8_t)format_text(
        date->text, sizeof(date->text),
        "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", day[tm.tm_wday],
        tm.tm_mday, month[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
        tm.tm_sec);
}
