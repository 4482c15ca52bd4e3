/*
 * net/dns_wire.h - DNS messages: names, questions written, answers read with
 * distrust.
 *
 * No state and no decision: net/dns_lookup.c has both.
 *
 * Source: RFC 1035 4, RFC 2181, RFC 2308 5, RFC 5452 9, RFC 6891, RFC 9267.
 */
#ifndef NET_DNS_WIRE_H
#define NET_DNS_WIRE_H

#include "kernel/base.h"
#include "net/addr.h"

enum {
    DNS_PORT = 53,
    DNS_NAME_BYTES = 255,      /* on the wire, root included: RFC 1035 2.3.4 */
    DNS_NAME_TEXT_BYTES = 254, /* as text without a last dot, and a zero */
    DNS_LABEL_BYTES = 63,
    DNS_QUESTION_BYTES = 12 + 255 + 4 + 11, /* header, name, type, OPT */
    DNS_UDP_BYTES = 1232, /* of an answer: no fragments; DNS flag day 2020 */
    DNS_ADDRS_MAX = 8,
    DNS_CHAIN_MAX = 8, /* CNAMEs one after another */
    DNS_TTL_MAX_S = 86400,
    DNS_NEGATIVE_TTL_MAX_S = 10800 /* RFC 2308 5 */
};

enum dns_type { DNS_A = 1, DNS_CNAME = 5, DNS_SOA = 6, DNS_PTR = 12 };

/* A name as it stands on the wire, whole, with its root. */
struct dns_name {
    uint8_t len;
    uint8_t bytes[DNS_NAME_BYTES];
};

/*
 * Read the name of a host: labels of 1 to 63 letters, digits, hyphens and
 * underscores; a dot at the end is allowed.
 * Returns: false for anything else; `name` is then undefined.
 */
MUST_CHECK bool dns_name_parse(const char *text, struct dns_name *name);

/* Whether a text can stand for a host: an address in numbers, or a name that
 * is no mistyped one (RFC 1123 2.1: a last label of digits alone). */
bool dns_host_ok(const char *text);

/* Write a name without its last dot; "" for the root.
 * Returns: false when a label has other bytes than a host's name may. */
MUST_CHECK bool dns_name_text(const struct dns_name *name,
                              char text[DNS_NAME_TEXT_BYTES]);

/* "1.0.0.10.in-addr.arpa": RFC 1035 3.5. */
struct dns_name dns_name_reverse(struct ipv4_addr addr);

/* Whether two names are equal, capital letters or not: RFC 4343. */
bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);

struct dns_question {
    uint16_t id;
    enum dns_type type; /* DNS_A or DNS_PTR */
    bool edns;          /* say that DNS_UDP_BYTES may come: RFC 6891 */
    struct dns_name name;
};

/*
 * Write a question.
 * out:     DNS_QUESTION_BYTES.
 * Returns: the bytes written.
 */
size_t dns_emit(uint8_t out[DNS_QUESTION_BYTES],
                const struct dns_question *question);

enum dns_verdict {
    DNS_REPLY_GOOD,      /* rcode and what was found are set */
    DNS_REPLY_TRUNCATED, /* ask by TCP */
    DNS_REPLY_BROKEN,    /* an answer to the question, and malformed */
    DNS_REPLY_CASE,      /* an answer, its letters are of another case */
    DNS_REPLY_OTHER      /* no answer to this question */
};

enum dns_rcode {
    DNS_NOERROR = 0,
    DNS_FORMERR = 1,
    DNS_SERVFAIL = 2,
    DNS_NXDOMAIN = 3,
    DNS_NOTIMP = 4,
    DNS_REFUSED = 5,
    DNS_BADVERS = 16
};

struct dns_reply {
    uint16_t rcode;
    struct ipv4_addr addrs[DNS_ADDRS_MAX]; /* DNS_A: hosts' addresses only */
    uint32_t addr_count;
    bool has_target;        /* DNS_PTR: the name */
    struct dns_name target; /* the end of the chain of CNAMEs, or the PTR's */
    uint32_t chain;         /* how long that chain is */
    uint32_t ttl_s;         /* of what was found; 0: not to be kept */
    bool has_soa;           /* ttl_s is that of "there is none": RFC 2308 */
    bool is_referral;       /* neither an answer nor a no */
};

/* What a server has sent. */
struct dns_message {
    const uint8_t *bytes;
    size_t len;
    bool by_tcp; /* nobody can have forged it who is not on the way: capital
                    letters of the question may differ */
    bool cut;    /* its end is missing: the records count that are whole */
};

/*
 * Read an answer.
 * reply: set on DNS_REPLY_GOOD.
 */
enum dns_verdict dns_parse(const struct dns_message *message,
                           const struct dns_question *question,
                           struct dns_reply *reply);

#endif
