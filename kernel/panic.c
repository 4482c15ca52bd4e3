/*
 * kernel/panic.c - the last words: what, where, registers, who waits for what.
 *
 * Needs nothing but the console: no memory, no interrupt, no libc. What it
 * reads may be broken, so every pointer is looked up in the page tables first;
 * a panic inside a panic says so and ends.
 */
#include "kernel/base.h"

#include <stdarg.h>

#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/descriptor.h"
#include "kernel/format.h"
#include "kernel/paging.h"
#include "kernel/power.h"
#include "kernel/symbols.h"
#include "kernel/thread.h"

enum { FRAMES_MAX = 32, THREADS_MAX = 64, LINE_BYTES = 256 };

enum { VECTOR_PAGE_FAULT = 14 };

/* The error code of a page fault (Intel SDM vol. 3, 4.7). */
enum { FAULT_PRESENT = 1 << 0, FAULT_WRITE = 1 << 1, FAULT_FETCH = 1 << 4 };

static struct {
    bool running;
    size_t threads_shown;
} panic;

static const char *const exception_names[VECTOR_EXCEPTIONS] = {
    [0] = "division error",
    [1] = "debug exception",
    [2] = "non-maskable interrupt",
    [3] = "breakpoint",
    [4] = "overflow",
    [5] = "bound range exceeded",
    [6] = "invalid instruction",
    [7] = "device not available",
    [8] = "double fault",
    [9] = "coprocessor segment overrun",
    [10] = "invalid task state segment",
    [11] = "segment not present",
    [12] = "stack segment fault",
    [13] = "general protection fault",
    [14] = "page fault",
    [16] = "x87 floating-point error",
    [17] = "alignment check",
    [18] = "machine check",
    [19] = "SIMD floating-point error",
    [20] = "virtualization exception",
    [21] = "control protection exception",
    [28] = "hypervisor injection exception",
    [29] = "VMM communication exception",
    [30] = "security exception",
};

/* Called by kernel/vectors.S. */
_Noreturn void exception_handle(const struct exception_frame *frame);

static void print(const char *format, ...) PRINTF_LIKE(1, 2);

static void print(const char *format, ...)
{
    char line[LINE_BYTES];
    va_list args;

    va_start(args, format);
    console_write(line, format_text_va(line, sizeof(line), format, args));
    va_end(args);
}

/* `address` as "function+0x12", or nothing more than the number. */
static void print_place(const char *before, uint64_t address, uint64_t lookup)
{
    struct symbol symbol;

    if (symbols_find(lookup, &symbol))
        print("%s%s+0x%llx (0x%llx)\n", before, symbol.name,
              (unsigned long long)(symbol.offset + address - lookup),
              (unsigned long long)address);
    else
        print("%s0x%llx\n", before, (unsigned long long)address);
}

/*
 * Follow the chain of saved frame pointers; it must go up, and end somewhere.
 * A return address may be that of the next function, when the call was the
 * last instruction: so the byte before it is looked up.
 */
static void print_backtrace(uint64_t frame_pointer)
{
    for (unsigned i = 0; i < FRAMES_MAX; i++) {
        const uint64_t *frame = (const uint64_t *)frame_pointer;

        if (frame_pointer == 0 || frame_pointer % 8 != 0 ||
            !paging_is_readable(frame_pointer) ||
            !paging_is_readable(frame_pointer + 15) || frame[1] == 0)
            return;
        print_place("    by ", frame[1], frame[1] - 1);
        if (frame[0] <= frame_pointer)
            return;
        frame_pointer = frame[0];
    }
}

static void print_thread(const struct thread_view *view, void *context)
{
    (void)context;
    if (panic.threads_shown++ >= THREADS_MAX)
        return;
    if (!view->stack_pointer)
        print("  %s: running\n", view->name);
    else
        print("  %s: %s\n", view->name,
              view->reason ? view->reason : "ready to run");
}

static void print_threads(void)
{
    print("threads:\n");
    thread_for_each(print_thread, NULL);
    if (panic.threads_shown > THREADS_MAX)
        print("  and %zu more\n", panic.threads_shown - THREADS_MAX);
}

static const char *current_name(void)
{
    const struct thread *self = thread_self();

    return self ? thread_name(self) : "boot";
}

/*
 * A small function has no frame: its caller is then only at the top of the
 * stack, where a function with a frame has anything. So it is a guess, shown
 * as one.
 */
static void print_likely_caller(uint64_t stack_pointer)
{
    struct symbol symbol;
    uint64_t top;

    if (stack_pointer % 8 != 0 || !paging_is_readable(stack_pointer))
        return;
    top = *(const uint64_t *)stack_pointer;
    if (symbols_find(top - 1, &symbol))
        print_place("    by? ", top, top - 1);
}

/* Once; what fails in here again is only named. */
static void begin(const char *what)
{
    cpu_interrupts_off();
    if (panic.running) {
        print("panic inside the panic: %s\n", what);
        power_exit(POWER_STATUS_PANIC);
    }
    panic.running = true;
}

_Noreturn void panic_at(const char *file, int line, const char *what)
{
    begin(what);
    print("\npanic: %s\n", what);
    if (file)
        print("  at %s:%d in thread %s\n", file, line, current_name());
    else
        print("  in thread %s\n", current_name());
    print_backtrace((uintptr_t)__builtin_frame_address(0));
    print_threads();
    power_exit(POWER_STATUS_PANIC);
}

static void print_page_fault(const struct exception_frame *frame)
{
    uint64_t address = cpu_cr2();
    const char *act = frame->error & FAULT_FETCH   ? "execution"
                      : frame->error & FAULT_WRITE ? "write"
                                                   : "read";

    if (paging_is_guard(address))
        print("\npanic: stack overflow in thread %s (%s at 0x%llx)\n",
              current_name(), act, (unsigned long long)address);
    else
        print("\npanic: page fault: %s at 0x%llx, %s\n", act,
              (unsigned long long)address,
              address < PAGE_BYTES           ? "a null pointer"
              : frame->error & FAULT_PRESENT ? "which is not allowed there"
                                             : "where nothing is mapped");
}

static void print_registers(const struct exception_frame *f)
{
    const struct {
        const char *name;
        uint64_t value;
    } registers[] = {
        {"rax", f->rax},   {"rbx", f->rbx},    {"rcx", f->rcx},
        {"rdx", f->rdx},   {"rsi", f->rsi},    {"rdi", f->rdi},
        {"rbp", f->rbp},   {"rsp", f->rsp},    {"r8 ", f->r8},
        {"r9 ", f->r9},    {"r10", f->r10},    {"r11", f->r11},
        {"r12", f->r12},   {"r13", f->r13},    {"r14", f->r14},
        {"r15", f->r15},   {"rip", f->rip},    {"flg", f->rflags},
        {"err", f->error}, {"cr2", cpu_cr2()},
    };

    for (size_t i = 0; i < ARRAY_LEN(registers); i++)
        print("%s%s %016llx", i % 4 == 0 ? "\n  " : "  ", registers[i].name,
              (unsigned long long)registers[i].value);
    print("\n");
}

_Noreturn void exception_handle(const struct exception_frame *frame)
{
    const char *name = frame->vector < ARRAY_LEN(exception_names)
                           ? exception_names[frame->vector]
                           : NULL;

    if (!name)
        name = "unknown exception";
    begin(name);
    if (frame->vector == VECTOR_PAGE_FAULT)
        print_page_fault(frame);
    else
        print("\npanic: %s (vector %llu)\n", name,
              (unsigned long long)frame->vector);
    print("  in thread %s\n", current_name());
    print_place("    at ", frame->rip, frame->rip);
    print_likely_caller(frame->rsp);
    print_backtrace(frame->rbp);
    print("registers:");
    print_registers(frame);
    print_threads();
    power_exit(POWER_STATUS_PANIC);
}
