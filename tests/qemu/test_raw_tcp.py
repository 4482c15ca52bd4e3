"""Raw TCP segments, right and wrong, to a guest that serves HTTP.

Each case carries its id from the project's list of bad inputs: T header (T14
and on, the options, are in test_raw_tcp_options.py), S sequence and state. The
verdicts are RFC 9293 3.10.7's, read from the text; what the RFC leaves open is
only required to do no harm: no reset, and the connection lives.
"""
import itertools

import pytest
from scapy.layers.inet import IP, TCP
from scapy.packet import Raw

from peer import GUEST, WORD, Conn, ip, tcp_bytes

CLOSED_PORT = 81

pytestmark = pytest.mark.usefixtures("serves_on")


# ---- the header -------------------------------------------------------------

def syn_bytes(sport=7, dport=80):
    return bytes(TCP(sport=sport, dport=dport, flags="S", seq=1))


def with_offset(text, offset):
    return text[:12] + bytes([offset << 4]) + text[13:]


DROPPED = {
    "T1-short": (lambda: tcp_bytes(syn_bytes()[:19]), "tcp_short"),
    "T1-empty": (lambda: ip(Raw(b""), proto=6), "tcp_short"),
    **{f"T2-offset-{offset}":
       (lambda offset=offset: tcp_bytes(with_offset(syn_bytes(), offset)),
        "tcp_header_len") for offset in range(5)},
    "T3-offset-past-end": (lambda: tcp_bytes(with_offset(syn_bytes(), 15)),
                           "tcp_header_len"),
    "T4-sum-wrong": (lambda: ip(TCP(sport=7, dport=80, flags="S", chksum=9)),
                     "tcp_checksum"),
    "T5-from-port-0": (lambda: tcp_bytes(syn_bytes(sport=0)), "tcp_port"),
    "T5-to-port-0": (lambda: tcp_bytes(syn_bytes(dport=0)), "tcp_port"),
    "T6-land": (lambda: ip(TCP(sport=80, dport=80, flags="S"), src=GUEST),
                None),
}


@pytest.mark.parametrize("case", DROPPED)
def test_it_is_dropped_counted_and_not_answered(peer, case):
    frame, counter = DROPPED[case]
    before = peer.status()
    assert peer.replies(frame()) == []
    if counter:
        assert peer.status()[counter] == before.get(counter, 0) + 1


# ---- flags, without a connection: RFC 9293 3.10.7.1 and 3.10.7.2 ------------

FLAGS = ["".join(one) for count in range(7)
         for one in itertools.combinations("FSRPAU", count)]


def wanted(flags, listening):
    """What the RFC's text has come back: None, "RST" or "SYN-ACK"."""
    if "R" in flags:
        return None
    if listening:
        if "A" in flags:
            return "RST"
        if "S" in flags:
            return "SYN-ACK"
        return None
    return "RST"


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("port", [80, CLOSED_PORT])
def test_flags_without_a_connection(peer, port, flags):
    """T7-T11, S1, S11"""
    conn = Conn(peer, port=port)
    frame = ip(TCP(sport=conn.sport, dport=port, flags=flags, seq=1000,
                   ack=2000))
    replies = conn.replies(frame)
    kind = wanted(flags, port == 80)
    if "S" in flags and "F" in flags and not replies:
        return  # T9: a segment that no honest peer sends may be dropped
    if kind is None:
        assert replies == []
        return
    assert len(replies) == 1
    reply = replies[0]
    if kind == "SYN-ACK":
        assert reply.flags == "SA" and reply.ack == 1001
        peer.replies(ip(TCP(sport=conn.sport, dport=port, flags="R",
                            seq=1001)))
    elif "A" in flags:
        assert reply.flags == "R" and reply.seq == 2000
    else:
        length = ("S" in flags) + ("F" in flags)
        assert reply.flags == "RA"
        assert (reply.seq, reply.ack) == (0, 1000 + length)


@pytest.mark.parametrize("flags", ["", "F", "P", "U", "FPU"])
def test_without_ack_an_open_connection_drops_it(conn, flags):
    """T7, T11, S1: RFC 9293 3.10.7.4, fifth: if the ACK bit is off, drop."""
    assert conn.replies(conn.segment(flags, b"GET / HTTP/1.0\r\n\r\n")) == []
    assert conn.lives()


@pytest.mark.parametrize("flags", ["SF", "SFPU", "SA", "SFA", "S"])
def test_syn_on_an_open_connection_is_challenged_or_dropped(conn, flags):
    """T9, S10, S11: RFC 5961 4.2."""
    for reply in conn.replies(conn.segment(flags)):
        assert reply.flags == "A"
        assert (reply.seq, reply.ack) == (conn.rcv_nxt, conn.snd_nxt)
    assert conn.lives()


def test_syn_in_window_is_challenged(conn):
    """S10"""
    assert len(conn.replies(conn.segment("S"))) == 1
    assert conn.lives()


def test_syn_with_data_is_accepted_without_the_data(peer):
    """T12: no Fast Open: the data is neither queued nor acknowledged."""
    conn = Conn(peer)
    request = b"GET /healthz HTTP/1.1\r\nHost: guest\r\n\r\n"
    replies = conn.replies(conn.segment("S", request))
    assert [reply.flags for reply in replies] == ["SA"]
    assert replies[0].ack == (conn.isn + 1) % WORD
    conn.snd_nxt = (conn.isn + 1) % WORD
    conn.rcv_nxt = (replies[0].seq + 1) % WORD
    conn.send("A")
    assert conn.lives()
    conn.abort()


@pytest.mark.parametrize("reserved", range(1, 8))
@pytest.mark.parametrize("flags", ["S", "SEC", "SE", "SC"])
def test_reserved_bits_are_ignored(peer, flags, reserved):
    """T13"""
    conn = Conn(peer)
    replies = conn.replies(conn.segment(flags, reserved=reserved))
    assert len(replies) == 1 and "S" in replies[0].flags
    assert "A" in replies[0].flags and replies[0].reserved == 0
    conn.snd_nxt = (conn.snd_nxt + 1) % WORD
    conn.abort()


# ---- sequence numbers -------------------------------------------------------

@pytest.mark.parametrize("offset, name", [
    (-1, "before"), (65534, "last"), (65535 << 7, "past"), (1 << 31, "far"),
    (-(1 << 30), "old")])
def test_a_byte_beside_the_window_does_no_harm(conn, offset, name):
    """S2, S18: out of the window is answered with an ACK of where we are."""
    replies = conn.replies(conn.segment("PA", b"X", seq=conn.snd_nxt + offset))
    assert replies or name == "last"
    for reply in replies:
        assert reply.flags == "A" and reply.ack == conn.snd_nxt
    if name != "last":  # that byte may be kept: it is in the window
        assert conn.lives()


@pytest.mark.parametrize("isn", [0, 0x7ffffff0, 0x80000000, 0xfffffff8,
                                 0xffffffff])
def test_sequence_numbers_wrap(peer, isn):
    """S3"""
    conn = Conn(peer, isn=isn)
    conn.open()
    for _ in range(3):
        assert b"</html>" in conn.get("/")
    assert conn.last_get() == b"ok\n"


def test_an_ack_of_what_was_not_sent_is_answered_and_dropped(conn):
    """S5: RFC 9293 3.10.7.4: send an ACK, drop the segment."""
    request = b"GET / HTTP/1.1\r\nHost: guest\r\n\r\n"
    replies = conn.replies(conn.segment("PA", request, ack=conn.rcv_nxt + 1))
    assert [reply.flags for reply in replies] == ["A"]
    assert replies[0].ack == conn.snd_nxt
    assert conn.lives()


def test_an_ack_too_old_is_answered_and_dropped(conn):
    """S6: RFC 5961 5.2."""
    request = b"GET / HTTP/1.1\r\nHost: guest\r\n\r\n"
    replies = conn.replies(conn.segment("PA", request,
                                        ack=conn.rcv_nxt - (1 << 30)))
    assert [reply.flags for reply in replies] == ["A"]
    assert replies[0].ack == conn.snd_nxt
    assert conn.lives()


# ---- RST --------------------------------------------------------------------

def gone(conn):
    """A segment on a connection that is no more gets a reset."""
    return [str(reply.flags) for reply in conn.replies(conn.segment("A"))] == \
        ["R"]


@pytest.mark.parametrize("flags, data", [
    ("R", b""), ("RA", b""), ("R", b"why"), ("RFA", b""), ("RSA", b"")])
def test_an_exact_reset_ends_it(peer, flags, data):
    """S7, S8"""
    conn = Conn(peer)
    conn.open()
    assert conn.replies(conn.segment(flags, data)) == []
    assert gone(conn)


@pytest.mark.parametrize("offset", [1, 1000, 60000])
def test_a_reset_elsewhere_in_the_window_is_challenged(conn, offset):
    """S7: RFC 5961 3.2."""
    replies = conn.replies(conn.segment("R", seq=conn.snd_nxt + offset))
    assert [reply.flags for reply in replies] == ["A"]
    assert (replies[0].seq, replies[0].ack) == (conn.rcv_nxt, conn.snd_nxt)
    assert conn.lives()


@pytest.mark.parametrize("offset", [-1, 1 << 31, -(1 << 20)])
def test_a_reset_outside_the_window_is_dropped(conn, offset):
    """S7"""
    assert conn.replies(conn.segment("R", seq=conn.snd_nxt + offset)) == []
    assert conn.lives()


# ---- states -----------------------------------------------------------------

def test_another_syn_in_syn_received_does_no_harm(peer):
    """S12: a duplicate with another sequence number: the first one counts."""
    conn = Conn(peer)
    first = conn.syn()
    replies = conn.replies(conn.segment("S", seq=conn.isn + 50000, ack=0))
    assert all("R" not in reply.flags for reply in replies)
    again = conn.replies(conn.segment("S", seq=conn.isn, ack=0))
    for reply in again:
        assert reply.seq in (first.seq, conn.rcv_nxt)
    conn.send("A")
    assert conn.lives()
    conn.abort()


def test_a_repeated_syn_gets_the_same_answer(peer):
    """S12: same sequence number, same options; no second connection."""
    conn = Conn(peer)
    first = conn.syn([("MSS", 1460), ("WScale", 2)])
    replies = conn.replies(conn.segment(
        "S", seq=conn.isn, ack=0, options=[("MSS", 1460), ("WScale", 2)]))
    for reply in replies:
        if "S" in reply.flags:
            assert (reply.seq, reply.options) == (first.seq, first.options)
    conn.send("A")
    assert conn.lives()
    conn.abort()


def test_a_wrong_ack_in_syn_received_is_reset(peer):
    """S1: RFC 9293 3.10.7.4, fifth: <SEQ=SEG.ACK><CTL=RST>."""
    conn = Conn(peer)
    conn.syn()
    replies = conn.replies(conn.segment("A", ack=conn.rcv_nxt + 77))
    assert [reply.flags for reply in replies] == ["R"]
    assert replies[0].seq == (conn.rcv_nxt + 77) % WORD
    conn.send("A")
    assert conn.lives()
    conn.abort()


def test_fin_twice_is_acknowledged_twice(conn):
    """S14"""
    fin = conn.segment("FA")
    conn.snd_nxt = (conn.snd_nxt + 1) % WORD
    for _ in range(2):
        replies = conn.replies(fin)
        assert replies and replies[-1].ack == conn.snd_nxt


def test_data_after_fin_is_not_taken(conn):
    """S14, S15"""
    conn.send("FA")
    for reply in conn.replies(conn.segment("PA", b"late")):
        assert reply.ack == conn.snd_nxt


def test_fin_before_its_data_waits_for_it(conn):
    """S14: out of order, then the gap is filled."""
    request = b"GET /healthz HTTP/1.1\r\nHost: guest\r\n\r\n"
    replies = conn.replies(conn.segment("FA", seq=conn.snd_nxt + len(request)))
    assert all(reply.ack == conn.snd_nxt for reply in replies)
    conn.send("PA", request)
    conn.snd_nxt = (conn.snd_nxt + 1) % WORD
    assert conn.read_answer() == b"ok\n"
    while not conn.fin_seen:
        conn.read_segment()


def test_halves_in_the_wrong_order_are_put_together(conn):
    """S14, S18: overlapping, out of order, repeated."""
    request = b"GET /healthz HTTP/1.1\r\nHost: guest\r\n\r\n"
    for start, end in ((20, len(request)), (10, 30), (20, 25), (0, 12)):
        conn.peer.send(conn.segment("PA", request[start:end],
                                    seq=conn.snd_nxt + start))
    conn.snd_nxt = (conn.snd_nxt + len(request)) % WORD
    assert conn.read_answer() == b"ok\n"


def time_wait(peer):
    """A connection that the guest closed first; it is in TIME-WAIT."""
    conn = Conn(peer)
    conn.open()
    assert conn.last_get() == b"ok\n"
    return conn


def test_fin_again_in_time_wait_is_acknowledged_again(peer):
    """S15"""
    conn = time_wait(peer)
    replies = conn.replies(conn.segment("FA", seq=conn.snd_nxt - 1))
    assert [reply.flags for reply in replies] == ["A"]
    assert replies[0].ack == conn.snd_nxt


def test_reset_does_not_end_time_wait(peer):
    """S16: RFC 1337."""
    conn = time_wait(peer)
    assert conn.replies(conn.segment("R")) == []
    replies = conn.replies(conn.segment("FA", seq=conn.snd_nxt - 1))
    assert [reply.flags for reply in replies] == ["A"]


def test_a_newer_syn_reopens_time_wait(peer):
    """S15: RFC 9293 3.10.7.4, MAY-2."""
    conn = time_wait(peer)
    again = Conn(peer, isn=(conn.snd_nxt + 100000) % WORD, sport=conn.sport)
    again.open()
    assert again.last_get() == b"ok\n"


def test_an_older_syn_does_not(peer):
    """S15"""
    conn = time_wait(peer)
    replies = conn.replies(conn.segment("S", seq=conn.snd_nxt - 100000))
    assert all(reply.flags == "A" for reply in replies)


def test_who_has_forgotten_time_wait_ends_it(peer):
    """S16: its older SYN is answered, and it resets what it does not know."""
    conn = time_wait(peer)
    again = Conn(peer, isn=(conn.snd_nxt - 100000) % WORD, sport=conn.sport)
    replies = again.replies(again.segment("S"))
    assert [reply.flags for reply in replies] == ["A"]
    assert replies[0].ack == conn.snd_nxt
    assert again.replies(again.segment("R", seq=replies[0].ack)) == []
    again.open()
    assert again.last_get() == b"ok\n"


def test_data_in_close_wait_is_not_taken(peer):
    """S15: after our FIN, what we send is beyond the end."""
    conn = Conn(peer)
    conn.open()
    conn.window = 0  # its answer cannot leave, so it stays in CLOSE-WAIT
    conn.send("PA", b"GET / HTTP/1.1\r\nHost: guest\r\n\r\n")
    conn.send("FA")
    conn.replies()
    for reply in conn.replies(conn.segment("PA", b"more")):
        assert "R" in reply.flags or reply.ack == conn.snd_nxt
    conn.abort()


def test_a_zero_length_segment_at_a_zero_window_is_acceptable(peer):
    """S4: the guest's window is shut; RST and ACK still count."""
    conn = Conn(peer)
    conn.open()
    conn.window = 0  # it cannot answer, so it stops to read
    request = b"GET / HTTP/1.1\r\nHost: guest\r\n\r\n" * 40
    shut = False
    for _ in range(4000):
        replies = conn.replies(conn.segment("PA", request))
        taken = [(reply.ack - conn.snd_nxt) % WORD for reply in replies]
        conn.snd_nxt = (conn.snd_nxt + max(
            [one for one in taken if one <= len(request)], default=0)) % WORD
        if replies and replies[-1].window == 0:
            shut = True
            break
    assert shut, "the guest's window never closes"
    assert all("R" not in reply.flags
               for reply in conn.replies(conn.segment("A")))
    assert conn.replies(conn.segment("R")) == []
    assert gone(conn)


def test_300_half_open_connections_are_held(peer):
    conns = [Conn(peer) for _ in range(300)]
    replies = peer.replies(*[conn.segment("S") for conn in conns])
    assert len(replies) == 300
    assert all(frame[TCP].flags == "SA" for frame in replies)
    assert peer.get() == b"ok\n"
    resets = [conn.segment("R", seq=conn.isn + 1) for conn in conns]
    assert peer.replies(*resets) == []
