/*
 * tests/host/dns_world.h - a name server in a world of two stacks: it runs on B
 * and says what the test wants; the resolver under test is A's.
 */
#ifndef TESTS_HOST_DNS_WORLD_H
#define TESTS_HOST_DNS_WORLD_H

#include "net/dns.h"
#include "net/udp_flow.h"
#include "tests/host/dns_peer.h"
#include "tests/host/flow_world.h"

#define DNS_WORLD_HOST "www.example.org"
#define DNS_WORLD_ADDR 0x0a000063u

/* Write an answer to dns_world.asked, behind its length when it goes by TCP.
 * Returns: false: say nothing. */
typedef bool dns_world_answer(struct dns_text *out, bool by_tcp);

struct dns_world {
    struct udp_flow *udp;
    struct thread *thread;
    dns_world_answer *answer;
    bool byte_by_byte;        /* by TCP, a segment each */
    struct dns_asked asked;   /* the latest question */
    struct udp_datagram from; /* who asked it by UDP */
    struct dns_text text;     /* the latest answer by UDP */
    unsigned by_udp, by_tcp;  /* questions so far */
    uint16_t ports[64];       /* that they came from */
    uint16_t ids[64];
};

extern struct dns_world dns_world;

/* A's resolver. */
struct dns *dns_world_resolver(void);

/* Start the server, and have A ask it; and end it. */
void dns_world_start(dns_world_answer *answer);
void dns_world_stop(void);

/* Send what stands in dns_world.text by UDP. */
void dns_world_send(void);

/* Put the length before a message: how it goes by TCP. */
void dns_world_prefix(struct dns_text *message);

/* Resolve at A, and assert what comes of it. */
void dns_world_resolves(const char *name, uint32_t addr);
void dns_world_fails(const char *name, enum dns_status status);

/* Answers: one address for a minute; the same not to be kept; nothing; no such
 * name, for half a minute. */
dns_world_answer dns_world_say_addr, dns_world_say_addr_once,
    dns_world_say_nothing, dns_world_say_no_name;

#endif
