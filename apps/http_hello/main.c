/*
 * apps/http_hello/main.c - a small web server on port 80.
 *
 * To learn from it: the shape of a service. main() listens, says that it is
 * ready, and sleeps until somebody presses the power button; then it lets the
 * flows that are busy finish, within a bound, and ends. It does without stdio:
 * printf() and what that needs would be a tenth of the image.
 */
#include <stdlib.h>

#include "apps/http_hello/http_serve.h"
#include "kernel/clock.h"
#include "kernel/log.h"
#include "kernel/thread.h"
#include "libc-shim/runnel.h"

enum { EXIT_USAGE = 64, EXIT_CANNOT_LISTEN = 1 };

/* What flows may take to finish when the machine is told to stop. */
#define STOP_US       3000000u
#define LINK_PAUSE_US 100000u

static uint32_t port = 80;
static uint32_t idle_s; /* 0: as http_serve.h says */

const char runnel_about[] = "serves one page, /healthz and /status by HTTP";

const struct cmdline_key runnel_keys[] = {
    {.name = "port",
     .value_name = "PORT",
     .example = "80",
     .help = "the TCP port to listen on (80)",
     .out = &port,
     .min = 1,
     .max = UINT16_MAX},
    {.name = "idle",
     .value_name = "SECONDS",
     .example = "3600",
     .help = "how long a connection may be silent between requests (75)",
     .out = &idle_s,
     .min = 1,
     .max = UINT32_MAX},
};
const size_t runnel_key_count = ARRAY_LEN(runnel_keys);

/* Say when the network card has lost its link, and when it is back. One that
 * is lost before this thread has run is lost all the same. */
static void tell_link(void *arg)
{
    bool up = true;

    (void)arg;
    while (runnel_wait_link(up, FOREVER)) {
        up = !up;
        log_at(up ? LOG_INFO : LOG_WARNING, "app", "the link is %s",
               up ? "up" : "down");
        /* One that comes and goes must not fill the console. */
        thread_sleep_until(clock_us() + LINK_PAUSE_US);
    }
}

int main(int argc, char **argv)
{
    struct flow_listener listener = {
        .callback = http_serve,
        .threads_max = HTTP_THREADS_MAX,
    };

    if (argc > 1) {
        log_at(LOG_ERROR, "app", "takes no argument: %s", argv[1]);
        return EXIT_USAGE;
    }
    if (!tcpv4_listen(runnel_tcp(), (uint16_t)port, &listener)) {
        log_at(LOG_ERROR, "app", "cannot listen on port %u", (unsigned)port);
        return EXIT_CANNOT_LISTEN;
    }
    if (idle_s)
        http_serve_set_idle(idle_s * 1000000ull);
    runnel_ready("http_hello", (uint16_t)port);
    if (thread_spawn(NULL, "link", 0, tell_link, NULL) != THREAD_OK)
        log_at(LOG_WARNING, "app", "no thread to watch the link");
    runnel_wait_stop(FOREVER);
    tcpv4_disconnect(runnel_tcp(), clock_us() + STOP_US);
    http_serve_end();
    return EXIT_SUCCESS;
}
