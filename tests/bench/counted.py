"""A guest whose work is counted: instructions by our plugin of QEMU, kicks and
interrupts by QEMU's own trace events, so that every guest is counted alike."""
import collections
import mmap
import os
import pathlib
import re
import struct
import subprocess
import tempfile

import guest as guests

OUT = guests.BUILD / "bench"
WORDS_BEFORE_FUNCTIONS = 16  # SYMBOLS_AT of insn_plugin.c

# Where our guest waits with its eyes open: net/stack.c's loop before it sleeps
# and what it calls there. It fills the time until the next packet, so its
# instructions are no cost of the packet: they are counted apart. (The clock
# that it looks at every sixteenth time is not.)
POLLING = ("poll_cards", "net_pending")

Reading = collections.namedtuple(
    "Reading", "instructions kicks interrupts functions polling")


def is_polling(name):
    """Link-time optimisation makes names longer: `poll_cards.lto_priv.0`."""
    return name.split(".")[0] in POLLING


def polling_of(functions):
    return sum(count for name, count in functions.items() if is_polling(name))


def compiled(name, command):
    """Make a small binary in build/bench; returns its path."""
    OUT.mkdir(parents=True, exist_ok=True)
    out = OUT / name
    subprocess.run([*command, "-o", str(out)], cwd=guests.ROOT, check=True)
    return out


def plugin():
    return compiled("insn_plugin.so", ["gcc", "-O2", "-fPIC", "-shared",
                                       "tests/bench/insn_plugin.c"])


DEBUG_NAME = re.compile(r"\.[cS]\.[0-9a-f]{6,8}$")


def functions_of(image):
    """[(address, name)], ascending: where the image's functions begin; the
    last one is where the image ends. Link-time optimisation leaves names of
    debug information behind, `udp.c.e9793331`, whose addresses are offsets
    in that: no functions, wherever they lie."""
    table = subprocess.run(["nm", image], capture_output=True, text=True,
                           check=True).stdout
    found = {}
    for line in table.splitlines():
        word = line.split()
        if len(word) == 3 and not DEBUG_NAME.search(word[2]) and (
                word[1] in "tTwW" or
                word[2] in ("image_start", "image_end")):
            found.setdefault(int(word[0], 16), word[2])
    start = next(at for at, name in found.items() if name == "image_start")
    return sorted(one for one in found.items() if one[0] >= start)


# Of a Linux guest. Its kernel's own names are not in Debian's package.
LINUX_FUNCTIONS = [(0, "user space"), (1 << 63, "the kernel"),
                   (0xffff_ffff_c000_0000, "modules: virtio-net"),
                   (2 ** 64 - 1, "the end")]


class Counted:
    """Starts `make(extra)`, a Guest, with the counters in its options.

    functions: from functions_of(); counting ends where the last one begins.
    """

    def __init__(self, make, functions):
        self.names = [name for _, name in functions]
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="runnel-count-"))
        self.counters = self.scratch / "counters"
        starts = self.scratch / "symbols"
        self.trace = self.scratch / "trace"
        starts.write_bytes(struct.pack(f"<{len(functions)}Q",
                                       *(at for at, _ in functions)))
        self.guest = make((
            "-plugin", f"{plugin()},counters={self.counters},symbols={starts}"
            f",low={functions[0][0]:#x},high={functions[-1][0]:#x}",
            "-trace", "virtio_queue_notify", "-trace", "virtio_notify",
            "-D", str(self.trace)))
        self.map = None

    def _words(self):
        if self.map is None:  # QEMU made it before the guest began
            with open(self.counters, "r+b") as file:
                self.map = mmap.mmap(file.fileno(), 0)
        return struct.unpack_from(
            f"<{WORDS_BEFORE_FUNCTIONS + len(self.names)}Q", self.map)

    def _events(self):
        text = self.trace.read_bytes() if self.trace.exists() else b""
        return (len(re.findall(rb"^virtio_queue_notify ", text, re.M)),
                len(re.findall(rb"^virtio_notify ", text, re.M)))

    def read(self):
        """Everything so far; the guest has said something already."""
        words = self._words()
        functions = dict(zip(self.names, words[WORDS_BEFORE_FUNCTIONS:]))
        polling = polling_of(functions)
        return Reading(words[0] - polling, *self._events(), functions,
                       polling)

    def measure(self, work, count=None):
        """Do `work()`; what each of `count` things cost (default: what work
        returns, how many it did)."""
        before = self.read()
        done = work()
        after = self.read()
        count = done if count is None else count
        return Reading(*((end - start) / count for start, end in
                         zip(before[:3], after[:3])),
                       {name: (after.functions[name] - was) / count
                        for name, was in before.functions.items()
                        if after.functions[name] != was},
                       (after.polling - before.polling) / count)

    def end(self):
        self.guest.kill()
        if self.map is not None:
            self.map.close()
        for path in self.scratch.iterdir():
            os.unlink(path)
        self.scratch.rmdir()


def profile_lines(reading, least_share=0.0003):
    """The functions of a reading, the dearest first, as lines of text."""
    rest = 0.0
    for name, cost in sorted(reading.functions.items(), key=lambda x: -x[1]):
        if is_polling(name):
            continue
        if cost < least_share * reading.instructions:
            rest += cost
        else:
            yield (f"{cost:12,.1f} {100 * cost / reading.instructions:5.1f} % "
                   f" {name}")
    yield f"{rest:12,.1f} {100 * rest / max(reading.instructions, 1):5.1f} %  others"
    if reading.polling:
        yield f"{reading.polling:12,.1f} besides: polling before sleep"
