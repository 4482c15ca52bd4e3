"""Names: fetch and ping against unbound with a zone of the test's."""
import http.server
import threading

import pytest

import guest as guests
import netns
import server as servers

HOST = netns.HOST_ADDRESS
DEAD = "10.8.0.77"


def long_name(letter):
    """230 bytes that share nothing with another letter's but the zone."""
    return ".".join([letter * 56] * 4)


CHAIN = [long_name(letter) for letter in "abcdefg"]

ZONE = "\n".join([
    f"www A {HOST}",
    "alias CNAME www",
    f"long CNAME {CHAIN[0]}",
    *(f"{one} CNAME {two}" for one, two in zip(CHAIN, CHAIN[1:])),
    f"{CHAIN[-1]} CNAME www",
    "ring CNAME gnir",
    "gnir CNAME ring",
    "text TXT word",
    # Nobody is at the first address; it is asked for first or second.
    f"two A {DEAD}",
    f"two A {HOST}",
]) + "\n"


class Handler(http.server.BaseHTTPRequestHandler):
    hosts = []

    def do_GET(self):  # pylint: disable=invalid-name
        self.hosts.append(self.headers["Host"])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"found by name\n")

    def log_message(self, *_args):  # pylint: disable=arguments-differ
        pass


@pytest.fixture(scope="module")
def page(namespace):
    """A web server in the namespace, on port 80."""
    one = namespace.call(
        lambda: http.server.ThreadingHTTPServer((HOST, 80), Handler))
    thread = threading.Thread(target=one.serve_forever)
    thread.start()
    yield Handler.hosts
    one.shutdown()
    thread.join()
    one.server_close()


@pytest.fixture
def unbound(namespace):
    started = []

    def start(**settings):
        started.append(servers.Unbound(namespace, HOST, ZONE, **settings))
        return started[-1]

    yield start
    for one in started:
        one.end()


def fetch(start, namespace, url, dns=HOST):
    return start("fetch", f"--dns-servers={dns} --connect-timeout=90 {url}",
                 net=guests.TapNet(namespace, netns.TAP))


@pytest.mark.parametrize("name", ["www.test", "alias.test", "two.test",
                                  "WWW.test."])
def test_a_page_is_fetched_by_name(start, namespace, page, unbound, name):
    unbound()
    one = fetch(start, namespace, f"http://{name}/")
    assert one.wait_exit() == 0
    assert "found by name" in one.console
    assert page[-1] == name


def test_an_answer_too_long_for_a_datagram_comes_by_tcp(
        start, namespace, page, unbound):
    """Eight aliases, 2 KB; and without TCP there is no answer."""
    unbound()
    one = fetch(start, namespace, "http://long.test/")
    assert one.wait_exit() == 0
    assert page[-1] == "long.test"


def test_without_tcp_the_long_answer_does_not_come(start, namespace, page,
                                                   unbound):
    page.clear()
    unbound(tcp=False)
    one = fetch(start, namespace, "http://long.test/")
    assert one.wait_exit() == 1
    assert "no name server answers" in one.console
    assert not page


@pytest.mark.parametrize("name, why", [
    ("nowhere.test", "no such name"),
    ("text.test", "the name has no address"),
    ("ring.test", "cannot tell")])
def test_what_cannot_be_found_is_said(start, namespace, unbound, name, why):
    unbound()
    one = fetch(start, namespace, f"http://{name}/")
    assert one.wait_exit() == 1
    assert why in one.console


def test_a_dead_server_leads_to_the_next(start, namespace, page, unbound):
    unbound()
    one = fetch(start, namespace, "http://www.test/", dns=f"{DEAD},{HOST}")
    assert one.wait_exit() == 0
    assert page[-1] == "www.test"


def test_no_server_that_answers_is_said(start, namespace):
    one = fetch(start, namespace, "http://www.test/", dns=HOST)
    assert one.wait_exit() == 1
    assert "no name server answers" in one.console


def test_ping_by_name(start, namespace, unbound):
    unbound()
    one = start("ping", f"--dns-servers={HOST} --count=2 --bytes=3000 www.test",
                net=guests.TapNet(namespace, netns.TAP))
    assert one.wait_exit() == 0
    assert f"3000 bytes from {HOST}: seq=2" in one.console
    assert "2 sent, 2 received" in one.console


def test_ping_without_an_answer_ends_with_1(start, namespace):
    one = start("ping", f"--count=2 {DEAD}",
                net=guests.TapNet(namespace, netns.TAP))
    assert one.wait_exit() == 1
    assert "2 sent, 0 received" in one.console
