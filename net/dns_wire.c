/*
 * net/dns_wire.c - questions written, answers read.
 *
 * A message is walked once to see that all of it is well formed, and then once
 * for each link of a chain of CNAMEs; nothing of it is kept but addresses, one
 * name and a time to live.
 */
#include "net/dns_wire.h"

#include <string.h>

#include "net/dns_name.h"
#include "net/interface.h"
#include "net/wire.h"

/* As on the wire: RFC 1035 4.1.1. */
struct wire_dns {
    be16 id;
    be16 flags;
    be16 questions, answers, authorities, additionals;
};

enum {
    HEADER_BYTES = 12,
    FLAG_QR = 0x8000,
    FLAG_OPCODE = 0x7800,
    FLAG_TC = 0x0200,
    FLAG_RD = 0x0100,
    FLAG_RCODE = 0x000f,
    CLASS_IN = 1,
    TYPE_NS = 2,
    TYPE_OPT = 41,
    SOA_NUMBERS_BYTES = 20 /* behind its two names: RFC 1035 3.3.13 */
};

_Static_assert(sizeof(struct wire_dns) == HEADER_BYTES, "as on the wire");

/* A message that is being read. */
struct reader {
    const uint8_t *bytes;
    size_t len;
    bool cut;
    size_t records_at; /* behind the question */
    uint32_t answers, authorities, additionals;
};

struct record {
    struct dns_name owner;
    uint16_t type, class;
    uint32_t ttl_s;
    size_t data_at;
    size_t data_len;
};

static uint16_t u16_at(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static uint32_t u32_at(const uint8_t *bytes)
{
    return (uint32_t)u16_at(bytes) << 16 | u16_at(bytes + 2);
}

/* --- a question ----------------------------------------------------------- */

size_t dns_emit(uint8_t out[DNS_QUESTION_BYTES],
                const struct dns_question *question)
{
    const struct wire_dns header = {
        .id = be16_make(question->id),
        .flags = be16_make(FLAG_RD),
        .questions = be16_make(1),
        .additionals = be16_make(question->edns),
    };
    const uint8_t tail[] = {0, (uint8_t)question->type, 0, CLASS_IN};
    /* Root, OPT, how much we take; the rest zero: RFC 6891 6.1.2. */
    static const uint8_t opt[11] = {0, 0, TYPE_OPT, DNS_UDP_BYTES >> 8,
                                    DNS_UDP_BYTES & 255};
    size_t len = sizeof(header);

    memcpy(out, &header, sizeof(header));
    memcpy(out + len, question->name.bytes, question->name.len);
    len += question->name.len;
    memcpy(out + len, tail, sizeof(tail));
    len += sizeof(tail);
    if (question->edns) {
        memcpy(out + len, opt, sizeof(opt));
        len += sizeof(opt);
    }
    return len;
}

/* --- records -------------------------------------------------------------- */

/* The record at *at, and behind it. Returns: false when it is malformed. */
static bool read_record(const struct reader *reader, size_t *at,
                        struct record *record)
{
    const uint8_t *fixed;

    if (!dns_name_read(reader->bytes, reader->len, at, &record->owner) ||
        reader->len - *at < 10)
        return false;
    fixed = reader->bytes + *at;
    record->type = u16_at(fixed);
    record->class = u16_at(fixed + 2);
    record->ttl_s = u32_at(fixed + 4);
    if (record->ttl_s > INT32_MAX) /* RFC 2181 8 */
        record->ttl_s = 0;
    record->data_len = u16_at(fixed + 8);
    *at += 10;
    if (reader->len - *at < record->data_len)
        return false;
    record->data_at = *at;
    *at += record->data_len;
    return true;
}

/* The name that is all of a record's data. */
static bool data_name(const struct reader *reader, const struct record *record,
                      struct dns_name *name)
{
    size_t at = record->data_at;

    return dns_name_read(reader->bytes, record->data_at + record->data_len, &at,
                         name) &&
           at == record->data_at + record->data_len;
}

/* Whether the data of a record that we may use is what its type says. */
static bool data_ok(const struct reader *reader, const struct record *record)
{
    struct dns_name name;

    if (record->class != CLASS_IN)
        return true;
    switch (record->type) {
    case DNS_A:
        return record->data_len == 4;
    case DNS_CNAME:
    case DNS_PTR:
        return data_name(reader, record, &name);
    default:
        return true;
    }
}

/* How long "there is none" holds: RFC 2308 5. */
static bool read_soa(const struct reader *reader, const struct record *record,
                     struct dns_reply *reply)
{
    size_t end = record->data_at + record->data_len, at = record->data_at;
    struct dns_name name;
    uint32_t minimum_s;

    if (!dns_name_read(reader->bytes, end, &at, &name) ||
        !dns_name_read(reader->bytes, end, &at, &name) ||
        end - at != SOA_NUMBERS_BYTES)
        return false;
    minimum_s = u32_at(reader->bytes + end - 4);
    if (minimum_s > INT32_MAX)
        minimum_s = 0;
    reply->has_soa = true;
    reply->ttl_s = minimum_s < record->ttl_s ? minimum_s : record->ttl_s;
    if (reply->ttl_s > DNS_NEGATIVE_TTL_MAX_S)
        reply->ttl_s = DNS_NEGATIVE_TTL_MAX_S;
    return true;
}

/* RFC 6891 6.1.1: one OPT, and its name is the root. */
static bool read_opt(const struct record *record, bool *seen)
{
    if (*seen || record->owner.len != 1)
        return false;
    *seen = true;
    return true;
}

enum section { ANSWER, AUTHORITY, ADDITIONAL };

/* A record of a section that is only to be well formed, or says how long a no
 * holds, or what EDNS adds. */
static bool check_record(const struct reader *reader, enum section section,
                         const struct record *record, bool *opt_seen,
                         struct dns_reply *reply)
{
    if (record->type == TYPE_OPT) {
        if (section != ADDITIONAL || !read_opt(record, opt_seen))
            return false;
        /* The TTL's first byte: RFC 6891 6.1.3. */
        reply->rcode |= (uint16_t)(reader->bytes[record->data_at - 6] << 4);
        return true;
    }
    if (section == AUTHORITY && record->class == CLASS_IN) {
        if (record->type == DNS_SOA)
            return read_soa(reader, record, reply);
        if (record->type == TYPE_NS)
            reply->is_referral = true;
    }
    return data_ok(reader, record);
}

/*
 * Walk all records.
 * Returns: false when any is malformed; the records of a message that was cut
 *          end where it ends.
 */
static bool check_records(struct reader *reader, struct dns_reply *reply)
{
    const uint32_t counts[] = {reader->answers, reader->authorities,
                               reader->additionals};
    size_t at = reader->records_at;
    bool opt_seen = false;
    struct record record;

    for (int section = ANSWER; section <= ADDITIONAL; section++)
        for (uint32_t i = 0; i < counts[section]; i++) {
            if (!read_record(reader, &at, &record)) {
                if (section == ANSWER)
                    reader->answers = i;
                return reader->cut;
            }
            if (!check_record(reader, (enum section)section, &record, &opt_seen,
                              reply))
                return false;
        }
    return true;
}

/* --- what was found ------------------------------------------------------- */

static void keep_ttl(struct dns_reply *reply, uint32_t ttl_s)
{
    if (ttl_s < reply->ttl_s)
        reply->ttl_s = ttl_s;
}

/* Addresses that no connection should go to, whoever says so: nobody, groups,
 * everybody, and ourselves (a page from outside must not reach what listens on
 * loopback). */
static void keep_addr(struct dns_reply *reply, const uint8_t *bytes)
{
    struct ipv4_addr addr = {.byte = {bytes[0], bytes[1], bytes[2], bytes[3]}};

    if (interface_is_host(addr) && reply->addr_count < DNS_ADDRS_MAX)
        reply->addrs[reply->addr_count++] = addr;
}

/*
 * Walk the answers for records of `type` of the chain's end.
 * Returns: false when there is none. Of CNAMEs the first counts, which moves
 *          the end; PTR's likewise.
 */
static bool find(const struct reader *reader, uint16_t type,
                 struct dns_reply *reply)
{
    const struct dns_name owner = reply->target;
    size_t at = reader->records_at;
    struct record record;
    bool found = false;

    for (uint32_t i = 0; i < reader->answers; i++) {
        if (!read_record(reader, &at, &record))
            break; /* never: they have been checked */
        if (record.type != type || record.class != CLASS_IN ||
            !dns_name_equal(&record.owner, &owner))
            continue;
        found = true;
        keep_ttl(reply, record.ttl_s);
        if (type == DNS_A)
            keep_addr(reply, reader->bytes + record.data_at);
        else
            return data_name(reader, &record, &reply->target);
    }
    return found;
}

/* Follow CNAMEs from the question, then take what was asked for. Returns:
 * false when the chain is too long, or a ring. */
static bool resolve(const struct reader *reader,
                    const struct dns_question *question,
                    struct dns_reply *reply)
{
    struct dns_reply found = *reply;

    found.target = question->name;
    found.ttl_s = DNS_TTL_MAX_S;
    while (find(reader, DNS_CNAME, &found))
        if (++found.chain > DNS_CHAIN_MAX)
            return false;
    if (find(reader, (uint16_t)question->type, &found)) {
        found.has_target = question->type == DNS_PTR;
        found.is_referral = false;
        found.has_soa = false;
        *reply = found;
        return true;
    }
    reply->target = found.target; /* to be asked for, or there is none */
    reply->chain = found.chain;
    if (found.chain > 0)
        reply->is_referral = false;
    return true;
}

/* --- an answer ------------------------------------------------------------ */

/* The question section: one question, ours. */
static enum dns_verdict check_question(struct reader *reader,
                                       const struct dns_question *question,
                                       bool exact)
{
    struct dns_name name;
    size_t at = HEADER_BYTES;

    if (!dns_name_read(reader->bytes, reader->len, &at, &name) ||
        reader->len - at < 4 || !dns_name_equal(&name, &question->name) ||
        u16_at(reader->bytes + at) != question->type ||
        u16_at(reader->bytes + at + 2) != CLASS_IN)
        return DNS_REPLY_OTHER;
    reader->records_at = at + 4;
    if (exact && memcmp(name.bytes, question->name.bytes, name.len) != 0)
        return DNS_REPLY_CASE;
    return DNS_REPLY_GOOD;
}

enum dns_verdict dns_parse(const struct dns_message *message,
                           const struct dns_question *question,
                           struct dns_reply *reply)
{
    const uint8_t *bytes = message->bytes;
    struct reader reader = {
        .bytes = bytes, .len = message->len, .cut = message->cut};
    enum dns_verdict verdict;
    uint16_t flags;

    if (message->len < HEADER_BYTES || u16_at(bytes) != question->id)
        return DNS_REPLY_OTHER;
    flags = u16_at(bytes + 2);
    if (!(flags & FLAG_QR) || flags & FLAG_OPCODE || u16_at(bytes + 4) != 1)
        return DNS_REPLY_OTHER;
    verdict = check_question(&reader, question, !message->by_tcp);
    if (verdict != DNS_REPLY_GOOD)
        return verdict;
    if (flags & FLAG_TC && !message->by_tcp)
        return DNS_REPLY_TRUNCATED;
    reader.answers = u16_at(bytes + 6);
    reader.authorities = u16_at(bytes + 8);
    reader.additionals = u16_at(bytes + 10);
    *reply = (struct dns_reply){.rcode = flags & FLAG_RCODE};
    if (!check_records(&reader, reply))
        return DNS_REPLY_BROKEN;
    return resolve(&reader, question, reply) ? DNS_REPLY_GOOD
                                             : DNS_REPLY_BROKEN;
}
