/*
 * net/dns_lookup.c - one question and all that is done to have it answered.
 */
#include "net/dns_lookup.h"

const char *dns_status_text(enum dns_status status)
{
    static const char *const texts[DNS_STATUS_COUNT] = {
        [DNS_OK] = "no error",
        [DNS_NO_NAME] = "no such name",
        [DNS_NO_DATA] = "the name has no address",
        [DNS_SERVER_FAILED] = "the name servers cannot tell",
        [DNS_TIMEOUT] = "no name server answers",
        [DNS_NO_SERVER] = "no name server is known",
        [DNS_BAD_NAME] = "not a host's name",
        [DNS_BUSY] = "too many lookups at a time",
        [DNS_DEADLINE] = "the lookup timed out",
        [DNS_CANCELLED] = "the lookup was cancelled",
    };

    return (unsigned)status < DNS_STATUS_COUNT ? texts[status]
                                               : "unknown error";
}

static void finish(struct dns_lookup *lookup, enum dns_status status)
{
    lookup->result.status = status;
    lookup->step = DNS_DONE;
}

/* Every letter of the name becomes small or capital by chance; a forger has to
 * guess them too. */
static void mix_case(struct dns_name *name, uint64_t random)
{
    for (size_t at = 0; at < name->len; at++) {
        uint8_t c = name->bytes[at] | 0x20;

        if (c < 'a' || c > 'z')
            continue;
        name->bytes[at] = random & 1 ? c : (uint8_t)(c & ~0x20);
        random = random >> 1 | random << 63;
    }
}

/* Ask this server, as things stand now. */
static void ask(struct dns_lookup *lookup, bool by_tcp,
                const uint64_t random[2])
{
    uint32_t round = lookup->next / lookup->servers.count;

    lookup->server = lookup->servers.addr[lookup->next % lookup->servers.count];
    lookup->step = by_tcp || lookup->forged ? DNS_ASK_TCP : DNS_ASK_UDP;
    lookup->wait_us = (uint64_t)DNS_FIRST_TRY_S * 1000000 << round;
    lookup->question.id = (uint16_t)random[0];
    /* Some servers and firewalls know nothing of EDNS, and are silent. */
    lookup->question.edns = !lookup->plain && round == 0;
    mix_case(&lookup->question.name, random[1]);
}

void dns_lookup_init(struct dns_lookup *lookup,
                     const struct dns_servers *servers,
                     const struct dns_name *name, enum dns_type type,
                     const uint64_t random[2])
{
    *lookup = (struct dns_lookup){
        .servers = *servers,
        .asked = *name,
        .question = {.type = type, .name = *name},
    };
    if (servers->count == 0)
        finish(lookup, DNS_NO_SERVER);
    else
        ask(lookup, false, random);
}

void dns_lookup_failed(struct dns_lookup *lookup, const uint64_t random[2])
{
    lookup->next++;
    if (lookup->next < DNS_ROUNDS * lookup->servers.count)
        ask(lookup, false, random);
    else
        finish(lookup, lookup->failed ? DNS_SERVER_FAILED : DNS_TIMEOUT);
}

/* The server says that it cannot tell; another may, and asking the same again
 * soon would not help. */
static void server_failed(struct dns_lookup *lookup, const uint64_t random[2])
{
    lookup->failed = true;
    if (lookup->next + 1 >= lookup->servers.count)
        finish(lookup, DNS_SERVER_FAILED);
    else
        dns_lookup_failed(lookup, random);
}

/* There is none, and for how long that holds. */
static void negative(struct dns_lookup *lookup, enum dns_status status,
                     const struct dns_reply *reply)
{
    lookup->result.ttl_s = reply->has_soa ? reply->ttl_s : 0;
    finish(lookup, status);
}

static void positive(struct dns_lookup *lookup, const struct dns_reply *reply)
{
    struct dns_result *result = &lookup->result;

    for (uint32_t i = 0; i < reply->addr_count; i++)
        result->addrs[i] = reply->addrs[i];
    result->addr_count = reply->addr_count;
    result->name = reply->target;
    /* What an alias on the way says may end sooner than what it leads to; it
     * was in another answer, and is not known here any more. */
    result->ttl_s = lookup->chain > 0 ? 0 : reply->ttl_s;
    finish(lookup, DNS_OK);
}

/* The answer leads to another name, and stops there. */
static void follow(struct dns_lookup *lookup, const struct dns_reply *reply,
                   const uint64_t random[2])
{
    lookup->chain += reply->chain;
    if (lookup->chain > DNS_CHAIN_MAX) {
        finish(lookup, DNS_SERVER_FAILED);
        return;
    }
    lookup->question.name = reply->target;
    ask(lookup, false, random);
}

/* What a well-formed answer without an error means. */
static void take_good(struct dns_lookup *lookup, const struct dns_reply *reply,
                      const uint64_t random[2])
{
    if (reply->addr_count > 0 || reply->has_target)
        positive(lookup, reply);
    else if (reply->chain > 0 && !reply->has_soa)
        follow(lookup, reply, random);
    else if (reply->is_referral && !reply->has_soa)
        server_failed(lookup, random);
    else
        negative(lookup, DNS_NO_DATA, reply);
}

static void take_reply(struct dns_lookup *lookup, const struct dns_reply *reply,
                       const uint64_t random[2])
{
    switch (reply->rcode) {
    case DNS_NOERROR:
        take_good(lookup, reply, random);
        break;
    case DNS_NXDOMAIN:
        negative(lookup, DNS_NO_NAME, reply);
        break;
    case DNS_FORMERR:
    case DNS_NOTIMP:
    case DNS_BADVERS:
        if (lookup->question.edns) { /* RFC 6891 7 */
            lookup->plain = true;
            ask(lookup, false, random);
            break;
        }
        server_failed(lookup, random);
        break;
    default:
        server_failed(lookup, random);
        break;
    }
}

/* An answer to no question of ours, from the server's address: somebody may be
 * guessing. Returns: false: wait on. */
static bool mismatch(struct dns_lookup *lookup, const uint64_t random[2])
{
    if (++lookup->mismatches < DNS_MISMATCHES_MAX || lookup->forged)
        return false;
    lookup->forged = true;
    ask(lookup, true, random);
    return true;
}

bool dns_lookup_take(struct dns_lookup *lookup,
                     const struct dns_message *message,
                     const uint64_t random[2])
{
    struct dns_reply reply;

    switch (dns_parse(message, &lookup->question, &reply)) {
    case DNS_REPLY_GOOD:
        take_reply(lookup, &reply, random);
        return true;
    case DNS_REPLY_TRUNCATED:
    case DNS_REPLY_CASE: /* a server that changes letters: TCP needs none */
        ask(lookup, true, random);
        return true;
    case DNS_REPLY_BROKEN:
        lookup->failed = true;
        dns_lookup_failed(lookup, random);
        return true;
    case DNS_REPLY_OTHER:
        break;
    }
    if (message->by_tcp) {
        dns_lookup_failed(lookup, random);
        return true;
    }
    return mismatch(lookup, random);
}
