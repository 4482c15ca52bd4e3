#!/usr/bin/python3
"""make differential: the same scripted packets at our stack and at Linux's.

Each scenario plays a peer, packet by packet, and tells the application what to
do; what comes back is written down with sequence numbers made relative, and
timestamps, identifications and window sizes left out. The two logs must be the
same, line by line, except where differences.md has the line, with the clause
of an RFC that settles it. A line there that no longer occurs is an error too.

After each packet a ping is sent and its answer awaited: what has not come by
then was not sent at once. Root is needed. WORDS choose scenarios by name.
"""
import concurrent.futures
import itertools
import os
import pathlib
import select
import socket
import struct
import subprocess
import sys
import time

import scenarios
import tun

ROOT = pathlib.Path(__file__).resolve().parents[2]
NODE = ROOT / "build/host/node"
TABLE = pathlib.Path(__file__).with_name("differences.md")

US, PEER = "10.9.0.1", "10.9.0.2"  # the stack under test; the script
PATIENCE_S = 60
DELAYED_ACK_S = 0.25  # Linux's longest is 200 ms
STREAM_BYTES = 1 << 20  # no scenario sends so much
PEER_ISS = 0xfffffff0  # the stream crosses the wrap
FLAGS = "FSRPAUEC"
OPTIONS = {1: "nop", 2: "mss", 3: "ws", 4: "sackok", 5: "sack", 8: "ts"}


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip_packet(protocol, payload):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0x4000,
                       64, protocol, 0, socket.inet_aton(PEER),
                       socket.inet_aton(US))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


# ---- the two stacks: packets and an application ------------------------------

class Linux:
    """Linux's stack, behind a TUN device, with sockets in its namespace."""

    name = "linux"

    def __init__(self):
        # Nothing is measured from one scenario that shapes the next.
        self.space = tun.Namespace(f"{US}/24", {
            "net.ipv4.tcp_no_metrics_save": "1",
            "net.ipv4.tcp_syncookies": "1",
            "net.ipv4.icmp_ratelimit": "0",
            "net.ipv4.tcp_invalid_ratelimit": "0"})
        self.space.__enter__()
        self.device = self.space.device()
        self.listener = self.conn = None

    def end(self):
        os.close(self.device)
        self.space.__exit__()

    def send(self, packet):
        os.write(self.device, packet)

    def receive(self, timeout_s):
        if not select.select([self.device], [], [], timeout_s)[0]:
            return None
        return os.read(self.device, 65536)

    def command(self, word, number=0):
        return getattr(self, "do_" + word)(number)

    def do_listen(self, port):
        self.listener = self.space.call(
            lambda: socket.create_server((US, port), backlog=16))
        self.listener.setblocking(False)
        return "ok"

    def do_idle(self, _):
        self.listener.close()
        return "ok"

    def do_connect(self, port):
        self.do_close(0)
        self.conn = self.space.call(
            lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        self.conn.setblocking(False)
        self.conn.connect_ex((PEER, port))
        return "ok"

    def do_accept(self, _):
        try:
            conn = self.listener.accept()[0]
        except BlockingIOError:
            return "none"
        self.do_close(0)
        self.conn = conn
        self.conn.setblocking(False)
        return "ok"

    def do_write(self, count):
        try:
            return "ok" if self.conn.send(b"a" * count) == count else "no"
        except OSError:
            return "no"

    def do_read(self, _):
        count = 0
        while True:
            try:
                got = len(self.conn.recv(65536))
            except BlockingIOError:
                return f"{count} more"
            except OSError:
                return f"{count} error"
            if got == 0:
                return f"{count} eof"
            count += got

    def do_shutdown(self, _):
        try:
            self.conn.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return "ok"

    def do_close(self, _):
        if self.conn:
            self.conn.close()
        self.conn = None
        return "ok"

    def do_abort(self, _):
        self.conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        return self.do_close(0)


class Ours:
    """Our stack, a process of its own (node.c)."""

    name = "ours"

    def __init__(self):
        self.packets, theirs = socket.socketpair(socket.AF_UNIX,
                                                 socket.SOCK_SEQPACKET)
        self.commands, also = socket.socketpair(socket.AF_UNIX,
                                                socket.SOCK_SEQPACKET)
        fds = theirs.fileno(), also.fileno()
        self.process = subprocess.Popen([NODE, *map(str, fds)], pass_fds=fds)
        theirs.close()
        also.close()
        self.commands.settimeout(PATIENCE_S)

    def end(self):
        self.packets.close()
        self.commands.close()
        assert self.process.wait(PATIENCE_S) == 0, "our node has failed"

    def send(self, packet):
        self.packets.send(packet)

    def receive(self, timeout_s):
        if not select.select([self.packets], [], [], timeout_s)[0]:
            return None
        return self.packets.recv(65536)

    def command(self, word, number=0):
        self.commands.send(f"{word} {number}".encode())
        return self.commands.recv(128).decode()


# ---- a peer that follows a script --------------------------------------------

class Script:
    """One scenario at one stack: what the peer sends, and the log."""

    ports = itertools.count(20000)
    pings = itertools.count(1)

    def __init__(self, stack, port):
        self.stack = stack
        self.log = []
        self.port = port       # the peer's
        self.their_port = 80
        self.iss = None        # the stack's
        self.nxt = PEER_ISS    # the peer's next number
        self.their_nxt = 0     # the next that is expected of the stack
        self.tsval = None      # our timestamp clock, when we use them
        self.tsecr = 0

    # Saying.

    def segment(self, flags, *, seq=None, ack=None, data=b"", window=60000,
                options=b"", urgent=0, ts=True, offset_words=None,
                bad_checksum=False):
        if ts and self.tsval is not None and not options:
            options = b"\1\1\x08\x0a" + struct.pack(
                "!II", self.tsval & 0xffffffff, self.tsecr)
        options += b"\0" * (-len(options) % 4)
        bits = sum(1 << FLAGS.index(flag) for flag in flags)
        words = offset_words or 5 + len(options) // 4
        ack = self.their_nxt if ack is None and "A" in flags else ack or 0
        head = struct.pack(
            "!HHIIBBHHH", self.port, self.their_port,
            (self.nxt if seq is None else seq) & 0xffffffff,
            ack & 0xffffffff, words << 4, bits, window, 0, urgent)
        whole = head + options + data
        pseudo = socket.inet_aton(PEER) + socket.inet_aton(US) + \
            struct.pack("!BBH", 0, 6, len(whole))
        total = checksum(pseudo + whole) ^ (0x5555 if bad_checksum else 0)
        return whole[:16] + struct.pack("!H", total) + whole[18:]

    def send(self, flags, **fields):
        """Send a segment and write down what comes of it. When text and FIN
        are acknowledged is the receiver's choice (RFC 9293 3.8.6.3), so a
        delayed ACK is waited for."""
        self.log.append(f"> {flags} {self.describe(fields)}".rstrip())
        self.stack.send(ip_packet(6, self.segment(flags, **fields)))
        if fields.get("data") or "F" in flags:
            time.sleep(DELAYED_ACK_S)
        self.listen()

    def text(self, count, flags="PA", **fields):
        """The next `count` bytes of the peer's stream."""
        self.send(flags, data=b"x" * count, **fields)
        self.nxt += count

    def do(self, word, number=0):
        """The application does something."""
        answer = self.stack.command(word, number)
        self.log.append(f"app {word} {number or ''}: {answer}"
                        .replace(" :", ":"))
        self.listen()
        return answer

    def pause(self, seconds):
        """Timers may act."""
        time.sleep(seconds)
        self.log.append("a while later")
        self.listen()

    def describe(self, fields):
        """The fields of a segment that are not as usual; numbers count from
        those that the other side expects."""
        shown = {key: value for key, value in fields.items()
                 if key not in ("data", "options", "seq", "ack")}
        for key, usual in (("seq", self.nxt), ("ack", self.their_nxt)):
            if key in fields:
                shown[key] = f"{fields[key] - usual:+}"
        if fields.get("data"):
            shown["len"] = len(fields["data"])
        if fields.get("options"):
            shown["options"] = fields["options"].hex()
        return " ".join(f"{key}={value}" for key, value in shown.items())

    # Hearing.

    def listen(self):
        """Write down what has come before the answer to a ping."""
        number = next(self.pings) & 0xffff
        echo = struct.pack("!BBHHH", 8, 0, 0, 0x5151, number)
        echo = echo[:2] + struct.pack("!H", checksum(echo)) + echo[4:]
        limit = time.monotonic() + PATIENCE_S
        while time.monotonic() < limit:
            self.stack.send(ip_packet(1, echo))
            if self.hear_until(struct.pack("!HH", 0x5151, number)):
                return
        raise TimeoutError(f"{self.stack.name}: no answer to ping")

    def hear_until(self, answer):
        """Write down what comes, up to this answer to a ping; False: within a
        second there is none, as while Linux's device comes up."""
        while packet := self.stack.receive(1):
            head = (packet[0] & 15) * 4
            if packet[0] >> 4 != 4:
                continue  # Linux greets by IPv6
            if packet[9] == 1 and packet[head] == 0 and \
                    packet[head + 4:head + 8] == answer:
                return True
            if packet[9] == 6:
                self.heard(packet[head:])
        return False

    def heard(self, segment):
        src, dst, seq, ack, offset, bits, _window, _, _ = struct.unpack_from(
            "!HHIIBBHHH", segment)
        if dst != self.port and not (bits & 0x12 == 2 and self.iss is None):
            return  # of an earlier scenario, and no SYN of a connect
        flags = "".join(flag for bit, flag in enumerate(FLAGS)
                        if bits >> bit & 1)
        options = parse_options(segment[20:(offset >> 4) * 4])
        length = len(segment) - (offset >> 4) * 4
        if "S" in flags and self.iss is None:
            self.iss = seq
            self.their_nxt = (seq + 1) & 0xffffffff
            self.port, self.their_port = dst, src
        elif self.iss is not None and seq == self.their_nxt:
            self.their_nxt = (seq + length + ("F" in flags)) & 0xffffffff
        for kind, value in options:
            if kind == "ts":
                self.tsecr = struct.unpack("!I", value[:4])[0]
        self.log.append("< " + self.line(flags, seq, ack, length, options))

    def line(self, flags, seq, ack, length, options):
        where = (seq - (self.iss or 0)) & 0xffffffff
        if where >= STREAM_BYTES:
            where = "other"  # of another connection, or of none
        parts = [flags, f"seq={where}"]
        if "A" in flags:
            parts.append(f"ack={(ack - PEER_ISS) & 0xffffffff}")
        if length:
            parts.append(f"len={length}")
        for kind, value in options:
            if kind == "sack":
                edges = struct.unpack(f"!{len(value) // 4}I", value)
                parts.append("sack=" + ",".join(
                    str((edge - PEER_ISS) & 0xffffffff) for edge in edges))
            elif kind == "mss":
                parts.append(f"mss={struct.unpack('!H', value)[0]}")
            elif kind != "nop":
                parts.append(kind)
        return " ".join(parts)


def parse_options(data):
    options, at = [], 0
    while at < len(data) and data[at] != 0:
        if data[at] == 1:
            at += 1
            continue
        length = data[at + 1]
        options.append((OPTIONS.get(data[at], str(data[at])),
                        data[at + 2:at + length]))
        at += length
    return options


# ---- comparing -----------------------------------------------------------------

def allowed():
    """(scenario, linux's line, our line) of differences.md."""
    rows = set()
    for line in TABLE.read_text().splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 4 and \
                cells[0] not in ("scenario", "") and "---" not in cells[0]:
            rows.add(tuple(cells[:3]))
    return rows


def align(linux, ours):
    """Pairs of lines that differ, '-' where one has none, step by step: every
    line that is not an answer is a step and the same on both sides."""
    def steps(log):
        out = []
        for line in log:
            if line.startswith("<"):
                out[-1][1].append(line)
            else:
                out.append((line, []))
        return out

    for (step, theirs), (other, mine) in itertools.zip_longest(
            steps(linux), steps(ours), fillvalue=("-", [])):
        if step != other:
            yield step, step, other
        for one, two in itertools.zip_longest(theirs, mine, fillvalue="-"):
            if one != two:
                yield step, one, two


def play(scene, stack, port):
    """The log of one scenario at one stack."""
    script = Script(stack, port)
    scene(script)
    stack.command("close")
    return script.log


def main(words):
    if os.geteuid() != 0 and not os.environ.get("CI"):
        print("differential: SKIPPED, it needs root for its namespace")
        return False
    rows, met, bad = allowed(), set(), 0
    pool = concurrent.futures.ThreadPoolExecutor(2)
    stacks = [Linux(), Ours()]
    for stack in stacks:
        stack.command("listen", 80)
        Script(stack, next(Script.ports)).listen()  # it is up
    wanted = [scene for scene in scenarios.ALL
              if not words or any(word in scene.__name__ for word in words)]
    try:
        for scene in wanted:
            port = next(Script.ports)
            logs = list(pool.map(lambda stack, scene=scene, port=port:
                                 play(scene, stack, port), stacks))
            for step, linux, ours in align(*logs):
                row = (scene.__name__, linux, ours)
                met.add(row)
                if row not in rows:
                    bad += 1
                    print(f"{scene.__name__}: {step}\n    linux {linux}\n"
                          f"    ours  {ours}")
            if "-v" in words:
                print("\n".join(logs[1]))
    finally:
        for stack in stacks:
            stack.end()
    stale = [] if words else sorted(rows - met)
    for row in stale:
        print("differences.md: no longer met:", *row)
    print(f"differential: {len(wanted)} scenarios, {len(met)} differences, "
          f"{bad} without a clause, {len(stale)} stale")
    return bad + len(stale) > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
