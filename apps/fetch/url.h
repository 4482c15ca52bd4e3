/*
 * apps/fetch/url.h - "http://10.0.0.1:8080/path", or any shorter form of it.
 */
#ifndef APPS_FETCH_URL_H
#define APPS_FETCH_URL_H

#include "kernel/base.h"
#include "net/addr.h"

struct url {
    struct ipv4_addr addr;
    uint16_t port;                   /* 80 when the text names none */
    char host[IPV4_PORT_TEXT_BYTES]; /* as written: for Host, for messages */
    const char *path;                /* from "/" on; points into the text */
};

/*
 * Read an address.
 *
 * text:    must stay; without "http://", a port or a path it is an address
 *          still. Names are not resolved.
 * Returns: false when it is malformed; `url` is then undefined.
 */
MUST_CHECK bool url_parse(const char *text, struct url *url);

#endif
