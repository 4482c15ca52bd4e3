/*
 * net/addr.c - addresses to and from text.
 */
#include "net/addr.h"

/*
 * Read a decimal number without leading zero, at most `max`, and move `text`
 * behind it. Returns: false when there is none; outputs unchanged.
 */
static bool take_number(const char **text, uint32_t max, uint32_t *number)
{
    const char *at = *text;
    uint32_t value = 0;

    if (*at < '0' || *at > '9' ||
        (at[0] == '0' && at[1] >= '0' && at[1] <= '9'))
        return false;
    for (; *at >= '0' && *at <= '9'; at++) {
        value = value * 10 + (uint32_t)(*at - '0');
        if (value > max)
            return false;
    }
    *text = at;
    *number = value;
    return true;
}

static bool take_char(const char **text, char wanted)
{
    if (**text != wanted)
        return false;
    (*text)++;
    return true;
}

static bool take_addr(const char **text, struct ipv4_addr *addr)
{
    struct ipv4_addr found;

    for (int i = 0; i < 4; i++) {
        uint32_t number;

        if (i > 0 && !take_char(text, '.'))
            return false;
        if (!take_number(text, 255, &number))
            return false;
        found.byte[i] = (uint8_t)number;
    }
    *addr = found;
    return true;
}

bool ipv4_addr_parse(const char *text, struct ipv4_addr *addr)
{
    struct ipv4_addr found;

    if (!take_addr(&text, &found) || *text)
        return false;
    *addr = found;
    return true;
}

/* "addr", then `separator`, then a number, then the end. */
static bool parse_pair(const char *text, char separator, uint32_t max,
                       struct ipv4_addr *addr, uint32_t *number)
{
    return take_addr(&text, addr) && take_char(&text, separator) &&
           take_number(&text, max, number) && !*text;
}

bool ipv4_prefix_parse(const char *text, struct ipv4_addr *addr,
                       uint8_t *prefix_bits)
{
    struct ipv4_addr found;
    uint32_t bits;

    if (!parse_pair(text, '/', 32, &found, &bits))
        return false;
    *addr = found;
    *prefix_bits = (uint8_t)bits;
    return true;
}

bool ipv4_endpoint_parse(const char *text, struct ipv4_addr *addr,
                         uint16_t *port)
{
    struct ipv4_addr found;
    uint32_t number;

    if (!parse_pair(text, ':', 65535, &found, &number) || number == 0)
        return false;
    *addr = found;
    *port = (uint16_t)number;
    return true;
}

char *ipv4_addr_text(struct ipv4_addr addr, char *text)
{
    char *to = text;

    for (int i = 0; i < 4; i++) {
        uint8_t byte = addr.byte[i];

        if (i > 0)
            *to++ = '.';
        if (byte >= 100)
            *to++ = (char)('0' + byte / 100);
        if (byte >= 10)
            *to++ = (char)('0' + byte / 10 % 10);
        *to++ = (char)('0' + byte % 10);
    }
    *to = '\0';
    return text;
}

char *mac_addr_text(struct mac_addr addr, char *text)
{
    static const char digits[] = "0123456789abcdef";
    char *to = text;

    for (int i = 0; i < 6; i++) {
        if (i > 0)
            *to++ = ':';
        *to++ = digits[addr.byte[i] >> 4];
        *to++ = digits[addr.byte[i] & 15];
    }
    *to = '\0';
    return text;
}
