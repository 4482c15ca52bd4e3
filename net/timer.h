/*
 * net/timer.h - timers that fire at their exact microsecond, in order.
 *
 * A hierarchical timing wheel: arming, cancelling and re-arming cost the same
 * however many timers there are, and a jump of the clock costs work only for
 * the timers that it passes. There is no tick.
 *
 * Source: Varghese and Lauck, "Hashed and hierarchical timing wheels", 1987.
 */
#ifndef NET_TIMER_H
#define NET_TIMER_H

#include "kernel/base.h"

/*
 * A timer stands in what it belongs to. All zero is a timer that is not armed;
 * `fire` is set before it is armed first, the other members are the wheel's.
 */
struct timer {
    struct timer *next; /* a ring through one slot; null: not armed */
    struct timer *prev;
    uint64_t deadline_us;
    /* Called by whoever runs the wheel; may arm and cancel any timer. */
    void (*fire)(struct timer *timer, void *context);
    uint32_t slot; /* where in the wheel it stands */
};

_Static_assert(sizeof(struct timer) <= 40, "many of these");

enum { TIMER_LEVELS = 7, TIMER_SLOTS = 64 };

struct timer_wheel {
    uint64_t now_us; /* nothing before this is armed */
    uint64_t occupied[TIMER_LEVELS];
    struct timer **slots; /* oldest of each; far timers behind the levels */
};

/* What the slots need: less than a page. */
enum { TIMER_WHEEL_BYTES = (TIMER_LEVELS * TIMER_SLOTS + 1) * sizeof(void *) };

/*
 * Make an empty wheel.
 * slots: TIMER_WHEEL_BYTES, the caller's, for as long as the wheel is used.
 */
void timer_wheel_init(struct timer_wheel *wheel, void *slots, uint64_t now_us);

/*
 * Arm a timer, or arm it anew.
 * deadline_us: one that has passed is due at once.
 */
void timer_arm(struct timer_wheel *wheel, struct timer *timer,
               uint64_t deadline_us);

/* Disarm a timer; one that is not armed is left alone. */
void timer_cancel(struct timer_wheel *wheel, struct timer *timer);

static inline bool timer_is_armed(const struct timer *timer)
{
    return timer->next;
}

/* When the next timer is due: may be early, never late. FOREVER: none is. */
uint64_t timer_wheel_next(const struct timer_wheel *wheel);

/*
 * Take one timer that is due.
 *
 * now_us:  the clock; earlier than before is taken for standing still.
 * Returns: the timer with the earliest deadline, of equal ones the one that
 *          was armed first, no longer armed; null when none is due.
 */
MUST_CHECK struct timer *timer_wheel_pop(struct timer_wheel *wheel,
                                         uint64_t now_us);

#endif
