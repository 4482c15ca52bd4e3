/*
 * tests/fuzz/fuzz_tcp_segment.c - a few segments in each TCP state.
 *
 * The first byte of the input chooses the state; each segment that follows has
 * any flags, options, window and urgent pointer, and numbers near those that
 * the state makes interesting. The state afterwards must be one to which
 * segments alone lead, by figure 5 of RFC 9293 3.3.2; at the end nothing may
 * be left.
 */
#include <string.h>

#include "tests/host/fuzz_input.h"
#include "tests/host/host.h"
#include "tests/host/states.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEGMENTS_MAX = 6, OPTIONS_MAX = 40 };

/* Where the peer's segments can lead, from each state: by name. */
static const char *const leads_to[S_COUNT] = {
    [S_CLOSED] = "CLOSED",
    [S_LISTEN] = "LISTEN SYN-RECEIVED ESTABLISHED CLOSE-WAIT",
    [S_SYN_SENT] = "SYN-SENT SYN-RECEIVED ESTABLISHED CLOSE-WAIT CLOSED",
    [S_SYN_RCVD_PASSIVE] = "SYN-RECEIVED ESTABLISHED CLOSE-WAIT LISTEN",
    [S_SYN_RCVD_ACTIVE] = "SYN-RECEIVED ESTABLISHED CLOSE-WAIT CLOSED",
    [S_ESTABLISHED] = "ESTABLISHED CLOSE-WAIT CLOSED",
    [S_FIN_WAIT_1] = "FIN-WAIT-1 FIN-WAIT-2 CLOSING TIME-WAIT CLOSED",
    [S_FIN_WAIT_2] = "FIN-WAIT-2 TIME-WAIT CLOSED",
    [S_CLOSE_WAIT] = "CLOSE-WAIT CLOSED",
    [S_CLOSING] = "CLOSING TIME-WAIT CLOSED",
    [S_LAST_ACK] = "LAST-ACK CLOSED",
    [S_TIME_WAIT] = "TIME-WAIT CLOSED",
};

/* A number near `base`, or far from it. */
static uint32_t near_number(struct fuzz_input *in, uint32_t base)
{
    static const int32_t off[] = {0,     1,     -1,  2,     -2,
                                  100,   -100,  50,  101,   19999,
                                  20000, 20001, 536, 65535, INT32_MIN};
    uint32_t choice = fuzz_number(in, 1);

    return choice < ARRAY_LEN(off) ? base + (uint32_t)off[choice]
                                   : base + (choice << 7) - (128u << 7);
}

static void arrive(struct world *w, struct fuzz_input *in)
{
    uint8_t options[OPTIONS_MAX] = {0};
    struct seg seg = {
        .flags = (uint8_t)fuzz_number(in, 1),
        .seq = near_number(in, w->rcv_nxt),
        .ack = near_number(in, w->nxt),
        .wnd = (uint16_t)fuzz_number(in, 2),
        .urgent = (uint16_t)fuzz_number(in, 1),
        .options = options,
    };
    uint32_t shape = fuzz_number(in, 1);

    seg.options_len = (uint8_t)((shape >> 4) % 11 * 4);
    seg.len = (uint16_t)((shape & 15) * (shape & 15) * 6);
    for (unsigned i = 0; i < seg.options_len; i++)
        options[i] = (uint8_t)fuzz_number(in, 1);
    world_arrive_exact(w, seg);
    w->out_count = 0;
}

static void check_state(struct world *w, enum state before)
{
    ASSERT(strstr(leads_to[before], world_state(w, before)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint64_t start_us[S_COUNT];
    struct fuzz_input in = {data, size};
    enum state state = (enum state)(fuzz_number(&in, 1) % S_COUNT);
    struct world w;

    if (!start_us[state])
        start_us[state] = states_start_us(state);
    world_make(&w, start_us[state]);
    world_go(&w, state);
    for (unsigned i = 0; i < SEGMENTS_MAX && in.len > 0; i++)
        arrive(&w, &in);
    check_state(&w, state);
    world_end(&w);
    return 0;
}
