/*
 * tests/host/nic_pair.h - a stack on a virtio card that the test plays, and an
 * honest peer on a plain one.
 *
 * The device works from notes of what it was given, so that the test may let
 * it lie, or go on writing to what it still owns.
 */
#ifndef TESTS_HOST_NIC_PAIR_H
#define TESTS_HOST_NIC_PAIR_H

#include "drivers/virtio_net.h"
#include "kernel/thread.h"
#include "net/net.h"
#include "tests/host/fake_memory.h"
#include "tests/host/hostnet.h"
#include "tests/host/memdev.h"

#define NIC_PAIR_ADDR IPV4_ADDR(10, 0, 0, 1) /* of net[0] */
#define NIC_PAIR_PEER IPV4_ADDR(10, 0, 0, 2) /* of net[1] */

enum { NIC_PAIR_FRAME_MOST = 66000 };

struct nic_pair {
    struct fake_virtio fake;
    struct fake_memory memory;
    struct thread_signal signal;
    struct hostnet host[2];
    struct netdev *nic; /* of net[0], on the device */
    struct memdev peer; /* of net[1] */
    struct net *net[2];
    uint8_t frame[NIC_PAIR_FRAME_MOST]; /* header and frame */
};

/*
 * Make both stacks, with `config` but for the host.
 *
 * pair:    zero, but for what is set of pair->fake: sizes of queues (64 at
 *          most), knobs.
 * Returns: false when the driver refuses a device that offers `offered`.
 */
MUST_CHECK bool nic_pair_make(struct nic_pair *pair, uint64_t offered,
                              const struct net_config *config);

/* A turn of a stack, as the network thread has it; 0: the one on the device,
 * which then notes what it was given. */
void nic_pair_turn(struct nic_pair *pair, unsigned i);

/* The driver's next frame goes to the peer, as its header says. False: none. */
bool nic_pair_transmit(struct nic_pair *pair);

/* The peer's next frame is in pair->frame, after an honest header; returns the
 * length of both. 0: there is none. */
uint32_t nic_pair_answer(struct nic_pair *pair);

/* The driver's next command, if any, is carried out. */
void nic_pair_obey(struct nic_pair *pair);

/* Stop and free everything. Returns: pages that are still lent. */
size_t nic_pair_end(struct nic_pair *pair);

#endif
