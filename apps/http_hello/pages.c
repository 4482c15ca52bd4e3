/*
 * apps/http_hello/pages.c - what this server has to say: /, /healthz, /status.
 *
 * Paths are compared as they came: nothing is decoded and nothing resolved, so
 * "/%68ealthz" and "/x/../healthz" name nothing here.
 */
#include "apps/http_hello/pages.h"

#include <string.h>

#include "apps/http_hello/facts.h"
#include "kernel/format.h"

enum {
    HOME_BYTES_MAX = 4096,
    STATUS_BYTES_MAX = 32768,
    HOME_FRESH_US = 1000000 /* it shows seconds */
};

#define HEAD(status, fields) "HTTP/1.1 " status "\r\n" fields
#define TYPE(type)           "Content-Type: " type "; charset=utf-8\r\n"
#define LITERAL(which, literal)                                                \
    .which = (literal), .which##_bytes = sizeof(literal) - 1

static response_render render_home;

static const struct response home = {
    .status = 200,
    LITERAL(head,
            HEAD("200 OK",
                 TYPE("text/html") "Cache-Control: no-store\r\n"
                                   "X-Content-Type-Options: nosniff\r\n")),
    .render = render_home,
    .render_bytes_max = HOME_BYTES_MAX,
    .render_fresh_us = HOME_FRESH_US,
};

static const struct response healthz = {
    .status = 200,
    LITERAL(head, HEAD("200 OK", TYPE("text/plain"))),
    LITERAL(text, "ok\n"),
};

static const struct response status_page = {
    .status = 200,
    LITERAL(head,
            HEAD("200 OK", TYPE("text/plain") "Cache-Control: no-store\r\n")),
    .render = facts_write_status,
    .render_bytes_max = STATUS_BYTES_MAX,
};

#define PAGE(path, response)                                                   \
    {                                                                          \
        (path), sizeof(path) - 1, &(response)                                  \
    }
static const struct page {
    const char *path;
    size_t path_bytes;
    const struct response *response;
} pages[] = {
    PAGE("/", home),
    PAGE("/healthz", healthz),
    PAGE("/status", status_page),
};

#define REFUSAL(code, reason, fields)                                          \
    {                                                                          \
        .status = (code),                                                      \
        LITERAL(head, HEAD(#code " " reason, TYPE("text/plain") fields)),      \
        LITERAL(text, #code " " reason "\n"),                                  \
    }
static const struct response refusals[] = {
    REFUSAL(400, "Bad Request", ""),
    REFUSAL(404, "Not Found", ""),
    REFUSAL(405, "Method Not Allowed", "Allow: GET, HEAD\r\n"),
    REFUSAL(408, "Request Timeout", ""),
    REFUSAL(413, "Content Too Large", ""),
    REFUSAL(414, "URI Too Long", ""),
    REFUSAL(417, "Expectation Failed", ""),
    REFUSAL(431, "Request Header Fields Too Large", ""),
    REFUSAL(501, "Not Implemented", ""),
    REFUSAL(503, "Service Unavailable", "Retry-After: 1\r\n"),
    REFUSAL(505, "HTTP Version Not Supported", ""),
    REFUSAL(500, "Internal Server Error", ""), /* last: for all others */
};

const struct response *pages_status(uint16_t status)
{
    size_t i = 0;

    while (i < ARRAY_LEN(refusals) - 1 && refusals[i].status != status)
        i++;
    return &refusals[i];
}

/* Whether it is the path of a target, which may go on with a query. */
static bool is_path_of(const struct page *page, const char *target, size_t len)
{
    size_t bytes = page->path_bytes;

    return (len == bytes || (len > bytes && target[bytes] == '?')) &&
           memcmp(target, page->path, bytes) == 0;
}

const struct response *pages_answer(const struct http_request *request)
{
    const char *path;
    size_t len = http_request_path(request, &path);

    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (!is_path_of(&pages[i], path, len))
            continue;
        if (request->method == HTTP_GET || request->method == HTTP_HEAD)
            return pages[i].response;
        return pages_status(405);
    }
    return pages_status(len > 0 ? 404 : 405); /* "OPTIONS *" has no path */
}

/* ---- the page ---- */

static const char page_top[] =
    "<!doctype html><html lang=en><meta charset=utf-8>"
    "<meta name=viewport content=\"width=device-width\">"
    "<link rel=icon href=\"data:,\"><title>Runnel</title><style>"
    ":root{color-scheme:light dark;--ink:#16202a;--dim:#5c6b78;--line:#dde4ea;"
    "--page:#f5f7f9;--card:#fff;--mark:#0b7a75}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#8d9aa6;"
    "--line:#28323c;--page:#0e1419;--card:#151d24;--mark:#4fd1c5}}"
    "*{box-sizing:border-box;margin:0}"
    "body{font:16px/1.55 system-ui,sans-serif;color:var(--ink);"
    "background:var(--page);padding:clamp(1.5rem,8vh,6rem) 1.25rem}"
    "main{max-width:42rem;margin:auto}"
    "h1{font-size:2.4rem;letter-spacing:-.03em;line-height:1.1}"
    "h1 i{color:var(--mark);font-style:normal}"
    "p{color:var(--dim);margin:.8rem 0 2rem}"
    "dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(12rem,1fr));"
    "gap:1px;background:var(--line);border:1px solid var(--line);"
    "border-radius:12px;overflow:hidden}"
    "div{background:var(--card);padding:1.1rem 1.25rem}"
    "dt{font-size:.75rem;letter-spacing:.06em;text-transform:uppercase;"
    "color:var(--dim)}"
    "dd{font-size:1.35rem;font-variant-numeric:tabular-nums}"
    "small{display:block;font-size:.85rem;color:var(--dim)}"
    "footer{margin-top:1.5rem;font-size:.9rem;color:var(--dim)}"
    "a{color:var(--mark)}</style>"
    "<main><h1>Hello from <i>Runnel</i></h1>"
    "<p>This page comes from a C program that is its own operating system: a "
    "virtual machine with a TCP/IP stack, a network driver, a C library, and "
    "nothing else.</p><dl>";

/* Uptime, memory, flows, packets, address, CPU. */
static const char page_facts[] =
    "<div><dt>Up</dt><dd>%s</dd><small>since the boot loader</small></div>"
    "<div><dt>Memory</dt><dd>%lu KiB</dd><small>of %lu MiB in use</small></div>"
    "<div><dt>Flows</dt><dd>%lu</dd><small>%lu parked, without a thread"
    "</small></div>"
    "<div><dt>Packets</dt><dd>%lu in</dd><small>%lu out</small></div>"
    "<div><dt>Threads</dt><dd>%lu</dd><small>green, on one CPU</small></div>"
    "<div><dt>Address</dt><dd>%s</dd><small>IPv4, virtio-net</small></div>"
    "</dl><footer>Runs on %s%s%s. <a href=/status>All counters</a></footer>"
    "</main></html>\n";

/* "1 d 02:03:04". */
static void uptime_text(char *out, size_t size, uint64_t uptime_us)
{
    unsigned long seconds = (unsigned long)(uptime_us / 1000000);
    unsigned long days = seconds / 86400;

    if (days > 0)
        format_text(out, size, "%lu d %02lu:%02lu:%02lu", days,
                    seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    else
        format_text(out, size, "%02lu:%02lu:%02lu", seconds / 3600,
                    seconds / 60 % 60, seconds % 60);
}

static size_t render_home(char *out, size_t size)
{
    char uptime[32];
    char address[IPV4_TEXT_BYTES];
    struct facts facts;
    size_t top = sizeof(page_top) - 1;
    size_t rest;

    facts_get(&facts);
    uptime_text(uptime, sizeof(uptime), facts.uptime_us);
    memcpy(out, page_top, top);
    rest = format_text(
        out + top, size - top, page_facts, uptime,
        (unsigned long)(facts.used_bytes >> 10),
        (unsigned long)(facts.memory_bytes >> 20), (unsigned long)facts.flows,
        (unsigned long)facts.parked, (unsigned long)facts.packets_in,
        (unsigned long)facts.packets_out, (unsigned long)facts.threads,
        ipv4_addr_text(facts.address, address), facts.cpu,
        facts.hypervisor[0] ? " under " : "", facts.hypervisor);
    return top + rest;
}

_Static_assert(sizeof(page_top) + sizeof(page_facts) + 512 < HOME_BYTES_MAX,
               "room for the figures");
