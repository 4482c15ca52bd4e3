"""Looking for packets before the CPU sleeps: --poll."""
import time

import guest as guests
import web


def polls(one):
    status = web.status(lambda: web.browse(one.port(80)))
    return status["net_polls"], status["net_poll_hits"]


def ask(one, times):
    with web.browse(one.port(80)) as browser:
        for _ in range(times):
            assert browser.get("/healthz").status == 200


def test_it_finds_what_comes_soon_and_stops_when_nothing_does(start):
    one = start("http_hello", "--poll=1000", net=guests.UserNet(80)).ready()
    for _ in range(guests.PATIENCE_S):
        ask(one, 500)
        hits = polls(one)[1]
        if hits > 0:
            break
    assert hits > 0
    before = polls(one)[0]
    time.sleep(3)
    # The two questions themselves are packets, some of them soon.
    assert polls(one)[0] - before < 30


def test_off_it_never_looks(start):
    one = start("http_hello", "--poll=0", net=guests.UserNet(80)).ready()
    ask(one, 100)
    assert polls(one) == (0, 0)
    assert ("looks for packets 0 us before it sleeps (command line)"
            in one.console)


def test_by_default_it_looks(start):
    one = start("http_hello", net=guests.UserNet(80)).ready()
    assert "looks for packets 200 us before it sleeps (default)" in one.console
