/*
 * tests/fuzz/fuzz_tcp_options.c - any bytes as a TCP header and its options.
 *
 * What was read must be inside what was there, and what can be written again
 * must be read as the same.
 */
#include <string.h>

#include "net/tcp_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Forty bytes of options are all that fit: leave out what is too much. */
static void make_fit(struct tcp_seg *seg)
{
    while (tcp_emit_bytes(seg) > TCP_HEADER_BYTES_MAX && seg->sack_count)
        seg->sack_count--;
}

static void check_same(const struct tcp_seg *one, const struct tcp_seg *two)
{
    ASSERT(one->seq == two->seq && one->ack == two->ack);
    ASSERT(one->src_port == two->src_port && one->dst_port == two->dst_port);
    ASSERT(one->window == two->window && one->flags == two->flags);
    ASSERT(one->has_mss == two->has_mss);
    ASSERT(!one->has_mss || one->mss == two->mss);
    ASSERT(one->has_shift == two->has_shift);
    ASSERT(!one->has_shift || one->shift == two->shift);
    ASSERT(one->sack_permitted == two->sack_permitted);
    ASSERT(one->has_timestamps == two->has_timestamps);
    ASSERT(!one->has_timestamps ||
           (one->ts_val == two->ts_val && one->ts_ecr == two->ts_ecr));
    ASSERT(one->sack_count == two->sack_count);
    ASSERT(memcmp(one->sack, two->sack,
                  one->sack_count * sizeof(one->sack[0])) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t again[TCP_HEADER_BYTES_MAX];
    struct tcp_seg seg, other;
    uint32_t len = size < 65535 ? (uint32_t)size : 65535;

    if (tcp_parse(data, len, &seg) != TCP_PARSE_OK)
        return 0;
    ASSERT(seg.header_bytes >= TCP_HEADER_BYTES && seg.header_bytes <= len);
    ASSERT(seg.text_bytes == len - seg.header_bytes);
    ASSERT(seg.shift <= TCP_WINDOW_SHIFT_MAX);
    ASSERT(seg.sack_count <= TCP_SACK_BLOCKS_MAX);
    make_fit(&seg);
    ASSERT(tcp_emit_bytes(&seg) % 4 == 0);
    if (tcp_emit_bytes(&seg) > sizeof again)
        return 0; /* every option at once is more than fits */
    seg.header_bytes = tcp_emit_bytes(&seg);
    tcp_emit(again, &seg);
    ASSERT(tcp_parse(again, tcp_emit_bytes(&seg), &other) == TCP_PARSE_OK);
    ASSERT(!other.bad_option);
    check_same(&seg, &other);
    return 0;
}
