/*
 * net/addr.h - addresses, in the bytes in which they stand on the wire.
 *
 * Never a bare integer: byte order cannot be confused, and two kinds of
 * address cannot be exchanged by mistake.
 */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ipv4_addr {
    union __attribute__((packed)) {
        uint8_t byte[4];
        uint32_t word; /* the same, for comparing and copying */
    };
};

struct mac_addr {
    uint8_t byte[6];
};

enum { IPV4_TEXT_BYTES = 16, IPV4_PORT_TEXT_BYTES = 22, MAC_TEXT_BYTES = 18 };

#define IPV4_ADDR(a, b, c, d) ((struct ipv4_addr){.byte = {(a), (b), (c), (d)}})

static inline uint32_t ipv4_addr_host(struct ipv4_addr addr)
{
    return __builtin_bswap32(addr.word);
}

static inline struct ipv4_addr ipv4_addr_make(uint32_t host)
{
    return (struct ipv4_addr){.word = __builtin_bswap32(host)};
}

static inline bool ipv4_addr_equal(struct ipv4_addr a, struct ipv4_addr b)
{
    return a.word == b.word;
}

static inline bool ipv4_addr_is_zero(struct ipv4_addr addr)
{
    return addr.word == 0;
}

/* 224.0.0.0/4. */
static inline bool ipv4_addr_is_multicast(struct ipv4_addr addr)
{
    return addr.byte[0] >> 4 == 14;
}

/* 127.0.0.0/8. */
static inline bool ipv4_addr_is_loopback(struct ipv4_addr addr)
{
    return addr.byte[0] == 127;
}

static inline bool mac_addr_equal(const struct mac_addr *a,
                                  const struct mac_addr *b)
{
    return __builtin_memcmp(a->byte, b->byte, sizeof(a->byte)) == 0;
}

/* Whether the address is a group's: multicast or broadcast. */
static inline bool mac_addr_is_group(const struct mac_addr *addr)
{
    return addr->byte[0] & 1;
}

/*
 * Read "10.0.0.2": four decimal numbers, no leading zero, nothing else.
 * Returns: false when malformed; `addr` is then unchanged.
 */
bool ipv4_addr_parse(const char *text, struct ipv4_addr *addr);

/* Read "10.0.0.2/24". Returns: false when malformed; outputs unchanged. */
bool ipv4_prefix_parse(const char *text, struct ipv4_addr *addr,
                       uint8_t *prefix_bits);

/* Read "10.0.0.2:80", port 1 to 65535. Returns as above. */
bool ipv4_endpoint_parse(const char *text, struct ipv4_addr *addr,
                         uint16_t *port);

/* Write "10.0.0.2" into `text` (IPV4_TEXT_BYTES); returns `text`. */
char *ipv4_addr_text(struct ipv4_addr addr, char *text);

/* Write "52:54:00:12:34:56" into `text` (MAC_TEXT_BYTES); returns `text`. */
char *mac_addr_text(struct mac_addr addr, char *text);

#endif
