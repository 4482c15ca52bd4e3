/*
 * tests/host/peer_seen.h - all that can be seen of a stack with one scripted
 * peer, as a sum: for tests that hold two ways of doing the same against each
 * other.
 */
#ifndef TESTS_HOST_PEER_SEEN_H
#define TESTS_HOST_PEER_SEEN_H

#include "tests/host/tcp_peer.h"

/*
 * Take every segment that the stack has sent.
 *
 * Returns: a sum over these, the events, every counter but that of predicted
 *          segments, the next deadline, and what the memory and, while there is
 *          a handle, tcp_info say.
 */
uint64_t peer_seen(struct tcp_peer *peer);

#endif
