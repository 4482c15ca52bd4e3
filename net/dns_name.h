/*
 * net/dns_name.h - names in messages, for net/dns_wire.c.
 */
#ifndef NET_DNS_NAME_H
#define NET_DNS_NAME_H

#include "net/dns_wire.h"

/*
 * Read a name from a message, compressed or not.
 *
 * at:      where it begins; moved behind it.
 * Returns: false when it is malformed: RFC 1035 4.1.4, RFC 9267. Outputs are
 *          then undefined.
 */
MUST_CHECK bool dns_name_read(const uint8_t *bytes, size_t len, size_t *at,
                              struct dns_name *name);

#endif
