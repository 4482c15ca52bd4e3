"""Raw frames again: neighbours that lie, fragments, and ICMP.

Ids as in test_raw.py: A ARP, F fragments, C ICMP. The guest serves a page
after every one.
"""
import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from peer import ADDRESS, BROADCAST, GUEST, GUEST_MAC, MAC, ether, ip, ping

OTHER_MAC = "52:54:00:09:00:77"
MULTICAST_MAC = "01:00:5e:00:00:01"

pytestmark = pytest.mark.usefixtures("serves_on")


def arp(op=1, source=MAC, dst=BROADCAST, **fields):
    return Ether(src=source, dst=dst) / ARP(
        **{"op": op, "hwsrc": source, "psrc": ADDRESS, "pdst": GUEST,
           "hwdst": "00:00:00:00:00:00", **fields})


def piece(ident, offset, data, more=True, proto=17, **fields):
    """A fragment; the offset in bytes."""
    return ip(Raw(data), id=ident, frag=offset // 8, proto=proto,
              flags="MF" if more else 0, **fields)


def quoting(kind, code, packet, **fields):
    return ip(ICMP(type=kind, code=code, **fields) / Raw(bytes(packet)))


ABOUT_US = IP(src=GUEST, dst=ADDRESS) / TCP(sport=80, dport=7, seq=1)

# What must rise, and by how much: nothing of it is answered.
DROPPED = {
    # ---- ARP ----
    **{f"A9-sender-{src}": ([arp(psrc=src)], "arp_bad_sender", 1)
       for src in ("127.0.0.1", "224.0.0.1", "255.255.255.255", "0.1.2.3",
                   "10.9.0.255", "240.0.0.1")},
    "A10-sender-multicast": ([arp(hwsrc=MULTICAST_MAC)], "arp_bad_sender", 1),
    "A10-sender-zero": ([arp(hwsrc="00:00:00:00:00:00")],
                        "arp_bad_sender", 1),
    "A11-sender-not-frame": ([arp(hwsrc=OTHER_MAC)], "arp_bad_sender", 1),
    "A12-unsolicited": ([arp(op=2, psrc="10.9.0.66", dst=GUEST_MAC)],
                        "arp_unsolicited", 1),
    "A15-reply-to-all": ([arp(op=2)], "arp_unsolicited", 1),
    "A19-off-subnet": ([arp(op=2, psrc="10.8.0.1", dst=GUEST_MAC),
                        arp(psrc="10.8.0.1", pdst="10.9.0.3")],
                       "arp_off_link", 2),
    # ---- fragments; each is spoilt or lacks its first part, so that half a
    # ---- minute later nothing is said about it
    "F1-ping-of-death": ([piece(1, 8, b"x" * 8),
                          piece(1, 8189 * 8, b"x" * 1000, False)],
                         "ip_fragment_bad", 1),
    "F2-empty": ([piece(2, 8, b"")], "ip_fragment_bad", 1),
    "F3-odd-length": ([piece(3, 8, b"x" * 13)], "ip_fragment_bad", 1),
    "F5-overlap": ([piece(5, 0, b"x" * 16), piece(5, 8, b"y" * 16)],
                   "ip_fragment_conflict", 1),
    "F6-teardrop": ([piece(6, 0, b"x" * 40), piece(6, 24, b"y" * 4, False)],
                    "ip_fragment_conflict", 1),
    "F7-two-ends": ([piece(7, 16, b"x" * 8, False),
                     piece(7, 24, b"x" * 8, False)],
                    "ip_fragment_conflict", 1),
    "F8-behind-the-end": ([piece(8, 16, b"x" * 8, False),
                           piece(8, 32, b"x" * 8)],
                          "ip_fragment_conflict", 1),
    "F9-tiny-tcp": ([piece(9, 0, b"x" * 8, proto=6)],
                    "ip_fragment_refused", 1),
    "F10-over-the-flags": ([piece(10, 8, b"x" * 8, proto=6)],
                           "ip_fragment_refused", 1),
    "F11-many": ([piece(ident, 8, b"x" * 8) for ident in range(1000, 1500)],
                 "ip_fragment_evicted", 400),
    "F12-small": ([piece(12, 8 * at, b"x" * 8) for at in range(1, 100)],
                  "ip_fragment_conflict", 1),
    "F16-too-long": ([piece(16, 65512, b"x" * 4, False)],
                     "ip_fragment_bad", 1),
    "F18-to-all": ([ether(IP(src=ADDRESS, dst="10.9.0.255", flags="MF",
                             proto=17) / Raw(b"x" * 8), dst=BROADCAST)],
                   "ip_fragment_refused", 1),
    "F19-ecn-mixed": ([piece(19, 0, bytes(UDP(sport=5, dport=9, len=24)) +
                             b"x" * 8, tos=2),
                       piece(19, 16, b"x" * 8, False, tos=0)],
                      "ip_fragment_conflict", 1),
    # ---- ICMP ----
    "C6-quote-cut": ([quoting(3, 3, bytes(ABOUT_US)[:27])],
                     "icmp_embedded", 1),
    "C7-quoted-length-lies": ([quoting(3, 3, b"\x4f" + bytes(ABOUT_US)[1:])],
                              "icmp_embedded", 1),
    "C8-not-ours": ([quoting(3, 3, IP(src="10.9.0.3", dst=ADDRESS) /
                             TCP(sport=80, dport=7))], "icmp_embedded", 1),
    "C9-no-connection": ([quoting(3, 3, ABOUT_US)], "icmp_rx", 1),
    "C11-udp-never-sent": ([quoting(3, 3, IP(src=GUEST, dst=ADDRESS) /
                                    UDP(sport=9, dport=9) / Raw(b"x"))],
                           "icmp_embedded", 1),
    **{f"{row}-type-{kind}": ([ip(ICMP(type=kind) / Raw(b"x" * 20))],
                              "icmp_type", 1)
       for row, kind in (("C14", 4), ("C15", 5), ("C16", 9), ("C16", 10),
                         ("C16", 13), ("C16", 15), ("C16", 17), ("C16", 18),
                         ("C18", 200))},
    "C20-reply-unasked": ([ip(ICMP(type=0, id=1, seq=1) / Raw(b"x"))],
                          "icmp_unasked", 1),
}


@pytest.mark.parametrize("case", DROPPED)
def test_it_is_dropped_counted_and_not_answered(peer, case):
    frames, counter, count = DROPPED[case]
    before = peer.status()
    assert [frame.summary() for frame in peer.replies(*frames)] == []
    assert peer.status()[counter] >= before.get(counter, 0) + count


def test_a_rival_is_contradicted_once(peer):
    """A8: RFC 5227 2.4 (b)."""
    claim = arp(source=OTHER_MAC, psrc=GUEST)
    replies = peer.replies(claim, claim, claim)
    assert len([frame for frame in replies
                if ARP in frame and frame[ARP].psrc == GUEST]) <= 1
    assert peer.status()["arp_conflict"] >= 3


def test_a_node_may_ask_from_an_address_of_its_own(peer):
    """A19: the way back to it is by this card; nothing is learnt of it."""
    replies = peer.replies(arp(psrc="10.8.0.1"))
    assert [(one[ARP].op, one[ARP].psrc, one[ARP].pdst, one.dst)
            for one in replies] == [(2, GUEST, "10.8.0.1", MAC)]


def test_a_flood_of_neighbours_is_survived(peer):
    """A14, A17: answers are limited, and we are still known."""
    frames = [arp(psrc=f"10.9.0.{16 + number % 200}",
                  source=f"52:54:00:09:01:{number % 250:02x}")
              for number in range(2000)]
    peer.replies(*frames)
    assert peer.status()["arp_evicted"] > 0


def fragments(payload, ident, step=1480, proto=1):
    return [piece(ident, at, payload[at:at + step], at + step < len(payload),
                  proto) for at in range(0, len(payload), step)]


def test_the_largest_echo_comes_back(peer):
    """C4: in fragments, both ways, whatever their order."""
    data = bytes(number * 7 & 255 for number in range(65507))
    sent = fragments(bytes(ICMP(type=8, id=1, seq=9) / Raw(data)), 444)
    back = {frame[IP].frag * 8: bytes(frame[IP].payload)[:frame[IP].len - 20]
            for frame in peer.replies(*sent[1::2], *sent[0::2])}
    message = b"".join(back[at] for at in sorted(back))
    assert message[0] == 0 and message[8:] == data


def test_a_datagram_in_fragments_is_whole_to_its_port(peer):
    """F4, F14, F15: nobody listens there, and only a whole one says so."""
    whole = bytes(IP(src=ADDRESS, dst=GUEST) /
                  UDP(sport=5, dport=9999) / Raw(b"x" * 3000))[20:]
    parts = fragments(whole, 445, 1000, 17)
    assert peer.replies(parts[0], parts[0], parts[2], parts[3]) == []
    answer = peer.replies(parts[1])
    assert [(frame[ICMP].type, frame[ICMP].code) for frame in answer] in \
        ([(3, 3)], [])


def test_pings_are_limited_and_go_on(peer):
    """C5, C19: within a second there are at most so many."""
    replies = peer.replies(*[ping(ident=number) for number in range(5000)])
    assert 0 < len(replies) <= 5000


def test_errors_about_errors_are_not_sent(peer):
    """C17"""
    wrong = ip(ICMP(type=3, code=3) / Raw(bytes(
        IP(src=GUEST, dst=ADDRESS, proto=253) / Raw(b"x" * 8))))
    assert peer.replies(wrong) == []
