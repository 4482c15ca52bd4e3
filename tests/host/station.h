/*
 * tests/host/station.h - one stack on one card, and raw frames from a stranger.
 *
 * Frames are written here byte by byte, sharing no code with the stack, so
 * that both cannot be wrong in the same way.
 */
#ifndef TESTS_HOST_STATION_H
#define TESTS_HOST_STATION_H

#include "kernel/base.h"
#include "net/net.h"
#include "tests/host/hostnet.h"
#include "tests/host/memdev.h"
#include "tests/host/octets.h"

/* The station is 10.0.0.1/24, its peer 10.0.0.2, its gateway 10.0.0.254. */
#define STATION_ADDR    0x0a000001u
#define STATION_PEER    0x0a000002u
#define STATION_GATEWAY 0x0a0000feu
#define STATION_FAR     0xc0a80507u /* behind the gateway */

extern const uint8_t station_mac[6], station_peer_mac[6], station_all_mac[6];

struct station {
    struct hostnet host;
    struct memdev dev;
    struct net *net;
    struct net_config config; /* for station_start() */
    uint8_t frame[4096];      /* what is being written, or was taken */
    uint32_t len;
};

/* Counter `name` of a station's stack. */
#define STATION_COUNT(station, name)                                           \
    (net_counters((station)->net)->value[NET_COUNT_##name])

/* Make the station; what it says first is taken away. host_now_us is 4 s. */
void station_init(struct station *station);

/* The same in two steps, to change `config` and the card in between. */
void station_prepare(struct station *station);
void station_start(struct station *station, uint8_t prefix_bits,
                   uint32_t gateway);

/* Let time go by, and timers run, and frames leave. */
void station_wait(struct station *station, uint64_t us);

/* End it. Returns: pages that it did not give back. */
size_t station_end(struct station *station);

/* --- writing a frame into station->frame, len grows ----------------------- */

void station_ethernet(struct station *station, const uint8_t dst[6],
                      const uint8_t src[6], uint16_t type);
void station_byte(struct station *station, uint8_t value);
void station_word(struct station *station, uint16_t value);
void station_long(struct station *station, uint32_t value);
void station_bytes(struct station *station, const void *bytes, uint32_t len);
void station_fill(struct station *station, uint8_t value, uint32_t len);

/* An ARP frame; dst and src of the frame are given before. */
void station_arp(struct station *station, uint16_t operation,
                 const uint8_t sender_mac[6], uint32_t sender,
                 const uint8_t target_mac[6], uint32_t target);

/* An IPv4 header without options for `payload` bytes that follow. */
void station_ip(struct station *station, uint32_t src, uint32_t dst,
                uint8_t protocol, uint32_t payload);

/* Write a 16-bit number at `at`. */
void station_set(struct station *station, uint32_t at, uint16_t value);

/* Set the checksum at `field` over `from` to the end, `sum` added. */
void station_checksum(struct station *station, uint32_t from, uint32_t field,
                      uint32_t sum);

/* Make the IP header's checksum right again after a change. */
void station_ip_checksum(struct station *station);

/* --- sending and looking -------------------------------------------------- */

/* The frame comes to the station, in one piece; and it answers. The frame
 * stays, to be sent again. */
void station_send(struct station *station);

/* The same, with the frame cut into views of `piece` bytes. */
void station_send_pieces(struct station *station, uint32_t piece);

/* Take the oldest frame of the station into station->frame.
 * Returns: false when there is none; len is then 0. */
bool station_take(struct station *station);

/* How many frames the station has sent; all are taken away. */
unsigned station_take_all(struct station *station);

/* Numbers of the frame taken. */
uint8_t station_at8(const struct station *station, uint32_t at);
uint16_t station_at16(const struct station *station, uint32_t at);
uint32_t station_at32(const struct station *station, uint32_t at);

/* Whether a checksum over `from` to `from + len`, `sum` added, is right. */
bool station_sums(const struct station *station, uint32_t from, uint32_t len,
                  uint32_t sum);

/* The peer, or another, asks who the station is, so that it is known. */
void station_meet(struct station *station, uint32_t addr, const uint8_t mac[6]);

#endif
