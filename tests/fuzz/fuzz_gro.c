/*
 * tests/fuzz/fuzz_gro.c - batches of frames, most of them segments that could
 * be joined if one thing about them were not as the input wants it.
 *
 * batch_join() asserts what must be true of every batch. Bounds: INPUT_MAX
 * bytes, BATCH_FRAMES frames.
 */
#include "tests/host/batch.h"
#include "tests/host/fuzz_input.h"
#include "tests/host/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1024, FLOWS = 10, MSS = 1200 };

struct program {
    struct fuzz_input input;
    uint32_t seq[FLOWS]; /* what comes next of each connection */
};

/* What is odd about a segment, if anything. */
static void make_odd(struct program *program, struct batch_segment *segment)
{
    static const uint8_t said[] = {0, BUFFER_CSUM_GOOD, BUFFER_CSUM_PARTIAL,
                                   BUFFER_GSO_TCP4};
    uint32_t what = fuzz_number(&program->input, 1),
             value = fuzz_number(&program->input, 2);

    if (what & 1)
        segment->text_bytes = value % 1401;
    if (what & 2)
        segment->flags ^= (uint8_t)value;
    if (what & 4)
        segment->flip = (uint16_t)(value % (54 + segment->text_bytes));
    if (what & 8)
        segment->seq += value % 5 - 2;
    if (what & 16)
        segment->first_view = (uint8_t)(value % 100);
    if (what & 32)
        segment->buffer_flags = said[value % 4];
    switch (what & 128 ? value % 9 : 9) {
    case 0:
        segment->ack++;
        break;
    case 1:
        segment->ts_val++;
        break;
    case 2:
        segment->ts_val = 0;
        break;
    case 3:
        segment->window++;
        break;
    case 4:
        segment->ip_flags ^= (uint16_t)(value >> 4 | 0x8000);
        break;
    case 5:
        segment->tos = (uint8_t)(value >> 8);
        break;
    case 6:
        segment->ttl++;
        break;
    case 7:
        segment->ip_options = (uint8_t)(value >> 8 & 3);
        break;
    case 8:
        segment->padding = (uint8_t)(value >> 8 & 7);
        break;
    default:
        break;
    }
}

static void put_segment(struct batch *batch, struct program *program,
                        unsigned kind)
{
    unsigned flow = kind % FLOWS;
    struct batch_segment segment = {
        .seq = program->seq[flow],
        .ts_val = 5,
        .text_bytes = MSS,
        .port = (uint16_t)(1000 + flow),
        .window = 100,
        .ip_flags = 0x4000,
        .flags = 16,
        .ttl = 64,
    };

    if (kind >= 192)
        make_odd(program, &segment);
    batch_put(batch, segment);
    program->seq[flow] = segment.seq + segment.text_bytes;
}

/* Any bytes, 14 at least: netdev.h. */
static void put_raw(struct batch *batch, struct program *program)
{
    uint8_t bytes[14 + 63] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8};
    uint32_t shape = fuzz_number(&program->input, 1), len = 14 + shape % 64;

    for (uint32_t i = shape & 64 ? 14 : 0; i < len; i++)
        bytes[i] = (uint8_t)fuzz_number(&program->input, 1);
    batch_put_raw(batch, bytes, len,
                  shape & 128 ? fuzz_number(&program->input, 1) % 64 : 0, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct batch batch;
    struct program program = {.input = {data, size}};

    if (size == 0 || size > INPUT_MAX)
        return 0;
    batch_init(&batch);
    while (program.input.len > 0 && batch.count < BATCH_FRAMES) {
        unsigned kind = fuzz_number(&program.input, 1);

        if (kind >= 250)
            put_raw(&batch, &program);
        else
            put_segment(&batch, &program, kind);
    }
    batch_join(&batch);
    ASSERT(batch_end(&batch) == 0);
    return 0;
}
