"""Raw TCP options, right and wrong, to a guest that serves HTTP: rows T14-T28
of the project's list of bad inputs.
"""
import pytest
from scapy.layers.inet import IP, TCP

from peer import WORD, Conn, tcp_bytes

pytestmark = pytest.mark.usefixtures("serves_on")


def raw_segment(conn, flags, data, payload=b""):
    """A frame with exactly these option bytes, and the right checksum."""
    data += b"\0" * (-len(data) % 4)
    header = TCP(sport=conn.sport, dport=conn.port, flags=flags,
                 seq=conn.snd_nxt, ack=conn.rcv_nxt, window=conn.window,
                 dataofs=5 + len(data) // 4)
    return tcp_bytes(bytes(header)[:20] + data + payload)


MALFORMED = {
    "T14-kind-without-length": b"\x01\x01\x01\x02",
    "T14-kind-30-without-length": b"\x01\x01\x01\x1e",
    "T15-length-0": b"\x02\0\x05\xb4",
    "T15-unknown-length-0": b"\xfd\0\0\0",
    "T16-length-1": b"\x02\x01\x05\xb4",
    "T17-length-past-header": b"\x01\x01\x02\x04",
    "T17-length-255": b"\x02\xff\x05\xb4",
    "T21-mss-length-3": b"\x02\x03\x05\0",
    "T21-mss-length-5": b"\x02\x05\x05\xb4\0\0\0\0",
    "T22-shift-length-2": b"\x03\x02\0\0",
    "T22-shift-length-4": b"\x03\x04\x07\0",
    "T24-time-stamps-length-9": b"\x08\x09" + b"\0" * 8,
    "T24-time-stamps-length-12": b"\x08\x0c" + b"\0" * 10,
    "T26-md5-length-3": b"\x13\x03\0\0",
    "T26-ao-length-2": b"\x1d\x02\0\0",
    "T26-ao-length-3": b"\x1d\x03\0\0",
    "T27-cookie-length-1": b"\x22\x01\0\0",
    "T27-cookie-length-255": b"\x22\xff\0\0",
}
ODD = {
    "T18-40-nops": b"\x01" * 40,
    "T19-eol-then-garbage": b"\0\xff\0\x03\x22\x11\x02\x04",
    "T20-mss-twice": b"\x02\x04\x05\xb4\x02\x04\x02\x18",
    "T20-shift-twice": b"\x03\x03\x02\x03\x03\x07",
    "T20-time-stamps-twice": (b"\x08\x0a" + b"\0\0\0\x01" * 2) * 2,
    "T22-shift-15": b"\x03\x03\x0f",
    "T22-shift-255": b"\x03\x03\xff",
    "T23-shift": b"\x03\x03\x0e",
    "T23-sack-permitted": b"\x04\x02",
    "T24-time-stamp-0": b"\x08\x0a" + b"\0" * 8,
    "T26-md5": b"\x13\x12" + b"m" * 16,
    "T26-ao": b"\x1d\x10" + b"a" * 14,
    "T27-cookie-empty": b"\x22\x02",
    "T27-cookie-odd": b"\x22\x09" + b"c" * 7,
    "T28-unknown": b"\x64\x06abcd",
    "T28-unknown-empty": b"\x64\x02",
}
SACK = {
    "T25-length-9": b"\x05\x09" + b"\0" * 7,
    "T25-no-block": b"\x05\x02",
    "T25-five-blocks": b"\x05\x2a" + b"\0" * 36,
    "T25-left-after-right": b"\x05\x0a\0\0\0\x09\0\0\0\x01",
    "T25-outside": b"\x05\x0a\x70\0\0\0\x70\0\0\x01",
    "T25-all": b"\x05\x0a\0\0\0\0\xff\xff\xff\xff",
    "T25-overlap": b"\x05\x12" + b"\0\0\0\x01\0\0\0\x09" * 2,
}
EVERY = {**MALFORMED, **ODD, **SACK}


@pytest.mark.parametrize("case", EVERY)
def test_options_on_a_syn(peer, case):
    """T14-T28: well-formed ones are no obstacle; none gets a reset."""
    conn = Conn(peer)
    frame = raw_segment(conn, "S", EVERY[case])
    replies = conn.replies(frame)
    if case in ODD or replies:
        assert [reply.flags for reply in replies] == ["SA"]
        conn.snd_nxt = (conn.isn + 1) % WORD
        conn.agree(replies[0])
        conn.send("A")
        assert conn.lives()
        conn.abort()


@pytest.mark.parametrize("case", EVERY)
def test_options_on_an_open_connection(conn, case):
    """T14-T28: nothing ends a connection that is open (CVE-2019-12258)."""
    conn.peer.send(raw_segment(conn, "A", EVERY[case]))
    request = b"GET /healthz HTTP/1.1\r\nHost: guest\r\n\r\n"
    conn.peer.send(raw_segment(conn, "PA", EVERY[case], request))
    conn.send("PA", request)  # taken already, or now
    assert conn.read_answer() == b"ok\n"
    assert conn.lives()


@pytest.mark.parametrize("mss", [0, 1, 8, 48, 536, 1460, 65535])
def test_any_mss_is_served_in_segments_that_fit(peer, mss):
    """T21: a floor where the peer's is absurd, our own where it is larger."""
    conn = Conn(peer)
    conn.open([("MSS", mss)])
    assert b"</html>" in conn.last_get("/")
    longest = max(frame[IP].len for frame in peer.seen
                  if conn.mine(frame))
    assert longest <= max(mss, 536) + 40 and longest <= 1500


@pytest.mark.parametrize("shift", [0, 7, 14, 15, 255])
def test_any_shift_is_answered_with_one(peer, shift):
    """T22: RFC 7323 2.3: more than 14 counts as 14."""
    conn = Conn(peer)
    answer = conn.open([("WScale", shift)])
    assert "WScale" in dict(answer.options)
    assert b"</html>" in conn.last_get("/")


def test_no_shift_is_answered_with_none(peer):
    conn = Conn(peer)
    answer = conn.open([("MSS", 1460)])
    assert "WScale" not in dict(answer.options)
    assert b"</html>" in conn.last_get("/")
