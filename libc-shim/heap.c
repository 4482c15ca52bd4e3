/*
 * libc-shim/heap.c - memory for applications: what malloc() is made of.
 *
 * Small objects share a page (a slab) with others of their size class; larger
 * ones get pages of their own. A page that is empty goes back at once, so what
 * is freed is free for everybody, and the heap needs no run of addresses that
 * grows: newlib's malloc, made for sbrk(), fails as soon as the next pages lie
 * below the last ones, and among identity-mapped pages they often do.
 *
 * The page in which, or right before which, an object begins starts with a
 * header that says what it is.
 *
 * Source: Bonwick, "The Slab Allocator", USENIX Summer 1994 (the idea).
 */
#include "libc-shim/heap.h"

#include "kernel/page.h"

enum {
    HEADER_BYTES = 64,
    SLAB_BYTES = PAGE_BYTES - HEADER_BYTES,
    SMALL_MAX = 2016, /* two to a slab */
    GRAIN = 16,
    CLASSES = 20
};

/* Beyond what may be asked for: no sum of sizes can overflow. */
#define BYTES_MAX (SIZE_MAX / 4)

/* Whatever divides SLAB_BYTES with little left over, in multiples of GRAIN. */
static const uint16_t class_bytes[CLASSES] = {
    16,  32,  48,  64,  80,  96,  112, 128,  160,  192,
    224, 256, 336, 400, 496, 672, 800, 1008, 1344, SMALL_MAX,
};

enum header_kind { SLAB = 0x51ab51ab, LARGE = 0x1a46e000 };

struct header {
    uint32_t kind;
    uint16_t class; /* of a slab: in class_bytes */
    uint16_t used;  /* objects that are out */
    uint16_t fresh; /* objects from here on were never out */
    struct object *free;
    struct header *next; /* slabs of this class with room */
    struct header *previous;
    size_t pages; /* of a large one: the run that holds it */
    void *first;
};

_Static_assert(sizeof(struct header) <= HEADER_BYTES, "objects follow it");

/* What a small object holds while it is free. */
struct object {
    struct object *next;
    uintptr_t mark; /* FREE_MARK: look whether it is freed twice */
};

#define FREE_MARK UINT64_C(0x66726565206d656d)

static struct {
    struct header *with_room[CLASSES];
    uint8_t class_of[SMALL_MAX / GRAIN + 1]; /* by size in grains, rounded up */
} heap;

static void fill_class_of(void)
{
    uint8_t class = 0;

    for (size_t grains = 0; grains < ARRAY_LEN(heap.class_of); grains++) {
        if (grains * GRAIN > class_bytes[class])
            class ++;
        heap.class_of[grains] = class;
    }
}

/* A mistake of the program's, in its own words. */
static void expect(bool allocated)
{
    if (!allocated)
        panic_at(__FILE__, __LINE__,
                 "memory that is freed (or resized) is not allocated: freed "
                 "twice, or never malloc()'s");
}

/* --- slabs ----------------------------------------------------------------*/

static void list_push(struct header *slab)
{
    struct header **list = &heap.with_room[slab->class];

    slab->previous = NULL;
    slab->next = *list;
    if (slab->next)
        slab->next->previous = slab;
    *list = slab;
}

static void list_remove(struct header *slab)
{
    if (slab->next)
        slab->next->previous = slab->previous;
    if (slab->previous)
        slab->previous->next = slab->next;
    else
        heap.with_room[slab->class] = slab->next;
}

static struct object *object_at(struct header *slab, size_t index)
{
    return (struct object *)((char *)slab + HEADER_BYTES +
                             index * class_bytes[slab->class]);
}

static size_t objects_in(const struct header *slab)
{
    return SLAB_BYTES / class_bytes[slab->class];
}

/* The object in which `memory` lies: aligned memory may begin inside. */
static struct object *object_of(struct header *slab, const void *memory)
{
    size_t offset = (size_t)((const char *)memory - (const char *)slab);

    return object_at(slab, (offset - HEADER_BYTES) / class_bytes[slab->class]);
}

static struct header *make_slab(uint16_t class)
{
    struct header *slab = page_alloc(1, PAGE_HEAP);

    if (!slab)
        return NULL;
    *slab = (struct header){.kind = SLAB, .class = class};
    list_push(slab);
    return slab;
}

static void *take_small(size_t bytes)
{
    uint16_t class;
    struct header *slab;
    struct object *object;

    if (heap.class_of[ARRAY_LEN(heap.class_of) - 1] == 0)
        fill_class_of();
    class = heap.class_of[(bytes + GRAIN - 1) / GRAIN];
    slab = heap.with_room[class];
    if (!slab)
        slab = make_slab(class);
    if (!slab)
        return NULL;
    object = slab->free;
    if (object)
        slab->free = object->next;
    else
        object = object_at(slab, slab->fresh++);
    object->mark = 0;
    slab->used++;
    if (slab->used == objects_in(slab))
        list_remove(slab);
    return object;
}

/* A program may well have written the mark itself: so the list decides. */
static bool is_free(const struct header *slab, const struct object *object)
{
    if (object->mark != FREE_MARK)
        return false;
    for (const struct object *o = slab->free; o; o = o->next)
        if (o == object)
            return true;
    return false;
}

static void free_small(struct header *slab, struct object *object)
{
    expect(slab->used > 0 && !is_free(slab, object));
    if (slab->used == objects_in(slab))
        list_push(slab);
    object->next = slab->free;
    object->mark = FREE_MARK;
    slab->free = object;
    slab->used--;
    if (slab->used > 0)
        return;
    list_remove(slab);
    slab->kind = 0;
    page_free(slab, 1, PAGE_HEAP);
}

/* --- pages of their own ---------------------------------------------------*/

/* The header's page is the one before `memory` when that begins a page. */
static struct header *header_of(const void *memory)
{
    return (struct header *)(((uintptr_t)memory - 1) &
                             ~(uintptr_t)(PAGE_BYTES - 1));
}

static uintptr_t align(uintptr_t address, size_t alignment)
{
    return (address + alignment - 1) & ~(uintptr_t)(alignment - 1);
}

static void *take_large(size_t bytes, size_t alignment)
{
    size_t lead = alignment > HEADER_BYTES ? alignment : HEADER_BYTES;
    size_t pages = (lead + bytes + PAGE_BYTES - 1) / PAGE_BYTES;
    char *first = page_alloc(pages, PAGE_HEAP);
    void *memory;

    if (!first)
        return NULL;
    memory = (void *)align(
        (uintptr_t)first + (lead < PAGE_BYTES ? lead : PAGE_BYTES), alignment);
    *header_of(memory) =
        (struct header){.kind = LARGE, .pages = pages, .first = first};
    return memory;
}

static void free_large(struct header *header)
{
    header->kind = 0;
    page_free(header->first, header->pages, PAGE_HEAP);
}

/* --- both -----------------------------------------------------------------*/

void *heap_alloc(size_t bytes, size_t alignment)
{
    ASSERT((alignment & (alignment - 1)) == 0);
    if (bytes > BYTES_MAX || alignment > BYTES_MAX)
        return NULL;
    if (bytes == 0)
        bytes = 1;
    if (alignment <= HEAP_ALIGNMENT)
        return bytes <= SMALL_MAX ? take_small(bytes)
                                  : take_large(bytes, HEAP_ALIGNMENT);
    if (bytes + alignment <= SMALL_MAX) {
        void *object = take_small(bytes + alignment);

        return object ? (void *)align((uintptr_t)object, alignment) : NULL;
    }
    return take_large(bytes, alignment);
}

void heap_free(void *memory)
{
    struct header *header = header_of(memory);

    if (header->kind == SLAB) {
        free_small(header, object_of(header, memory));
        return;
    }
    expect(header->kind == LARGE);
    free_large(header);
}

size_t heap_room(const void *memory)
{
    struct header *header = header_of(memory);
    const char *end;

    if (header->kind == SLAB) {
        end = (const char *)object_of(header, memory) +
              class_bytes[header->class];
    } else {
        expect(header->kind == LARGE);
        end = (const char *)header->first + header->pages * PAGE_BYTES;
    }
    return (size_t)(end - (const char *)memory);
}
