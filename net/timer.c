/*
 * net/timer.c - the timing wheel.
 *
 * Level k has 64 slots of 64^k microseconds. A timer stands on the level of
 * the highest group of six bits in which its deadline differs from the
 * wheel's time, in the slot that this group names. So every slot that the
 * wheel's time is inside of, above level 0, is empty; timers with one deadline
 * always share a slot, in the order of arming; and the lowest slot of the
 * lowest occupied level holds the earliest timers. Deadlines more than
 * 64^TIMER_LEVELS us (51 days) off wait in a list of their own.
 */
#include "net/timer.h"

#include <string.h>

enum { LEVEL_BITS = 6, FAR_SLOT = TIMER_LEVELS * TIMER_SLOTS };

/* A slot with more timers than this is not searched for its earliest. */
enum { SEARCH_MAX = 16 };

void timer_wheel_init(struct timer_wheel *wheel, void *slots, uint64_t now_us)
{
    *wheel = (struct timer_wheel){.now_us = now_us, .slots = slots};
    memset(slots, 0, TIMER_WHEEL_BYTES);
}

static uint32_t slot_of(const struct timer_wheel *wheel, uint64_t deadline_us)
{
    uint64_t differs = deadline_us ^ wheel->now_us;
    uint32_t level;

    if (differs >> LEVEL_BITS * TIMER_LEVELS)
        return FAR_SLOT;
    level = (uint32_t)(63 - __builtin_clzll(differs | 1)) / LEVEL_BITS;
    return level * TIMER_SLOTS +
           (uint32_t)(deadline_us >> LEVEL_BITS * level) % TIMER_SLOTS;
}

static void place(struct timer_wheel *wheel, struct timer *timer)
{
    uint64_t due_us = timer->deadline_us;
    struct timer **first;

    if (due_us < wheel->now_us)
        due_us = wheel->now_us;
    timer->slot = slot_of(wheel, due_us);
    first = &wheel->slots[timer->slot];
    if (!*first) {
        *first = timer->next = timer->prev = timer;
        if (timer->slot != FAR_SLOT)
            wheel->occupied[timer->slot / TIMER_SLOTS] |=
                1ull << timer->slot % TIMER_SLOTS;
        return;
    }
    timer->next = *first;
    timer->prev = (*first)->prev;
    timer->prev->next = timer;
    timer->next->prev = timer;
}

void timer_arm(struct timer_wheel *wheel, struct timer *timer,
               uint64_t deadline_us)
{
    if (timer_is_armed(timer))
        timer_cancel(wheel, timer);
    timer->deadline_us = deadline_us;
    place(wheel, timer);
}

void timer_cancel(struct timer_wheel *wheel, struct timer *timer)
{
    struct timer **first;

    if (!timer_is_armed(timer))
        return;
    first = &wheel->slots[timer->slot];
    if (timer->next == timer) {
        *first = NULL;
        if (timer->slot != FAR_SLOT)
            wheel->occupied[timer->slot / TIMER_SLOTS] &=
                ~(1ull << timer->slot % TIMER_SLOTS);
    } else {
        timer->prev->next = timer->next;
        timer->next->prev = timer->prev;
        if (*first == timer)
            *first = timer->next;
    }
    timer->next = timer->prev = NULL;
}

/* The earliest deadline in a slot, looking at `max` timers; 0: not known. */
static uint64_t earliest(const struct timer *first, uint32_t max)
{
    const struct timer *timer = first;
    uint64_t deadline_us = timer->deadline_us;

    for (uint32_t seen = 1; (timer = timer->next) != first; seen++) {
        if (seen == max)
            return 0;
        if (timer->deadline_us < deadline_us)
            deadline_us = timer->deadline_us;
    }
    return deadline_us;
}

/*
 * The slot with the earliest timers, and when it begins.
 * Returns: FAR_SLOT when every level is empty.
 */
static uint32_t first_slot(const struct timer_wheel *wheel, uint64_t *start_us)
{
    for (uint32_t level = 0; level < TIMER_LEVELS; level++) {
        uint32_t shift = LEVEL_BITS * level;
        uint32_t index;

        if (!wheel->occupied[level])
            continue;
        index = (uint32_t)__builtin_ctzll(wheel->occupied[level]);
        *start_us = (wheel->now_us >> shift >> LEVEL_BITS << LEVEL_BITS | index)
                    << shift;
        return level * TIMER_SLOTS + index;
    }
    *start_us = FOREVER;
    if (wheel->slots[FAR_SLOT]) {
        uint64_t deadline_us = earliest(wheel->slots[FAR_SLOT], UINT32_MAX);
        uint32_t shift = LEVEL_BITS * TIMER_LEVELS;

        *start_us = deadline_us >> shift << shift;
    }
    return FAR_SLOT;
}

uint64_t timer_wheel_next(const struct timer_wheel *wheel)
{
    uint64_t start_us;
    uint32_t slot = first_slot(wheel, &start_us);

    if (slot >= TIMER_SLOTS && wheel->slots[slot]) {
        uint64_t deadline_us = earliest(wheel->slots[slot], SEARCH_MAX);

        if (deadline_us > start_us)
            return deadline_us;
    }
    return start_us;
}

/* The wheel's time has come to a slot above level 0: its timers go lower. */
static void cascade(struct timer_wheel *wheel, uint32_t slot)
{
    struct timer *timer = wheel->slots[slot];

    wheel->slots[slot] = NULL;
    if (slot != FAR_SLOT)
        wheel->occupied[slot / TIMER_SLOTS] &= ~(1ull << slot % TIMER_SLOTS);
    if (!timer)
        return;
    timer->prev->next = NULL;
    while (timer) {
        struct timer *next = timer->next;

        place(wheel, timer);
        timer = next;
    }
}

struct timer *timer_wheel_pop(struct timer_wheel *wheel, uint64_t now_us)
{
    if (now_us < wheel->now_us)
        now_us = wheel->now_us;
    for (;;) { /* each turn takes timers down a level: at most LEVELS + 2 */
        uint64_t start_us;
        uint32_t slot = first_slot(wheel, &start_us);

        if (start_us > now_us || (slot == FAR_SLOT && !wheel->slots[slot])) {
            wheel->now_us = now_us;
            return NULL;
        }
        wheel->now_us = start_us;
        if (slot < TIMER_SLOTS) {
            struct timer *timer = wheel->slots[slot];

            timer_cancel(wheel, timer);
            return timer;
        }
        cascade(wheel, slot);
    }
}
