"""The measurements: each fills rows of the table for the peers it is given.

A row has a name, a unit and for each peer the samples that were taken; what
is shown is their median. Whatever a clock measures is taken in turns, one
sample of each peer after the other, so that a busy moment hits them alike.
"""
import collections
import os
import re
import statistics
import time

import counted
import guest as guests
import loads
import netns
import report

QUICK = bool(os.environ.get("QUICK"))
MIB = 1 << 20


class Results:
    """rows[name] = (unit, {peer: [sample, ...]}); readings for profiles."""

    def __init__(self):
        self.rows = {}
        self.readings = {}

    def add(self, name, unit, peer, value):
        _, samples = self.rows.setdefault(
            name, (unit, collections.defaultdict(list)))
        samples[peer.name].append(value)

    def get(self, name, peer_name):
        """The median, or None when it was not measured."""
        samples = self.rows.get(name, ("", {}))[1].get(peer_name)
        return statistics.median(samples) if samples else None


class Place:
    """A namespace with a TAP device, and a guest in it that serves."""

    def __init__(self, peer, count=False, load="http", memory=None):
        self.namespace = netns.Namespace()
        self.counted = None
        net = guests.TapNet(self.namespace, netns.TAP)
        try:
            if count:
                self.counted = counted.Counted(
                    lambda extra: peer.start(net, memory=memory, extra=extra,
                                             load=load),
                    peer.functions if load == "http"
                    else peer.stream_functions)
                self.guest = self.counted.guest
            else:
                self.guest = peer.start(net, memory=memory, load=load)
            self.guest.wait_for(r"runnel: ready$")
        except BaseException:
            self.end()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.end()

    def end(self):
        if self.counted:
            self.counted.end()
        elif hasattr(self, "guest"):
            self.guest.kill()
        self.namespace.remove()


def image(results, peers):
    for peer in peers:
        results.add("image", "KB", peer, peer.image_bytes / 1000)


# ---- boot -------------------------------------------------------------------

def empty_guest_s():
    """From the start of QEMU's process to the end of a guest that does
    nothing but end; it has the same devices."""
    stub = counted.compiled("stub", [
        "gcc", "-m32", "-nostdlib", "-static", "-no-pie",
        "-Wl,-Ttext=0x100000", "-Wl,--build-id=none", "-Wl,-z,noexecstack",
        str(guests.ROOT / "tests/bench/stub.S")])
    began = time.monotonic()
    one = guests.Guest(str(stub))
    one.wait_exit()
    took = time.monotonic() - began
    one.kill()
    return took


def first_answer_s(peer):
    """From the start of QEMU's process to the first answer; the namespace is
    there before."""
    namespace = netns.Namespace()
    began = time.monotonic()
    one = peer.start(guests.TapNet(namespace, netns.TAP))
    try:
        one.wait_for(r"runnel: ready$")
        loads.one_by_one(namespace, 1)
        return time.monotonic() - began
    finally:
        one.kill()
        namespace.remove()


def boot(results, peers):
    for _ in range(2 if QUICK else 9):
        empty = empty_guest_s()
        for peer in peers:
            took = first_answer_s(peer)
            results.add("process start to first answer", "ms", peer,
                        took * 1e3)
            results.add("... less an empty guest's time", "ms", peer,
                        (took - empty) * 1e3)
    for peer in peers:
        with Place(peer, count=True) as place:
            results.add("boot to ready", "instructions", peer,
                        place.counted.read().instructions)


def serves_in(peer, megabytes):
    namespace = netns.Namespace()
    one = peer.start(guests.TapNet(namespace, netns.TAP), memory=megabytes)
    try:
        one.wait_for(r"runnel: ready$", 20 + 20 * (peer.name != "runnel"))
        loads.one_by_one(namespace, 20)
        return True
    except (guests.GuestError, OSError, AssertionError):
        return False
    finally:
        one.kill()
        namespace.remove()


def smallest_ram(results, peers):
    """Bisect; what it has elsewhere is known to be enough. In a hurry only
    ours: a Linux that lacks memory takes its time to say so."""
    for peer in peers[:1] if QUICK else peers:
        low, high = 1, peer.memory_mb  # too little, enough
        while high - low > 1:
            middle = (low + high) // 2
            if serves_in(peer, middle):
                high = middle
            else:
                low = middle
        results.add("smallest RAM", "MB", peer, high)


# ---- what a unit of work costs the guest ------------------------------------

def http_costs(seconds):
    def by_wrk(connections, *more):
        return lambda namespace: loads.wrk(namespace, connections, seconds,
                                           more)[1]

    return {
        "keep-alive request, 1 connection":
            lambda namespace: loads.one_by_one(namespace, 500 * seconds),
        "keep-alive request, 64 connections": by_wrk(64),
        "keep-alive request, 256 connections": by_wrk(256),
        "keep-alive request, 64, fields that never repeat":
            by_wrk(64, *loads.OTHER_FIELDS),
        "keep-alive request, 64, a browser's fields":
            by_wrk(64, *loads.BROWSER),
        "keep-alive request, 64, a browser's that never repeat":
            by_wrk(64, *loads.BROWSER, *loads.OTHER_FIELDS),
        "request with a new connection, 64": by_wrk(64, *loads.CLOSE),
    }


def stream_costs(seconds):
    return {
        "KiB sent in bulk":
            lambda namespace: loads.bulk_out(namespace, seconds * 64 * MIB),
        "KiB received in bulk":
            lambda namespace: loads.bulk_in(namespace, seconds * 64 * MIB),
        "UDP datagram echoed":
            lambda namespace: loads.udp_echo(namespace, seconds * 4000),
    }


def costs(results, peers):
    seconds = 1 if QUICK else 5
    for peer in peers:
        kinds = [("http", http_costs(seconds))]
        if peer.bulk:
            kinds.append(("stream", stream_costs(seconds)))
        for load, works in kinds:
            with Place(peer, count=True, load=load) as place:
                for name, work in works.items():
                    work(place.namespace)  # warm
                    reading = place.counted.measure(
                        lambda work=work: work(place.namespace))
                    results.readings[name, peer.name] = reading
                    results.add(name, "instructions", peer,
                                reading.instructions)
                    if reading.polling:
                        results.add(f"... {name}: polling, besides", "% more",
                                    peer, 100 * reading.polling /
                                    reading.instructions)
                    results.add(f"... {name}: kicks", "", peer, reading.kicks)
                    results.add(f"... {name}: interrupts", "", peer,
                                reading.interrupts)


# ---- rates ------------------------------------------------------------------

def http_rates(results, peer, namespace, seconds):
    for connections in (1, 64, 256):
        rate, _, percentiles = loads.wrk(namespace, connections, seconds)
        name = f"keep-alive, {connections}"
        results.add(name, "requests/s", peer, rate)
        for share in ("50", "99"):
            results.add(f"... {name}: {share} % within", "us", peer,
                        percentiles[share])
    for connections in (1, 64, 256):
        rate, _, percentiles = loads.wrk(namespace, connections, seconds,
                                         loads.CLOSE)
        name = f"new connection each, {connections}"
        results.add(name, "requests/s", peer, rate)
        for share in ("50", "99"):
            results.add(f"... {name}: {share} % within", "us", peer,
                        percentiles[share])
    results.add("connections, by ab, 64", "1/s", peer,
                loads.apache_bench(namespace, 64, 1000 * seconds))


def stream_rates(results, peer, namespace, seconds):
    size = seconds * 100 * MIB
    results.add("bulk out", "MiB/s", peer,
                loads.timed(loads.bulk_out, namespace, size) / 1024)
    results.add("bulk in", "MiB/s", peer,
                loads.timed(loads.bulk_in, namespace, size) / 1024)
    results.add("UDP echo", "1/s", peer,
                loads.timed(loads.udp_echo, namespace, 2000 * seconds))


def rates(results, peers):
    """All guests at once, of which one at a time has work."""
    seconds, rounds = (1, 3) if QUICK else (4, 5)
    places = {}
    try:
        for peer in peers:
            kinds = [("http", http_rates)]
            if peer.bulk:
                kinds.append(("stream", stream_rates))
            for kind in kinds:
                places[peer, kind] = Place(peer, load=kind[0])
        for _ in range(rounds):
            for (peer, (_, work)), place in places.items():
                try:
                    work(results, peer, place.namespace, seconds)
                except AssertionError as failure:
                    raise AssertionError(f"{peer.name}: {failure}") from None
    finally:
        for place in places.values():
            place.end()


# ---- idle -------------------------------------------------------------------

def free_bytes(peer, namespace):
    """What the guest says that it has left."""
    page, port = ("/status", 80) if peer.name == "runnel" else \
        ("/memory", 80 if peer.bulk else 81)
    with namespace.connect(port, guests.PATIENCE_S) as link:
        link.sendall(f"GET {page} HTTP/1.1\r\nHost: guest\r\n"
                     "Connection: close\r\n\r\n".encode())
        text = b""
        while more := link.recv(65536):
            text += more
    found = re.search(rb"pages_free (\d+)", text)
    if found:
        return int(found[1]) * 4096
    return int(re.search(rb"MemFree: +(\d+) kB", text)[1]) * 1024


MANY = 100000


def parked(results, peers):
    for count, memory in ((2000, 128),) if QUICK else \
            ((10000, 128), (MANY, 2048)):
        for peer in peers:
            with Place(peer, memory=max(peer.memory_mb, memory)) as place:
                loads.Parked(place.namespace, 100).end()  # what stays anyway
                before = free_bytes(peer, place.namespace)
                held = loads.Parked(place.namespace, count)
                used = before - free_bytes(peer, place.namespace)
                held.end()
            results.add(f"memory per idle connection, {count} of them",
                        "bytes", peer, used / count)


def among_parked(results, peers):
    """What a request costs that server while so many others are silent: ours,
    which is to be the same as without them."""
    count, seconds = (2000, 1) if QUICK else (MANY, 5)
    works = {name: work for name, work in http_costs(seconds).items()
             if name in (report.KEEP_64, report.CLOSE_64)}
    with Place(peers[0], count=True, memory=1024) as place:
        for others in (0, count):
            held = others and loads.Parked(place.namespace, others)
            for name, work in works.items():
                work(place.namespace)  # warm
                reading = place.counted.measure(
                    lambda work=work: work(place.namespace))
                results.add(f"{name}, beside {others}", "instructions",
                            peers[0], reading.instructions)
            if held:
                held.end()


def idle(results, peers):
    """Guests that nobody asks for anything."""
    count, seconds = (8, 8) if QUICK else (60, 30)
    for peer in peers[:2] if QUICK else peers:
        running = [peer.start(guests.UserNet()) for _ in range(count)]
        try:
            for one in running:
                one.wait_for(r"runnel: ready$")
            time.sleep(5)  # what follows the start
            before = sum(one.cpu_seconds() for one in running)
            time.sleep(seconds)
            used = sum(one.cpu_seconds() for one in running) - before
        finally:
            for one in running:
                one.kill()
        results.add(f"{count} idle guests", "% of one CPU", peer,
                    100 * used / seconds)


ALL = (image, boot, smallest_ram, costs, rates, parked, among_parked, idle)
