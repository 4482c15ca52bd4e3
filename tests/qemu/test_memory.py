"""Memory at its end: a program that takes all of it, and more connections
than it holds."""

import pytest
from scapy.layers.inet import ICMP, TCP, UDP
from scapy.packet import Raw

import guest as guests
import peer as peers
from peer import ip, ping

FLOOD = 1000  # frames: several times what the card's ring holds
SLACK_KIB = 32  # pages begun; without net_trim() it is some 90 less


@pytest.fixture(scope="module")
def image():
    return guests.build("hungry")


def echo(conn, data):
    """Send, and wait until all of it has come back."""
    conn.send("PA", data)
    while len(conn.rest) < len(data):
        conn.read_segment()
    back, conn.rest = conn.rest, b""
    return back == data


def flood(peer):
    """Return: how many echo requests were answered."""
    return sum(ICMP in frame and frame[ICMP].type == 0 and
               frame[ICMP].id == 5 for frame in
               peer.replies(*(ping(ident=5, data=b"x" * 1000)
                              for _ in range(FLOOD))))


def eat(one, peer):
    """Return: the KiB that a program has been given at the end."""
    peer.send(ip(UDP(sport=9, dport=7) / Raw(b"eat")))
    return int(one.wait_for(r"taken: (\d+) KiB, errno ENOMEM$")[1])


@pytest.mark.parametrize("memory", [4, 16, 64])
def test_a_program_that_takes_all_memory_does_not_make_it_deaf(
        start, image, memory):
    one = start(image, net=guests.WireNet(), memory=memory).ready()
    peer = peers.Peer(one.net)
    conn = peers.Conn(peer, port=7)
    conn.open()
    assert echo(conn, b"before")
    assert eat(one, peer) > memory * 1024 // 4, "most of it was to be had"
    assert flood(peer) > 0
    for number in range(20):
        assert echo(conn, b"%d" % number + b"x" * 1000)
    assert any(TCP in frame and "R" in frame[TCP].flags for frame in
               peer.replies(ip(TCP(sport=8, dport=81, flags="S"))))
    one.power_button()
    assert one.wait_exit() == 0


def test_what_a_burst_leaves_behind_is_there_for_the_program(start, image):
    taken = []
    for burst in False, True:
        one = start(image, net=guests.WireNet(), memory=64).ready()
        peer = peers.Peer(one.net)
        if burst:
            assert flood(peer) > FLOOD // 2
        taken.append(eat(one, peer))
        one.power_button()
        assert one.wait_exit() == 0
    assert taken[1] >= taken[0] - SLACK_KIB


def test_connections_beyond_the_limit_wait_until_one_ends(start):
    one = start("http_hello", "--tcp-conns=8", net=guests.WireNet()).ready()
    one.wait_for(r"8 connections at most \(command line\)")
    peer = peers.Peer(one.net)
    held = [peers.Conn(peer) for _ in range(8)]
    for conn in held:
        conn.open()
        assert conn.get() == b"ok\n"
    extra = peers.Conn(peer)
    assert not any(reply.payload for reply in extra.replies(
        extra.segment("S"))), "no more than an answer that costs nothing"
    assert held[0].get() == b"ok\n"
    held.pop().abort()
    assert peer.get() == b"ok\n"


@pytest.mark.parametrize("value,right", [
    ("0", "1 to "), ("1000000000", "1000000000: there is memory for ")])
def test_a_limit_that_cannot_be_is_refused(start, value, right):
    one = start("http_hello", f"--tcp-conns={value}", net=guests.WireNet())
    assert one.wait_exit() == 64
    assert "--tcp-conns" in one.console and right in one.console


def test_with_little_memory_there_are_few_connections(start):
    one = start("http_hello", net=guests.WireNet(), memory=4).ready()
    few = int(one.wait_for(r"(\d+) connections at most \(default\)")[1])
    assert 64 <= few < 2000
    assert peers.Peer(one.net).status()["net_conns_max"] == few
