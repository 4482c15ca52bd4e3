/*
 * kernel/thread.c - green threads: cooperative, on one CPU.
 *
 * A thread's struct lies at the top of its own stack, so starting one takes
 * one stack and nothing else. Ready threads stand in one queue. Signals are
 * the only thing that an interrupt touches: it sets two flags, and the
 * scheduler collects at its next turn what they mean.
 *
 * Time is looked at once a round (when every thread that was ready has run),
 * not at each switch: reading a clock would cost more than the switch.
 */
#include "kernel/thread.h"

#include <string.h>

#include "kernel/deadline.h"

enum thread_state { READY, RUNNING, WAITING, ENDED };

struct thread {
    void *stack_pointer; /* saved by thread_switch() */
    struct thread *next; /* in `queue` */
    struct thread *prev;
    struct wait_queue *queue; /* the one that it stands in; or null */
    enum thread_state state;
    enum wait_status wait_status; /* how the last wait ended */
    bool cancelled;               /* the next wait ends at once */
    bool detached;
    bool has_deadline; /* `deadline` is in the heap */
    struct deadline deadline;
    const char *reason;           /* of the wait; null: it can run */
    struct thread_signal *signal; /* waited for; or null */
    uintptr_t hook_word;
    thread_fn *fn;
    void *arg;
    void *stack; /* null: the first thread, whose stack is not ours */
    size_t stack_bytes;
    struct wait_queue joiners;
    struct thread *next_of_all;
    struct thread *prev_of_all;
    char name[THREAD_NAME_BYTES];
};

/* What thread_switch() finds on a stack, the lowest address first. */
struct first_frame {
    uint32_t mxcsr;
    uint16_t x87_control;
    uint16_t padding;
    uint64_t r15, r14, r13, r12, rbx;
    uint64_t rbp;             /* 0: a backtrace ends here */
    void (*return_to)(void);  /* where the new thread begins */
    uint64_t return_of_begin; /* 0, and keeps the ABI's alignment */
};

/* Round to nearest, all exceptions masked; x87 with its full precision. */
enum { MXCSR_AT_START = 0x1f80, X87_CONTROL_AT_START = 0x037f };

static struct {
    const struct thread_host *host;
    struct thread *running;
    struct wait_queue ready;
    size_t ready_count;
    size_t round_left; /* ready threads that run before time is looked at */
    struct deadline_heap deadlines;
    struct wait_queue signal_waiters;
    volatile bool signal_pending; /* set by interrupts: look at the waiters */
    struct thread *corpse; /* ended and detached: free it from another stack */
    void (*switch_hook)(struct thread *from, struct thread *to);
    struct thread *all;
    struct thread_stats stats;
    struct thread first;
} thread;

void thread_switch(void **save, void *load);

/* --- queues ---------------------------------------------------------------*/

/* The head's `prev` is the tail; the tail's `next` is null. */
static void queue_push(struct wait_queue *queue, struct thread *t)
{
    struct thread *head = queue->head;

    t->queue = queue;
    t->next = NULL;
    if (head) {
        t->prev = head->prev;
        t->prev->next = t;
        head->prev = t;
    } else {
        t->prev = t;
        queue->head = t;
    }
}

static void queue_remove(struct thread *t)
{
    struct wait_queue *queue = t->queue;

    if (queue->head == t)
        queue->head = t->next;
    else
        t->prev->next = t->next;
    if (t->next)
        t->next->prev = t->prev;
    else if (queue->head)
        queue->head->prev = t->prev;
    t->queue = NULL;
}

static void push_ready(struct thread *t)
{
    t->state = READY;
    t->reason = NULL;
    thread.ready_count++;
    queue_push(&thread.ready, t);
}

/* End the wait that `t` is in. */
static void wake(struct thread *t, enum wait_status status)
{
    ASSERT(t->state == WAITING);
    if (t->queue)
        queue_remove(t);
    if (t->has_deadline) {
        deadline_remove(&thread.deadlines, &t->deadline);
        t->has_deadline = false;
    }
    t->wait_status = status;
    push_ready(t);
}

/* --- the scheduler --------------------------------------------------------*/

/*
 * The flag is cleared before the signals are looked at, so one that is raised
 * meanwhile is found now or makes us look again: it cannot get lost.
 */
static void collect_signals(void)
{
    struct thread *next;

    if (!thread.signal_pending)
        return;
    thread.signal_pending = false;
    for (struct thread *t = thread.signal_waiters.head; t; t = next) {
        next = t->next;
        if (t->signal->raised)
            wake(t, WAIT_OK);
    }
}

static void wake_whom_time_has_come(void)
{
    struct deadline_heap *heap = &thread.deadlines;
    uint64_t now_us;

    if (!heap->first)
        return;
    now_us = thread.host->now_us();
    while (heap->first && heap->first->at_us <= now_us)
        wake(CONTAINER_OF(heap->first, struct thread, deadline), WAIT_DEADLINE);
}

/* The next thread to run, out of the queue; idles until there is one. */
static struct thread *take_ready(void)
{
    struct thread *t;

    for (;;) {
        collect_signals();
        if (thread.round_left == 0) {
            wake_whom_time_has_come();
            thread.round_left = thread.ready_count;
        }
        if (thread.round_left != 0)
            break;
        thread.host->idle(thread.deadlines.first ? thread.deadlines.first->at_us
                                                 : FOREVER);
    }
    t = thread.ready.head;
    queue_remove(t);
    thread.ready_count--;
    thread.round_left--;
    return t;
}

/* First act on a new stack: what could not be freed while it was run on. */
static void bury(void)
{
    struct thread *corpse = thread.corpse;

    if (!corpse)
        return;
    thread.corpse = NULL;
    thread.host->stack_free(corpse->stack, corpse->stack_bytes);
}

/* Let others run. Returns when the running thread is taken again. */
static void schedule(void)
{
    struct thread *from = thread.running;
    struct thread *to = take_ready();

    to->state = RUNNING;
    if (to == from)
        return;
    thread.stats.switches++;
    thread.running = to;
    if (thread.switch_hook)
        thread.switch_hook(from, to);
    thread_switch(&from->stack_pointer, to->stack_pointer);
    bury();
}

/* --- waiting --------------------------------------------------------------*/

/* Wait in `queue` (null: for time only) until somebody calls wake(). */
static enum wait_status wait_in(struct wait_queue *queue, const char *reason,
                                uint64_t deadline_us)
{
    struct thread *self = thread.running;

    if (self->cancelled) {
        self->cancelled = false;
        return WAIT_CANCELLED;
    }
    self->state = WAITING;
    self->reason = reason;
    if (queue)
        queue_push(queue, self);
    if (deadline_us != FOREVER) {
        self->has_deadline = true;
        deadline_add(&thread.deadlines, &self->deadline, deadline_us);
    }
    schedule();
    return self->wait_status;
}

enum wait_status thread_sleep_until(uint64_t deadline_us)
{
    return wait_in(NULL, "sleep", deadline_us);
}

enum wait_status wait_queue_wait(struct wait_queue *queue, const char *reason,
                                 uint64_t deadline_us)
{
    return wait_in(queue, reason, deadline_us);
}

bool wait_queue_wake_one(struct wait_queue *queue)
{
    if (!queue->head)
        return false;
    wake(queue->head, WAIT_OK);
    return true;
}

void wait_queue_wake_all(struct wait_queue *queue)
{
    while (wait_queue_wake_one(queue))
        ;
}

void thread_cancel(struct thread *t)
{
    if (t->state == WAITING)
        wake(t, WAIT_CANCELLED);
    else
        t->cancelled = true;
}

void thread_uncancel(void)
{
    thread.running->cancelled = false;
}

/* --- signals --------------------------------------------------------------*/

void thread_signal_raise(struct thread_signal *signal)
{
    signal->raised = true;
    thread.signal_pending = true;
}

bool thread_signal_pending(void)
{
    return thread.signal_pending;
}

uint64_t thread_alone_until(void)
{
    if (thread.ready_count > 0 || thread.signal_pending)
        return 0;
    return thread.deadlines.first ? thread.deadlines.first->at_us : FOREVER;
}

enum wait_status thread_signal_wait(struct thread_signal *signal,
                                    const char *reason, uint64_t deadline_us)
{
    struct thread *self = thread.running;
    enum wait_status status = WAIT_OK;

    ASSERT(!signal->waiter);
    if (!signal->raised) {
        /* Raised from here on: signal_pending makes the scheduler look. */
        signal->waiter = self;
        self->signal = signal;
        status = wait_in(&thread.signal_waiters, reason, deadline_us);
        signal->waiter = NULL;
        self->signal = NULL;
    }
    if (status == WAIT_OK)
        signal->raised = false;
    return status;
}

/* --- beginning and end ----------------------------------------------------*/

static void enlist(struct thread *t)
{
    t->prev_of_all = NULL;
    t->next_of_all = thread.all;
    if (thread.all)
        thread.all->prev_of_all = t;
    thread.all = t;
    thread.stats.threads++;
}

static void delist(struct thread *t)
{
    if (t->prev_of_all)
        t->prev_of_all->next_of_all = t->next_of_all;
    else
        thread.all = t->next_of_all;
    if (t->next_of_all)
        t->next_of_all->prev_of_all = t->prev_of_all;
    thread.stats.threads--;
}

static void set_name(struct thread *t, const char *name)
{
    size_t i = 0;

    for (; i < THREAD_NAME_BYTES - 1 && name[i]; i++)
        t->name[i] = name[i];
    t->name[i] = '\0';
}

/* The first function of every thread, on its own stack. */
static void begin(void)
{
    bury();
    thread.running->fn(thread.running->arg);
    thread_exit();
}

void thread_init(const struct thread_host *host)
{
    ASSERT(thread.stats.threads <= 1);
    memset(&thread, 0, sizeof thread);
    thread.host = host;
    thread.running = &thread.first;
    thread.first.state = RUNNING;
    set_name(&thread.first, "main");
    enlist(&thread.first);
}

/* Build in a fresh stack the struct at its top, and the first frame below. */
static struct thread *make_thread(char *stack, size_t stack_bytes)
{
    uintptr_t top = (uintptr_t)stack + stack_bytes;
    struct thread *t = (struct thread *)((top - sizeof *t) & ~(uintptr_t)63);
    struct first_frame *frame = (struct first_frame *)t - 1;

    ASSERT(((uintptr_t)stack & 15) == 0);
    *t = (struct thread){
        .stack = stack, .stack_bytes = stack_bytes, .stack_pointer = frame};
    *frame = (struct first_frame){.mxcsr = MXCSR_AT_START,
                                  .x87_control = X87_CONTROL_AT_START,
                                  .return_to = begin};
    return t;
}

enum thread_status thread_spawn(struct thread **out, const char *name,
                                size_t stack_bytes, thread_fn *fn, void *arg)
{
    struct thread *t;
    void *stack;

    if (out)
        *out = NULL;
    if (stack_bytes == 0)
        stack_bytes = THREAD_STACK_BYTES;
    if (stack_bytes > SIZE_MAX - PAGE_BYTES)
        return THREAD_NO_MEMORY;
    stack_bytes = (stack_bytes + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
    stack = thread.host->stack_alloc(stack_bytes);
    if (!stack)
        return THREAD_NO_MEMORY;
    t = make_thread(stack, stack_bytes);
    t->fn = fn;
    t->arg = arg;
    t->detached = !out;
    set_name(t, name);
    enlist(t);
    push_ready(t);
    if (out)
        *out = t;
    return THREAD_OK;
}

_Noreturn void thread_exit(void)
{
    struct thread *self = thread.running;

    self->state = ENDED;
    wait_queue_wake_all(&self->joiners);
    if (self->detached) {
        delist(self);
        thread.corpse = self;
    }
    schedule();
    panic_at(__FILE__, __LINE__, "an ended thread ran on");
}

enum wait_status thread_join(struct thread *t, uint64_t deadline_us)
{
    ASSERT(t != thread.running && !t->detached && !t->joiners.head);
    while (t->state != ENDED) {
        enum wait_status status = wait_in(&t->joiners, "join", deadline_us);

        if (status != WAIT_OK)
            return status;
    }
    delist(t);
    if (t->stack)
        thread.host->stack_free(t->stack, t->stack_bytes);
    return WAIT_OK;
}

void thread_yield(void)
{
    collect_signals();
    push_ready(thread.running);
    schedule();
}

/* --- looking at threads ---------------------------------------------------*/

void thread_set_switch_hook(void (*hook)(struct thread *from,
                                         struct thread *to))
{
    thread.switch_hook = hook;
}

uintptr_t *thread_hook_word(struct thread *t)
{
    return &t->hook_word;
}

struct thread *thread_self(void)
{
    return thread.running;
}

const char *thread_name(const struct thread *t)
{
    return t->name;
}

void thread_for_each(void (*fn)(const struct thread_view *view, void *context),
                     void *context)
{
    for (const struct thread *t = thread.all; t; t = t->next_of_all) {
        struct thread_view view = {
            .name = t->name,
            .reason = t->state == ENDED ? "ended, not joined" : t->reason,
            .deadline_us = t->has_deadline ? t->deadline.at_us : FOREVER,
            .stack_pointer = t == thread.running ? NULL : t->stack_pointer};

        fn(&view, context);
    }
}

void thread_stats_get(struct thread_stats *stats)
{
    *stats = thread.stats;
}
