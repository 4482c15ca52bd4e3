#!/usr/bin/python3
"""make microbench: instructions of small pieces of the host build, exactly.

    micro.py PROGRAM            print them
    micro.py PROGRAM --compare  hold them against micro.baseline; ends with 1
                                when one has got worse by more than TOLERANCE,
                                or is not in it
    micro.py PROGRAM --accept   make them the baseline

Callgrind counts every instruction, so that two runs of one build agree to the
last one; another compiler makes other code, and wants its own baseline.
"""
import pathlib
import re
import subprocess
import sys

BASELINE = pathlib.Path(__file__).with_name("micro.baseline")
COUNT = 2000
TOLERANCE = 0.03
WIDTH = 20

# What is counted of each: the functions named, or all that the piece does.
PIECES = {
    "segment-in": ("net_input_packet", "tcp_recv_view", "net_flush"),
    "segment-out": ("tcp_send", "net_flush"),
    "connection": ("net_input_packet", "net_flush", "tcp_accept",
                   "tcp_recv_view", "tcp_send", "tcp_shutdown", "tcp_release"),
    "lookup": (), "timer": (), "checksum-1460": (),
    "checksum-copy-1460": (), "buffer": (), "thread-switch": (),
    "thread-life": (), "http-parse": (), "http-parse-again": (),
}


def collected(program, name, count):
    run = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
         *(f"--toggle-collect={function}" for function in PIECES[name]),
         program, name, str(count)], capture_output=True, text=True,
        check=False)
    assert run.returncode == 0, run.stderr
    return int(re.search(r"Collected : (\d+)", run.stderr)[1])


def measure(program):
    """{piece: instructions each time}."""
    return {name: (collected(program, name, 2 * COUNT) -
                   collected(program, name, COUNT)) / COUNT
            for name in PIECES}


def read_baseline():
    lines = (line.split() for line in BASELINE.read_text().splitlines()
             if line and not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def compiler():
    run = subprocess.run(["gcc", "--version"], capture_output=True, text=True,
                         check=True)
    return run.stdout.splitlines()[0]


def accept(found):
    BASELINE.write_text(
        f"# Instructions each time, by callgrind; {compiler()}, -O2.\n"
        "# Written by make microbench ACCEPT=1.\n" +
        "".join(f"{name:{WIDTH}}{value:10.1f}\n" for name, value in found.items()))


def compare(found):
    """Print both; returns the pieces that have got worse, or are new."""
    before, worse = read_baseline(), []
    print(f"{'':{WIDTH}}{'baseline':>10}{'now':>10}")
    for name, value in found.items():
        old = before.get(name, 0.0)
        change = value / old - 1 if old else float("inf")
        print(f"{name:{WIDTH}}{old:10.1f}{value:10.1f}{100 * change:+8.1f} %"
              f"{'  WORSE' if change > TOLERANCE else ''}")
        if change > TOLERANCE:
            worse.append(name)
    return worse


def main(program, *options):
    found = measure(program)
    if "--accept" in options:
        accept(found)
    if "--compare" in options:
        worse = compare(found)
        if worse:
            sys.exit(f"more than {100 * TOLERANCE:.0f} % above "
                     f"{BASELINE.name}: {', '.join(worse)}")
        return
    for name, value in found.items():
        print(f"{name:{WIDTH}}{value:10.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
