/*
 * tests/unit/test_thread_switch.c - what a switch between threads keeps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/thread_scene.h"

static uint32_t mxcsr_get(void)
{
    uint32_t value;

    __asm__ volatile("stmxcsr %0" : "=m"(value));
    return value;
}

static void mxcsr_set(uint32_t value)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(value));
}

static uint16_t x87_get(void)
{
    uint16_t value;

    __asm__ volatile("fnstcw %0" : "=m"(value));
    return value;
}

static void x87_set(uint16_t value)
{
    __asm__ volatile("fldcw %0" : : "m"(value));
}

/*
 * Fill every callee-saved register from `in`, call `fn`, write them to `out`.
 * An ordinary function of the ABI, which C cannot express.
 */
void call_with_registers(const uint64_t in[6], uint64_t out[6],
                         void (*fn)(void));
__asm__(".text\n"
        "call_with_registers:\n"
        "    pushq %rbp; pushq %rbx; pushq %r12\n"
        "    pushq %r13; pushq %r14; pushq %r15\n"
        "    pushq %rsi\n"
        "    movq 0(%rdi), %rbx; movq 8(%rdi), %rbp; movq 16(%rdi), %r12\n"
        "    movq 24(%rdi), %r13; movq 32(%rdi), %r14; movq 40(%rdi), %r15\n"
        "    callq *%rdx\n"
        "    popq %rsi\n"
        "    movq %rbx, 0(%rsi); movq %rbp, 8(%rsi); movq %r12, 16(%rsi)\n"
        "    movq %r13, 24(%rsi); movq %r14, 32(%rsi); movq %r15, 40(%rsi)\n"
        "    popq %r15; popq %r14; popq %r13\n"
        "    popq %r12; popq %rbx; popq %rbp\n"
        "    ret\n");

static bool registers_survive_yield(uint64_t seed)
{
    uint64_t in[6] = {seed, seed + 1, seed + 2, seed + 3, seed + 4, seed + 5};
    uint64_t out[6] = {0};

    call_with_registers(in, out, thread_yield);
    return memcmp(in, out, sizeof in) == 0;
}

struct keeper {
    uint64_t seed;
    uint32_t mxcsr;
    uint16_t x87_control;
    bool kept;
};

static void keep_registers(void *arg)
{
    struct keeper *keeper = arg;

    keeper->kept = mxcsr_get() == 0x1f80 && x87_get() == 0x037f;
    mxcsr_set(keeper->mxcsr);
    x87_set(keeper->x87_control);
    for (int i = 0; i < 4; i++)
        keeper->kept &= registers_survive_yield(keeper->seed + i) &&
                        mxcsr_get() == keeper->mxcsr &&
                        x87_get() == keeper->x87_control;
}

static void switch__keeps_what_the_abi_says(void **state)
{
    /* Rounding down and up, single precision: not what a thread starts with. */
    struct keeper a = {0x1111, 0x3f80, 0x007f, false};
    struct keeper b = {0x2222, 0x5f80, 0x0b7f, false};
    struct thread *ta = threads_start(keep_registers, &a);
    struct thread *tb = threads_start(keep_registers, &b);

    (void)state;
    threads_join(ta);
    threads_join(tb);
    assert_true(a.kept);
    assert_true(b.kept);
}

static struct thread *hook_from, *hook_to;
static uintptr_t shared_word = 7;

static void swap_word(struct thread *from, struct thread *to)
{
    hook_from = from;
    hook_to = to;
    *thread_hook_word(from) = shared_word;
    shared_word = *thread_hook_word(to);
}

static void change_word(void *arg)
{
    *(uintptr_t *)arg = shared_word;
    shared_word = 99;
    thread_yield();
    if (shared_word != 99)
        *(uintptr_t *)arg = 1;
}

static void switch_hook__gives_each_thread_its_word(void **state)
{
    uintptr_t seen = 1;
    struct thread *t = threads_start(change_word, &seen);

    (void)state;
    thread_set_switch_hook(swap_word);
    thread_yield();
    assert_ptr_equal(hook_from, t);
    assert_ptr_equal(hook_to, thread_self());
    assert_int_equal(shared_word, 7);
    threads_join(t);
    assert_int_equal(seen, 0);
    assert_int_equal(shared_word, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        THREAD_TEST(switch__keeps_what_the_abi_says),
        THREAD_TEST(switch_hook__gives_each_thread_its_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
