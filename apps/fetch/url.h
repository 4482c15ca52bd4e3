/*
 * apps/fetch/url.h - "http://example.org:8080/path", or any shorter form of it.
 */
#ifndef APPS_FETCH_URL_H
#define APPS_FETCH_URL_H

#include "kernel/base.h"
#include "net/dns.h"

struct url {
    char host[DNS_NAME_TEXT_BYTES + 1]; /* a name or an address in numbers */
    uint16_t port;                      /* 80 when the text names none */
    char authority[DNS_NAME_TEXT_BYTES + 8]; /* both as written: for Host */
    const char *path; /* from "/" on; points into the text */
};

/*
 * Read an address.
 *
 * text:    must stay; without "http://", a port or a path it is an address
 *          still.
 * Returns: false when it is malformed; `url` is then undefined.
 */
MUST_CHECK bool url_parse(const char *text, struct url *url);

#endif
