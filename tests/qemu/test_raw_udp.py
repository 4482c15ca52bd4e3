"""Raw datagrams, right and wrong: rows U of the project's list of bad inputs.

Wrong ones go to http_hello, whose /status says what became of them, and to
echo, which would send back what it took for right. Both serve on after each.
"""
import struct

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.packet import Raw

import guest as guests
import peer as peers
from peer import ADDRESS, BROADCAST, GUEST, ether, ip

ECHO = 7
NOBODY = 9999


@pytest.fixture(scope="module")
def echo(start_shared):
    one = start_shared("echo", net=guests.WireNet()).ready()
    return peers.Peer(one.net)


def datagram(data=b"datagram", where=None, **fields):
    return ip(UDP(**{"sport": 4000, "dport": ECHO, **fields}) / Raw(data),
              **(where or {}))


def to_all(dst, **fields):
    return ether(IP(src=ADDRESS, dst=dst) /
                 UDP(**{"sport": 4000, "dport": NOBODY, **fields}) /
                 Raw(b"x"), dst=BROADCAST)


WHOLE = bytes(UDP(sport=4000, dport=ECHO, chksum=0) / Raw(b"datagram"))

# What must rise, and by how much in all: nothing is answered.
DROPPED = {
    "U1-short": ([ip(Raw(WHOLE[:length]), proto=17) for length in range(8)],
                 "udp_short"),
    "U2-length-below-8": ([datagram(len=length, chksum=0)
                           for length in range(8)], "udp_length"),
    "U3-length-past-packet": ([datagram(len=length, chksum=0)
                               for length in (17, 100, 65535)],
                              "udp_length"),
    "U6-checksum": ([datagram(chksum=value) for value in (1, 0xffff)],
                    "udp_checksum"),
    "U8-from-port-0": ([datagram(sport=0)], "udp_port"),
    "U9-to-port-0": ([datagram(dport=0)], "udp_port"),
    "U10-nobody-to-all": ([to_all("10.9.0.255"), to_all("255.255.255.255")],
                          "udp_no_listener"),
    "U13-from-echo-or-chargen": ([datagram(sport=port) for port in (7, 19)],
                                 "udp_port"),
    "U14-from-ourselves": ([datagram(where={"src": GUEST})],
                           "ip_bad_source"),
}


def echoes(peer, *frames):
    """What comes back of port 7, as bytes."""
    return [bytes(frame[UDP].payload)[:frame[UDP].len - 8]
            for frame in peer.replies(*frames)
            if UDP in frame and frame[UDP].sport == ECHO]


@pytest.mark.parametrize("case", DROPPED)
def test_it_is_dropped_and_counted(peer, case):
    frames, counter = DROPPED[case]
    before = peer.status().get(counter, 0)
    assert [frame.summary() for frame in peer.replies(*frames)] == []
    assert peer.status()[counter] == before + len(frames)


@pytest.mark.parametrize("case", DROPPED)
def test_it_is_not_sent_back(echo, case):
    frames, _counter = DROPPED[case]
    assert [frame.summary() for frame in echo.replies(*frames)] == []
    assert echoes(echo, datagram(b"still there")) == [b"still there"]


def test_bytes_behind_the_datagram_are_no_part_of_it(echo):
    """U4"""
    assert echoes(echo, datagram(b"datagram" + b"\xee" * 40, len=16,
                                 chksum=0)) == [b"datagram"]


def test_checksum_0_is_none(echo):
    """U5"""
    assert echoes(echo, datagram(chksum=0)) == [b"datagram"]


def total(*words):
    value = sum(words)
    while value >> 16:
        value = (value & 0xffff) + (value >> 16)
    return value


def test_a_checksum_that_comes_to_0_is_sent_as_ffff(echo):
    """U7: RFC 768. The answer's sum is the question's: all that changes
    places is added up the same."""
    addresses = [int(part) for text in (ADDRESS, GUEST)
                 for part in text.split(".")]
    pairs = [high << 8 | low
             for high, low in zip(addresses[::2], addresses[1::2])]
    rest = total(*pairs, 17, 10, 4000, ECHO, 10)
    data = struct.pack("!H", 0xffff - rest)
    answer = [frame[UDP] for frame in echo.replies(datagram(
        data, chksum=0xffff)) if UDP in frame]
    assert [(one.chksum, bytes(one.payload)[:2]) for one in answer] == \
        [(0xffff, data)]


def test_a_port_that_nobody_has_is_reported_and_not_too_often(echo):
    """U10: 3/3, quoting the datagram."""
    answers = echo.replies(*[datagram(dport=NOBODY) for _ in range(200)])
    assert 0 < len(answers) < 200
    for frame in answers:
        assert (frame[ICMP].type, frame[ICMP].code) == (3, 3)
        assert bytes(frame[ICMP].payload)[20:24] == \
            struct.pack("!HH", 4000, NOBODY)


def test_the_largest_datagram_comes_back(echo):
    """U11: in fragments, both ways."""
    data = bytes(number * 11 & 255 for number in range(65507))
    whole = bytes(IP(src=ADDRESS, dst=GUEST) /
                  UDP(sport=4000, dport=ECHO) / Raw(data))[20:]
    sent = [ip(Raw(whole[at:at + 1480]), id=77, frag=at // 8, proto=17,
               flags="MF" if at + 1480 < len(whole) else 0)
            for at in range(0, len(whole), 1480)]
    back = {frame[IP].frag * 8: bytes(frame[IP].payload)[:frame[IP].len - 20]
            for frame in echo.replies(*sent) if frame[IP].proto == 17}
    message = b"".join(back[at] for at in sorted(back))
    assert message[8:] == data


def test_more_than_the_queue_holds_is_lost_and_nothing_else(echo):
    """U12: whatever is sent back is whole, and once."""
    sent = [struct.pack("!I", number) * 300 for number in range(1500)]
    back = echoes(echo, *[datagram(data) for data in sent])
    assert back and set(back) <= set(sent) and len(set(back)) == len(back)
    assert echoes(echo, datagram(b"still there")) == [b"still there"]
