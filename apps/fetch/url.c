/*
 * apps/fetch/url.c - the part of RFC 3986 that a request by HTTP needs.
 */
#include "apps/fetch/url.h"

#include <string.h>

#define SCHEME "http://"

enum { DEFAULT_PORT = 80 };

/* A path goes into a request line, so it holds visible ASCII and no fragment;
 * a space would end it. RFC 9112 3.2.1. */
static bool path_is_good(const char *path)
{
    for (; *path; path++) {
        if (*path <= ' ' || *path > '~' || *path == '#')
            return false;
    }
    return true;
}

/* "1" to "65535", and nothing else. */
static bool port_parse(const char *text, uint16_t *port)
{
    uint32_t value = 0;

    for (; *text >= '0' && *text <= '9' && value <= UINT16_MAX; text++)
        value = value * 10 + (uint32_t)(*text - '0');
    *port = (uint16_t)value;
    return !*text && value >= 1 && value <= UINT16_MAX;
}

/* The part before the path: a host, and a port behind a colon. */
static bool authority_parse(struct url *url)
{
    const char *colon = strchr(url->authority, ':');
    size_t host_bytes =
        colon ? (size_t)(colon - url->authority) : strlen(url->authority);

    if (host_bytes >= sizeof(url->host))
        return false;
    memcpy(url->host, url->authority, host_bytes);
    url->host[host_bytes] = '\0';
    url->port = DEFAULT_PORT;
    return dns_host_ok(url->host) &&
           (!colon || port_parse(colon + 1, &url->port));
}

bool url_parse(const char *text, struct url *url)
{
    size_t bytes;

    if (strncmp(text, SCHEME, strlen(SCHEME)) == 0)
        text += strlen(SCHEME);
    bytes = strcspn(text, "/");
    if (bytes >= sizeof(url->authority))
        return false;
    memcpy(url->authority, text, bytes);
    url->authority[bytes] = '\0';
    url->path = text[bytes] ? text + bytes : "/";
    return path_is_good(url->path) && authority_parse(url);
}
