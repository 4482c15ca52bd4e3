/*
 * A split ring, with a device that lies. Rows V1 to V7 of the list of bad
 * inputs; the ring's events, from virtio 1.2 2.7.7 and 2.7.10. Row V26 is about
 * packed rings, which are not used.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/virtq.h"
#include "tests/host/page.h"

enum { SIZE = 8 };

static struct virtq queue;
static uint8_t memory[SIZE][64];

static void make(bool event_idx)
{
    assert_true(virtq_create(&queue, SIZE, event_idx));
}

static int set_up(void **state)
{
    (void)state;
    make(false);
    return 0;
}

static int set_up_event_idx(void **state)
{
    (void)state;
    make(true);
    return 0;
}

/* Whatever is in flight is taken back, and nothing stays allocated. */
static int tear_down(void **state)
{
    unsigned cursor = 0;

    (void)state;
    for (unsigned i = 0; virtq_take_back(&queue, &cursor); i++)
        assert_true(i < SIZE);
    assert_int_equal(queue.free_count, SIZE);
    virtq_destroy(&queue);
    assert_int_equal(host_pages_of(PAGE_DEVICE), 0);
    return 0;
}

/* Push one buffer of 64 bytes for the device to write; its cookie is itself. */
static void push_in(unsigned i)
{
    struct virtq_part part = {memory[i], sizeof(memory[i])};

    assert_true(virtq_push(&queue, &part, 0, 1, memory[i]));
}

static void push_all(void)
{
    for (unsigned i = 0; i < SIZE; i++)
        push_in(i);
    (void)!virtq_publish(&queue);
}

/* The device gives `id` back, or says so. */
static void use(uint32_t id, uint32_t bytes)
{
    struct vring_used *used = queue.ring.used;

    used->ring[used->idx % SIZE] = (struct vring_used_elem){id, bytes};
    used->idx++;
}

/* The head of the chain that was made available `nth`. */
static uint16_t head_of(unsigned nth)
{
    return queue.ring.avail->ring[nth % SIZE];
}

static void assert_broken(void)
{
    struct virtq_done done;

    assert_int_equal(virtq_pop(&queue, &done), VIRTQ_BROKEN);
    assert_true(queue.broken);
    assert_int_equal(virtq_pop(&queue, &done), VIRTQ_BROKEN);
}

static void virtq__size_without_memory_is_refused(void **state)
{
    struct virtq other;

    (void)state;
    for (size_t pages = 0; pages < 3; pages++) {
        host_pages_max = host_pages_of(PAGE_DEVICE) + pages;
        assert_false(virtq_create(&other, 64, false));
    }
    host_pages_max = SIZE_MAX;
}

static void virtq__chain_has_next_and_write_flags_as_the_text_says(void **state)
{
    struct virtq_part parts[] = {{memory[0], 10}, {memory[1], 20}};
    struct vring_desc *desc = queue.ring.desc;
    uint16_t head;

    (void)state;
    assert_true(virtq_push(&queue, parts, 2, 0, memory));
    head = head_of(0);
    assert_int_equal(desc[head].addr, (uintptr_t)memory[0]);
    assert_int_equal(desc[head].len, 10);
    assert_int_equal(desc[head].flags, VRING_DESC_F_NEXT);
    assert_int_equal(desc[desc[head].next].len, 20);
    assert_int_equal(desc[desc[head].next].flags, 0);
    push_in(2);
    assert_int_equal(desc[head_of(1)].flags, VRING_DESC_F_WRITE);
}

static void virtq__pushed_is_invisible_until_published(void **state)
{
    (void)state;
    push_in(0);
    push_in(1);
    assert_int_equal(queue.ring.avail->idx, 0);
    assert_true(virtq_publish(&queue));
    assert_int_equal(queue.ring.avail->idx, 2);
    assert_false(virtq_publish(&queue));
}

static void virtq__full_ring_refuses_a_chain_whole(void **state)
{
    struct virtq_part parts[2] = {{memory[0], 1}, {memory[1], 1}};

    (void)state;
    for (unsigned i = 0; i < SIZE - 1; i++)
        push_in(i);
    assert_false(virtq_push(&queue, parts, 2, 0, memory));
    assert_int_equal(queue.free_count, 1);
    push_in(7);
    assert_false(virtq_push(&queue, parts, 1, 0, memory));
}

static void virtq__head_of_a_chain_is_one_descriptor_again(void **state)
{
    struct virtq_part parts[2] = {{memory[0], 1}, {memory[1], 1}};
    struct virtq_done done;

    (void)state;
    assert_true(virtq_push(&queue, parts, 2, 0, memory));
    (void)!virtq_publish(&queue);
    use(head_of(0), 0);
    assert_int_equal(virtq_pop(&queue, &done), VIRTQ_OK);
    assert_true(virtq_push_bytes(&queue, memory[0], 1, memory));
    (void)!virtq_publish(&queue);
    use(head_of(1), 0);
    assert_int_equal(virtq_pop(&queue, &done), VIRTQ_OK);
    assert_int_equal(queue.free_count, SIZE);
}

static void virtq__comes_back_in_any_order(void **state)
{
    static const uint8_t order[SIZE] = {3, 0, 7, 1, 6, 2, 5, 4};
    struct virtq_done done;

    (void)state;
    push_all();
    for (unsigned i = 0; i < SIZE; i++)
        use(head_of(order[i]), order[i] + 1u);
    for (unsigned i = 0; i < SIZE; i++) {
        assert_int_equal(virtq_pop(&queue, &done), VIRTQ_OK);
        assert_ptr_equal(done.cookie, memory[order[i]]);
        assert_int_equal(done.bytes, order[i] + 1);
    }
    assert_int_equal(virtq_pop(&queue, &done), VIRTQ_EMPTY);
    assert_int_equal(queue.free_count, SIZE);
}

static void virtq__indices_run_over_65535(void **state)
{
    struct virtq_part parts[3] = {
        {memory[0], 1}, {memory[1], 1}, {memory[2], 1}};
    struct virtq_done done;

    (void)state;
    for (unsigned i = 0; i < 70000; i++) {
        unsigned count = i % 3 + 1;

        assert_true(virtq_push(&queue, parts, count, 0, memory[i % SIZE]));
        assert_true(virtq_publish(&queue));
        use(head_of(i), 0);
        assert_int_equal(virtq_pop(&queue, &done), VIRTQ_OK);
        assert_ptr_equal(done.cookie, memory[i % SIZE]);
    }
    assert_int_equal(queue.ring.avail->idx, (uint16_t)70000);
}

static void virtq__length_of_a_chain_only_read_is_ignored(void **state)
{
    struct virtq_part part = {memory[0], 64};
    struct virtq_done done;

    (void)state;
    assert_true(virtq_push(&queue, &part, 1, 0, memory));
    (void)!virtq_publish(&queue);
    use(head_of(0), 0xffffffff);
    assert_int_equal(virtq_pop(&queue, &done), VIRTQ_OK);
    assert_int_equal(done.bytes, 0);
}

/* --- V: the device lies --------------------------------------------------- */

static void V1__id_beyond_the_ring_breaks_it(void **state)
{
    static const uint32_t ids[] = {SIZE, 65535, 65536, 0x80000000, 0xffffffff};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(ids); i++) {
        unsigned cursor = 0;

        push_all();
        use(ids[i], 10);
        assert_broken();
        for (unsigned j = 0; j < SIZE; j++)
            assert_non_null(virtq_take_back(&queue, &cursor));
        virtq_reset(&queue);
    }
}

static void V2__id_that_is_not_out_breaks_the_ring(void **state)
{
    (void)state;
    push_in(0);
    (void)!virtq_publish(&queue);
    use((head_of(0) + 1u) % SIZE, 10);
    assert_broken();
}

static void V2__id_inside_a_chain_breaks_the_ring(void **state)
{
    struct virtq_part parts[2] = {{memory[0], 64}, {memory[1], 64}};

    (void)state;
    assert_true(virtq_push(&queue, parts, 0, 2, memory));
    (void)!virtq_publish(&queue);
    use(queue.ring.desc[head_of(0)].next, 10);
    assert_broken();
}

static void V3__same_id_twice_breaks_the_ring(void **state)
{
    struct virtq_done done;

    (void)state;
    push_all();
    use(head_of(0), 10);
    use(head_of(0), 10);
    assert_int_equal(virtq_pop(&queue, &done), VIRTQ_OK);
    assert_broken();
}

static void V4__index_that_jumps_breaks_the_ring(void **state)
{
    (void)state;
    push_in(0);
    push_in(1);
    (void)!virtq_publish(&queue);
    queue.ring.used->idx = 3;
    assert_broken();
}

static void V4__index_that_goes_back_breaks_the_ring(void **state)
{
    struct virtq_done done;

    (void)state;
    push_all();
    use(head_of(0), 1);
    assert_int_equal(virtq_pop(&queue, &done), VIRTQ_OK);
    queue.ring.used->idx = 0;
    assert_broken();
}

static void V4__index_beyond_what_was_published_breaks_the_ring(void **state)
{
    (void)state;
    push_in(0); /* not published */
    use(head_of(0), 1);
    assert_broken();
}

static void V5__length_above_what_was_posted_breaks_the_ring(void **state)
{
    static const uint32_t lengths[] = {65, 0x80000000, 0xffffffff};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(lengths); i++) {
        unsigned cursor = 0;

        push_in(0);
        (void)!virtq_publish(&queue);
        use(head_of(0), lengths[i]);
        assert_broken();
        assert_ptr_equal(virtq_take_back(&queue, &cursor), memory[0]);
        virtq_reset(&queue);
    }
}

static void V5__length_zero_and_exactly_posted_are_handed_on(void **state)
{
    struct virtq_done done;

    (void)state;
    push_all();
    use(head_of(0), 0);
    use(head_of(1), 64);
    assert_int_equal(virtq_pop(&queue, &done), VIRTQ_OK);
    assert_int_equal(done.bytes, 0);
    assert_int_equal(virtq_pop(&queue, &done), VIRTQ_OK);
    assert_int_equal(done.bytes, 64);
}

/* What was read once is not read again: another value later has no effect. */
static void V6__used_ring_rewritten_after_the_pop_changes_nothing(void **state)
{
    struct virtq_done done;

    (void)state;
    push_all();
    use(head_of(0), 20);
    assert_int_equal(virtq_pop(&queue, &done), VIRTQ_OK);
    queue.ring.used->ring[0].len = 0xffffffff;
    queue.ring.used->ring[0].id = 77;
    assert_int_equal(done.bytes, 20);
    assert_int_equal(virtq_pop(&queue, &done), VIRTQ_EMPTY);
    assert_int_equal(queue.free_count, 1);
}

static void V7__rewritten_descriptors_change_nothing(void **state)
{
    struct virtq_done done;
    bool seen[SIZE] = {false};

    (void)state;
    push_all();
    memset(queue.ring.desc, 0xff, SIZE * sizeof(struct vring_desc));
    for (unsigned i = 0; i < SIZE; i++)
        use(i, 64);
    for (unsigned i = 0; i < SIZE; i++) {
        assert_int_equal(virtq_pop(&queue, &done), VIRTQ_OK);
        seen[((uint8_t *)done.cookie - memory[0]) / 64] = true;
    }
    for (unsigned i = 0; i < SIZE; i++)
        assert_true(seen[i]);
    push_all(); /* the free list is whole */
}

/* --- events --------------------------------------------------------------- */

static void flags__device_that_wants_no_notification_gets_none(void **state)
{
    (void)state;
    queue.ring.used->flags = VRING_USED_F_NO_NOTIFY;
    push_in(0);
    assert_false(virtq_publish(&queue));
    queue.ring.used->flags = 0xfffe; /* unknown bits are not ours */
    push_in(1);
    assert_true(virtq_publish(&queue));
}

static void flags__interrupts_are_off_until_asked_for(void **state)
{
    (void)state;
    assert_int_equal(queue.ring.avail->flags, VRING_AVAIL_F_NO_INTERRUPT);
    assert_false(virtq_interrupt_on(&queue, 1));
    assert_int_equal(queue.ring.avail->flags, 0);
    virtq_interrupt_off(&queue);
    assert_int_equal(queue.ring.avail->flags, VRING_AVAIL_F_NO_INTERRUPT);
}

static void flags__asking_tells_of_what_has_come_meanwhile(void **state)
{
    (void)state;
    push_all();
    use(head_of(0), 1);
    assert_true(virtq_interrupt_on(&queue, 1));
}

static void event_idx__notified_only_when_the_index_is_passed(void **state)
{
    (void)state;
    vring_avail_event(&queue.ring) = 2;
    push_in(0);
    push_in(1);
    assert_false(virtq_publish(&queue)); /* 0, 1: not yet 2 */
    push_in(2);
    assert_true(virtq_publish(&queue));
    push_in(3);
    assert_false(virtq_publish(&queue)); /* passed, and not moved on */
}

static void event_idx__flags_are_neither_set_nor_heeded(void **state)
{
    (void)state;
    queue.ring.used->flags = VRING_USED_F_NO_NOTIFY;
    push_in(0);
    assert_true(virtq_publish(&queue));
    virtq_interrupt_off(&queue);
    assert_int_equal(queue.ring.avail->flags, 0);
}

/* Would a device that goes from used index `before` to `now` interrupt? */
static bool interrupts(uint16_t before, uint16_t now)
{
    uint16_t event = vring_used_event(&queue.ring);

    return (uint16_t)(now - event - 1) < (uint16_t)(now - before);
}

static void
event_idx__off_means_no_interrupt_for_anything_in_flight(void **state)
{
    struct virtq_done done;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        uint16_t before = queue.used_seen;

        push_all();
        virtq_interrupt_off(&queue);
        for (uint16_t i = 1; i <= SIZE; i++)
            assert_false(interrupts(before, (uint16_t)(before + i)));
        for (unsigned i = 0; i < SIZE; i++)
            use(head_of(before + i), 1);
        for (unsigned i = 0; i < SIZE; i++)
            assert_int_equal(virtq_pop(&queue, &done), VIRTQ_OK);
    }
}

static void event_idx__on_means_at_the_next_or_after_so_many(void **state)
{
    (void)state;
    push_all();
    assert_false(virtq_interrupt_on(&queue, 1));
    assert_true(interrupts(0, 1));
    assert_false(virtq_interrupt_on(&queue, 5));
    assert_false(interrupts(0, 4));
    assert_true(interrupts(0, 5));
    use(head_of(0), 1);
    assert_true(virtq_interrupt_on(&queue, 1));
}

#define PLAIN(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define EVENTS(f)                                                              \
    cmocka_unit_test_setup_teardown(f, set_up_event_idx, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAIN(virtq__size_without_memory_is_refused),
        PLAIN(virtq__chain_has_next_and_write_flags_as_the_text_says),
        PLAIN(virtq__pushed_is_invisible_until_published),
        PLAIN(virtq__full_ring_refuses_a_chain_whole),
        PLAIN(virtq__head_of_a_chain_is_one_descriptor_again),
        PLAIN(virtq__comes_back_in_any_order),
        PLAIN(virtq__indices_run_over_65535),
        PLAIN(virtq__length_of_a_chain_only_read_is_ignored),
        PLAIN(V1__id_beyond_the_ring_breaks_it),
        PLAIN(V2__id_that_is_not_out_breaks_the_ring),
        PLAIN(V2__id_inside_a_chain_breaks_the_ring),
        PLAIN(V3__same_id_twice_breaks_the_ring),
        PLAIN(V4__index_that_jumps_breaks_the_ring),
        PLAIN(V4__index_that_goes_back_breaks_the_ring),
        PLAIN(V4__index_beyond_what_was_published_breaks_the_ring),
        PLAIN(V5__length_above_what_was_posted_breaks_the_ring),
        PLAIN(V5__length_zero_and_exactly_posted_are_handed_on),
        PLAIN(V6__used_ring_rewritten_after_the_pop_changes_nothing),
        PLAIN(V7__rewritten_descriptors_change_nothing),
        PLAIN(flags__device_that_wants_no_notification_gets_none),
        PLAIN(flags__interrupts_are_off_until_asked_for),
        PLAIN(flags__asking_tells_of_what_has_come_meanwhile),
        EVENTS(event_idx__notified_only_when_the_index_is_passed),
        EVENTS(event_idx__flags_are_neither_set_nor_heeded),
        EVENTS(event_idx__off_means_no_interrupt_for_anything_in_flight),
        EVENTS(event_idx__on_means_at_the_next_or_after_so_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
