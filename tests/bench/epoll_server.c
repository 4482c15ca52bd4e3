/*
 * tests/bench/epoll_server.c - the smallest fair server of a Linux guest.
 *
 * What Runnel's http_hello and stream do, on Linux's own system calls: one
 * thread, epoll, no copies of its own. HTTP on port 80 (or argv[1]): a request
 * is whatever ends in an empty line. Port 9 drops, port 19 sends, UDP port 7
 * sends back. /memory says what MemAvailable of /proc/meminfo says.
 *
 * As process 1 it is the guest's whole user space; see peers.py.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT_HTTP = 80, PORT_ECHO = 7, PORT_DISCARD = 9, PORT_SOURCE = 19 };
enum { EVENTS = 256, BLOCK_BYTES = 256 * 1024, FILES_MAX = 1 << 18 };

enum kind { LISTEN, HTTP, DISCARD, SOURCE, ECHO };

static char block[BLOCK_BYTES];
static int queue;
static unsigned char kind_of[FILES_MAX];    /* of each descriptor */
static unsigned char accepts_as[FILES_MAX]; /* of each that listens */

static const char answer_keep[] = "HTTP/1.1 200 OK\r\n"
                                  "Content-Type: text/plain; charset=utf-8\r\n"
                                  "Content-Length: 3\r\n\r\nok\n";
static const char answer_close[] =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 3\r\nConnection: close\r\n\r\nok\n";

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void watch(int file, enum kind kind, unsigned events)
{
    struct epoll_event event = {.events = events, .data.fd = file};

    if (file >= FILES_MAX)
        fail("too many files");
    kind_of[file] = (unsigned char)kind;
    if (epoll_ctl(queue, EPOLL_CTL_ADD, file, &event) != 0)
        fail("epoll_ctl");
}

static void serve(int type, int port, enum kind kind)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((unsigned short)port)};
    int file = socket(AF_INET, type | SOCK_NONBLOCK, 0);
    int one = 1;

    setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(file, (struct sockaddr *)&address, sizeof(address)) != 0)
        fail("bind");
    if (type == SOCK_STREAM && listen(file, 4096) != 0)
        fail("listen");
    watch(file, type == SOCK_STREAM ? LISTEN : kind, EPOLLIN);
    accepts_as[file] = (unsigned char)kind;
}

static void accept_all(int listener)
{
    enum kind kind = accepts_as[listener];
    int one = 1;
    int file;

    while ((file = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        watch(file, kind, kind == SOURCE ? EPOLLOUT : EPOLLIN);
    }
}

static void say_memory(int file)
{
    char text[4096] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    size_t used = strlen(text);
    int facts = open("/proc/meminfo", O_RDONLY);
    ssize_t got = read(facts, text + used, sizeof(text) - used);

    close(facts);
    if (got > 0 && write(file, text, used + (size_t)got) < 0)
        perror("write");
    close(file);
}

static void answer(int file)
{
    char request[8192];
    ssize_t len = read(file, request, sizeof(request) - 1);
    bool close_it;
    ssize_t sent;

    if (len <= 0) {
        if (len == 0 || errno != EAGAIN)
            close(file);
        return;
    }
    request[len] = '\0';
    if (strncmp(request, "GET /memory ", 12) == 0) {
        say_memory(file);
        return;
    }
    close_it = strcasestr(request, "\nConnection: close") ||
               (strstr(request, " HTTP/1.0\r") &&
                !strcasestr(request, "\nConnection: keep-alive"));
    sent = close_it ? write(file, answer_close, sizeof(answer_close) - 1)
                    : write(file, answer_keep, sizeof(answer_keep) - 1);
    if (close_it || sent < 0)
        close(file);
}

static void discard(int file)
{
    ssize_t got;

    do {
        got = read(file, block, sizeof(block));
    } while (got > 0);
    if (got == 0 || errno != EAGAIN)
        close(file);
}

static void source(int file)
{
    ssize_t sent;

    do {
        sent = write(file, block, sizeof(block));
    } while (sent > 0);
    if (errno != EAGAIN)
        close(file);
}

static void echo(int file)
{
    struct sockaddr_in from;
    socklen_t bytes = sizeof(from);
    ssize_t len;

    while ((len = recvfrom(file, block, sizeof(block), 0,
                           (struct sockaddr *)&from, &bytes)) >= 0)
        sendto(file, block, (size_t)len, 0, (struct sockaddr *)&from, bytes);
}

static void (*const act[])(int file) = {
    [LISTEN] = accept_all, [HTTP] = answer, [DISCARD] = discard,
    [SOURCE] = source,     [ECHO] = echo,
};

int main(int argc, char **argv)
{
    struct rlimit files = {.rlim_cur = FILES_MAX, .rlim_max = FILES_MAX};
    struct epoll_event events[EVENTS];

    setrlimit(RLIMIT_NOFILE, &files);
    queue = epoll_create1(0);
    serve(SOCK_STREAM, argc > 1 ? atoi(argv[1]) : PORT_HTTP, HTTP);
    serve(SOCK_STREAM, PORT_DISCARD, DISCARD);
    serve(SOCK_STREAM, PORT_SOURCE, SOURCE);
    serve(SOCK_DGRAM, PORT_ECHO, ECHO);
    if (argc < 2)
        puts("runnel: ready"); /* what the bench waits for */
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(queue, events, EVENTS, -1);

        for (int i = 0; i < count; i++)
            act[kind_of[events[i].data.fd]](events[i].data.fd);
    }
}
