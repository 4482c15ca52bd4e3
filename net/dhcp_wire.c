/*
 * net/dhcp_wire.c - DHCP messages: read with distrust, written.
 *
 * Options may be spread over three fields and an option over several pieces
 * (RFC 3396). The structure of all of them is checked once; then each option
 * that somebody wants is put together from its pieces.
 */
#include "net/dhcp_wire.h"

#include <string.h>

#include "net/interface.h"
#include "net/wire.h"

/* As on the wire: RFC 2131 2. */
struct wire_dhcp {
    uint8_t op, htype, hlen, hops;
    be32 xid;
    be16 secs, flags;
    uint8_t ciaddr[4], yiaddr[4], siaddr[4], giaddr[4];
    uint8_t chaddr[16];
    uint8_t sname[64];
    uint8_t file[128];
    be32 cookie;
};

_Static_assert(sizeof(struct wire_dhcp) == DHCP_FIXED_BYTES, "as on the wire");

enum {
    OP_REQUEST = 1,
    OP_REPLY = 2,
    HTYPE_ETHERNET = 1,
    FLAG_BROADCAST = 0x8000,
    COOKIE = 0x63825363,
    OPTION_BYTES_MAX = 512 /* of one, put together: more than any we read */
};

enum option {
    OPT_PAD = 0,
    OPT_MASK = 1,
    OPT_ROUTER = 3,
    OPT_DNS = 6,
    OPT_HOSTNAME = 12,
    OPT_DOMAIN = 15,
    OPT_MTU = 26,
    OPT_NTP = 42,
    OPT_REQUESTED = 50,
    OPT_LEASE = 51,
    OPT_OVERLOAD = 52,
    OPT_TYPE = 53,
    OPT_SERVER = 54,
    OPT_WANTED = 55,
    OPT_SIZE_MAX = 57,
    OPT_T1 = 58,
    OPT_T2 = 59,
    OPT_CLIENT = 61,
    OPT_ROUTES = 121,
    OPT_END = 255
};

enum { OVERLOAD_FILE = 1, OVERLOAD_SNAME = 2 };

/* The fields that hold options, in the order of RFC 3396 5. */
struct areas {
    struct {
        const uint8_t *bytes;
        size_t len;
    } area[3];
    size_t count;
};

/* One option, put together. */
struct value {
    uint8_t bytes[OPTION_BYTES_MAX];
    size_t len;
};

/* --- options -------------------------------------------------------------- */

/*
 * The next option at *at.
 * Returns: its code, OPT_END behind the last; data and len set otherwise.
 */
static uint8_t next_option(const uint8_t *bytes, size_t bytes_len, size_t *at,
                           const uint8_t **data, size_t *len)
{
    uint8_t code;

    while (*at < bytes_len && bytes[*at] == OPT_PAD)
        ++*at;
    /* A field that ends without OPT_END has ended all the same. */
    if (bytes_len - *at < 2 || bytes[*at] == OPT_END)
        return OPT_END;
    code = bytes[*at];
    *len = bytes[*at + 1];
    *data = bytes + *at + 2;
    *at += 2 + *len;
    return code;
}

/* Whether every option lies within its field. */
static bool area_ok(const uint8_t *bytes, size_t len)
{
    size_t at = 0;

    while (at < len && bytes[at] != OPT_END) {
        if (bytes[at] == OPT_PAD) {
            at++;
            continue;
        }
        if (len - at < 2 || len - at - 2 < bytes[at + 1])
            return false;
        at += 2u + bytes[at + 1];
    }
    return true;
}

/*
 * Put an option together from all its pieces.
 * Returns: false when there is none, or more of it than fits.
 */
static bool option(const struct areas *areas, enum option wanted,
                   struct value *value)
{
    bool found = false;

    value->len = 0;
    for (size_t i = 0; i < areas->count; i++) {
        const uint8_t *data;
        size_t at = 0, len;
        uint8_t code;

        while ((code = next_option(areas->area[i].bytes, areas->area[i].len,
                                   &at, &data, &len)) != OPT_END) {
            if (code != wanted)
                continue;
            if (len > sizeof(value->bytes) - value->len)
                return false;
            memcpy(value->bytes + value->len, data, len);
            value->len += len;
            found = true;
        }
    }
    return found;
}

/* The same for an option of exactly `bytes`. */
static bool fixed(const struct areas *areas, enum option wanted, size_t bytes,
                  struct value *value)
{
    return option(areas, wanted, value) && value->len == bytes;
}

static struct ipv4_addr addr_at(const uint8_t *bytes)
{
    struct ipv4_addr addr;

    memcpy(addr.byte, bytes, sizeof(addr.byte));
    return addr;
}

static uint32_t u32_at(const uint8_t *bytes)
{
    return ipv4_addr_host(addr_at(bytes));
}

/* A number of four bytes; 0 when there is none. */
static uint32_t number(const struct areas *areas, enum option wanted)
{
    struct value value;

    return fixed(areas, wanted, 4, &value) ? u32_at(value.bytes) : 0;
}

/* The first addresses of a list that can be hosts'; of a list with a broken
 * length, none. */
static void read_addrs(const struct areas *areas, enum option wanted,
                       struct dhcp_addrs *addrs)
{
    struct value value;

    addrs->count = 0;
    if (!option(areas, wanted, &value) || value.len % 4 != 0)
        return;
    for (size_t i = 0; i < value.len && addrs->count < DHCP_ADDRS_MAX; i += 4) {
        struct ipv4_addr addr = addr_at(value.bytes + i);

        if (interface_is_host(addr))
            addrs->addr[addrs->count++] = addr;
    }
}

/* A name of letters, digits, hyphens and dots; empty when it is not one: it
 * goes to logs and pages. */
static void read_name(const struct areas *areas, enum option wanted,
                      char name[DHCP_NAME_BYTES])
{
    struct value value;

    name[0] = '\0';
    if (!option(areas, wanted, &value))
        return;
    while (value.len > 0 && value.bytes[value.len - 1] == 0)
        value.len--; /* RFC 2132 2: some end it with zeros */
    if (value.len >= DHCP_NAME_BYTES)
        return;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.bytes[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9') || c == '-' || c == '.'))
            return;
    }
    memcpy(name, value.bytes, value.len);
    name[value.len] = '\0';
}

/* RFC 3442: bits, as many bytes of the destination as these need, gateway. A
 * list that is broken anywhere is dropped as a whole. */
static bool read_routes(const struct areas *areas, struct dhcp_reply *reply)
{
    struct value value;
    size_t at = 0;

    reply->route_count = 0;
    if (!option(areas, OPT_ROUTES, &value))
        return false;
    while (at < value.len) {
        uint8_t bits = value.bytes[at++];
        size_t significant = (bits + 7u) / 8;
        uint8_t dst[4] = {0};
        struct dhcp_route route = {.prefix_bits = bits};

        if (bits > 32 || value.len - at < significant + 4) {
            reply->route_count = 0;
            return false;
        }
        memcpy(dst, value.bytes + at, significant);
        route.dst = ipv4_addr_make(u32_at(dst) & interface_mask(bits));
        route.gateway = addr_at(value.bytes + at + significant);
        at += significant + 4;
        if (reply->route_count < DHCP_ROUTES_MAX &&
            (ipv4_addr_is_zero(route.gateway) ||
             interface_is_host(route.gateway)))
            reply->routes[reply->route_count++] = route;
    }
    return true;
}

/* The bits of a mask; 33 when it has holes or is empty. */
static uint8_t prefix_of(uint32_t mask)
{
    uint32_t rest = ~mask;

    if (mask == 0 || (rest & (rest + 1)) != 0)
        return 33;
    return (uint8_t)__builtin_popcount(mask);
}

/* Where no mask was sent: the address's class, as ever. */
static uint8_t class_of(struct ipv4_addr addr)
{
    if (addr.byte[0] < 128)
        return 8;
    return addr.byte[0] < 192 ? 16 : 24;
}

/* --- a reply -------------------------------------------------------------- */

/* The fields that hold options. Returns: false when one is broken. */
static bool find_areas(const uint8_t *bytes, size_t len, struct areas *areas)
{
    const struct wire_dhcp *wire = (const void *)bytes;
    struct value overload;
    uint8_t fields;

    *areas = (struct areas){.count = 1};
    areas->area[0].bytes = bytes + DHCP_FIXED_BYTES;
    areas->area[0].len = len - DHCP_FIXED_BYTES;
    if (!area_ok(areas->area[0].bytes, areas->area[0].len))
        return false;
    /* Said in the first field alone: in the others it would lead in circles. */
    if (!fixed(areas, OPT_OVERLOAD, 1, &overload))
        return true;
    fields = overload.bytes[0];
    if (fields & OVERLOAD_FILE) {
        areas->area[areas->count].bytes = wire->file;
        areas->area[areas->count++].len = sizeof(wire->file);
    }
    if (fields & OVERLOAD_SNAME) {
        areas->area[areas->count].bytes = wire->sname;
        areas->area[areas->count++].len = sizeof(wire->sname);
    }
    for (size_t i = 1; i < areas->count; i++)
        if (!area_ok(areas->area[i].bytes, areas->area[i].len))
            return false;
    return true;
}

/* The fixed part: that of a reply to an Ethernet client. */
static bool read_fixed(const uint8_t *bytes, size_t len,
                       struct dhcp_reply *reply)
{
    struct wire_dhcp wire;

    if (len < sizeof(wire))
        return false;
    memcpy(&wire, bytes, sizeof(wire));
    if (wire.op != OP_REPLY || wire.htype != HTYPE_ETHERNET ||
        wire.hlen != sizeof(reply->client.byte) ||
        be32_get(wire.cookie) != COOKIE)
        return false;
    *reply = (struct dhcp_reply){.xid = be32_get(wire.xid),
                                 .yiaddr = addr_at(wire.yiaddr)};
    memcpy(reply->client.byte, wire.chaddr, sizeof(reply->client.byte));
    return true;
}

/* Message type, server, and whose it is: without these it is none. */
static bool read_identity(const struct areas *areas, struct dhcp_reply *reply)
{
    struct value value;

    if (!fixed(areas, OPT_TYPE, 1, &value))
        return false;
    reply->type = value.bytes[0];
    if (reply->type != DHCP_OFFER && reply->type != DHCP_ACK &&
        reply->type != DHCP_NAK)
        return false;
    if (!fixed(areas, OPT_SERVER, 4, &value))
        return false;
    reply->server = addr_at(value.bytes);
    if (!interface_is_host(reply->server))
        return false;
    /* RFC 6842 3: a server that sends it back sends what we sent. */
    return !option(areas, OPT_CLIENT, &value) ||
           (value.len == 7 && value.bytes[0] == HTYPE_ETHERNET &&
            memcmp(value.bytes + 1, reply->client.byte, 6) == 0);
}

/* Address, mask and lease: an offer without them cannot be taken. */
static bool read_lease(const struct areas *areas, struct dhcp_reply *reply)
{
    struct value mask;

    if (!interface_is_host(reply->yiaddr))
        return false;
    reply->prefix_bits = class_of(reply->yiaddr);
    if (option(areas, OPT_MASK, &mask)) {
        reply->prefix_bits = mask.len == 4 ? prefix_of(u32_at(mask.bytes)) : 33;
        if (reply->prefix_bits > 32)
            return false;
    }
    reply->lease_s = number(areas, OPT_LEASE);
    reply->t1_s = number(areas, OPT_T1);
    reply->t2_s = number(areas, OPT_T2);
    return reply->lease_s > 0;
}

static void read_settings(const struct areas *areas, struct dhcp_reply *reply)
{
    struct dhcp_addrs routers;
    struct value value;

    read_addrs(areas, OPT_DNS, &reply->dns);
    read_addrs(areas, OPT_NTP, &reply->ntp);
    read_name(areas, OPT_HOSTNAME, reply->hostname);
    read_name(areas, OPT_DOMAIN, reply->domain);
    if (fixed(areas, OPT_MTU, 2, &value))
        reply->mtu_bytes = (uint16_t)(value.bytes[0] << 8 | value.bytes[1]);
    if (reply->mtu_bytes < INTERFACE_MTU_MIN) /* RFC 2132 5.1 has 68 */
        reply->mtu_bytes = 0;
    if (read_routes(areas, reply))
        return; /* RFC 3442: the router option is then ignored */
    read_addrs(areas, OPT_ROUTER, &routers);
    for (uint32_t i = 0; i < routers.count; i++)
        if (!ipv4_addr_equal(routers.addr[i], reply->yiaddr)) {
            reply->router = routers.addr[i];
            return;
        }
}

bool dhcp_parse(const uint8_t *bytes, size_t len, struct dhcp_reply *reply)
{
    struct areas areas;

    if (!read_fixed(bytes, len, reply) || !find_areas(bytes, len, &areas) ||
        !read_identity(&areas, reply))
        return false;
    if (reply->type == DHCP_NAK)
        return true;
    if (!read_lease(&areas, reply))
        return false;
    read_settings(&areas, reply);
    return true;
}

uint32_t dhcp_peek_xid(const uint8_t *bytes, size_t len)
{
    return len >= 8 && bytes[0] == OP_REPLY ? u32_at(bytes + 4) : 0;
}

/* --- a request ------------------------------------------------------------ */

/* Where the next option goes; there is room for all that are ever sent. */
struct writer {
    uint8_t *bytes;
    size_t len;
};

static void put(struct writer *writer, enum option code, const void *data,
                size_t len)
{
    ASSERT(writer->len + 2 + len < DHCP_MESSAGE_BYTES && len <= 255);
    writer->bytes[writer->len++] = (uint8_t)code;
    writer->bytes[writer->len++] = (uint8_t)len;
    memcpy(writer->bytes + writer->len, data, len);
    writer->len += len;
}

static void put_addr(struct writer *writer, enum option code,
                     struct ipv4_addr addr)
{
    if (!ipv4_addr_is_zero(addr))
        put(writer, code, addr.byte, sizeof(addr.byte));
}

static void put_options(struct writer *writer,
                        const struct dhcp_request *request)
{
    /* RFC 3442 wants its option before the router's. */
    static const uint8_t wanted[] = {
        OPT_MASK,   OPT_ROUTES, OPT_ROUTER, OPT_DNS, OPT_HOSTNAME,
        OPT_DOMAIN, OPT_MTU,    OPT_NTP,    OPT_T1,  OPT_T2,
    };
    const uint8_t type = (uint8_t)request->type;
    uint8_t client[7] = {HTYPE_ETHERNET};
    be16 size = be16_make(request->message_bytes_max);

    memcpy(client + 1, request->client.byte, sizeof(request->client.byte));
    put(writer, OPT_TYPE, &type, 1);
    put(writer, OPT_CLIENT, client, sizeof(client));
    put_addr(writer, OPT_REQUESTED, request->requested);
    put_addr(writer, OPT_SERVER, request->server);
    if (request->type == DHCP_DISCOVER || request->type == DHCP_REQUEST) {
        put(writer, OPT_SIZE_MAX, &size, sizeof(size));
        put(writer, OPT_WANTED, wanted, sizeof(wanted));
        if (request->hostname)
            put(writer, OPT_HOSTNAME, request->hostname,
                strnlen(request->hostname, 63));
    }
    writer->bytes[writer->len++] = OPT_END;
}

size_t dhcp_emit(uint8_t out[DHCP_MESSAGE_BYTES],
                 const struct dhcp_request *request)
{
    struct writer writer = {out, DHCP_FIXED_BYTES};
    struct wire_dhcp wire = {
        .op = OP_REQUEST,
        .htype = HTYPE_ETHERNET,
        .hlen = sizeof(request->client.byte),
        .xid = be32_make(request->xid),
        .secs = be16_make(request->secs),
        .flags = be16_make(request->broadcast ? FLAG_BROADCAST : 0),
        .cookie = be32_make(COOKIE),
    };

    memcpy(wire.ciaddr, request->ciaddr.byte, sizeof(wire.ciaddr));
    memcpy(wire.chaddr, request->client.byte, sizeof(request->client.byte));
    memset(out, 0, DHCP_MESSAGE_BYTES);
    memcpy(out, &wire, sizeof(wire));
    put_options(&writer, request);
    return writer.len < DHCP_PADDED_BYTES ? DHCP_PADDED_BYTES : writer.len;
}
