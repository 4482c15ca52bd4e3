/*
 * apps/http_hello/http_target.h - the four forms of a request's target.
 */
#ifndef APPS_HTTP_HELLO_HTTP_TARGET_H
#define APPS_HTTP_HELLO_HTTP_TARGET_H

#include "apps/http_hello/http.h"

/* Whether a form goes with the request's method. RFC 9112 3.2. */
bool http_target_is_good(const struct http_request *request);

#endif
