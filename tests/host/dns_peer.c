/*
 * tests/host/dns_peer.c - see dns_peer.h.
 */
#include "tests/host/dns_peer.h"

#include <string.h>

bool dns_peer_read(const uint8_t *bytes, size_t len, struct dns_asked *asked)
{
    size_t at = 12, to = 0;

    *asked = (struct dns_asked){0};
    if (len < 12 + 5 || bytes[2] != 1 || bytes[3] != 0 || bytes[4] != 0 ||
        bytes[5] != 1)
        return false;
    asked->id = (uint16_t)(bytes[0] << 8 | bytes[1]);
    while (at < len && bytes[at]) {
        if (to > 0)
            asked->name[to++] = '.';
        for (size_t i = 0; i < bytes[at]; i++) {
            uint8_t c = bytes[at + 1 + i];

            asked->name[to++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        }
        at += 1u + bytes[at];
    }
    at++;
    asked->type = (uint16_t)(bytes[at] << 8 | bytes[at + 1]);
    asked->question_len = at + 4 - 12;
    memcpy(asked->question, bytes + 12, asked->question_len);
    at += 4;
    asked->edns = bytes[11] == 1 && len == at + 11 && bytes[at] == 0 &&
                  bytes[at + 1] == 0 && bytes[at + 2] == 41;
    if (asked->edns)
        asked->edns_bytes = (uint16_t)(bytes[at + 3] << 8 | bytes[at + 4]);
    return asked->edns || len == at;
}

void dns_put(struct dns_text *text, const void *bytes, size_t len)
{
    ASSERT(text->len + len <= sizeof(text->bytes));
    memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
}

void dns_put8(struct dns_text *text, uint8_t value)
{
    dns_put(text, &value, 1);
}

void dns_put16(struct dns_text *text, uint16_t value)
{
    dns_put8(text, (uint8_t)(value >> 8));
    dns_put8(text, (uint8_t)value);
}

void dns_put32(struct dns_text *text, uint32_t value)
{
    dns_put16(text, (uint16_t)(value >> 16));
    dns_put16(text, (uint16_t)value);
}

void dns_put_name(struct dns_text *text, const char *name)
{
    while (*name) {
        size_t len = strcspn(name, ".");

        dns_put8(text, (uint8_t)len);
        dns_put(text, name, len);
        name += len + (name[len] == '.');
    }
    dns_put8(text, 0);
}

void dns_put_pointer(struct dns_text *text, uint16_t at)
{
    dns_put16(text, 0xc000 | at);
}

void dns_begin(struct dns_text *text, const struct dns_asked *asked,
               uint16_t flags, uint16_t answers, uint16_t authorities,
               uint16_t additionals)
{
    text->len = 0;
    dns_put16(text, asked->id);
    dns_put16(text, flags);
    dns_put16(text, 1);
    dns_put16(text, answers);
    dns_put16(text, authorities);
    dns_put16(text, additionals);
    dns_put(text, asked->question, asked->question_len);
}

void dns_put_fixed(struct dns_text *text, uint16_t type, uint32_t ttl_s,
                   uint16_t data_len)
{
    dns_put16(text, type);
    dns_put16(text, 1);
    dns_put32(text, ttl_s);
    dns_put16(text, data_len);
}

static void put_owner(struct dns_text *text, const char *owner)
{
    if (owner)
        dns_put_name(text, owner);
    else
        dns_put_pointer(text, DNS_PEER_QUESTION);
}

void dns_put_a(struct dns_text *text, const char *owner, uint32_t ttl_s,
               uint32_t addr)
{
    put_owner(text, owner);
    dns_put_fixed(text, 1, ttl_s, 4);
    dns_put32(text, addr);
}

static void put_name_record(struct dns_text *text, const char *owner,
                            uint16_t type, uint32_t ttl_s, const char *target)
{
    put_owner(text, owner);
    dns_put_fixed(text, type, ttl_s, (uint16_t)(strlen(target) + 2));
    dns_put_name(text, target);
}

void dns_put_cname(struct dns_text *text, const char *owner, uint32_t ttl_s,
                   const char *target)
{
    put_name_record(text, owner, 5, ttl_s, target);
}

void dns_put_ptr(struct dns_text *text, const char *owner, uint32_t ttl_s,
                 const char *target)
{
    put_name_record(text, owner, 12, ttl_s, target);
}

void dns_put_soa(struct dns_text *text, const char *owner, uint32_t ttl_s,
                 uint32_t minimum_s)
{
    put_owner(text, owner);
    dns_put_fixed(text, 6, ttl_s, 1 + 1 + 20);
    dns_put8(text, 0);
    dns_put8(text, 0);
    for (int i = 0; i < 4; i++)
        dns_put32(text, 3600);
    dns_put32(text, minimum_s);
}
