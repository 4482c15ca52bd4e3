"""Load over TAP, from Linux's own TCP: no error, and nothing left behind."""
import concurrent.futures
import os
import pathlib
import re
import sys

import pytest

import guest as guests
import memory
import netns

HERE = pathlib.Path(__file__).parent
HOUR_S = 3600
URL = f"http://{netns.GUEST_ADDRESS}/"


def serve(start, namespace, megabytes=64):
    return start("http_hello", net=guests.TapNet(namespace, netns.TAP),
                 memory=megabytes).ready()


def wrk(namespace, seconds, connections=64):
    """One run of wrk without an error; its requests per second."""
    run = namespace.run("wrk", "-t2", f"-c{connections}", f"-d{seconds}s",
                        "--timeout", "60s", URL, timeout_s=HOUR_S)
    assert run.returncode == 0, run.stdout
    assert "Socket errors" not in run.stdout, run.stdout
    assert "Non-2xx" not in run.stdout, run.stdout
    rate = float(re.search(r"Requests/sec: +([\d.]+)", run.stdout)[1])
    assert rate > 0, run.stdout
    return rate


def apache_bench(namespace, requests):
    """-l: the page tells the time, so that its length may differ."""
    run = namespace.run("ab", "-l", "-q", "-s", "300", "-n", str(requests),
                        "-c", "50", URL, timeout_s=HOUR_S)
    assert run.returncode == 0, run.stdout
    assert re.search(rf"Complete requests: +{requests}\b", run.stdout)
    assert re.search(r"Failed requests: +0\b", run.stdout), run.stdout
    assert "Non-2xx" not in run.stdout, run.stdout


def hold(namespace, count):
    run = namespace.run(sys.executable, "-B", str(HERE / "holders.py"),
                        netns.GUEST_ADDRESS, "80", str(count), "seed",
                        timeout_s=HOUR_S)
    assert f"{count} held, {2 * count} answers" in run.stdout, run.stdout


def leaves_nothing(start, namespace, load, **bounds):
    """A load, after one that has taken what is kept for good."""
    serve(start, namespace)
    load()
    before = memory.read(namespace)
    load()
    memory.assert_nothing_left(namespace, before, **bounds)


def test_wrk_runs_without_an_error(start, namespace):
    leaves_nothing(start, namespace, lambda: wrk(namespace, 4))


def test_ab_without_keep_alive_fails_nowhere(start, namespace):
    """TIME-WAIT too is over at last; what is left are the questions."""
    leaves_nothing(start, namespace, lambda: apache_bench(namespace, 3000),
                   time_waits=20)


def test_10000_connections_are_held_and_answered_twice(start, namespace):
    serve(start, namespace, 128)
    before = memory.read(namespace)
    hold(namespace, 10000)
    memory.assert_nothing_left(namespace, before, at_once=256)


def test_linux_finds_the_guest_by_arp(start, namespace):
    serve(start, namespace)
    """Until the first answer: a question a second, as long as it takes."""
    run = namespace.run("arping", "-f", "-w", "100", "-I", netns.TAP,
                        netns.GUEST_ADDRESS, timeout_s=120)
    assert run.returncode == 0, run.stdout
    assert "52:54:00" in run.stdout, run.stdout


def test_linux_pings_with_every_size_while_pages_are_served(start, namespace):
    """65507 is the most; nothing else may wait for it."""
    serve(start, namespace)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        load = pool.submit(wrk, namespace, 4, 8)
        for size in (0, 56, 1472, 1473, 20000, 65507):
            run = namespace.run("ping", "-c", "3", "-i", "0.2", "-W", "30",
                                "-s", str(size), netns.GUEST_ADDRESS,
                                timeout_s=120)
            assert " 0% packet loss" in run.stdout, run.stdout
        load.result()


@pytest.mark.soak
def test_wrk_20_times_without_an_error_or_a_falling_trend(start, namespace):
    """The trend is that of requests per second of the guest's own CPU, so that
    other work on the machine does not count."""
    guest = serve(start, namespace)
    wrk(namespace, 30)
    before = memory.read(namespace)
    rates = []
    for _ in range(20):
        began = guest.cpu_seconds()
        requests = 30 * wrk(namespace, 30)
        rates.append(requests / (guest.cpu_seconds() - began))
    print([round(rate) for rate in rates])
    assert sum(rates[10:]) > 0.8 * sum(rates[:10]), rates
    memory.assert_nothing_left(namespace, before)


@pytest.mark.soak
def test_ab_100000_times_fails_nowhere(start, namespace):
    leaves_nothing(start, namespace, lambda: apache_bench(namespace, 100000),
                   time_waits=20)


def test_root_is_what_makes_these_tests_run():
    """Without root the others say that they are skipped."""
    assert os.geteuid() == 0 or os.environ.get("CI") is None
