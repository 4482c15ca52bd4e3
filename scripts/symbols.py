#!/usr/bin/env python3
"""Turn an image's function names into a small table for kernel/symbols.c.

    symbols.py NAME IMAGE.elf > symbols.S   the table of this image's functions
    symbols.py NAME > symbols.S             an empty one, for the first link

The image gets its name, too: image_name.

The table: 32-bit count, 32-bit lowest address, 128 pairs of bytes (what the
codes 128..255 stand for; a pair may hold codes again), then per function in
order of address: the distance to the one before (7 bits a byte, lowest first,
the top bit says that more follow), the number of codes, the codes.
"""
import collections
import pathlib
import re
import subprocess
import sys

PAIRS = 128
FIRST_CODE = 128
DEPTH_MAX = 16  # as SYMBOLS_DEPTH_MAX in kernel/symbols.c
NAME_MAX = 63
LINKER_SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "linker.ld"
IMAGE_START = 0x100000  # of the same


def linkers_names():
    """What the linker script defines: places, not functions."""
    return set(re.findall(r"^\s*(\w+) = \.;", LINKER_SCRIPT.read_text(), re.M))


def functions(image):
    """[(address, name)] in order of address, one name per address. What lies
    below the image is of the linker's debug information, not a function."""
    out = subprocess.run(["nm", "--defined-only", image], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    found, places = {}, linkers_names()
    for line in out.splitlines():
        address, kind, name = line.split(maxsplit=2)
        address = int(address, 16)
        if kind not in "tTwW" or address < IMAGE_START or name in places:
            continue
        name = name.split(".")[0][:NAME_MAX]  # without GCC's .constprop.0
        if address not in found or kind == "T":
            found[address] = name
    return sorted(found.items())


def compress(names):
    """Replace the commonest pair by a new code, again and again."""
    text = "\n".join(names)
    depth = collections.defaultdict(int)
    pairs = []
    for code in range(FIRST_CODE, FIRST_CODE + PAIRS):
        counts = collections.Counter(zip(text, text[1:]))
        best = None
        for (left, right), count in counts.most_common(64):
            if "\n" not in (left, right) and count > 2 and \
                    max(depth[left], depth[right]) < DEPTH_MAX:
                best = left + right
                break
        if best is None:
            break
        depth[chr(code)] = 1 + max(depth[best[0]], depth[best[1]])
        pairs.append(best)
        text = text.replace(best, chr(code))
    return pairs, text.split("\n")


def distance(value):
    out = []
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return out + [value]


def emit(name, table):
    print("/* Written by scripts/symbols.py. */")
    print('    .section .symbols, "a"')
    print(f'    .globl image_name\nimage_name: .asciz "{name}"')
    print("    .balign 8\n    .globl symbols_table\nsymbols_table:")
    for at in range(0, len(table), 16):
        print("    .byte " + ",".join(map(str, table[at:at + 16])))
    print('    .section .note.GNU-stack, "", @progbits')


def main():
    name = sys.argv[1]
    found = functions(sys.argv[2]) if len(sys.argv) > 2 else []
    pairs, names = [], []
    if found:
        pairs, names = compress([one for _, one in found])
    base = found[0][0] if found else 0
    table = list(len(found).to_bytes(4, "little"))
    table += list(base.to_bytes(4, "little"))
    for pair in pairs + ["\0\0"] * (PAIRS - len(pairs)):
        table += [ord(pair[0]), ord(pair[1])]
    before = base
    for (address, _), codes in zip(found, names):
        table += distance(address - before)
        table += [len(codes)] + [ord(code) for code in codes]
        before = address
    emit(name, table)


if __name__ == "__main__":
    main()
