"""Raw frames, right and wrong, below anything that a socket would send.

Each case carries its id from the project's list of bad inputs: E Ethernet,
A ARP, I IPv4, C ICMP. test_raw_ip.py has more of these and F, test_raw_udp.py
U, test_raw_tcp.py S and T. What is checked: the verdict, the counter that names
it, and that the guest serves on.
"""
import struct

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw
from scapy.utils import checksum

from peer import ADDRESS, BROADCAST, GUEST, GUEST_MAC, MAC, ether, ip, ping

pytestmark = pytest.mark.usefixtures("serves_on")


def ip_bytes(frame, **patch):
    """The frame with bytes of its IP header replaced, the sum made right:
    patch={"b0": 0x65} replaces byte 0."""
    data = bytearray(bytes(frame))
    for name, value in patch.items():
        data[14 + int(name[1:])] = value
    length = max((data[14] & 15) * 4, 20)
    header = data[14:14 + length]
    header[10:12] = b"\0\0"
    data[24:26] = struct.pack("!H", checksum(bytes(header)))
    return bytes(data)


def syn(**fields):
    return ip(TCP(sport=7, dport=80, flags="S", seq=1), **fields)


def arp(op=1, **fields):
    return Ether(src=MAC, dst=BROADCAST) / ARP(
        **{"op": op, "hwsrc": MAC, "psrc": ADDRESS, "pdst": GUEST, **fields})


def options(data, payload=None):
    """An echo request whose IP header carries these option bytes."""
    data += b"\0" * (-len(data) % 4)
    inner = bytes(ICMP(type=8, id=1, seq=1) / Raw(b"ping"))
    header = bytes(IP(src=ADDRESS, dst=GUEST, proto=1, ihl=5 + len(data) // 4,
                      len=20 + len(data) + len(inner)))[:20] + data
    return ip_bytes(bytes(ether(Raw(b"")))[:12] + b"\x08\0" + header + inner)


PING = bytes(ping())
OURS = GUEST_MAC

# id and what is special about it: frames, the counter that must rise. None
# of these is answered.
DROPPED = {
    # ---- Ethernet ----
    "E2-1": ([PING[:1]], None),  # the driver's to count
    "E2-13": ([PING[:13]], None),
    "E3-no-payload": ([PING[:14]], "eth_short"),
    "E4-long": ([ping(data=b"x" * 1600)], None),
    "E4-longest": ([bytes(ping(data=b"x" * 3000))], None),
    "E5-other-unicast": ([ether(IP(src=ADDRESS, dst=GUEST) / ICMP(),
                                dst="52:54:00:09:00:77")], "eth_not_ours"),
    "E6-from-multicast": ([ether(IP(src=ADDRESS, dst=GUEST) / ICMP(),
                                 src="01:00:5e:00:00:01")],
                          "eth_bad_source"),
    "E6-from-broadcast": ([ether(IP(src=ADDRESS, dst=GUEST) / ICMP(),
                                 src=BROADCAST)], "eth_bad_source"),
    "E7-length-not-type": ([ether(Raw(b"\xaa\xaa\x03" + b"\0" * 60),
                                  type=0x5ff)], "eth_type"),
    "E7-type-0": ([ether(Raw(b"\0" * 60), type=0)], "eth_type"),
    "E8-tag": ([PING[:12] + b"\x81\0\0\x05" + PING[12:]], "eth_type"),
    "E8-two-tags": ([PING[:12] + b"\x88\xa8\0\x05\x81\0\0\x05" + PING[12:]],
                    "eth_type"),
    "E8-tag-cut": ([PING[:12] + b"\x81\0\0"], None),
    "E10-from-ourselves": ([ether(IP(src=ADDRESS, dst=GUEST) / ICMP(),
                                  src=OURS)], "eth_own_source"),
    "E11-version-6": ([PING[:14] + b"\x60" + PING[15:]], "ip_version"),
    # ---- ARP ----
    "A1-short": ([bytes(arp())[:14 + 27]], "arp_short"),
    "A1-empty": ([bytes(arp())[:14]], "eth_short"),
    "A2-hardware": ([arp(hwtype=6)], "arp_format"),
    "A3-protocol": ([arp(ptype=0x86dd)], "arp_format"),
    "A4-hardware-length": ([bytes(arp())[:18] + b"\x08" +
                            bytes(arp())[19:]], "arp_format"),
    "A5-protocol-length": ([bytes(arp())[:19] + b"\x10" +
                            bytes(arp())[20:]], "arp_format"),
    **{f"A6-operation-{op}": ([arp(op=op)], "arp_format")
       for op in (0, 3, 4, 8, 9, 65535)},
    # ---- IPv4 ----
    "I1-short": ([PING[:14 + 19]], "ip_short"),
    "I2-version-5": ([ip_bytes(PING, b0=0x55)], "ip_version"),
    **{f"I3-ihl-{ihl}": ([ip_bytes(PING, b0=0x40 | ihl)], "ip_header_len")
       for ihl in range(5)},
    "I4-ihl-past-frame": ([ip_bytes(PING[:14 + 28], b0=0x4f)], None),
    "I5-total-below-header": ([ip_bytes(PING, b2=0, b3=19)],
                              "ip_total_len"),
    "I6-total-past-frame": ([ip_bytes(PING, b2=4, b3=0)], "ip_total_len"),
    "I7-total-0": ([ip_bytes(PING, b2=0, b3=0)], "ip_total_len"),
    "I8-sum-wrong": ([PING[:24] + b"\x12\x34" + PING[26:]], "ip_checksum"),
    "I8-sum-ffff": ([PING[:24] + b"\xff\xff" + PING[26:]], "ip_checksum"),
    **{f"I11-from-{src}": ([ping(src=src), syn(src=src)], "ip_bad_source")
       for src in ("0.0.0.0", "127.0.0.1", "224.0.0.1", "239.255.255.255",
                   "240.0.0.1", "255.255.255.255", "10.9.0.255", GUEST)},
    "I12-not-ours": ([ping(dst="10.9.0.3"), syn(dst="10.9.0.3")],
                     "ip_not_ours"),
    **{f"I12-tcp-to-{dst}": ([ether(IP(src=ADDRESS, dst=dst) /
                                    TCP(sport=7, dport=80, flags="S"),
                                    dst=BROADCAST)], None)
       for dst in ("255.255.255.255", "10.9.0.255", "224.0.0.1")},
    "I13-loose-route": ([options(b"\x83\x07\x04\x0a\x09\0\x01")],
                        "ip_options"),
    "I13-strict-route": ([options(b"\x89\x07\x04\x0a\x09\0\x01")],
                         "ip_options"),
    "I14-length-0": ([options(b"\x44\0\0\0")], "ip_options"),
    "I14-length-1": ([options(b"\x44\x01\0\0")], "ip_options"),
    "I14-length-past-header": ([options(b"\x07\x28\x04\0")], "ip_options"),
    "I14-no-length": ([options(b"\x01\x01\x01\x07")], "ip_options"),
    **{f"I18-protocol-{proto}": ([ip(Raw(PING[14:]), proto=proto)],
                                 "ip_protocol") for proto in (4, 41, 47)},
    "I17-unknown-to-broadcast": ([ether(
        IP(src=ADDRESS, dst="10.9.0.255", proto=253) / Raw(b"x" * 8),
        dst=BROADCAST)], None),
    "I19-unicast-in-broadcast": ([ether(IP(src=ADDRESS, dst=GUEST) /
                                        ICMP(type=8), dst=BROADCAST),
                                  ether(IP(src=ADDRESS, dst=GUEST) /
                                        TCP(dport=80, flags="S"),
                                        dst=BROADCAST)], None),
    "I20-df-and-mf": ([ip(Raw(b"x" * 8), flags="DF+MF", frag=1, proto=17)],
                      "ip_fragment"),
    # ---- ICMP ----
    "C1-short": ([ip(Raw(bytes(ICMP(type=8))[:7]), proto=1)], "icmp_short"),
    "C1-empty": ([ip(Raw(b""), proto=1)], "icmp_short"),
    "C2-sum-wrong": ([ip(ICMP(type=8, chksum=0x1234) / Raw(b"ping"))],
                     "icmp_checksum"),
    **{f"C3-to-{dst}": ([ether(IP(src=ADDRESS, dst=dst) / ICMP(type=8),
                               dst=BROADCAST)], None)
       for dst in ("10.9.0.255", "255.255.255.255", "224.0.0.1")},
}


@pytest.mark.parametrize("case", DROPPED)
def test_it_is_dropped_counted_and_not_answered(peer, case):
    frames, counter = DROPPED[case]
    before = peer.status()
    assert [frame.summary() for frame in peer.replies(*frames)] == []
    if counter:
        after = peer.status()
        assert after.get(counter, 0) >= before.get(counter, 0) + len(frames)


def echoed(frames, data=b"ping"):
    found = [frame for frame in frames if ICMP in frame]
    return len(found) == len(frames) == 1 and found[0][ICMP].type == 0 and \
        bytes(found[0][ICMP].payload)[:len(data)] == data


ECHOED = {
    "E9-padding-0": bytes(ping(data=b"ping")) + b"\0" * 14,
    "E9-padding-ff": bytes(ping(data=b"ping")) + b"\xff" * 46,
    "I9-ttl-1": ping(ttl=1),
    "I10-evil-bit": ip_bytes(PING, b6=0x80),
    "I15-40-eol": options(b"\0" * 40),
    "I15-40-nop": options(b"\x01" * 40),
    "I16-after-eol": options(b"\0\x44\0\0"),
}


@pytest.mark.parametrize("case", ECHOED)
def test_it_is_taken(peer, case):
    assert echoed(peer.replies(ECHOED[case]))


def test_padding_is_no_part_of_the_answer(peer):
    """E9: the IP length counts, whatever follows it."""
    reply = peer.replies(bytes(ping(data=b"ping")) + b"\xee" * 30)[0]
    assert reply[IP].len == 20 + 8 + 4
    assert b"\xee" not in bytes(reply)[:14 + reply[IP].len]


def test_ttl_0_is_judged_the_same_each_time(peer):
    """I9"""
    assert len({len(peer.replies(ping(ttl=0))) for _ in range(3)}) == 1


@pytest.mark.parametrize("data", [
    b"\x07\x07\x03\0\0\0\0", b"\x07\x07\xff\0\0\0\0", b"\x07\x07\0\0\0\0\0",
    b"\x44\x08\x01\0\0\0\0\0", b"\x44\x08\xff\0\0\0\0\0", b"\x07\x03\x08"])
def test_a_pointer_outside_its_option_leaks_nothing(peer, data):
    """I14: answered or dropped, but the option is not sent back."""
    for frame in peer.replies(options(data)):
        assert ICMP in frame and frame[IP].ihl == 5


def test_unknown_protocol_is_unreachable(peer):
    """I17: ICMP 3/2, quoting the header, and limited."""
    frames = peer.replies(*[ip(Raw(b"x" * 8), proto=253)
                            for _ in range(200)])
    assert all((frame[ICMP].type, frame[ICMP].code) == (3, 2)
               for frame in frames)
    assert len(frames) < 200
    for frame in frames:
        assert bytes(frame[ICMP].payload)[9] == 253


def test_an_address_probe_is_answered_and_not_stored(peer):
    """A7: RFC 5227: sender 0.0.0.0."""
    replies = peer.replies(arp(psrc="0.0.0.0"))
    assert len(replies) == 1
    answer = replies[0][ARP]
    assert (answer.op, answer.psrc, answer.hwsrc) == (2, GUEST, GUEST_MAC)
    assert replies[0].dst == MAC


def test_a_question_for_us_is_answered(peer):
    answer = peer.replies(arp())[0][ARP]
    assert (answer.op, answer.psrc, answer.hwsrc) == (2, GUEST, GUEST_MAC)
    assert (answer.pdst, answer.hwdst) == (ADDRESS, MAC)


def test_a_question_for_another_is_not(peer):
    assert peer.replies(arp(pdst="10.9.0.3")) == []


def test_garbage_after_arp_is_ignored(peer):
    """A20"""
    replies = peer.replies(bytes(arp()) + b"\xee" * 400)
    assert len(replies) == 1 and replies[0][ARP].op == 2
    assert b"\xee" not in bytes(replies[0])


def test_a_whole_frame_of_echo_is_answered(peer):
    data = bytes(range(256)) * 5 + bytes(192)
    assert echoed(peer.replies(ping(data=data)), data)


def test_udp_to_nobody_is_unreachable(peer):
    reply = peer.replies(ip(UDP(sport=5, dport=9999) / Raw(b"?")))
    assert len(reply) <= 1
    for frame in reply:
        assert (frame[ICMP].type, frame[ICMP].code) == (3, 3)
