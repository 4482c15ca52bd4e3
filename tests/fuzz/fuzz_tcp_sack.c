/*
 * tests/fuzz/fuzz_tcp_sack.c - a sender, and a peer that may lie.
 *
 * The input is a program: each step sends text, lets time pass, or is an
 * acknowledgement with a window and up to four SACK blocks, near what is in
 * flight or anywhere. After each step the scoreboard is consistent; at the end
 * nothing may be left.
 */
#include "net/tcp_conn.h"
#include "tests/host/board_check.h"
#include "tests/host/fuzz_input.h"
#include "tests/host/host.h"
#include "tests/host/tcp_peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 400, SEND_MAX = 30000 };

static struct tcp_peer peer;

static void send_text(struct fuzz_input *in)
{
    uint32_t len = fuzz_number(in, 2) % SEND_MAX + 1;

    if (len <= tcp_send_room(peer.conn))
        peer_app_send(&peer, len);
}

/* A number near what is in flight, at an edge of a segment or anywhere. */
static uint32_t number(struct fuzz_input *in)
{
    const struct tcp_conn *conn = peer.conn;
    uint32_t choice = fuzz_number(in, 1);

    if (choice < 200)
        return conn->snd.una + choice * 500;
    if (choice < 230)
        return conn->snd.una + fuzz_number(in, 2);
    if (choice < 240)
        return conn->snd.nxt - (choice - 230);
    if (choice < 250)
        return conn->snd.una - fuzz_number(in, 2);
    return fuzz_number(in, 4);
}

static void acknowledge(struct fuzz_input *in)
{
    uint32_t blocks[4][2], shape = fuzz_number(in, 1), count = shape & 3;
    uint32_t ack = shape & 4 ? peer.conn->snd.una : number(in);

    if (shape & 64)
        count++;
    if (peer.timestamps && count > 3)
        count = 3;
    for (uint32_t i = 0; i < count; i++) {
        blocks[i][0] = number(in);
        blocks[i][1] = shape & 8 ? blocks[i][0] + 1000 : number(in);
    }
    peer.window = shape & 16 ? 60000 : (uint16_t)fuzz_number(in, 2);
    if (shape & 32) /* an echo of before, or of no time at all */
        peer.ts_ecr -= fuzz_number(in, 2);
    if (count)
        peer_sack(&peer, ack, blocks, count);
    else
        peer_ack(&peer, ack);
}

static void step(struct fuzz_input *in)
{
    uint32_t what = fuzz_number(in, 1);

    if (what < 48)
        send_text(in);
    else if (what < 96)
        peer_wait(&peer, 1000ull << what % 12);
    else if (what == 255)
        tcp_shutdown(peer.conn, host_now_us);
    else
        acknowledge(in);
    while (peer_take(&peer)) {
    }
    peer.ts++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint32_t shape = fuzz_number(&in, 1);

    peer_prepare(&peer);
    peer.sack = !(shape & 1);
    peer.timestamps = shape & 2;
    peer.shift = 0;
    peer.ts = 1;
    peer_start(&peer);
    peer_open_passive(&peer);
    tcp_set_nodelay(peer.conn, true, host_now_us);
    for (unsigned i = 0; i < STEPS_MAX && in.len > 0; i++) {
        step(&in);
        if (tcp_end_reason(peer.conn) != TCP_END_NONE)
            break;
        ASSERT(board_check(peer.conn) == NULL);
    }
    peer_end(&peer);
    return 0;
}
