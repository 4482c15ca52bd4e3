/*
 * net/dns_name.c - names: text, wire, and what makes two of them equal.
 */
#include <string.h>

#include "net/dns_name.h"
#include "net/dns_wire.h"

enum {
    POINTER = 0xc0, /* the two high bits of a length: RFC 1035 4.1.4 */
    HEADER_BYTES = 12,
    JUMPS_MAX = 32
};

static bool is_host_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Bytes of a label that a host's name may have: letters, digits, inner hyphens
 * (RFC 1123 2.1, RFC 952), and the underscores of services. A name that begins
 * with a hyphen would be an option to many who get it. */
static bool is_host_label(const uint8_t *label, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!is_host_byte(label[i]))
            return false;
    return len > 0 && label[0] != '-' && label[len - 1] != '-';
}

/* Append a label. Returns: false when the name becomes too long. */
static bool append(struct dns_name *name, const uint8_t *label, size_t len)
{
    /* Behind the label there must be room for the root. */
    if (name->len + 1 + len + 1 > DNS_NAME_BYTES)
        return false;
    name->bytes[name->len++] = (uint8_t)len;
    memcpy(name->bytes + name->len, label, len);
    name->len = (uint8_t)(name->len + len);
    return true;
}

static void append_root(struct dns_name *name)
{
    name->bytes[name->len++] = 0;
}

bool dns_name_parse(const char *text, struct dns_name *name)
{
    name->len = 0;
    if (!*text)
        return false;
    while (*text) {
        size_t len = 0;

        while (len <= DNS_LABEL_BYTES && text[len] && text[len] != '.')
            len++;
        if (len > DNS_LABEL_BYTES ||
            !is_host_label((const uint8_t *)text, len) ||
            !append(name, (const uint8_t *)text, len))
            return false;
        text += len + (text[len] == '.');
    }
    append_root(name);
    return true;
}

/* Whether the last label, a last dot apart, is digits alone. */
static bool ends_in_digits(const char *text)
{
    size_t len = strlen(text);

    if (len > 0 && text[len - 1] == '.')
        len--;
    while (len > 0 && text[len - 1] >= '0' && text[len - 1] <= '9')
        len--;
    return len == 0 || text[len - 1] == '.';
}

bool dns_host_ok(const char *text)
{
    struct ipv4_addr addr;
    struct dns_name name;

    if (ipv4_addr_parse(text, &addr))
        return true;
    return dns_name_parse(text, &name) && !ends_in_digits(text);
}

bool dns_name_text(const struct dns_name *name, char text[DNS_NAME_TEXT_BYTES])
{
    size_t at = 0, to = 0;

    while (name->bytes[at] != 0) {
        size_t len = name->bytes[at++];

        if (!is_host_label(name->bytes + at, len))
            return false;
        if (to > 0)
            text[to++] = '.';
        memcpy(text + to, name->bytes + at, len);
        to += len;
        at += len;
    }
    text[to] = '\0';
    return true;
}

struct dns_name dns_name_reverse(struct ipv4_addr addr)
{
    struct dns_name name = {0};

    for (int i = 3; i >= 0; i--) {
        uint8_t byte = addr.byte[i];
        uint8_t digits[3];
        size_t len = 0;

        if (byte >= 100)
            digits[len++] = (uint8_t)('0' + byte / 100);
        if (byte >= 10)
            digits[len++] = (uint8_t)('0' + byte / 10 % 10);
        digits[len++] = (uint8_t)('0' + byte % 10);
        (void)!append(&name, digits, len);
    }
    (void)!append(&name, (const uint8_t *)"in-addr", 7);
    (void)!append(&name, (const uint8_t *)"arpa", 4);
    append_root(&name);
    return name;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

/* Lengths are below 64 and so no letters. */
bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++)
        if (lower(a->bytes[i]) != lower(b->bytes[i]))
            return false;
    return true;
}

/*
 * RFC 9267: every pointer leads strictly backwards, before the piece of name
 * that it ends, and never into the header; so no name is read twice.
 */
bool dns_name_read(const uint8_t *bytes, size_t len, size_t *at,
                   struct dns_name *name)
{
    size_t here = *at, piece = *at, target;
    unsigned jumps = 0;

    name->len = 0;
    while (here < len && bytes[here] != 0) {
        uint8_t label = bytes[here];

        if ((label & POINTER) == POINTER) {
            if (len - here < 2)
                return false;
            target = (size_t)(label & ~POINTER) << 8 | bytes[here + 1];
            if (jumps == 0)
                *at = here + 2;
            if (target >= piece || target < HEADER_BYTES || ++jumps > JUMPS_MAX)
                return false;
            here = piece = target;
            continue;
        }
        if (label > DNS_LABEL_BYTES || len - here - 1 < label ||
            !append(name, bytes + here + 1, label))
            return false;
        here += 1u + label;
    }
    if (here >= len)
        return false; /* without its root */
    append_root(name);
    if (jumps == 0)
        *at = here + 1;
    return true;
}
