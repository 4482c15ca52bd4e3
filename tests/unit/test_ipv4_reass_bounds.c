/*
 * Reassembly: how long, how many, how much; rows F of the list of bad inputs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/net_priv.h"
#include "tests/host/fragments.h"
#include "tests/host/host.h"

enum { SECOND = 1000000 };

static struct fragments f;

static int setup(void **state)
{
    (void)state;
    fragments_init(&f);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return fragments_end(&f) == 0 ? 0 : -1;
}

/* --- time ----------------------------------------------------------------- */

/* RFC 792: time exceeded, code 1, when the fragment at offset 0 is there. */
static void time__F13_sender_hears_when_the_first_is_there(void **state)
{
    (void)state;
    fragments_send(&f, 0, 1000, true);
    station_wait(&f.station, 30 * SECOND - 1);
    assert_int_equal(station_take_all(&f.station), 0);
    station_wait(&f.station, 1);
    assert_true(station_take(&f.station));
    assert_int_equal(station_at32(&f.station, 30), STATION_PEER);
    assert_int_equal(station_at16(&f.station, 34), 0x0b01);
    assert_int_equal(station_at16(&f.station, 42 + 4), 77);
    assert_int_equal(station_at16(&f.station, 42 + 20), 1234);
    assert_true(station_sums(&f.station, 34, f.station.len - 34, 0));
    assert_int_equal(STATION_COUNT(&f.station, ip_fragment_timeout), 1);

    fragments_send(&f, 1000, 1000, true);
    station_wait(&f.station, 30 * SECOND);
    assert_int_equal(STATION_COUNT(&f.station, ip_fragment_timeout), 2);
    assert_int_equal(fragments_under_way(&f), 0);
    station_take_all(&f.station); /* ARP may ask */
    assert_int_equal(STATION_COUNT(&f.station, icmp_tx), 1);
}

static void time__F13_messages_are_limited(void **state)
{
    (void)state;
    for (unsigned i = 0; i < IPV4_DATAGRAMS_EACH; i++) {
        f.id++;
        fragments_send(&f, 0, 1000, true);
    }
    station_wait(&f.station, 30 * SECOND);
    assert_int_equal(STATION_COUNT(&f.station, ip_fragment_timeout),
                     IPV4_DATAGRAMS_EACH);
    assert_in_range(STATION_COUNT(&f.station, icmp_tx), 1, 12);
    station_take_all(&f.station);
}

/* RFC 1122 3.2.2: never about an ICMP error. */
static void time__F17_not_about_an_icmp_error(void **state)
{
    (void)state;
    f.protocol = 1;
    f.whole[0] = 3; /* unreachable */
    fragments_send(&f, 0, 1000, true);
    station_wait(&f.station, 30 * SECOND);
    assert_int_equal(STATION_COUNT(&f.station, ip_fragment_timeout), 1);
    assert_int_equal(STATION_COUNT(&f.station, icmp_tx), 0);
    f.id++;
    f.whole[0] = 8; /* but about a question */
    fragments_send(&f, 0, 1000, true);
    station_wait(&f.station, 30 * SECOND);
    assert_int_equal(STATION_COUNT(&f.station, icmp_tx), 1);
    station_take_all(&f.station);
}

static void time__F22_number_begins_anew_afterwards(void **state)
{
    (void)state;
    fragments_send(&f, 0, 1000, true);
    fragments_send(&f, 8, 1000, true); /* spoilt */
    station_wait(&f.station, 30 * SECOND);
    station_take_all(&f.station);
    fragments_rest(&f, 0, 1000);
    assert_int_equal(f.heard, 1);
}

/* The time runs from the first that came, not from the latest. */
static void time__late_fragments_do_not_prolong_it(void **state)
{
    (void)state;
    fragments_send(&f, 0, 1000, true);
    station_wait(&f.station, 20 * SECOND);
    fragments_send(&f, 1000, 1000, true);
    station_wait(&f.station, 10 * SECOND);
    fragments_send(&f, 2000, 1000, false);
    assert_int_equal(f.heard, 0);
    station_take_all(&f.station);
}

/* --- bounds --------------------------------------------------------------- */

static void bound__F11_numbers_of_one_source(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 65536; i++) {
        f.id = (uint16_t)i;
        fragments_send(&f, 0, 8, true);
        assert_in_range(fragments_under_way(&f), 1, IPV4_DATAGRAMS_EACH);
    }
    assert_int_equal(fragments_under_way(&f), IPV4_DATAGRAMS_EACH);
    assert_int_equal(STATION_COUNT(&f.station, ip_fragment_evicted),
                     65536 - IPV4_DATAGRAMS_EACH);
    f.id = 65535 - 3; /* the young ones are there */
    fragments_rest(&f, 8, 1000);
    assert_int_equal(f.heard, 1);
}

static void bound__F11_sources(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        f.src = 0x0a000100 + i;
        fragments_send(&f, 0, 8, true);
        assert_in_range(fragments_under_way(&f), 1, IPV4_DATAGRAMS_MAX);
    }
    assert_int_equal(fragments_under_way(&f), IPV4_DATAGRAMS_MAX);
}

/* A flood from one source leaves what others have under way alone. */
static void bound__F11_one_source_pushes_out_its_own(void **state)
{
    (void)state;
    fragments_send(&f, 0, 2000 / 2, true);
    f.src = STATION_PEER + 1;
    for (uint32_t i = 0; i < 1000; i++) {
        f.id++;
        fragments_send(&f, 0, 8, true);
    }
    f.src = STATION_PEER;
    f.id = 77;
    fragments_rest(&f, 1000, 1000);
    assert_int_equal(f.heard, 1);
}

static void bound__F11_memory_of_one_and_of_all(void **state)
{
    uint32_t most = 0;

    (void)state;
    for (uint32_t i = 0; i < 20; i++) {
        f.src = 0x0a000100 + i / 4;
        f.id = (uint16_t)i;
        for (uint32_t at = 0; at < 62; at++) {
            fragments_send(&f, at * 1000, 1000, true);
            assert_in_range(fragments_held(&f), 1,
                            i < 4 ? IPV4_REASS_BYTES_EACH
                                  : IPV4_REASS_BYTES_MAX);
            if (fragments_held(&f) > most)
                most = fragments_held(&f);
        }
    }
    assert_in_range(most, IPV4_REASS_BYTES_MAX - 4096, IPV4_REASS_BYTES_MAX);
    assert_true(STATION_COUNT(&f.station, ip_fragment_evicted) > 0);
}

/* A card that cuts a frame into single bytes makes it hold more than all may:
 * the fuzzer found the bound passed by one fragment. */
static void bound__F11_one_fragment_in_tiny_views(void **state)
{
    (void)state;
    fragments_write(&f, 0, 400, true);
    station_send_pieces(&f.station, 1);
    assert_int_equal(fragments_under_way(&f), 0);
    assert_int_equal(STATION_COUNT(&f.station, ip_no_memory), 1);
    fragments_write(&f, 0, 400, true);
    station_send_pieces(&f.station, 64);
    assert_int_equal(fragments_under_way(&f), 1);
}

static void bound__F12_sixty_four_fragments_of_a_datagram(void **state)
{
    (void)state;
    fragments_make(&f, 8 * (IPV4_FRAGMENTS_MAX + 1));
    fragments_rest(&f, 0, 8);
    assert_int_equal(f.heard, 0);
    assert_int_equal(STATION_COUNT(&f.station, ip_fragment_conflict), 1);
    assert_int_equal(fragments_held(&f), 0);
    f.id++;
    fragments_make(&f, 8 * IPV4_FRAGMENTS_MAX);
    fragments_rest(&f, 0, 8);
    assert_int_equal(f.heard, 1);
    f.id++;
    for (uint32_t i = 0; i < 8192 - 1; i++)
        fragments_send(&f, i * 8 % FRAGMENTS_WHOLE_MAX, 8, true);
    assert_int_equal(fragments_held(&f), 0);
}

/* Every page that the stack asks for is refused once. */
static void bound__F23_no_memory_at_any_point_is_survived(void **state)
{
    (void)state;
    for (uint64_t k = 1; k < 6; k++) {
        f.id++;
        f.station.host.fail_at = f.station.host.asked + k;
        for (uint32_t at = 0; at < f.whole_bytes; at += 200) {
            struct buffer *frame;

            fragments_write(&f, at, 200, at + 200 < f.whole_bytes);
            frame = buffer_alloc(net_pool(f.station.net), BUFFER_LARGE, 0);
            if (!frame)
                continue;
            memcpy(frame->data, f.station.frame, f.station.len);
            frame->len = f.station.len;
            net_input(f.station.net, &f.station.dev.dev, frame, host_now_us);
        }
        f.station.host.fail_at = 0;
        station_wait(&f.station, 31 * SECOND);
        assert_int_equal(fragments_held(&f), 0);
        station_take_all(&f.station);
    }
}

static void bound__cleared_address_drops_what_came_for_it(void **state)
{
    (void)state;
    fragments_send(&f, 0, 1000, true);
    interface_clear_address(f.station.net, 0, host_now_us);
    assert_int_equal(fragments_under_way(&f), 0);
    assert_int_equal(fragments_held(&f), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(time__F13_sender_hears_when_the_first_is_there),
        TEST(time__F13_messages_are_limited),
        TEST(time__F17_not_about_an_icmp_error),
        TEST(time__F22_number_begins_anew_afterwards),
        TEST(time__late_fragments_do_not_prolong_it),
        TEST(bound__F11_numbers_of_one_source),
        TEST(bound__F11_sources),
        TEST(bound__F11_one_source_pushes_out_its_own),
        TEST(bound__F11_memory_of_one_and_of_all),
        TEST(bound__F11_one_fragment_in_tiny_views),
        TEST(bound__F12_sixty_four_fragments_of_a_datagram),
        TEST(bound__F23_no_memory_at_any_point_is_survived),
        TEST(bound__cleared_address_drops_what_came_for_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
