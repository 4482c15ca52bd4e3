/*
 * tests/host/flow_world.h - two stacks with their network threads, a wire
 * between them, and the test as a green thread, all in virtual time.
 *
 * A test is a function that runs as the first thread. When it returns, both
 * instances are disconnected and destroyed, and nothing may be left: no page,
 * buffer, flow or thread. There is one world at a time.
 */
#ifndef TESTS_HOST_FLOW_WORLD_H
#define TESTS_HOST_FLOW_WORLD_H

#include "kernel/thread.h"
#include "net/flow.h"
#include "net/net.h"
#include "net/stack.h"
#include "tests/host/hostnet.h"
#include "tests/host/memdev.h"
#include "tests/host/wire.h"

#define WORLD_TEST(name) cmocka_unit_test(name)

/* The test `name`, which runs `name_in` in a world of two plain stacks. */
#define WORLD(name)                                                            \
    static void name(void **state)                                             \
    {                                                                          \
        (void)state;                                                           \
        world_run(NULL, NULL, name##_in);                                      \
    }

/* The same, with functions that give the configuration of A and of B. */
#define WORLD_OF(name, config_a, config_b)                                     \
    static void name(void **state)                                             \
    {                                                                          \
        struct net_config a = config_a();                                      \
        struct net_config b = config_b();                                      \
                                                                               \
        (void)state;                                                           \
        world_run(&a, &b, name##_in);                                          \
    }

#define WORLD_A IPV4_ADDR(10, 0, 0, 1)
#define WORLD_B IPV4_ADDR(10, 0, 0, 2)

enum {
    WORLD_MS = 1000,
    WORLD_S = 1000 * 1000,
    WORLD_DELAY_US = 1000, /* of the wire, each way */
    WORLD_FLAGS_FIN = 1,
    WORLD_FLAGS_SYN = 2,
    WORLD_FLAGS_RST = 4,
    WORLD_FLAGS_PSH = 8,
    WORLD_FLAGS_ACK = 16,
};

/* A TCP segment on the wire, read by the test's own eyes. */
struct world_segment {
    uint8_t to; /* 0: to A, 1: to B */
    uint8_t flags;
    uint16_t src_port, dst_port;
    uint32_t seq, ack;
    uint16_t window;
    uint32_t bytes; /* of text */
    const uint8_t *text;
    const uint8_t *options;
    uint32_t option_bytes;
    uint64_t sent_us;
};

struct world {
    struct hostnet host[2];
    struct memdev dev[2];
    struct wire wire;
    struct thread_signal signal[2];
    struct stack *stack[2];
    struct tcpv4 *tcp[2];
    struct net *net[2];

    /* Sees each TCP segment that is sent; false: it is lost. May be null. */
    bool (*watch)(const struct world_segment *segment);

    size_t stacks_out; /* of threads */
    size_t stacks_max; /* beyond it, no thread can be made */
    uint64_t start_us; /* the clock at the beginning; set before world_run() */
    uint64_t seed;
};

extern struct world world;

/* Defaults for a test to change: small, quick to fill. */
struct net_config world_config(void);

/* Run `test` in a world of two such stacks; null: world_config() for both. */
void world_run(const struct net_config *a, const struct net_config *b,
               void (*test)(void));

/* Sleep for so long. */
void world_sleep(uint64_t us);

/* The clock, `us` from now. */
uint64_t world_in(uint64_t us);

/* A thread that the test joins; asserts that there is one. */
struct thread *world_spawn(thread_fn *fn, void *arg);
void world_join(struct thread *thread);

/* Listen on `port` of B, with stacks that suit sanitizers. */
void world_listen(uint16_t port, flow_callback *callback, void *context);

/* Connect A to `port` of B; asserts that it works. */
struct flow *world_connect(uint16_t port);

/* A view of constant text, or of `bytes` of a pattern from `offset`. */
struct buffer *world_text(struct flow *flow, const char *text);
struct buffer *world_bytes(struct flow *flow, uint32_t offset, uint32_t bytes);

/* The byte at `offset` of the pattern. */
uint8_t world_byte(uint64_t offset);

/* Read to the end of the stream; asserts the pattern from 0, FLOW_EOF, and
 * returns how much there was. */
uint64_t world_read_all(struct flow *flow);

/* Write `bytes` of the pattern from 0; asserts FLOW_OK. */
void world_write_all(struct flow *flow, uint64_t bytes);

/* Assert on a flow's error. */
void world_expect_error(struct flow *flow, enum flow_error_kind kind,
                        enum flow_reason reason);

struct tcpv4_stats world_stats(unsigned which);

/*
 * Put a forged segment on the card of `to`, as if the other side had sent it:
 * ports, flags, numbers, window, options and text of `segment` count.
 * bad_checksum: its TCP checksum is wrong.
 */
void world_forge(const struct world_segment *segment, bool bad_checksum);

/* A callback that reads to the end and throws away. */
void world_discard(struct flow *flow, void *context);

/* A callback that sends back what comes, until the peer closes. */
void world_echo(struct flow *flow, void *context);

/* A callback that holds its flow for the microseconds at `context`, a uint64_t,
 * and reads nothing. */
void world_hold(struct flow *flow, void *context);

/* A callback that reads the pattern to the end, and leaves at `context`, a
 * uint64_t, how much there was. */
void world_take_pattern(struct flow *flow, void *context);

/* Write a word to who echoes, and read it again. */
void world_exchange(struct flow *flow);

/* Connections of a side. */
unsigned world_conns(unsigned which);

/* Read one view and compare. */
void world_expect_read(struct flow *flow, const char *text);

#endif
