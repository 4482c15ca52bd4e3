/*
 * virtio-rng with a device that a test plays: it gives bytes, few, none, too
 * many, or does not let go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/virtio_rng.h"
#include "tests/host/fake_virtio.h"
#include "tests/host/host.h"
#include "tests/host/page.h"

static const uint64_t OFFER =
    VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(VIRTIO_RING_F_EVENT_IDX);

static struct fake_virtio fake;
static uint32_t gives; /* bytes a request */
static uint32_t says;  /* more than it gives by so many */
static uint8_t out[5000];
static bool released;

static void answer(struct fake_virtio *device, unsigned index)
{
    static uint8_t bytes[PAGE_BYTES];
    int head = fake_virtio_take(device, index);
    uint32_t wrote;

    memset(bytes, 0x5a, sizeof(bytes));
    wrote = fake_virtio_write(device, index, head, bytes, gives);
    fake_virtio_use(device, index, (uint32_t)head, wrote + says);
}

static int fresh(void **state)
{
    (void)state;
    host_now_us = 1000;
    fake = (struct fake_virtio){.on_notify = answer};
    fake_virtio_init(&fake, OFFER);
    gives = UINT32_MAX;
    says = 0;
    memset(out, 0xee, sizeof(out));
    return 0;
}

static bool read_bytes(size_t bytes)
{
    return virtio_rng_read(&fake.device, out, bytes, 1000, &released);
}

static void assert_released(void)
{
    assert_true(released);
    assert_int_equal(fake.status, 0);
    assert_int_equal(host_pages_of(PAGE_DEVICE), 0);
}

static void assert_nothing_came(size_t bytes)
{
    assert_false(read_bytes(bytes));
    for (size_t i = 0; i < bytes; i++)
        assert_true(out[i] == 0 || out[i] == 0xee);
    assert_released();
}

static void rng__as_many_as_asked_for_and_not_one_more(void **state)
{
    static const size_t sizes[] = {1, 32, 4095, 4096, 4097, 4999};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        fresh(NULL);
        assert_true(read_bytes(sizes[i]));
        assert_int_equal(out[sizes[i] - 1], 0x5a);
        assert_int_equal(out[sizes[i]], 0xee);
        assert_released();
    }
}

static void rng__few_bytes_a_request_are_collected(void **state)
{
    (void)state;
    gives = 3;
    assert_true(read_bytes(64));
    assert_int_equal(out[63], 0x5a);
    assert_int_equal(out[64], 0xee);
    assert_released();
}

static void rng__device_that_gives_nothing_is_given_up(void **state)
{
    (void)state;
    gives = 0;
    assert_nothing_came(64);
}

static void rng__device_that_does_not_answer_is_given_up(void **state)
{
    (void)state;
    fake.on_notify = NULL;
    assert_nothing_came(64);
}

static void rng__device_that_says_too_much_is_given_up(void **state)
{
    (void)state;
    says = 1;
    assert_nothing_came(64);
}

static void rng__device_that_refuses_is_given_up(void **state)
{
    (void)state;
    fake.refuse_features = true;
    assert_nothing_came(64);
    fresh(NULL);
    fake.queue[0].size = 7;
    assert_nothing_came(64);
    fresh(NULL);
    fake.queue[0].refused = true;
    assert_nothing_came(64);
}

static void rng__no_memory_is_a_refusal_without_a_leak(void **state)
{
    (void)state;
    for (host_pages_max = 0; host_pages_max < 4; host_pages_max++) {
        assert_nothing_came(64);
        assert_int_equal(host_pages_of(PAGE_DEVICE), 0);
    }
    host_pages_max = SIZE_MAX;
}

static void rng__device_that_is_gone_is_refused(void **state)
{
    (void)state;
    fake.gone = true;
    assert_false(read_bytes(64));
    assert_false(released);
    assert_int_equal(host_pages_of(PAGE_DEVICE), 0);
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rng__as_many_as_asked_for_and_not_one_more),
        TEST(rng__few_bytes_a_request_are_collected),
        TEST(rng__device_that_gives_nothing_is_given_up),
        TEST(rng__device_that_does_not_answer_is_given_up),
        TEST(rng__device_that_says_too_much_is_given_up),
        TEST(rng__device_that_refuses_is_given_up),
        TEST(rng__no_memory_is_a_refusal_without_a_leak),
        TEST(rng__device_that_is_gone_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
