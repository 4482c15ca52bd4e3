"""A DHCP server that is wrong: rows D of the project's list of bad inputs.

One guest for all of them. Before each row its cable is pulled and put back:
it then asks whether its lease still holds (RFC 2131 3.7), is refused, and
looks for servers anew. After each row it has GUEST's address, and serves.
"""
import re
import struct
import time

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP
from scapy.packet import Raw

import guest as guests
import peer as peers
from peer import ADDRESS, BROADCAST, GUEST, GUEST_MAC, MAC, ether

DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK = range(1, 7)
WRONG = "10.9.0.66"  # in offers that are not to be taken
CARD = "virtio-net-pci,disable-legacy=on,id=card"

MASK, ROUTER, DNS, MTU, WANTED, LEASE, OVERLOAD, TYPE, SERVER, T1, T2 = \
    1, 3, 6, 26, 50, 51, 52, 53, 54, 58, 59


def address(text):
    return bytes(int(part) for part in text.split("."))


def seconds(value):
    return struct.pack("!I", value)


class Message:
    """A reply; a row changes what it likes. `options` keeps its order; None
    leaves one out."""

    def __init__(self, kind, xid, yiaddr, options=(), *, op=2, htype=1, hlen=6,
                 chaddr=None, cookie=0x63825363, sname=b"", file=b"",
                 end=b"\xff", cut=None):
        self.fixed = struct.pack(
            "!4BI2H4s4s4s4s16s64s128sI", op, htype, hlen, 0, xid, 0, 0x8000,
            bytes(4), address(yiaddr), bytes(4), bytes(4),
            bytes.fromhex((chaddr or GUEST_MAC).replace(":", "")), sname,
            file, cookie)
        self.options = {TYPE: bytes([kind]), SERVER: address(ADDRESS),
                        MASK: address("255.255.255.0"),
                        LEASE: seconds(3600), **dict(options)}
        self.end, self.cut = end, cut

    def frame(self):
        text = b"".join(bytes([code, len(value)]) + value
                        for code, value in self.options.items()
                        if value is not None)
        data = (self.fixed + text + self.end)[:self.cut]
        return ether(IP(src=ADDRESS, dst="255.255.255.255") /
                     UDP(sport=67, dport=68) / Raw(data), dst=BROADCAST)


class Question:
    """A message of the guest's."""

    def __init__(self, frame):
        data = bytes(frame[UDP].payload)
        self.xid = struct.unpack_from("!I", data, 4)[0]
        self.options, at = {}, 240
        while data[at] != 255:
            self.options[data[at]] = data[at + 2:at + 2 + data[at + 1]]
            at += 2 + data[at + 1]
        self.kind = self.options[TYPE][0]


class Server:
    def __init__(self, one):
        self.guest, self.peer = one, peers.Peer(one.net)
        self.told = {False: 0, True: 0}
        self.leased = False  # soon after its boot it looks by itself

    def hear(self, *kinds):
        """The next message of one of these kinds."""
        while True:
            question = Question(self.peer.receive(
                lambda frame: UDP in frame and frame[UDP].dport == 67))
            if question.kind in kinds:
                return question

    def say(self, *args, **fields):
        self.peer.send(Message(*args, **fields).frame())

    def _link(self, up):
        """Change it, and wait until the guest has said so once more."""
        word = f"the link is {'up' if up else 'down'}"
        self.told[up] += 1
        self.guest.qmp("set_link", name="card", up=up)
        limit = time.monotonic() + guests.PATIENCE_S
        while self.guest.console.count(word) < self.told[up]:
            assert time.monotonic() < limit, f"{word}: it does not say so"
            time.sleep(0.01)

    def discover(self):
        """Have the guest look for servers; returns its transaction."""
        if self.leased:
            self._link(False)
            self._link(True)
        self.leased = True
        question = self.hear(DISCOVER, REQUEST)
        while question.kind == REQUEST:
            self.say(NAK, question.xid, "0.0.0.0", {MASK: None, LEASE: None})
            question = self.hear(DISCOVER, REQUEST)
        return question.xid

    def give(self, xid, options=(), **fields):
        """A good offer, and then this ACK of it, to which the guest's
        announcement is the answer."""
        self.say(OFFER, xid, GUEST)
        question = self.hear(REQUEST)
        assert question.options[WANTED] == address(GUEST)
        assert question.options[SERVER] == address(ADDRESS)
        self.say(ACK, question.xid, GUEST, options, **fields)
        self.peer.receive(lambda frame: ARP in frame and
                          frame[ARP].psrc == frame[ARP].pdst == GUEST)


@pytest.fixture(scope="module")
def server(start_shared):
    one = start_shared("http_hello", net=guests.WireNet(CARD), net_args=False)
    one.wait_for("waits for an address")
    return Server(one)


@pytest.fixture
def xid(server):
    """The guest looks for servers; after the test it has an address."""
    yield server.discover()
    assert server.peer.get() == b"ok\n"


# Offers that must not be taken, as changes of a good one; and their counter.
BAD_OFFERS = {
    "D1-empty": ({"cut": 0}, "dhcp_ignored"),
    "D1-239-bytes": ({"cut": 239}, "dhcp_malformed"),
    "D2-request": ({"op": 1}, "dhcp_ignored"),
    "D3-cookie": ({"cookie": 0x63825364}, "dhcp_malformed"),
    "D5-other-hardware": ({"chaddr": "52:54:00:09:00:77"}, "dhcp_malformed"),
    "D5-hardware-type": ({"htype": 6}, "dhcp_malformed"),
    "D5-hardware-length": ({"hlen": 16}, "dhcp_malformed"),
    "D6-option-past-end": ({"end": bytes([DNS, 40, 1, 2])},
                           "dhcp_malformed"),
    "D6-option-without-length": ({"end": bytes([DNS])}, "dhcp_malformed"),
    "D8-no-type": ({"options": {TYPE: None}}, "dhcp_malformed"),
    "D8-type-of-2-bytes": ({"options": {TYPE: bytes([2, 2])}},
                           "dhcp_malformed"),
    **{f"D9-type-{kind}": ({"options": {TYPE: bytes([kind])}},
                           "dhcp_malformed") for kind in (0, 1, 3, 99, 255)},
    "D9-ack-too-early": ({"options": {TYPE: bytes([ACK])}}, "dhcp_ignored"),
    "D10-no-server": ({"options": {SERVER: None}}, "dhcp_malformed"),
    "D10-server-is-nobody": ({"options": {SERVER: bytes(4)}},
                             "dhcp_malformed"),
    **{f"D11-address-{yiaddr}": ({"yiaddr": yiaddr}, "dhcp_malformed")
       for yiaddr in ("0.0.0.0", "255.255.255.255", "224.0.0.1",
                      "127.0.0.1", "0.1.2.3", "240.0.0.1")},
    "D12-mask-0": ({"options": {MASK: bytes(4)}}, "dhcp_malformed"),
    "D12-mask-with-holes": ({"options": {MASK: address("255.0.255.0")}},
                            "dhcp_malformed"),
    "D12-mask-of-3-bytes": ({"options": {MASK: bytes([255] * 3)}},
                            "dhcp_malformed"),
    "D14-lease-0": ({"options": {LEASE: bytes(4)}}, "dhcp_malformed"),
    "D14-no-lease": ({"options": {LEASE: None}}, "dhcp_malformed"),
    "D15-overload-broken": ({"options": {OVERLOAD: b"\1"},
                             "file": bytes([DNS, 200]) + bytes(126)},
                            "dhcp_malformed"),
}


@pytest.mark.parametrize("case", BAD_OFFERS)
def test_a_bad_offer_is_not_taken(server, xid, case):
    change, counter = BAD_OFFERS[case]
    server.say(**{"kind": OFFER, "xid": xid, "yiaddr": WRONG, **change})
    server.give(xid)
    assert server.peer.status()[counter] > 0


def test_an_offer_of_another_transaction_is_not_taken(server, xid):
    """D4, D22"""
    for other in (xid ^ 1, 0, xid ^ 0x80000000):
        server.say(OFFER, other, WRONG)
    server.give(xid)


def test_of_a_hundred_offers_the_first_is_taken(server, xid):
    """D20: `give` sends it, and the others follow."""
    server.say(OFFER, xid, GUEST)
    for number in range(100):
        server.say(OFFER, xid, WRONG,
                   {SERVER: address(f"10.9.0.{number + 100}")})
    question = server.hear(REQUEST)
    assert question.options[WANTED] == address(GUEST)
    server.say(ACK, xid, GUEST)
    server.peer.receive(lambda frame: ARP in frame and
                        frame[ARP].psrc == frame[ARP].pdst == GUEST)


def test_another_servers_refusal_is_nothing_to_us(server, xid):
    """D18: and neither is its ACK, of another address."""
    server.say(OFFER, xid, GUEST)
    server.hear(REQUEST)
    other = {SERVER: address("10.9.0.99")}
    server.say(NAK, xid, "0.0.0.0", {MASK: None, LEASE: None, **other})
    server.say(ACK, xid, WRONG, other)
    server.say(ACK, xid, WRONG)
    server.say(ACK, xid, GUEST)
    server.peer.receive(lambda frame: ARP in frame and
                        frame[ARP].psrc == frame[ARP].pdst == GUEST)


# Odd, and taken all the same: changes of the ACK, and a line of /status then.
ODD = {
    "D7-no-end": ({"end": b""}, None),
    "D12-mask-31": ({"options": {MASK: address("255.255.255.254"),
                                 ROUTER: address(ADDRESS)}}, None),
    "D12-mask-32": ({"options": {MASK: bytes([255] * 4),
                                 ROUTER: address(ADDRESS)}}, None),
    "D13-router-outside": ({"options": {ROUTER: address("192.168.7.1")}},
                           r"^0\.0\.0\.0/0 +192\.168\.7\.1 "),
    "D13-router-is-us": ({"options": {ROUTER: address(GUEST)}}, None),
    "D14-lease-for-ever": ({"options": {LEASE: bytes([255] * 4)}}, None),
    "D14-t1-behind-t2": ({"options": {T1: seconds(3000), T2: seconds(10)}},
                         None),
    "D14-t2-behind-lease": ({"options": {T1: seconds(5), T2: seconds(9999)}},
                            None),
    "D14-t1-0": ({"options": {T1: seconds(0), T2: seconds(0)}}, None),
    "D15-overload-in-overload": ({"options": {OVERLOAD: b"\3"},
                                  "file": bytes([OVERLOAD, 1, 3, 255]),
                                  "sname": bytes([OVERLOAD, 1, 3, 255])},
                                 None),
    "D16-in-pieces": ({"options": {ROUTER: address(ADDRESS)[:1]},
                       "end": bytes([ROUTER, 3]) + address(ADDRESS)[1:] +
                       b"\xff"}, r"^0\.0\.0\.0/0 +10\.9\.0\.1 "),
    "D17-search-list-in-a-ring": ({"options": {119: b"\xc0\x00"}}, None),
    "D23-dns-of-5-bytes": ({"options": {DNS: bytes([8] * 5)}}, None),
    "D23-dns-40-servers": ({"options": {DNS: bytes([8] * 160)}}, None),
    "D24-mtu-103": ({"options": {MTU: b"\0\x67"}}, "MTU 1500"),
    "D24-mtu-67": ({"options": {MTU: b"\0\x43"}}, "MTU 1500"),
}


@pytest.mark.parametrize("case", ODD)
def test_an_odd_lease_is_used(server, xid, case):
    change, shown = ODD[case]
    server.give(xid, **change)
    status = server.peer.get("/status").decode()
    assert not shown or re.search(shown, status, re.M)


def test_an_address_that_somebody_has_is_declined(server, xid):
    """D19: and nothing is asked for in the ten seconds after it."""
    server.give(xid)
    rival = "52:54:00:09:00:77"
    server.peer.send(ether(ARP(op=1, hwsrc=rival, psrc=GUEST, pdst=GUEST),
                           src=rival, dst=BROADCAST))
    declined = server.hear(DECLINE)
    assert declined.options[WANTED] == address(GUEST)
    assert declined.options[SERVER] == address(ADDRESS)
    server.give(server.hear(DISCOVER).xid)


def test_a_server_that_has_gone_is_asked_and_then_looked_for(server, xid):
    """D25: RFC 2131 4.4.5, in seconds."""
    server.give(xid, {LEASE: seconds(6), T1: seconds(2), T2: seconds(4)})
    renewing, rebinding = (server.peer.receive(
        lambda frame: UDP in frame and frame[UDP].dport == 67)
        for _ in range(2))
    assert (renewing[IP].dst, renewing.dst) == (ADDRESS, MAC)
    assert (rebinding[IP].dst, rebinding.dst) == ("255.255.255.255", BROADCAST)
    for frame in (renewing, rebinding):
        assert Question(frame).kind == REQUEST and frame[IP].src == GUEST
    silent = [server.hear(DISCOVER) for _ in range(2)]
    assert len({question.xid for question in silent}) == 1
    server.give(silent[-1].xid)


def test_a_flood_to_port_68_is_survived(server, xid):
    """D26"""
    server.give(xid)
    before = server.peer.status().get("dhcp_ignored", 0)
    flood = [Message(ACK, number, WRONG).frame() for number in range(2000)]
    assert server.peer.replies(*flood) == []
    assert server.peer.status()["dhcp_ignored"] >= before + 1999
