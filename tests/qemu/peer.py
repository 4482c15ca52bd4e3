"""A host on the guest's wire, made of scapy: it answers ARP and speaks as
much TCP as a test tells it to, right or wrong.

Shares no code with the stack under test. Nothing here waits for silence: what
the guest does with a frame is over when it has answered two pings sent after
it, one after the other (the first may share a batch with the frame's own
answer, which then goes out last).
"""
import itertools
import time

from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw
from scapy.utils import checksum

from guest import PATIENCE_S, WireNet

MAC = "52:54:00:09:00:01"
ADDRESS = "10.9.0.1"
GUEST_MAC = WireNet.MAC
GUEST = "10.9.0.2"
BROADCAST = "ff:ff:ff:ff:ff:ff"

WORD = 1 << 32
STAMP = 2  # newer than that of any SYN in the tests
BATCH = 64  # frames at a time: their answers fit the card's ring
_PING_ID = 0x7272  # of the barrier's own pings


def ether(payload, **fields):
    return Ether(**{"src": MAC, "dst": GUEST_MAC, **fields}) / payload


def ip(payload, **fields):
    """A whole frame to the guest around an IP payload."""
    return ether(IP(**{"src": ADDRESS, "dst": GUEST, **fields}) / payload)


def ping(ident=1, data=b"ping", **fields):
    return ip(ICMP(type=8, id=ident, seq=1) / Raw(data), **fields)


def tcp_bytes(text):
    """A whole frame to the guest around these bytes of TCP, which need not be
    well-formed; only their checksum is made right."""
    text = text[:16] + b"\0\0" + text[18:]
    src, dst = (bytes(map(int, one.split("."))) for one in (ADDRESS, GUEST))
    pseudo = src + dst + b"\0\x06" + len(text).to_bytes(2, "big")
    total = checksum(pseudo + text)
    text = text[:16] + total.to_bytes(2, "big") + text[18:]
    return ip(Raw(text), proto=6)


class Peer:
    """The other end of a WireNet. `arp` False: it never answers ARP."""

    def __init__(self, wire, arp=True):
        self.wire, self.arp = wire, arp
        self.seen = []
        self._serial = itertools.count(1)
        self._ports = itertools.count(20000)

    def send(self, frame):
        self.wire.send(bytes(frame))

    def _take(self, data):
        """One frame of the guest: ARP for us is answered by the way."""
        frame = Ether(data)
        self.seen.append(frame)
        if ARP in frame and frame[ARP].op == 1 and \
                frame[ARP].pdst == ADDRESS and self.arp:
            self.send(Ether(src=MAC, dst=frame.src) /
                      ARP(op=2, hwsrc=MAC, psrc=ADDRESS,
                          hwdst=frame.src, pdst=frame[ARP].psrc))
        return frame

    def receive(self, wanted, timeout_s=PATIENCE_S):
        """The next frame for which wanted(frame) holds; others are noted."""
        limit = time.monotonic() + timeout_s
        while True:
            data = self.wire.receive(limit - time.monotonic())
            if data is None:
                raise TimeoutError("the guest does not send what is expected")
            frame = self._take(data)
            if wanted(frame):
                return frame

    def _round_trip(self, replies):
        """A ping and its answer; again where the guest has answered so many
        within a second that it leaves this one out."""
        serial = next(self._serial) & 0xffff
        ping = ip(ICMP(type=8, id=_PING_ID, seq=serial))

        def answered(frame):
            found = ICMP in frame and frame[ICMP].type == 0 and \
                frame[ICMP].id == _PING_ID and frame[ICMP].seq == serial
            is_question = ARP in frame and frame[ARP].op == 1
            if not found and not is_question:
                replies.append(frame)
            return found

        for _ in range(PATIENCE_S):
            self.send(ping)
            try:
                self.receive(answered, timeout_s=1)
                return
            except TimeoutError:
                continue
        raise TimeoutError("the guest answers no ping")

    def replies(self, *frames):
        """Send frames; what the guest has sent when it is done with them.
        Its own ARP questions are answered and left out."""
        found = []
        for number, frame in enumerate(frames, 1):
            if number % BATCH == 0:
                self._round_trip(found)
            self.send(frame)
        self._round_trip(found)
        self._round_trip(found)
        return found

    def port(self):
        """A source port that this guest has not seen yet."""
        return next(self._ports)

    # ---- what the guest must still do, whatever came before ----

    def get(self, target="/healthz"):
        """A page by a connection of its own, closed by the guest."""
        conn = Conn(self)
        conn.open()
        return conn.last_get(target)

    def status(self):
        lines = self.get("/status").decode("latin-1").splitlines()
        pairs = [line.split() for line in lines]
        return {pair[0]: int(pair[1]) for pair in pairs
                if len(pair) == 2 and pair[1].isdigit()}


class Conn:
    """One connection from the peer, each segment under the test's control.

    snd_nxt and rcv_nxt as RFC 9293 names them, seen from the peer.
    """

    def __init__(self, peer, port=80, isn=None, sport=None):
        self.peer, self.port = peer, port
        self.sport = sport or peer.port()
        self.isn = 0xfffffff0 if isn is None else isn  # beside a wrap
        self.snd_nxt, self.rcv_nxt = self.isn, 0
        self.window = 65535
        self.rest, self.fin_seen = b"", False
        self.echo = None  # the guest's timestamp, where both agreed on them

    def agree(self, answer):
        """Take what a SYN-ACK says: numbers, and whether each segment has
        timestamps from now on, or is dropped (RFC 7323 3.2)."""
        self.rcv_nxt = (answer.seq + 1) % WORD
        for kind, value in answer.options:
            if kind == "Timestamp":
                self.echo = value[0]

    def segment(self, flags, data=b"", *, seq=None, ack=None, options=(),
                **fields):
        """A frame of this connection. Flags as scapy writes them: "PA"."""
        if self.echo is not None and not options:
            options = [("NOP", None), ("NOP", None),
                       ("Timestamp", (STAMP, self.echo))]
        header = TCP(sport=self.sport, dport=self.port, flags=flags,
                     seq=(self.snd_nxt if seq is None else seq) % WORD,
                     ack=(self.rcv_nxt if ack is None else ack) % WORD,
                     window=self.window, options=list(options), **fields)
        return ip(header / Raw(data) if data else header)

    def mine(self, frame):
        return TCP in frame and frame[TCP].dport == self.sport and \
            frame[TCP].sport == self.port

    def replies(self, *frames):
        """The segments of this connection that come in answer."""
        return [frame[TCP] for frame in self.peer.replies(*frames)
                if self.mine(frame)]

    def send(self, flags, data=b"", **fields):
        """Send the next segment of the stream."""
        self.peer.send(self.segment(flags, data, **fields))
        text = ("S" in flags) + ("F" in flags) + len(data)
        self.snd_nxt = (self.snd_nxt + text) % WORD

    def syn(self, options=()):
        """Send a SYN, and wait for the SYN-ACK, which is returned."""
        self.send("S", options=options)
        frame = self.peer.receive(self.mine)[TCP]
        assert frame.flags == "SA", frame.summary()
        assert frame.ack == self.snd_nxt
        self.agree(frame)
        return frame

    def open(self, options=()):
        answer = self.syn(options)
        self.send("A")
        return answer

    def read_segment(self):
        """Wait for the next segment; in order, it is taken and ACKed."""
        frame = self.peer.receive(self.mine)
        tcp = frame[TCP]
        assert "R" not in tcp.flags, "reset"
        length = frame[IP].len - frame[IP].ihl * 4 - tcp.dataofs * 4
        data = bytes(tcp.payload)[:length]
        if tcp.seq == self.rcv_nxt and (data or "F" in tcp.flags):
            self.rest += data
            self.fin_seen = self.fin_seen or "F" in tcp.flags
            self.rcv_nxt = (tcp.seq + len(data) + ("F" in tcp.flags)) % WORD
        if data or "F" in tcp.flags:
            self.send("A")
        return tcp

    def read_answer(self):
        """One HTTP answer with a Content-Length; returns its body."""
        while b"\r\n\r\n" not in self.rest:
            self.read_segment()
        head, body = self.rest.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 200 "), head
        fields = dict(line.lower().split(b": ", 1)
                      for line in head.split(b"\r\n")[1:])
        length = int(fields[b"content-length"])
        while len(body) < length:
            before = len(self.rest)
            self.read_segment()
            body += self.rest[before:]
        self.rest = body[length:]
        return body[:length]

    def get(self, target="/healthz", more=b""):
        """Ask for a page on this connection, and go on with it."""
        self.send("PA", b"GET " + target.encode() +
                  b" HTTP/1.1\r\nHost: guest\r\n" + more + b"\r\n")
        return self.read_answer()

    def lives(self):
        """Whether the connection still serves."""
        return self.get() == b"ok\n"

    def last_get(self, target="/healthz"):
        """The same, and both sides close: the guest first."""
        body = self.get(target, b"Connection: close\r\n")
        while not self.fin_seen:
            self.read_segment()
        self.send("FA")
        while self.peer.receive(self.mine)[TCP].ack != self.snd_nxt:
            pass
        return body

    def abort(self):
        """End it without a trace on either side."""
        self.peer.replies(self.segment("R"))
