/*
 * tests/host/http_verdict.h - what our reader says of a request.
 *
 * Behind a function, because llhttp's header and ours have the same names for
 * the methods.
 */
#ifndef TESTS_HOST_HTTP_VERDICT_H
#define TESTS_HOST_HTTP_VERDICT_H

#include "kernel/base.h"

struct http_verdict {
    bool accepted; /* complete, and good */
    bool keep_alive;
    size_t used;
};

struct http_verdict http_judge(const char *text, size_t len);

#endif
