/*
 * tests/host/page.h - what a test may set of the host's page allocator.
 */
#ifndef TESTS_HOST_PAGE_H
#define TESTS_HOST_PAGE_H

#include "kernel/base.h"

/* Pages that page_alloc() gives out at most; a test lowers it to see a refusal,
 * and puts SIZE_MAX back. */
extern size_t host_pages_max;

#endif
