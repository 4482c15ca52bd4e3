/*
 * tests/host/http_verdict.c - what our reader says of a request.
 */
#include "tests/host/http_verdict.h"

#include "apps/http_hello/http.h"

struct http_verdict http_judge(const char *text, size_t len)
{
    struct http_verdict verdict = {0};
    struct http_parser parser;

    http_parser_init(&parser);
    verdict.accepted =
        http_parse(&parser, text, len, &verdict.used) == HTTP_PARSE_DONE;
    verdict.keep_alive = parser.request.keep_alive;
    return verdict;
}
