"""http_hello over QEMU's user network: what a browser, curl and a proxy do,
and what none of them should."""
import concurrent.futures
import http.client
import subprocess
import threading

import pytest

import guest as guests
import web


@pytest.fixture(scope="module")
def server(start_shared):
    return start_shared("http_hello", net=guests.UserNet(80)).ready()


@pytest.fixture
def browser(server):
    with web.browse(server.port(80)) as one:
        yield one


def raw(server, request):
    """One request on a connection of its own; the answer, and whether the
    server closed after it."""
    with web.browse(server.port(80)) as one:
        one.send(request)
        one.link.shutdown(1)
        answer = one.answer()
        return answer, one.at_end()


def test_the_page_is_html_and_alive(browser):
    answer = browser.get("/")
    assert answer.status == 200
    assert answer.fields["content-type"].startswith("text/html")
    assert b"Runnel" in answer.body and b"</html>" in answer.body


def test_healthz_answers(browser):
    assert browser.get("/healthz").status == 200


def test_curl_is_served(server):
    run = subprocess.run(
        ["curl", "-sS", "--fail", "--max-time", str(guests.PATIENCE_S),
         f"http://127.0.0.1:{server.port(80)}/"],
        capture_output=True, check=False)
    assert run.returncode == 0, run.stderr
    assert b"Runnel" in run.stdout


def test_a_connection_serves_many_requests(server):
    link = http.client.HTTPConnection("127.0.0.1", server.port(80),
                                      timeout=guests.PATIENCE_S)
    link.connect()
    first = link.sock
    for _ in range(100):
        link.request("GET", "/")
        answer = link.getresponse()
        assert answer.status == 200 and answer.read()
    assert link.sock is first, "it was one connection all along"
    link.close()


def test_pipelined_requests_are_answered_in_order(browser):
    targets = ["/", "/healthz", "/nowhere"] * 30
    browser.send("".join(f"GET {target} HTTP/1.1\r\nHost: g\r\n\r\n"
                         for target in targets).encode())
    wanted = [404 if target == "/nowhere" else 200 for target in targets]
    assert [browser.answer().status for _ in targets] == wanted


def test_a_request_in_single_bytes_is_understood(browser):
    browser.link.setsockopt(6, 1, 1)  # TCP_NODELAY
    for byte in b"GET /healthz HTTP/1.1\r\nHost: guest\r\n\r\n":
        browser.send(bytes([byte]))
    assert browser.answer().status == 200


def test_head_is_get_without_the_body(browser):
    whole = browser.get("/healthz")
    browser.send(b"HEAD /healthz HTTP/1.1\r\nHost: guest\r\n\r\n")
    head = browser.answer(body_expected=False)
    assert head.status == 200
    assert head.fields["content-length"] == whole.fields["content-length"]
    assert browser.get("/healthz").status == 200, "no body was in between"


def test_connection_close_closes(browser):
    answer = browser.get("/", more="Connection: close\r\n")
    assert answer.status == 200
    assert answer.fields["connection"].lower() == "close"
    assert browser.at_end()


def test_http_1_0_closes_unless_asked(browser):
    assert browser.get("/", "HTTP/1.0").status == 200
    assert browser.at_end()


def test_http_1_0_is_kept_alive_when_asked(browser):
    more = "Connection: keep-alive\r\n"
    answer = browser.get("/", "HTTP/1.0", more)
    assert answer.fields["connection"].lower() == "keep-alive"
    assert browser.get("/", "HTTP/1.0", more).status == 200


def test_a_half_closed_client_still_gets_its_answer(server):
    answer, closed = raw(server, b"GET / HTTP/1.1\r\nHost: guest\r\n\r\n")
    assert answer.status == 200 and closed


HOST = b"Host: guest\r\n"
REFUSED = {
    "no such page": (b"GET /nowhere HTTP/1.1\r\n" + HOST + b"\r\n", {404}),
    "method not for it": (
        b"DELETE / HTTP/1.1\r\n" + HOST + b"\r\n", {405}),
    "not HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
                 {400, 501}),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", {400}),
    "two hosts": (b"GET / HTTP/1.1\r\n" + HOST * 2 + b"\r\n", {400}),
    "length and coding": (
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
    "bad length": (b"POST / HTTP/1.1\r\n" + HOST +
                   b"Content-Length: 0x10\r\n\r\n", {400}),
    "space before colon": (
        b"GET / HTTP/1.1\r\nHost : guest\r\n\r\n", {400}),
    "header without colon": (
        b"GET / HTTP/1.1\r\n" + HOST + b"nonsense\r\n\r\n", {400}),
    "target too long": (
        b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", {414}),
    "fields too long": (
        b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 9000 + b"\r\n\r\n",
        {431}),
    "too many fields": (
        b"GET / HTTP/1.1\r\n" + HOST + b"X: 1\r\n" * 100 + b"\r\n", {431}),
    "body too long": (b"POST / HTTP/1.1\r\n" + HOST +
                      b"Content-Length: 99999999\r\n\r\n", {413}),
    "version unknown": (b"GET / HTTP/9.9\r\n" + HOST + b"\r\n", {400, 505}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_gets_its_status(server, name):
    request, statuses = REFUSED[name]
    answer, closed = raw(server, request)
    assert answer.status in statuses
    assert closed
    with web.browse(server.port(80)) as browser:
        assert browser.get("/healthz").status == 200


def test_405_says_what_is_allowed(server):
    answer, _ = raw(server, REFUSED["method not for it"][0])
    assert "GET" in answer.fields["allow"]


def test_slow_headers_end_with_408(browser):
    browser.send(b"GET / HTTP/1.1\r\nHost: gu")
    answer = browser.answer()
    assert answer.status == 408
    assert browser.at_end()


def test_many_clients_at_once_are_all_served(server):
    """They come one by one: QEMU's user network listens with a backlog of one,
    and of those beyond it Linux forgets some when QEMU is slow to accept."""
    door = threading.Lock()

    def client(number):
        with door:
            browser = web.browse(server.port(80))
            assert browser.get("/").status == 200
        with browser:
            for _ in range(4):
                assert browser.get("/").status == 200
            return number

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        assert list(pool.map(client, range(100))) == list(range(100))


def test_the_power_button_ends_it_with_status_0(start):
    one = start("http_hello", net=guests.UserNet(80)).ready()
    with web.browse(one.port(80)) as browser:
        assert browser.get("/").status == 200
        one.power_button()
        assert one.wait_exit() == 0
