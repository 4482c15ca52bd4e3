/*
 * apps/fetch/url.c - the part of RFC 3986 that an address in numbers needs.
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

bool url_parse(const char *text, struct url *url)
{
    size_t host_bytes;

    if (strncmp(text, SCHEME, strlen(SCHEME)) == 0)
        text += strlen(SCHEME);
    host_bytes = strcspn(text, "/");
    if (host_bytes >= sizeof(url->host))
        return false;
    memcpy(url->host, text, host_bytes);
    url->host[host_bytes] = '\0';
    url->path = text[host_bytes] ? text + host_bytes : "/";
    if (!path_is_good(url->path))
        return false;
    if (ipv4_endpoint_parse(url->host, &url->addr, &url->port))
        return true;
    url->port = DEFAULT_PORT;
    return ipv4_addr_parse(url->host, &url->addr);
}
