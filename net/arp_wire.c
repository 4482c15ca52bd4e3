/*
 * net/arp_wire.c - the ARP packet on the wire.
 */
#include <string.h>

#include "net/arp.h"
#include "net/ethernet.h"
#include "net/wire.h"

/* As on the wire: RFC 826. */
struct wire_arp {
    be16 hardware, protocol;
    uint8_t hardware_bytes, protocol_bytes;
    be16 operation;
    struct mac_addr sender_mac;
    struct ipv4_addr sender;
    struct mac_addr target_mac;
    struct ipv4_addr target;
};

_Static_assert(sizeof(struct wire_arp) == ARP_PACKET_BYTES, "as on the wire");

enum { HARDWARE_ETHERNET = 1 };

bool arp_packet_parse(const uint8_t bytes[ARP_PACKET_BYTES],
                      struct arp_packet *packet)
{
    struct wire_arp wire;
    uint16_t operation;

    memcpy(&wire, bytes, sizeof(wire));
    operation = be16_get(wire.operation);
    if (be16_get(wire.hardware) != HARDWARE_ETHERNET ||
        be16_get(wire.protocol) != ETHERNET_TYPE_IPV4 ||
        wire.hardware_bytes != sizeof(struct mac_addr) ||
        wire.protocol_bytes != sizeof(struct ipv4_addr) ||
        (operation != ARP_REQUEST && operation != ARP_REPLY))
        return false;
    *packet = (struct arp_packet){
        .operation = operation == ARP_REQUEST ? ARP_REQUEST : ARP_REPLY,
        .sender_mac = wire.sender_mac,
        .target_mac = wire.target_mac,
        .sender = wire.sender,
        .target = wire.target,
    };
    return true;
}

void arp_packet_emit(uint8_t bytes[ARP_PACKET_BYTES],
                     const struct arp_packet *packet)
{
    const struct wire_arp wire = {
        .hardware = be16_make(HARDWARE_ETHERNET),
        .protocol = be16_make(ETHERNET_TYPE_IPV4),
        .hardware_bytes = sizeof(struct mac_addr),
        .protocol_bytes = sizeof(struct ipv4_addr),
        .operation = be16_make((uint16_t)packet->operation),
        .sender_mac = packet->sender_mac,
        .sender = packet->sender,
        .target_mac = packet->target_mac,
        .target = packet->target,
    };

    memcpy(bytes, &wire, sizeof(wire));
}
