"""fetch: a client. What it prints, what it says when it fails, and how it
ends."""
import http.server
import socket
import threading

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import ARP

import guest as guests
import peer as peers
from peer import WORD, ip

BODY = b"it came from the host\n" * 1000


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # pylint: disable=invalid-name
        self.send_response(200 if self.path == "/page" else 404)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_args):  # pylint: disable=arguments-differ
        pass


@pytest.fixture
def host():
    """A web server on this host's 127.0.0.1; its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_page_is_printed_and_the_status_is_0(start, host):
    one = start("fetch", f"http://10.0.2.2:{host}/page", net=guests.UserNet())
    assert one.wait_exit() == 0
    assert "HTTP/1.0 200 OK" in one.console
    assert one.console.count("it came from the host") == 1000


def test_a_404_is_an_answer(start, host):
    one = start("fetch", f"10.0.2.2:{host}/nowhere", net=guests.UserNet())
    assert one.wait_exit() == 0
    assert " 404 " in one.console


def test_refused_is_said_and_ends_with_1(start):
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        one = start("fetch", f"10.0.2.2:{taken.getsockname()[1]}",
                    net=guests.UserNet())
        assert one.wait_exit() == 1
    assert "refused" in one.console


def test_no_argument_is_a_usage_error(start):
    one = start("fetch")
    assert one.wait_exit() == 64
    assert "usage" in one.console


# ---- on a wire, where the test is the network ------------------------------

def fetch_on_wire(start, args, arp=True):
    wire = guests.WireNet()
    one = start("fetch", args, net=wire)
    return one, peers.Peer(wire, arp)


def syn_of(frame):
    return TCP in frame and frame[TCP].flags == "S"


def answer(syn, flags, **fields):
    """A segment in answer to the guest's SYN."""
    return ip(TCP(**{"sport": syn[TCP].dport, "dport": syn[TCP].sport,
                     "flags": flags, "seq": 5000,
                     "ack": (syn[TCP].seq + 1) % WORD, "window": 65535,
                     **fields}))


def drain(one, peer, each=lambda frame: None):
    """Be the network until the guest has ended; its exit status."""
    while one.running():
        data = peer.wire.receive(0.1)
        if data is not None:
            each(peer._take(data))  # pylint: disable=protected-access
    return one.wait_exit()


def test_unanswered_times_out(start):
    one, peer = fetch_on_wire(start, "--connect-timeout=2.5 10.9.0.1")
    syns = []
    status = drain(one, peer, lambda frame:
                   syns.append(frame[TCP]) if syn_of(frame) else None)
    assert status == 1
    assert "timed out" in one.console or "time" in one.console
    assert len(syns) == 2, "at 0 s and after 1 s; the third is due at 3 s"
    # All but the timestamp, which tells when each was sent.
    assert len({(syn.sport, syn.seq, syn.window,
                 tuple(name for name, _value in syn.options))
                for syn in syns}) == 1


def test_unreachable_is_said_in_time(start):
    """Nobody answers ARP: the guest asks a few times and gives up."""
    one, peer = fetch_on_wire(start, "10.9.0.1", arp=False)
    questions = []
    status = drain(one, peer, lambda frame:
                   questions.append(frame) if ARP in frame else None)
    assert status == 1
    assert "unreachable" in one.console
    assert 2 <= sum(frame[ARP].pdst == "10.9.0.1" and frame[ARP].op == 1
                    for frame in questions) <= 10


def test_no_route_is_said_at_once(start):
    one = start("fetch", "--ipv4=10.9.0.2/24 192.0.2.1", net=guests.WireNet(),
                net_args=False)
    assert one.wait_exit() == 1
    assert "no route" in one.console


@pytest.mark.parametrize("address", ["255.255.255.255", "224.0.0.1",
                                     "10.9.0.255", "0.0.0.0"])
def test_not_an_address_to_connect_to(start, address):
    """RFC 9293 MUST-46."""
    one = start("fetch", address, net=guests.WireNet())
    assert one.wait_exit() in (1, 64)
    assert not any("ready" in line for line in one.lines)


def test_a_reset_must_acknowledge_the_syn(start):
    """S9: RST with a wrong ACK, and RST without ACK, are not for us."""
    one, peer = fetch_on_wire(start, "10.9.0.1")
    syn = peer.receive(syn_of)
    peer.send(answer(syn, "RA", ack=(syn[TCP].seq + 2) % WORD))
    peer.send(answer(syn, "R", ack=0))
    again = peer.receive(syn_of)
    assert again[TCP].seq == syn[TCP].seq
    peer.send(answer(syn, "RA"))
    assert one.wait_exit() == 1
    assert "refused" in one.console


def test_a_wrong_syn_ack_is_reset(start):
    """RFC 9293 3.10.7.3: an ACK of what was not sent."""
    one, peer = fetch_on_wire(start, "10.9.0.1")
    syn = peer.receive(syn_of)
    peer.send(answer(syn, "SA", ack=(syn[TCP].seq + 9) % WORD))
    reset = peer.receive(lambda frame: TCP in frame and
                         "R" in frame[TCP].flags)
    assert reset[TCP].seq == (syn[TCP].seq + 9) % WORD
    peer.send(answer(syn, "RA"))
    assert one.wait_exit() == 1


def test_both_may_open_at_once(start):
    """S13: RFC 9293 3.5, figure 7: SYN meets SYN."""
    one, peer = fetch_on_wire(start, "10.9.0.1")
    syn = peer.receive(syn_of)
    conn = peers.Conn(peer, port=syn[TCP].sport, isn=5000, sport=80)
    conn.send("S", ack=0)
    reply = peer.receive(lambda frame: conn.mine(frame) and
                         "A" in frame[TCP].flags)[TCP]
    assert reply.flags == "SA" and reply.ack == 5001
    assert reply.seq == syn[TCP].seq
    conn.rcv_nxt = (reply.seq + 1) % WORD
    conn.send("SA", seq=5000)  # crosses theirs; both are out of window,
    conn.snd_nxt = 5001
    conn.send("A")  # and answered with an ACK, which opens it
    while b"\r\n\r\n" not in conn.rest:
        conn.read_segment()
    conn.send("PA", b"HTTP/1.0 200 OK\r\n\r\nboth at once\n")
    conn.send("FA")
    assert one.wait_exit() == 0
    assert "both at once" in one.console


def test_the_server_is_told_that_it_is_over(start):
    """FIN, in order, before the machine is off: no server is left waiting."""
    one, peer = fetch_on_wire(start, "10.9.0.1")
    syn = peer.receive(syn_of)
    conn = peers.Conn(peer, port=syn[TCP].sport, isn=5000, sport=80)
    conn.rcv_nxt = (syn[TCP].seq + 1) % WORD
    conn.send("SA")
    while b"\r\n\r\n" not in conn.rest:
        conn.read_segment()
    conn.send("FPA", b"HTTP/1.0 200 OK\r\n\r\nbye\n")
    while not conn.fin_seen:
        conn.read_segment()
    assert one.wait_exit() == 0


def test_a_reset_in_the_answer_is_said(start):
    one, peer = fetch_on_wire(start, "10.9.0.1")
    syn = peer.receive(syn_of)
    conn = peers.Conn(peer, port=syn[TCP].sport, isn=5000, sport=80)
    conn.rcv_nxt = (syn[TCP].seq + 1) % WORD
    conn.send("SA")
    while b"\r\n\r\n" not in conn.rest:
        conn.read_segment()
    conn.send("PA", b"HTTP/1.0 200 OK\r\n\r\nhalf of it\n")
    peer.replies()
    conn.send("RA")
    assert one.wait_exit() == 1
    assert "half of it" in one.console and "reset" in one.console


def test_a_segment_with_our_address_as_source_opens_nothing(start):
    """I11: what comes from a device cannot come from ourselves."""
    one, peer = fetch_on_wire(start, "10.9.0.1")
    syn = peer.receive(syn_of)
    forged = answer(syn, "SA")
    forged[IP].src = peers.GUEST
    peer.send(forged)
    peer.send(answer(syn, "RA"))
    assert one.wait_exit() == 1
