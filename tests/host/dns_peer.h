/*
 * tests/host/dns_peer.h - DNS messages, written and read byte by byte.
 *
 * Shares no code with the resolver, so that both cannot be wrong in the same
 * way.
 */
#ifndef TESTS_HOST_DNS_PEER_H
#define TESTS_HOST_DNS_PEER_H

#include "kernel/base.h"

enum {
    DNS_PEER_ANSWER = 0x8180, /* flags: QR, RD, RA */
    DNS_PEER_TC = 0x0200,
    DNS_PEER_QUESTION = 12 /* where the question's name stands */
};

struct dns_text {
    uint8_t bytes[70000];
    size_t len;
};

/* A question as it was received. */
struct dns_asked {
    uint16_t id, type;
    uint8_t question[300]; /* name, type and class, letter by letter */
    size_t question_len;
    char name[256]; /* in small letters */
    bool edns;
    uint16_t edns_bytes;
};

/* Read a question. Returns: false when it is none of the stack's making. */
bool dns_peer_read(const uint8_t *bytes, size_t len, struct dns_asked *asked);

void dns_put8(struct dns_text *text, uint8_t value);
void dns_put16(struct dns_text *text, uint16_t value);
void dns_put32(struct dns_text *text, uint32_t value);
void dns_put(struct dns_text *text, const void *bytes, size_t len);

/* "www.example.org", with its root. */
void dns_put_name(struct dns_text *text, const char *name);

/* A pointer to `at`. */
void dns_put_pointer(struct dns_text *text, uint16_t at);

/* The header, and the question again. Counts are those of the sections. */
void dns_begin(struct dns_text *text, const struct dns_asked *asked,
               uint16_t flags, uint16_t answers, uint16_t authorities,
               uint16_t additionals);

/* Type, class IN, TTL and length of a record, behind its owner. */
void dns_put_fixed(struct dns_text *text, uint16_t type, uint32_t ttl_s,
                   uint16_t data_len);

/* Whole records; owner null: a pointer to the question. */
void dns_put_a(struct dns_text *text, const char *owner, uint32_t ttl_s,
               uint32_t addr);
void dns_put_cname(struct dns_text *text, const char *owner, uint32_t ttl_s,
                   const char *target);
void dns_put_ptr(struct dns_text *text, const char *owner, uint32_t ttl_s,
                 const char *target);
void dns_put_soa(struct dns_text *text, const char *owner, uint32_t ttl_s,
                 uint32_t minimum_s);

#endif
