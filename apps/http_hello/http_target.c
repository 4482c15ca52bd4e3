/*
 * apps/http_hello/http_target.c - the four forms of a request's target.
 *
 * Nothing is decoded, and no path is made shorter: RFC 9112 3.2.
 */
#include "apps/http_hello/http_target.h"

#include <string.h>
#include <strings.h>

#define SCHEME       "http://"
#define SCHEME_BYTES (sizeof(SCHEME) - 1)

/* In a target such as "http://host:80/path", where the authority ends (the
 * length of the target, at most); 0 when it is not of this form. */
static size_t authority_end(const struct http_request *request)
{
    size_t at = SCHEME_BYTES;

    if (request->target_len <= SCHEME_BYTES ||
        strncasecmp(request->target, SCHEME, SCHEME_BYTES) != 0)
        return 0;
    while (at < request->target_len && request->target[at] != '/' &&
           request->target[at] != '?')
        at++;
    return at;
}

bool http_target_is_good(const struct http_request *request)
{
    size_t end;

    if (request->target[0] == '/' || request->method == HTTP_CONNECT)
        return true; /* CONNECT is answered 501, whatever it names */
    if (request->target_len == 1 && request->target[0] == '*')
        return request->method == HTTP_OPTIONS;
    end = authority_end(request);
    return end > 0 && http_host_is_good(request->target + SCHEME_BYTES,
                                        end - SCHEME_BYTES);
}

size_t http_request_path(const struct http_request *request, const char **path)
{
    const char *at = request->target;
    const char *end = at + request->target_len;
    const char *query;

    *path = at;
    if (at < end && *at != '/') {
        at += authority_end(request);
        if (at == request->target)
            return 0;
        if (at == end || *at == '?') { /* "http://host" means its root */
            *path = "/";
            return 1;
        }
        *path = at;
    }
    query = memchr(at, '?', (size_t)(end - at));
    return (size_t)((query ? query : end) - at);
}
