"""Clients that break off, stall, dawdle or go silent: nothing hangs, and
nothing leaks."""
import socket
import time

import pytest

import guest as guests
import memory
import netns
import stream
import web

MIB = 1 << 20


@pytest.fixture
def http(start, namespace):
    return start("http_hello",
                 net=guests.TapNet(namespace, netns.TAP)).ready()


@pytest.fixture
def echo(start, namespace):
    """With so little memory that a leak would end it."""
    return start("echo", net=guests.TapNet(namespace, netns.TAP),
                 memory=32).ready()


def dial(namespace, port):
    link = namespace.connect(port, guests.PATIENCE_S)
    link.settimeout(guests.PATIENCE_S)
    return link


def fill(link):
    """Send until nothing moves any more; how much was sent."""
    link.settimeout(1)
    sent = 0
    try:
        while True:
            sent += link.send(stream.piece(sent, stream.CHUNK))
    except TimeoutError:
        link.settimeout(guests.PATIENCE_S)
        return sent


def echoes(namespace):
    stream.echo(dial(namespace, 7), 100000)


def test_killed_in_mid_transfer(echo, namespace):
    """200 times, each with full windows both ways at some moment: far more
    than the guest's memory, were it not given back."""
    for number in range(200):
        link = dial(namespace, 7)
        link.settimeout(0.05)
        sent = 0
        try:
            while sent < 4 * MIB:
                sent += link.send(stream.piece(sent, stream.CHUNK))
        except TimeoutError:
            pass
        if number % 2:
            stream.reset(link)
        else:
            link.close()  # unread data: Linux sends RST by itself
    echoes(namespace)


def test_reading_stops_and_goes_on(echo, namespace, soak):
    link = dial(namespace, 7)
    sent = fill(link)
    until = time.monotonic() + (60 if soak else 5)
    while time.monotonic() < until:
        echoes(namespace)
    link.shutdown(socket.SHUT_WR)
    stream.receive(link, sent)
    link.close()


def test_half_closed_and_read_on(echo, namespace):
    links = []
    for _ in range(20):
        link = dial(namespace, 7)
        stream.send(link, 30000)
        links.append(link)
    for link in links:
        stream.receive(link, 30000)
        link.close()


def test_one_byte_a_second(echo, namespace, soak):
    link = dial(namespace, 7)
    for number in range(60 if soak else 5):
        link.sendall(stream.piece(number, 1))
        assert link.recv(10) == stream.piece(number, 1)
        time.sleep(1)
    link.close()


def test_a_header_of_one_byte_a_second_ends_with_408(http, namespace):
    with web.Browser(dial(namespace, 80)) as browser:
        browser.link.setblocking(False)
        for byte in b"GET / HTTP/1.1\r\nX: " + b"a" * 60:
            try:
                browser.link.send(bytes([byte]))
            except (BrokenPipeError, ConnectionResetError):
                break
            time.sleep(1)
            try:
                browser.rest += browser.link.recv(1000)
            except BlockingIOError:
                continue
            except ConnectionResetError:
                break
            if browser.rest:
                break
        browser.link.settimeout(guests.PATIENCE_S)
        assert browser.answer().status == 408


def test_a_client_that_takes_no_answer_holds_up_nobody(http, namespace):
    """Pipelined requests, and nothing is read: the guest's write deadline
    ends it."""
    before = memory.read(namespace)
    link = dial(namespace, 80)
    request = b"GET / HTTP/1.1\r\nHost: guest\r\n\r\n" * 100
    link.settimeout(1)
    try:
        while True:
            link.send(request)
    except (TimeoutError, ConnectionResetError, BrokenPipeError):
        pass
    with web.Browser(dial(namespace, 80)) as browser:
        assert browser.get("/healthz").status == 200
    memory.assert_nothing_left(namespace, before)  # the client still waits
    link.close()


def test_nothing_is_left_of_clients_that_break_off(http, namespace):
    def abuse():
        for number in range(100):
            link = dial(namespace, 80)
            link.sendall([b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: g\r\n",
                          b"GET / HTTP/1.1\r\nHost: g\r\n\r\n",
                          b"POST / HTTP/1.1\r\nHost: g\r\n"
                          b"Content-Length: 9\r\n\r\nabc"][number % 5])
            if number % 3:
                stream.reset(link)
            else:
                link.close()

    abuse()
    before = memory.read(namespace)
    abuse()
    memory.assert_nothing_left(namespace, before)
