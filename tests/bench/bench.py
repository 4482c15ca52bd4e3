#!/usr/bin/python3
"""make bench: what the image costs, counted where counting is possible.

Guest instructions, kicks and interrupts are counted by a plugin of QEMU and
hardly depend on the machine; what a clock measures is given as a ratio to
something that ran on the same machine a moment before. All guests run under
TCG. Needs root for the network; QUICK=1 for a look.

Writes build/bench/<date>.txt, and the same to the console.
"""
import datetime
import mmap
import os
import pathlib
import platform
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/qemu"))

import guest as guests  # noqa: E402
import netns  # noqa: E402
import stream  # noqa: E402
import web  # noqa: E402

QUICK = bool(os.environ.get("QUICK"))
OUT = guests.BUILD / "bench"
WATCHED = ("pci_notify", "interrupt_dispatch")  # kicks, interrupts
HOUR_S = 3600


class Report:
    """Lines for people, each on the console and in the file."""

    def __init__(self, path):
        self.file = open(path, "w", encoding="utf-8")

    def __call__(self, line=""):
        print(line, flush=True)
        self.file.write(line + "\n")
        self.file.flush()


def facts():
    """What the figures were measured on."""
    def first(*command):
        run = subprocess.run(command, cwd=ROOT, capture_output=True,
                             text=True, check=False)
        return run.stdout.splitlines()[0] if run.stdout else "unknown"

    cpu = re.search(r"model name\s*: (.*)",
                    pathlib.Path("/proc/cpuinfo").read_text())
    load = pathlib.Path("/proc/loadavg").read_text().split()[0]
    yield f"commit   {first('git', 'describe', '--always', '--dirty')}"
    yield f"cpu      {cpu[1] if cpu else 'unknown'}, {os.cpu_count()} of them"
    yield f"host     {platform.system()} {platform.release()}, load {load}"
    yield f"qemu     {first('qemu-system-x86_64', '--version')}, TCG"
    yield f"compiler {first('gcc', '--version')}"


# ---- counting inside QEMU ---------------------------------------------------

def build(name, command):
    """Make a small binary in build/bench; returns its path."""
    out = OUT / name
    subprocess.run([*command, "-o", str(out)], cwd=ROOT, check=True)
    return out


def plugin():
    return build("insn_plugin.so", ["gcc", "-O2", "-fPIC", "-shared",
                                    "tests/bench/insn_plugin.c"])


def symbols(image):
    table = subprocess.run(["nm", image], capture_output=True, text=True,
                           check=True).stdout
    return {line.split()[2]: int(line.split()[0], 16)
            for line in table.splitlines() if len(line.split()) == 3}


class Counted:
    """A guest whose instructions, kicks and interrupts are counted."""

    def __init__(self, app, **options):
        image = guests.BUILD / f"{app}.elf"
        known = symbols(image)
        self.path = tempfile.mktemp(prefix="runnel-counters-")
        watch = "".join(f",watch={known[name]:#x}" for name in WATCHED)
        self.guest = guests.Guest(app, extra=[
            "-plugin", f"{plugin()},counters={self.path}"
            f",low={known['image_start']:#x},high={known['image_end']:#x}"
            f"{watch}"], **options).ready()
        with open(self.path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)

    def read(self):
        return struct.unpack_from(f"<{1 + len(WATCHED)}Q", self.map)

    def end(self):
        self.guest.kill()
        self.map.close()
        os.unlink(self.path)


def per(before, after, count):
    return [(end - start) / count for start, end in zip(before, after)]


# ---- the measurements -------------------------------------------------------

def seconds_until(start, done):
    began = time.monotonic()
    one = start()
    try:
        done(one)
        return time.monotonic() - began
    finally:
        one.kill()


def boot(report):
    """From the first instruction to `runnel: ready`; and QEMU itself, with an
    image that ends at once, for comparison."""
    rounds = 3 if QUICK else 9
    counts = []
    for _ in range(rounds):
        one = Counted("http_hello", net=guests.UserNet(80))
        counts.append(one.read()[0])
        one.end()
    stub = build("stub", ["gcc", "-m32", "-nostdlib", "-static", "-no-pie",
                          "-Wl,-Ttext=0x100000", "-Wl,--build-id=none",
                          "-Wl,-z,noexecstack", "scripts/kvm_probe.S"])
    empty = statistics.median(seconds_until(
        lambda: guests.Guest(str(stub)), lambda one: one.wait_exit())
        for _ in range(rounds))
    ready = statistics.median(seconds_until(
        lambda: guests.Guest("http_hello", net=guests.UserNet(80)),
        lambda one: one.ready()) for _ in range(rounds))
    report("boot, from the entry to `runnel: ready`")
    report(f"  guest instructions        {statistics.median(counts):12,.0f}")
    report(f"  time, QEMU's own start    {empty * 1e3:12.0f} ms")
    report(f"  time, with Runnel         {ready * 1e3:12.0f} ms, "
           f"{ready / empty:.2f} times")


def image(report):
    out = OUT / "stripped"
    subprocess.run(["strip", "-o", out, guests.BUILD / "http_hello.elf"],
                   check=True)
    report("image")
    report(f"  http_hello, stripped      {out.stat().st_size:12,d} bytes")


def requests_cost(report, namespace):
    """One client, one request at a time: nothing is shared between them."""
    count = 500 if QUICK else 5000
    one = Counted("http_hello", net=guests.TapNet(namespace, netns.TAP))
    with web.Browser(namespace.connect(80, guests.PATIENCE_S)) as browser:
        for target in ("/healthz", "/"):
            browser.get(target)
            before = one.read()
            for _ in range(count):
                assert browser.get(target).status == 200
            cost = per(before, one.read(), count)
            report(f"a keep-alive request, alone: GET {target}")
            report(f"  guest instructions        {cost[0]:12,.0f}")
            report(f"  kicks                     {cost[1]:12.2f}")
            report(f"  interrupts                {cost[2]:12.2f}")
    one.end()


def wrk(namespace, connections, seconds, *more):
    run = namespace.run("wrk", f"-t{min(2, connections)}",
                        f"-c{connections}", f"-d{seconds}s", *more,
                        f"http://{netns.GUEST_ADDRESS}/healthz",
                        timeout_s=HOUR_S)
    assert run.returncode == 0 and "Socket errors" not in run.stdout and \
        "Non-2xx" not in run.stdout, run.stdout
    rate = float(re.search(r"Requests/sec: +([\d.]+)", run.stdout)[1])
    total = int(re.search(r"(\d+) requests in", run.stdout)[1])
    return rate, total


def load(report, namespace):
    seconds = 3 if QUICK else 10
    close = ("-H", "Connection: close")
    loads = [("1 connection", 1, ()), ("64 connections", 64, ()),
             ("64, each for one request", 64, close)]
    one = Counted("http_hello", net=guests.TapNet(namespace, netns.TAP))
    costs = []
    for _, connections, more in loads:
        before = one.read()
        _, total = wrk(namespace, connections, seconds, *more)
        costs.append(per(before, one.read(), total))
    one.end()
    bare = guests.Guest("http_hello",
                        net=guests.TapNet(namespace, netns.TAP)).ready()
    rates = [wrk(namespace, connections, seconds, *more)[0]
             for _, connections, more in loads]
    bare.kill()
    report(f"wrk -d{seconds}s, GET /healthz")
    report("                              requests/s  times the first  "
           "instructions  kicks  interrupts")
    for (name, _, _), rate, cost in zip(loads, rates, costs):
        report(f"  {name:26}{rate:12,.0f}{rate / rates[0]:17.2f}"
               f"{cost[0]:14,.0f}{cost[1]:7.2f}{cost[2]:12.2f}")


def echo(report, namespace):
    total = (32 if QUICK else 256) << 20
    one = Counted("echo", net=guests.TapNet(namespace, netns.TAP))
    before = one.read()
    began = time.monotonic()
    stream.echo(namespace.connect(7, guests.PATIENCE_S), total)
    took = time.monotonic() - began
    cost = per(before, one.read(), total / 1024)
    one.end()
    report(f"echo, {total >> 20} MiB up and down, checked, counters on")
    report(f"  MiB/s, each way           {total / took / (1 << 20):12.1f}")
    report(f"  instructions per KiB      {cost[0]:12,.0f}")
    report(f"  kicks per KiB             {cost[1]:12.3f}")
    report(f"  interrupts per KiB        {cost[2]:12.3f}")


def idle(report):
    """Guests that nobody asks for anything."""
    count, seconds = (8, 10) if QUICK else (60, 30)
    running = [guests.Guest("http_hello", net=guests.UserNet())
               for _ in range(count)]
    try:
        for one in running:
            one.ready()
        time.sleep(5)  # what follows the start
        before = sum(one.cpu_seconds() for one in running)
        time.sleep(seconds)
        used = sum(one.cpu_seconds() for one in running) - before
    finally:
        for one in running:
            one.kill()
    report(f"{count} idle guests for {seconds} s")
    report(f"  of one CPU, all together  {100 * used / seconds:12.2f} %")
    report(f"  of one CPU, each          {100 * used / seconds / count:12.3f} %")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now().strftime("%Y-%m-%dT%H%M%S")
    report = Report(OUT / f"{now}.txt")
    for line in facts():
        report(line)
    report()
    image(report)
    boot(report)
    if os.geteuid() == 0:
        namespace = netns.Namespace()
        try:
            requests_cost(report, namespace)
            load(report, namespace)
            echo(report, namespace)
        finally:
            namespace.remove()
    else:
        report("not root: without a namespace nothing over TAP is measured")
    idle(report)
    print(f"written to {report.file.name}")


if __name__ == "__main__":
    main()
