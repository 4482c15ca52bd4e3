/*
 * apps/http_hello/pages.h - what this server has to say.
 */
#ifndef APPS_HTTP_HELLO_PAGES_H
#define APPS_HTTP_HELLO_PAGES_H

#include "apps/http_hello/http.h"
#include "apps/http_hello/response.h"

/* The answer to a request that is well formed. Never null. */
const struct response *pages_answer(const struct http_request *request);

/* The answer that consists of a status: 400, 404, ... Never null: a status
 * that is not in the table is answered as 500. */
const struct response *pages_status(uint16_t status);

#endif
