/*
 * tests/host/dns_talk.h - one question of the resolver, and what it reads in
 * the answer that a test writes.
 *
 * For tests only: every call asserts what it expects, with cmocka.
 */
#ifndef TESTS_HOST_DNS_TALK_H
#define TESTS_HOST_DNS_TALK_H

#include "net/dns_wire.h"
#include "tests/host/dns_peer.h"

#define DNS_TALK_HOST "www.example.org"

struct dns_talk {
    struct dns_question question;
    struct dns_asked asked; /* the same, read by the test's own eyes */
    struct dns_text text;   /* the answer, for the test to write */
    struct dns_reply reply; /* what the resolver made of it */
};

extern struct dns_talk talk;

/* Ask for DNS_TALK_HOST; and cmocka's setup, which asks for its address. */
void talk_ask(enum dns_type type);
int talk_asked(void **state);

/* Parse what stands in talk.text, in memory of its own size: as it came by
 * UDP, or by TCP, or cut by the receiver. */
enum dns_verdict talk_parse(void);
enum dns_verdict talk_parse_as(bool by_tcp, bool cut);

/* It is good, and has this one address; ... and has none. */
void talk_finds(uint32_t addr);
void talk_finds_nothing(void);

#endif
