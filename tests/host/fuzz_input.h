/*
 * tests/host/fuzz_input.h - a fuzzer's input, taken byte by byte.
 */
#ifndef TESTS_HOST_FUZZ_INPUT_H
#define TESTS_HOST_FUZZ_INPUT_H

#include "kernel/base.h"

struct fuzz_input {
    const uint8_t *data;
    size_t len;
};

/* The next byte; 0 behind the end. */
static inline uint8_t fuzz_byte(struct fuzz_input *input)
{
    if (input->len == 0)
        return 0;
    input->len--;
    return *input->data++;
}

/* The next `bytes` as a number, or as many as there are. */
static inline uint32_t fuzz_number(struct fuzz_input *input, unsigned bytes)
{
    uint32_t value = 0;

    while (bytes-- && input->len)
        value = value << 8 | fuzz_byte(input);
    return value;
}

/* The next piece, of `max` bytes at most: its length is the input's. */
static inline const uint8_t *fuzz_piece(struct fuzz_input *input, size_t max,
                                        size_t *len)
{
    const uint8_t *piece;

    *len = (size_t)fuzz_byte(input) << 3 | (fuzz_byte(input) & 7);
    if (*len > max)
        *len = max;
    if (*len > input->len)
        *len = input->len;
    piece = input->data;
    input->data += *len;
    input->len -= *len;
    return piece;
}

#endif
