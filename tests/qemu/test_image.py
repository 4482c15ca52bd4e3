"""The image: how small it is, how little it needs, what it refuses."""
import importlib
import subprocess
import sys

import pytest

import guest as guests
import web

STRIPPED_BYTES_MAX = 250_000


def test_the_stripped_image_is_small(tmp_path):
    out = tmp_path / "stripped"
    subprocess.run(["strip", "-o", out, guests.BUILD / "http_hello.elf"],
                   check=True)
    assert out.stat().st_size <= STRIPPED_BYTES_MAX


def test_a_panic_can_name_every_function_and_no_place_of_the_linkers():
    sys.path.insert(0, str(guests.ROOT / "scripts"))
    symbols = importlib.import_module("symbols")
    names = {name for _, name in
             symbols.functions(guests.BUILD / "http_hello.elf")}
    assert {"boot_start", "tcp_conn_end", "program"} <= names
    assert not names & {"text_start", "text_end", "image_start"}


def test_16_mb_are_enough_to_serve(start):
    one = start("http_hello", net=guests.UserNet(80), memory=16).ready()
    for _ in range(20):
        with web.browse(one.port(80)) as browser:
            assert browser.get("/").status == 200


@pytest.mark.parametrize("machine", ["pc", "q35"])
@pytest.mark.parametrize("cpu", ["qemu64", "Nehalem", "max"])
def test_it_serves_on_every_machine_and_cpu(start, machine, cpu):
    one = start("http_hello", net=guests.UserNet(80), machine=machine,
                cpu=cpu).ready()
    with web.browse(one.port(80)) as browser:
        assert browser.get("/").status == 200


def test_without_any_source_of_randomness_it_warns_and_serves(start):
    one = start("http_hello", net=guests.UserNet(80), rng=False,
                cpu="qemu64").ready()
    assert any("warning random" in line for line in one.lines)
    with web.browse(one.port(80)) as browser:
        assert browser.get("/").status == 200


BAD_LINES = ["--nonsense", "--nonsense=1", "--ipv4=256.1.1.1/24",
             "--ipv4=10.0.2.15/33", "--ipv4=10.0.2.15",
             "--ipv4=10.0.2.15/24 --ipv4=10.0.2.15/24", "--logs=shouting"]


@pytest.mark.parametrize("line", BAD_LINES)
def test_a_bad_command_line_is_named_and_ends_with_64(start, line):
    one = start("http_hello", line, net_args=False)
    assert one.wait_exit() == 64
    assert any(line.split()[-1] in text or
               line.split("=")[0].lstrip("-") in text for text in one.lines)


def test_help_lists_the_keys_and_ends_with_0(start):
    one = start("http_hello", "--help", net_args=False)
    assert one.wait_exit() == 0
    assert "--ipv4=" in one.console and "--logs=" in one.console
    assert "http_hello serves one page" in one.console


def test_without_a_debug_exit_the_status_is_on_the_console(start):
    one = start("http_hello", "--nonsense", net_args=False, debug_exit=False)
    assert one.wait_exit() == 0
    assert "64" in one.console
