"""libc on the machine: apps/libc makes its claims, and ends in each way."""
import pytest

import guest as guests

POWER_STATUS_PANIC = 125


@pytest.fixture(scope="module")
def image():
    return guests.build("libc")


def test_every_claim_about_libc_holds(start, image):
    one = start(image, memory=32)
    one.wait_for("all claims made")
    assert one.wait_exit() == 0
    assert "BROKEN" not in one.console
    assert one.console.count("holds: ") == 33


def test_exit_runs_handlers_flushes_and_keeps_the_status(start, image):
    one = start(image, "exit")
    assert one.wait_exit() == 7
    assert one.console.endswith("goodbye, without a newline")


def test_the_value_of_main_is_the_status(start, image):
    one = start(image, "something-else")
    assert one.wait_exit() == 99


@pytest.mark.parametrize("how, status", [("high", 200), ("terminate", 143)])
def test_a_status_that_cannot_be_told_is_said(start, image, how, status):
    one = start(image, how)
    assert one.wait_exit() == 127
    assert f"exit status {status}: told as 127" in one.console


def test_a_status_has_eight_bits(start, image):
    assert start(image, "over").wait_exit() == 5


@pytest.mark.parametrize("how,what,function", [
    ("abort", "abort", "main"),
    ("canary", "canary", "overflow"),  # its caller's address is gone
    ("free-twice", "freed twice", "main"),
])
def test_a_bug_panics_and_names_the_function(start, image, how, what,
                                             function):
    one = start(image, how)
    assert one.wait_exit() == POWER_STATUS_PANIC
    assert what in one.console
    assert f" {function}" in one.console
