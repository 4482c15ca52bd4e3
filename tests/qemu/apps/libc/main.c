/*
 * tests/qemu/apps/libc/main.c - libc as a program meets it, one claim a line.
 *
 * Without an argument it checks everything that can be checked in one run, and
 * its status is the number of claims that do not hold. With an argument it
 * ends in the way that the argument names.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "kernel/clock.h"
#include "kernel/page.h"
#include "kernel/thread.h"

static int broken;
static int constructed;

static void claim(const char *what, bool holds)
{
    printf("%s: %s\n", holds ? "holds" : "BROKEN", what);
    broken += !holds;
}

__attribute__((constructor)) static void construct(void)
{
    constructed++;
}

/* --- output ---------------------------------------------------------------*/

static void check_formats(void)
{
    char text[64];

    snprintf(text, sizeof(text), "%.3f %e %g", 3.14159265, 12345.678, 1e-7);
    claim("printf writes floating point",
          strcmp(text, "3.142 1.234568e+04 1e-07") == 0);
    snprintf(text, sizeof(text), "%lld %zu %hhd %td", -4611686018427387904LL,
             (size_t)7, (signed char)-3, (ptrdiff_t)-9);
    claim("printf knows C99's lengths",
          strcmp(text, "-4611686018427387904 7 -3 -9") == 0);
    claim("strtod reads what printf writes",
          strtod("2.718281828459045", NULL) == 2.718281828459045);
    claim("libm is there", fabs(sqrt(2.0) * sqrt(2.0) - 2.0) < 1e-12 &&
                               fabs(sin(1.0) - 0.8414709848078965) < 1e-12);
}

static void check_files(void)
{
    printf("its buffer is made with its first byte\n");
    claim("stdout is written a line at a time", __flbf(stdout));
    struct stat status;
    char byte;

    claim("stdin is at its end", read(0, &byte, 1) == 0);
    claim("stdout is a terminal",
          isatty(1) == 1 && fstat(1, &status) == 0 && S_ISCHR(status.st_mode));
    errno = 0;
    claim("a bad file number is EBADF",
          write(9, "x", 1) == -1 && errno == EBADF);
    errno = 0;
    claim("no path exists", open("/etc/passwd", O_RDONLY) == -1 &&
                                errno == ENOENT && !fopen("x", "r"));
}

/* --- memory ---------------------------------------------------------------*/

static size_t heap_pages(void)
{
    struct page_stats stats;

    page_stats_get(&stats);
    return stats.used[PAGE_HEAP];
}

enum { PIECES = 2000 };

/* Pieces of all sizes, freed in another order, while pages go elsewhere. */
static void check_heap_grows_and_shrinks(void)
{
    static char *piece[PIECES];
    static void *other[PIECES / 100];
    size_t before = heap_pages();
    bool whole = true;

    for (size_t i = 0; i < PIECES; i++) {
        size_t bytes = 1 + i * i % 9001;

        piece[i] = malloc(bytes);
        whole = whole && piece[i];
        if (piece[i])
            memset(piece[i], (int)i, bytes);
        if (i % 100 == 0)
            other[i / 100] = page_alloc(1 + i / 100, PAGE_NET);
    }
    for (size_t i = 0; i < PIECES; i++) {
        size_t j = i * 1237 % PIECES;

        whole = whole && piece[j][j * j % 9001] == (char)j;
        free(piece[j]);
    }
    for (size_t i = 0; i < ARRAY_LEN(other); i++)
        page_free(other[i], 1 + i, PAGE_NET);
    claim("malloc's pieces keep their bytes", whole);
    claim("freed memory goes back to the pages", heap_pages() == before);
}

struct link {
    struct link *next;
};

/* Take pieces of `bytes` until there are no more. */
static void take_all(struct link **chain, size_t bytes)
{
    struct link *link;

    while ((link = malloc(bytes))) {
        link->next = *chain;
        *chain = link;
    }
}

static void check_heap_uses_all_memory(void)
{
    struct link *chain = NULL;
    size_t before = heap_pages();

    errno = 0;
    take_all(&chain, 50000);
    claim("malloc says ENOMEM when there is none", errno == ENOMEM);
    take_all(&chain, 1000);
    claim("malloc has used all that is not kept from it",
          !page_alloc(1, PAGE_HEAP));
    while (chain) {
        struct link *next = chain->next;

        free(chain);
        chain = next;
    }
    claim("all of it is free again", heap_pages() == before);
}

static void check_heap_family(void)
{
    char *text = malloc(10);
    void *aligned;
    int *zeros = calloc(1000, sizeof(*zeros));
    bool all_zero = zeros;

    strcpy(text, "grows");
    for (size_t bytes = 10; bytes < 100000; bytes *= 3)
        text = realloc(text, bytes);
    claim("realloc takes the bytes along", strcmp(text, "grows") == 0);
    text = realloc(text, 6);
    claim("realloc shrinks, too",
          strcmp(text, "grows") == 0 && malloc_usable_size(text) < 100);
    free(text);
    for (size_t i = 0; i < 1000; i++)
        all_zero = all_zero && zeros[i] == 0;
    claim("calloc clears", all_zero);
    free(zeros);
    /* Read from memory: else the compiler knows that it is too much. */
    static volatile size_t too_many = (size_t)1 << 33;
    claim("calloc's product does not wrap", !calloc(too_many, too_many));
    aligned = aligned_alloc(4096, 8192);
    claim("aligned_alloc aligns", aligned && (uintptr_t)aligned % 4096 == 0);
    free(aligned);
}

/* --- threads --------------------------------------------------------------*/

static void change_errno(void *kept)
{
    *(bool *)kept = errno == 0;
    errno = EDOM;
    thread_yield();
    *(bool *)kept = *(bool *)kept && errno == EDOM;
}

static void check_errno_per_thread(void)
{
    struct thread *thread;
    bool kept = false;

    errno = ERANGE;
    if (thread_spawn(&thread, "errno", 0, change_errno, &kept) == THREAD_OK) {
        thread_yield();
        claim("another thread's errno is not ours", errno == ERANGE);
        if (thread_join(thread, FOREVER) != WAIT_OK)
            kept = false;
    }
    claim("each thread keeps its errno", kept && errno == ERANGE);
}

static void print_number(void *number)
{
    char text[16];

    snprintf(text, sizeof(text), "%.1f", *(double *)number);
    *(double *)number = strcmp(text, "2.5") == 0 ? 1 : 0;
}

static void check_printf_on_a_small_stack(void)
{
    struct thread *thread;
    double number = 2.5;

    if (thread_spawn(&thread, "printf", 0, print_number, &number) !=
            THREAD_OK ||
        thread_join(thread, FOREVER) != WAIT_OK)
        number = 0;
    claim("printf(\"%f\") fits a thread's usual stack", number == 1);
}

/* --- jumps and time -------------------------------------------------------*/

static void check_jumps(void)
{
    jmp_buf back;
    volatile int times = 0;
    int value = setjmp(back);

    if (times++ == 0)
        longjmp(back, 0);
    claim("longjmp(buf, 0) makes setjmp return 1", value == 1 && times == 2);
    times = 0;
    value = setjmp(back);
    if (times++ == 0)
        longjmp(back, -5);
    claim("longjmp hands its value over", value == -5);
}

static void check_time(void)
{
    struct timeval wall;
    struct timespec before, after;
    time_t now = time(NULL);
    struct tm *date = gmtime(&now);

    claim("the year is plausible", date && date->tm_year + 1900 >= 2024);
    claim("gettimeofday agrees with time",
          gettimeofday(&wall, NULL) == 0 && wall.tv_sec - now <= 1);
    clock_gettime(CLOCK_MONOTONIC, &before);
    claim("usleep sleeps", usleep(20000) == 0);
    clock_gettime(CLOCK_MONOTONIC, &after);
    claim("for as long as it was told",
          (after.tv_sec - before.tv_sec) * 1000000 +
                  (after.tv_nsec - before.tv_nsec) / 1000 >=
              20000);
    before = (struct timespec){.tv_nsec = 1000000000};
    claim("nanosleep refuses a bad length",
          nanosleep(&before, NULL) == -1 && errno == EINVAL);
}

static void check_entropy(void)
{
    unsigned char a[32] = {0}, b[32] = {0};

    claim("getentropy gives other bytes each time",
          getentropy(a, sizeof(a)) == 0 && getentropy(b, sizeof(b)) == 0 &&
              memcmp(a, b, sizeof(a)) != 0);
}

/* What kernel/memory.S says, held against loops that look at each byte. */
static bool agree(const char *a, const char *b, size_t len)
{
    size_t same = 0, found = 0;
    int order = 0;

    while (same < len && a[same] == b[same])
        same++;
    while (found < len && a[found] != 'x')
        found++;
    if (same < len)
        order = (unsigned char)a[same] < (unsigned char)b[same] ? -1 : 1;
    return (memcmp(a, b, len) < 0) == (order < 0) &&
           (memcmp(a, b, len) > 0) == (order > 0) &&
           memchr(a, 'x', len) == (found < len ? a + found : NULL);
}

static void check_memory(void)
{
    static char a[96], b[96];
    bool good = true;

    for (size_t start = 0; start < 16; start++) {
        for (size_t len = 0; len < 48; len++) {
            memset(a, 0x81, sizeof(a));
            memset(b, 0x81, sizeof(b));
            good = good && agree(a + start, b + 3, len);
            a[start + len] = 'x'; /* behind the end, then the last byte */
            good = good && agree(a + start, b + 3, len);
            good = good && agree(a + start, b + 3, len + 1);
            good = good && agree(b + 3, a + start, len + 1);
            a[start + len] = '\0';
            good = good && strlen(a + start) == len;
        }
    }
    claim("memcmp, memchr and strlen at every alignment", good);
}

/* --- ends -----------------------------------------------------------------*/

static void say_goodbye(void)
{
    printf("goodbye, without a newline");
}

/* Writes past its array: the canary behind it tells on the way out. */
__attribute__((noinline)) static void overflow(size_t bytes)
{
    char small[8];
    volatile char *volatile to = small; /* no store is left out */

    for (size_t i = 0; i < bytes; i++)
        to[i] = 'x';
}

static int end_by(const char *how)
{
    if (strcmp(how, "exit") == 0) {
        atexit(say_goodbye);
        exit(7);
    }
    if (strcmp(how, "high") == 0)
        return 200;
    if (strcmp(how, "over") == 0)
        return 256 + 5;
    if (strcmp(how, "terminate") == 0)
        raise(SIGTERM);
    if (strcmp(how, "abort") == 0)
        abort();
    if (strcmp(how, "canary") == 0)
        overflow(64);
    if (strcmp(how, "free-twice") == 0) {
        void *volatile memory = malloc(10);

        free(memory);
        free(memory);
    }
    return 99;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return end_by(argv[1]);
    claim("constructors have run, once", constructed == 1);
    claim("the last argument is null", !argv[argc]);
    check_formats();
    check_files();
    check_heap_grows_and_shrinks();
    check_heap_uses_all_memory();
    check_heap_family();
    check_errno_per_thread();
    check_printf_on_a_small_stack();
    check_jumps();
    check_time();
    check_entropy();
    check_memory();
    printf("all claims made\n");
    return broken;
}
