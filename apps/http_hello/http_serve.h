/*
 * apps/http_hello/http_serve.h - HTTP connections over flows.
 */
#ifndef APPS_HTTP_HELLO_HTTP_SERVE_H
#define APPS_HTTP_HELLO_HTTP_SERVE_H

#include "net/flow.h"

enum {
    HTTP_THREADS_MAX = 256,          /* requests that are served at a time */
    HTTP_GATHER_BYTES_MAX = 64 << 10 /* of pipelined answers in one write */
};

#define HTTP_IDLE_US   75000000u /* between requests, unless set; then closed */
#define HTTP_HEADER_US 10000000u /* from a head's first byte to its last: 408 */
#define HTTP_BODY_US   30000000u /* from then to the end of its body: 408 */
#define HTTP_WRITE_US  30000000u /* a client that takes no answer: reset */

/* A flow_callback: serves one connection; `context` is not used. */
void http_serve(struct flow *flow, void *context);

/* How long a connection may be silent between requests, from now on. */
void http_serve_set_idle(uint64_t us);

/* Give back what is kept between requests; no flow is served any more. */
void http_serve_end(void);

#endif
