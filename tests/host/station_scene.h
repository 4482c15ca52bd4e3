/*
 * tests/host/station_scene.h - one station, made anew for every test of a
 * program, and what its tests say to it and ask of it.
 *
 * For tests only: every call asserts what it expects, with cmocka.
 */
#ifndef TESTS_HOST_STATION_SCENE_H
#define TESTS_HOST_STATION_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/ipv4.h"
#include "tests/host/station.h"

extern struct station station;

/* cmocka's setups and teardown: a station; ... that has met its peer. Nothing
 * may be left of it. */
int station_fresh(void **state);
int station_met(void **state);
int station_ended(void **state);

#define STATION_TEST(name, begin)                                              \
    cmocka_unit_test_setup_teardown(name, begin, station_ended)

/* The frame gets no answer, is counted as `name`, and holds no memory. */
#define DROPPED_AS(name)                                                       \
    do {                                                                       \
        struct net_memory memory_before, memory_after;                         \
        uint64_t count = STATION_COUNT(&station, name);                        \
        net_memory_get(station.net, &memory_before);                           \
        station_send(&station);                                                \
        net_memory_get(station.net, &memory_after);                            \
        assert_int_equal(STATION_COUNT(&station, name), count + 1);            \
        assert_int_equal(memory_after.buffers, memory_before.buffers);         \
        assert_int_equal(station_take_all(&station), 0);                       \
    } while (0)

/* Write a ping from `src` to `dst`, of 16 bytes, that the peer's card sends:
 * whatever gets through is answered. */
void write_ping(uint32_t src, uint32_t dst);

/* Write an ARP packet that `mac` sends, to the station or to all. */
void write_arp(const uint8_t dst[6], uint16_t operation, const uint8_t mac[6],
               uint32_t sender, uint32_t target);

/* ... and send it: the answer of `mac` to the station's question. */
void answer_arp(uint32_t sender, const uint8_t mac[6]);

/* The frame taken asks for `target`: sent to `dst`, and for `sender`. */
void assert_arp_request(const uint8_t dst[6], uint32_t sender, uint32_t target);

/* The station sends a datagram with one byte to `dst`. */
enum ipv4_status talk_to(uint32_t dst);

/* Who is asked for, by ARP, when the station sends to `dst`; 0: nobody. */
uint32_t asked_for(uint32_t dst);

/* Give interface `index` another address; what it says of it leaves. */
enum net_status give_address(unsigned index, uint32_t addr, uint8_t bits,
                             uint32_t gateway);

/* Whether the station has `dst` in its cache: it then sends IP, and does not
 * ask. Takes all that it has sent. */
bool knows(uint32_t dst, const uint8_t mac[6]);

#endif
