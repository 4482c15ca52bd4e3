/*
 * libc-shim/start.c - from the kernel to main(), and back.
 *
 * Threads share one struct _reent; what is swapped at a switch is errno. libc's
 * functions that keep state between calls (strtok, asctime) are the program's
 * to share between threads; the _r forms are not. stdout is written a line at a
 * time, which is newlib's own choice on a system without fcntl(): to ask for it
 * here would bring stdio into programs that have none.
 */
#include "libc-shim/start.h"

#include <errno.h>
#include <stdlib.h>

#include "kernel/cmdline.h"
#include "kernel/thread.h"

int main(int argc, char **argv);

/* newlib's, over .preinit_array and .init_array. */
void __libc_init_array(void);

/* What __libc_init_array() calls besides; an ELF loader's, long ago. */
void _init(void);
void _fini(void);

void _init(void)
{
}

void _fini(void)
{
}

static void swap_errno(struct thread *from, struct thread *to)
{
    *thread_hook_word(from) = (uintptr_t)(unsigned)errno;
    errno = (int)*thread_hook_word(to);
}

void libc_init(void)
{
    thread_set_switch_hook(swap_errno);
}

_Noreturn void libc_run(struct cmdline_args *args)
{
    __libc_init_array();
    exit(main(args->argc, args->argv));
}
