/*
 * net/dns_lookup.h - one question and all that is done to have it answered:
 * which server is asked, by which transport, how long, and what an answer
 * means.
 *
 * Sans-I/O: the caller sends and receives, in the way that `step` says;
 * net/dns_flow.c does it with threads.
 *
 * Source: RFC 1035 7, RFC 5452, RFC 6891 7, RFC 7766 5, RFC 2308.
 */
#ifndef NET_DNS_LOOKUP_H
#define NET_DNS_LOOKUP_H

#include "kernel/base.h"
#include "net/addr.h"
#include "net/dns_wire.h"

enum {
    DNS_SERVERS_MAX = 4,
    DNS_ROUNDS = 3,         /* through all servers */
    DNS_MISMATCHES_MAX = 4, /* forged answers, then TCP: RFC 5452 9.3 */
    DNS_FIRST_TRY_S = 2     /* 4 and 8 in the next rounds */
};

enum dns_status {
    DNS_OK,
    DNS_NO_NAME,       /* there is no such name */
    DNS_NO_DATA,       /* the name has no record of that type */
    DNS_SERVER_FAILED, /* every server says that it cannot tell */
    DNS_TIMEOUT,       /* no server has answered */
    DNS_NO_SERVER,     /* none is known */
    DNS_BAD_NAME,      /* not the name of a host */
    DNS_BUSY,          /* too many lookups at a time, or no memory */
    DNS_DEADLINE,      /* the caller's deadline passed */
    DNS_CANCELLED,     /* thread_cancel() */
    DNS_STATUS_COUNT
};

/* A message for a person, for every value there is. Never null. */
const char *dns_status_text(enum dns_status status);

struct dns_result {
    enum dns_status status;
    struct ipv4_addr addrs[DNS_ADDRS_MAX]; /* DNS_A */
    uint32_t addr_count;
    struct dns_name name; /* DNS_PTR */
    uint32_t ttl_s;       /* how long it may be kept; 0: not at all */
};

struct dns_servers {
    struct ipv4_addr addr[DNS_SERVERS_MAX];
    uint32_t count;
};

/* What the caller has to do. */
enum dns_step {
    DNS_ASK_UDP, /* from a port of its own, and wait for `wait_us` */
    DNS_ASK_TCP,
    DNS_DONE /* `result` is set */
};

struct dns_lookup {
    struct dns_servers servers;
    struct dns_name asked;        /* by the caller */
    struct dns_question question; /* to be asked now */
    enum dns_step step;
    struct ipv4_addr server; /* whom to ask */
    uint64_t wait_us;
    struct dns_result result;

    uint32_t next;       /* which server: counted on through all rounds */
    uint32_t mismatches; /* answers that were not to the question */
    uint32_t chain;      /* CNAMEs followed so far */
    bool forged;         /* somebody guesses: TCP alone from now on */
    bool plain;          /* a server did not understand EDNS */
    bool failed;         /* one said that it cannot tell */
};

/*
 * Begin. `step` says what to do first.
 * servers: copied; none: DNS_NO_SERVER.
 * random:  unpredictable: id, and which letters of the name are capital.
 */
void dns_lookup_init(struct dns_lookup *lookup,
                     const struct dns_servers *servers,
                     const struct dns_name *name, enum dns_type type,
                     const uint64_t random[2]);

/*
 * Something came from `server`, while it was asked.
 * random:  as above, for the next question.
 * Returns: false when it was no answer: wait on. Otherwise `step` is new.
 */
MUST_CHECK bool dns_lookup_take(struct dns_lookup *lookup,
                                const struct dns_message *message,
                                const uint64_t random[2]);

/* The server could not be asked, or did not answer in time. `step` is new. */
void dns_lookup_failed(struct dns_lookup *lookup, const uint64_t random[2]);

#endif
