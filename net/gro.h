/*
 * net/gro.h - segments that came one by one, joined before IP sees them.
 *
 * What a card with NETDEV_CAP_RX_GSO_TCP4 does by itself. Each layer above is
 * then entered once for many segments.
 */
#ifndef NET_GRO_H
#define NET_GRO_H

#include "kernel/base.h"

struct buffer;
struct net_if;

/*
 * Join consecutive TCP/IPv4 segments of a batch: the first of them becomes a
 * packet of many views, with BUFFER_GSO_TCP4 and BUFFER_JOINED, and the others
 * leave the queue. Everything else stays as it is and where it is; a segment
 * never overtakes another of its connection.
 *
 * nif:    where from.
 * frames: a batch through link, oldest first, not null; any bytes. It stays
 *         the caller's, and its first frame the first.
 * Blocks:  never. Takes time in proportion to the frames and their bytes.
 * Returns: how many frames have left the queue.
 */
uint32_t gro_join(const struct net_if *nif, struct buffer *frames);

#endif
