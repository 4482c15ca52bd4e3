/*
 * libc-shim/malloc.c - malloc() and its family, on libc-shim/heap.h.
 *
 * newlib itself calls the names with _r, which take its struct _reent; there
 * is one for all threads, so it is not looked at. Defining all of these keeps
 * newlib's own malloc out of the image.
 *
 * Source: ISO C11 7.22.3; POSIX posix_memalign().
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "libc-shim/heap.h"

int posix_memalign(void **out, size_t alignment, size_t bytes);

/* Room that is not worth a move. */
enum { LITTLE_BYTES = 256 };

static void *alloc(size_t bytes, size_t alignment)
{
    void *memory = heap_alloc(bytes, alignment);

    if (!memory)
        errno = ENOMEM;
    return memory;
}

void *malloc(size_t bytes)
{
    return alloc(bytes, HEAP_ALIGNMENT);
}

void free(void *memory)
{
    if (memory)
        heap_free(memory);
}

void *calloc(size_t count, size_t bytes)
{
    size_t total;
    void *memory;

    if (__builtin_mul_overflow(count, bytes, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    memory = alloc(total, HEAP_ALIGNMENT);
    return memory ? memset(memory, 0, total) : NULL;
}

/* Stays in place while it fits and at least half of the room is used. */
void *realloc(void *memory, size_t bytes)
{
    size_t room;
    void *moved;

    if (!memory)
        return malloc(bytes);
    if (bytes == 0) {
        free(memory);
        return NULL;
    }
    room = heap_room(memory);
    if (bytes <= room && (bytes >= room / 2 || room <= LITTLE_BYTES))
        return memory;
    moved = alloc(bytes, HEAP_ALIGNMENT);
    if (!moved)
        return bytes <= room ? memory : NULL;
    memcpy(moved, memory, bytes < room ? bytes : room);
    free(memory);
    return moved;
}

/* Returns: null also when `alignment` is no power of two. */
void *memalign(size_t alignment, size_t bytes)
{
    if (alignment & (alignment - 1)) {
        errno = EINVAL;
        return NULL;
    }
    return alloc(bytes, alignment);
}

/* newlib's aligned_alloc() asks for it. */
int posix_memalign(void **out, size_t alignment, size_t bytes)
{
    void *memory;

    if (alignment < sizeof(void *) || (alignment & (alignment - 1)))
        return EINVAL;
    memory = heap_alloc(bytes, alignment);
    if (!memory)
        return ENOMEM;
    *out = memory;
    return 0;
}

size_t malloc_usable_size(void *memory)
{
    return memory ? heap_room(memory) : 0;
}

void *_malloc_r(struct _reent *reent, size_t bytes)
{
    (void)reent;
    return malloc(bytes);
}

void _free_r(struct _reent *reent, void *memory)
{
    (void)reent;
    free(memory);
}

void *_calloc_r(struct _reent *reent, size_t count, size_t bytes)
{
    (void)reent;
    return calloc(count, bytes);
}

void *_realloc_r(struct _reent *reent, void *memory, size_t bytes)
{
    (void)reent;
    return realloc(memory, bytes);
}

void *_memalign_r(struct _reent *reent, size_t alignment, size_t bytes)
{
    (void)reent;
    return memalign(alignment, bytes);
}

size_t _malloc_usable_size_r(struct _reent *reent, void *memory)
{
    (void)reent;
    return malloc_usable_size(memory);
}
