/*
 * tests/host/page.h - what a test may set and ask of the host's pages.
 */
#ifndef TESTS_HOST_PAGE_H
#define TESTS_HOST_PAGE_H

#include "kernel/page.h"

/* Pages that page_alloc() gives out at most; a test lowers it to see a refusal,
 * and puts SIZE_MAX back. */
extern size_t host_pages_max;

/* Pages that `owner` has now. */
size_t host_pages_of(enum page_owner owner);

#endif
