/*
 * What becomes of a batch of received frames before IP sees it.
 *
 * batch_join() asserts for every one of them that nothing is lost, changed or
 * overtaken; here is what is joined, and what is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/gro.h"
#include "tests/host/batch.h"
#include "tests/host/host.h"

enum {
    FIN = 1,
    SYN = 2,
    RST = 4,
    PSH = 8,
    ACK = 16,
    URG = 32,
    ECE = 64,
    CWR = 128,
    DF = 0x4000,
    MSS = 1400
};

static struct batch batch;

static int setup(void **state)
{
    (void)state;
    batch_init(&batch);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return batch_end(&batch) == 0 ? 0 : -1;
}

/* The next segment of a connection in the middle of a stream; numbers wrap. */
static struct batch_segment number(uint32_t index)
{
    return (struct batch_segment){
        .seq = 0xfffff000u + index * MSS,
        .ack = 0xffffff00u,
        .ts_val = 77,
        .text_bytes = MSS,
        .port = 2000,
        .window = 500,
        .ip_flags = DF,
        .flags = ACK,
        .ttl = 64,
    };
}

static void put(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        batch_put(&batch, number(i));
}

/* One, and then `odd` where the second should be: they stay two. */
static void stays_apart(struct batch_segment odd)
{
    batch_put(&batch, number(0));
    batch_put(&batch, odd);
    batch_join(&batch);
    assert_int_equal(batch.left, 2);
}

static void gro__segments_in_sequence_become_one(void **state)
{
    (void)state;
    put(20);
    batch_join(&batch);
    assert_int_equal(batch.left, 1);
    assert_int_equal(batch_text(&batch, 0), 20 * MSS);
    assert_int_equal(batch_segment_bytes(&batch, 0), MSS);
}

static void gro__one_alone_is_left_as_it_is(void **state)
{
    (void)state;
    put(1);
    batch_join(&batch);
    assert_int_equal(batch.left, 1);
    assert_int_equal(batch_segment_bytes(&batch, 0), 0);
}

static void gro__no_packet_exceeds_64_kib(void **state)
{
    (void)state;
    put(60);
    batch_join(&batch);
    assert_int_equal(batch.left, 2);
    assert_int_equal(batch_text(&batch, 0), 65535 / MSS * MSS);
}

static void gro__frames_in_several_views_are_not_joined(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        struct batch_segment segment = number(i);

        segment.first_view = MSS;
        batch_put(&batch, segment);
    }
    batch_join(&batch);
    assert_int_equal(batch.left, 3);
}

static void gro__frames_for_another_address_are_not_joined(void **state)
{
    (void)state;
    batch.nif.addr = IPV4_ADDR(10, 0, 0, 9);
    put(3);
    batch_join(&batch);
    assert_int_equal(batch.left, 3);
}

static void gro__shorter_one_is_joined_as_the_last(void **state)
{
    struct batch_segment segment = number(2);

    (void)state;
    put(2);
    segment.text_bytes = 1100;
    batch_put(&batch, segment);
    segment.seq += 1100;
    batch_put(&batch, segment);
    batch_join(&batch);
    assert_int_equal(batch.left, 2);
    assert_int_equal(batch_text(&batch, 0), 2 * MSS + 1100);
}

static void gro__longer_one_is_not_joined(void **state)
{
    struct batch_segment segment = number(1);

    (void)state;
    segment.text_bytes = MSS + 1;
    stays_apart(segment);
}

static void gro__small_ones_are_left_to_be_copied_together(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 10; i++) {
        struct batch_segment segment = number(0);

        segment.seq += 100 * i;
        segment.text_bytes = 100;
        batch_put(&batch, segment);
    }
    batch_join(&batch);
    assert_int_equal(batch.left, 10);
}

static void gro__push_ends_a_packet_and_stands_in_it(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        struct batch_segment segment = number(i);

        if (i == 1)
            segment.flags |= PSH;
        batch_put(&batch, segment);
    }
    batch_join(&batch);
    assert_int_equal(batch.left, 2);
    assert_int_equal(batch_text(&batch, 0), 2 * MSS);
    assert_int_equal(batch.frames->data[47], ACK | PSH);
    assert_int_equal(batch.frames->link->data[47], ACK);
}

static void gro__nothing_is_joined_to_one_that_is_pushed(void **state)
{
    struct batch_segment segment = number(0);

    (void)state;
    segment.flags |= PSH;
    batch_put(&batch, segment);
    batch_put(&batch, number(1));
    batch_join(&batch);
    assert_int_equal(batch.left, 2);
}

static void gro__other_flags_stay_apart(void **state)
{
    static const uint8_t flags[] = {FIN, SYN, RST, URG, ECE, CWR};

    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        struct batch_segment segment = number(1);

        segment.flags |= flags[i];
        stays_apart(segment);
        assert_int_equal(teardown(state), 0);
        setup(state);
    }
}

static void gro__gap_stays_apart_and_what_is_behind_it_is_joined(void **state)
{
    (void)state;
    batch_put(&batch, number(0));
    batch_put(&batch, number(2));
    batch_put(&batch, number(3));
    batch_join(&batch);
    assert_int_equal(batch.left, 2);
    assert_int_equal(batch_text(&batch, 1), 2 * MSS);
}

static void gro__repeated_one_stays_apart(void **state)
{
    (void)state;
    stays_apart(number(0));
}

#define DIFFERS(what, value)                                                   \
    static void gro__other_##what##_stays_apart(void **state)                  \
    {                                                                          \
        struct batch_segment segment = number(1);                              \
                                                                               \
        (void)state;                                                           \
        segment.what = value;                                                  \
        stays_apart(segment);                                                  \
    }

DIFFERS(ack, 0xffffff01u)
DIFFERS(ts_val, 78)
DIFFERS(window, 501)
DIFFERS(tos, 3) /* a CE mark must be seen: RFC 3168 5.3 */
DIFFERS(ttl, 63)
DIFFERS(port, 2001)
DIFFERS(ip_flags, 0)   /* DF */
DIFFERS(ip_options, 1) /* of IP */
DIFFERS(padding, 4)    /* behind the packet */
DIFFERS(flip, 24)      /* in the IP header's checksum */

static void gro__bit_error_stays_apart(void **state)
{
    struct batch_segment segment = number(1);

    (void)state;
    segment.flip = 1000;
    stays_apart(segment);
}

static void gro__fragments_stay_apart(void **state)
{
    struct batch_segment segment = number(1);

    (void)state;
    segment.ip_flags |= 0x2000; /* more of them */
    stays_apart(segment);
}

static void gro__reserved_ip_flag_stays_apart(void **state)
{
    struct batch_segment segment = number(1);

    (void)state;
    segment.ip_flags |= 0x8000;
    stays_apart(segment);
}

static void gro__spoiled_first_one_is_not_hidden(void **state)
{
    struct batch_segment segment = number(0);

    (void)state;
    segment.flip = 900;
    batch_put(&batch, segment);
    batch_put(&batch, number(1));
    batch_join(&batch);
    assert_int_equal(batch.left, 2);
}

static void gro__device_that_has_checked_is_believed(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        struct batch_segment segment = number(i);

        segment.flip =
            50; /* of the checksum: not there yet, or not looked at */
        segment.buffer_flags = i % 2 ? BUFFER_CSUM_GOOD : BUFFER_CSUM_PARTIAL;
        batch_put(&batch, segment);
    }
    batch_join(&batch);
    assert_int_equal(batch.left, 1);
}

static void gro__frames_for_others_stay_apart(void **state)
{
    struct batch_segment segment = number(0);

    (void)state;
    segment.flip = 5; /* MAC address */
    batch_put(&batch, segment);
    segment = number(1);
    segment.flip = 5;
    batch_put(&batch, segment);
    batch_join(&batch);
    assert_int_equal(batch.left, 2);
}

static void gro__other_sender_on_the_link_stays_apart(void **state)
{
    struct batch_segment segment = number(1);

    (void)state;
    segment.flip = 11;
    stays_apart(segment);
}

static void gro__connections_in_turn_are_joined_each(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 48; i++) {
        struct batch_segment segment = number(i / 8);

        segment.port = (uint16_t)(3000 + i % 8);
        batch_put(&batch, segment);
    }
    batch_join(&batch);
    assert_int_equal(batch.left, 8);
}

static void gro__more_connections_than_places_lose_nothing(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 90; i++) {
        struct batch_segment segment = number(i / 9);

        segment.port = (uint16_t)(3000 + i % 9);
        batch_put(&batch, segment);
    }
    batch_join(&batch);
    assert_int_equal(batch.left, 90);
}

/* A bare ACK carries a window; it must come between. */
/* Eight are joined at a time: the ninth takes the place of one that is over. */
static void gro__place_of_one_that_is_over_is_taken_first(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 10; i++) {
        struct batch_segment segment = number(0);

        segment.port = (uint16_t)(2000 + i);
        if (i == 5) { /* this one ends with its second segment */
            batch_put(&batch, segment);
            segment = number(1);
            segment.port = 2005;
            segment.flags |= PSH;
        }
        if (i == 9) { /* of the first connection, whose place is still its */
            segment = number(1);
            segment.port = 2000;
        }
        batch_put(&batch, segment);
    }
    batch_join(&batch);
    assert_int_equal(batch.left, 9);
    assert_int_equal(batch_text(&batch, 0), 2 * MSS);
}

static void gro__nothing_overtakes_a_bare_ack_of_its_connection(void **state)
{
    struct batch_segment segment = number(1);

    (void)state;
    segment.text_bytes = 0;
    batch_put(&batch, number(0));
    batch_put(&batch, segment);
    batch_put(&batch, number(1));
    batch_join(&batch);
    assert_int_equal(batch.left, 3);
}

static void gro__frames_of_others_do_not_stop_a_connection(void **state)
{
    static const uint8_t arp[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6};

    (void)state;
    batch_put(&batch, number(0));
    batch_put_raw(&batch, arp, sizeof(arp), 0, 0);
    batch_put(&batch, number(1));
    batch_join(&batch);
    assert_int_equal(batch.left, 2);
    assert_int_equal(batch_text(&batch, 0), 2 * MSS);
}

/* It cannot be told whose it is: options hide the ports. */
static void gro__nothing_overtakes_what_cannot_be_told(void **state)
{
    struct batch_segment segment = number(1);

    (void)state;
    segment.ip_options = 2;
    batch_put(&batch, number(0));
    batch_put(&batch, segment);
    batch_put(&batch, number(1));
    batch_join(&batch);
    assert_int_equal(batch.left, 3);
}

/* Whatever comes: batch_join() asserts the rest. */
static void gro__random_batches_lose_change_and_reorder_nothing(void **state)
{
    unsigned joined = 0;

    host_seed(5);
    for (unsigned round = 0; round < 2000; round++) {
        uint32_t at[3] = {0};

        for (unsigned i = 0; i < 30; i++) {
            unsigned flow = (unsigned)(host_random() % 3);
            struct batch_segment segment = number(at[flow]++);
            uint64_t odd = host_random() % 60;

            segment.port = (uint16_t)(3000 + flow);
            segment.flip = odd == 0 ? (uint16_t)(host_random() % 1400) : 0;
            segment.padding = odd == 1;
            segment.ip_options = odd == 2;
            segment.flags |= odd == 3 ? PSH : odd == 4 ? FIN : 0;
            segment.tos = odd == 5 ? 3 : 2;
            segment.text_bytes -=
                odd == 6 ? (uint32_t)(host_random() % MSS) : 0;
            segment.seq += odd == 7;
            segment.first_view = odd == 8 ? (uint8_t)host_random() : 0;
            at[flow] -= odd == 9;
            batch_put(&batch, segment);
        }
        batch_join(&batch);
        joined += batch.count - batch.left;
        assert_int_equal(teardown(state), 0);
        setup(state);
    }
    assert_true(joined > 30000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(gro__segments_in_sequence_become_one),
        TEST(gro__one_alone_is_left_as_it_is),
        TEST(gro__no_packet_exceeds_64_kib),
        TEST(gro__frames_in_several_views_are_not_joined),
        TEST(gro__frames_for_another_address_are_not_joined),
        TEST(gro__shorter_one_is_joined_as_the_last),
        TEST(gro__longer_one_is_not_joined),
        TEST(gro__small_ones_are_left_to_be_copied_together),
        TEST(gro__push_ends_a_packet_and_stands_in_it),
        TEST(gro__nothing_is_joined_to_one_that_is_pushed),
        TEST(gro__other_flags_stay_apart),
        TEST(gro__gap_stays_apart_and_what_is_behind_it_is_joined),
        TEST(gro__repeated_one_stays_apart),
        TEST(gro__other_ack_stays_apart),
        TEST(gro__other_ts_val_stays_apart),
        TEST(gro__other_window_stays_apart),
        TEST(gro__other_tos_stays_apart),
        TEST(gro__other_ttl_stays_apart),
        TEST(gro__other_port_stays_apart),
        TEST(gro__other_ip_flags_stays_apart),
        TEST(gro__other_ip_options_stays_apart),
        TEST(gro__other_padding_stays_apart),
        TEST(gro__other_flip_stays_apart),
        TEST(gro__bit_error_stays_apart),
        TEST(gro__fragments_stay_apart),
        TEST(gro__reserved_ip_flag_stays_apart),
        TEST(gro__spoiled_first_one_is_not_hidden),
        TEST(gro__device_that_has_checked_is_believed),
        TEST(gro__frames_for_others_stay_apart),
        TEST(gro__other_sender_on_the_link_stays_apart),
        TEST(gro__connections_in_turn_are_joined_each),
        TEST(gro__more_connections_than_places_lose_nothing),
        TEST(gro__place_of_one_that_is_over_is_taken_first),
        TEST(gro__nothing_overtakes_a_bare_ack_of_its_connection),
        TEST(gro__frames_of_others_do_not_stop_a_connection),
        TEST(gro__nothing_overtakes_what_cannot_be_told),
        TEST(gro__random_batches_lose_change_and_reorder_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
