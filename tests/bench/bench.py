#!/usr/bin/python3
"""make bench: Runnel beside Linux guests, in the same QEMU, in one table.

    bench.py [MEASUREMENT...]     without one: all (see measure.ALL)

Guest instructions, kicks and interrupts are counted and hardly depend on the
machine; what a clock measures is only worth something beside its peers. All
guests have one virtual CPU under TCG and virtio-net on a TAP device in a
namespace of their own: this needs root. QUICK=1 for a look of five minutes.

Writes build/bench/<date>.txt, the same to the console, and a .json beside it.
"""
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/qemu"))

import measure  # noqa: E402
import peers  # noqa: E402
import report  # noqa: E402


def main(names):
    if os.geteuid() != 0:
        sys.exit("make bench needs root, for namespaces with TAP devices")
    known = {one.__name__: one for one in measure.ALL}
    results = measure.Results()
    everyone = peers.all_of()
    for name in names or known:
        print(f"bench: {name}", flush=True)
        known[name](results, everyone)
    text, path = report.write(results, everyone)
    print(f"\n{text}\nwritten to {path}")


if __name__ == "__main__":
    main(sys.argv[1:])
