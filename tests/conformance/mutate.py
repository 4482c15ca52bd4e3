#!/usr/bin/python3
"""make mutate: break one rule at a time, and see its test go red.

mutants/*.txt hold the mutants, one a paragraph; those of rfcN.txt are about
the rows of rfcN.md:

    row:  MUST-3
    test: test_tcp_wire T4__bad_checksum_is_counted_and_unanswered
    file: net/tcp_input.c
    -    the line or lines as they stand
    +    the line or lines instead

The file is changed in a folder of its own, what depends on it is compiled and
linked before the rest of the stack, and the program runs: the named test must
fail, or the whole program must end badly while it runs. A mutant whose text is
not found exactly once is stale, and an error too; so is a MUST of a table
(tables.py) that is shown by a test and has no mutant, and a mutant of no row.
`mutate.py WORD...` runs only the mutants whose row (`7323 M1`), test or file
has a WORD.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

import tables

BUILD = tables.ROOT / "build"
OUT = BUILD / "mutate"
FLAGS = ["-std=gnu11", "-g", "-O1", "-fno-omit-frame-pointer", "-w",
         "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
         "-idirafter", "/usr/share/include"]
SECONDS = 120  # a mutant may well loop


class Mutant:
    def __init__(self, path, number, lines):
        self.where = f"{path.relative_to(tables.ROOT)}:{number}"
        head = {}
        old, new = [], []
        for line in lines:
            if line[0] == "-":
                old.append(line[1:])
            elif line[0] == "+":
                new.append(line[1:])
            else:
                key, value = line.split(":", 1)
                head[key] = value.strip()
        self.rows = [tables.key_of(path, row)
                     for row in head["row"].split(", ")]
        self.row = ", ".join(self.rows)
        self.program, self.test = head["test"].split()
        self.file = head["file"]
        self.old, self.new = "\n".join(old), "\n".join(new)

    def fits(self):
        """Whether what it changes stands in its file, once."""
        return (tables.ROOT / self.file).read_text().count(self.old) == 1

    def has(self, word):
        return word in f"{self.row} {self.program} {self.test} {self.file}"


def mutants():
    for path in sorted((tables.HERE / "mutants").glob("*.txt")):
        number = 1
        for part in re.split(r"\n\n+", path.read_text().rstrip("\n")):
            lines = [line for line in part.split("\n")
                     if line and not line.startswith("#")]
            if lines:
                yield Mutant(path, number, lines)
            number += part.count("\n") + 2


def compile_one(source, obj, include):
    return subprocess.run(
        ["gcc", *FLAGS, "-I", include, "-I", ".", "-c", source, "-o", obj],
        cwd=tables.ROOT, capture_output=True, text=True, check=False)


def sources_of(mutant):
    """What is to be compiled: the file, or all of net/ for a header."""
    if mutant.file.endswith(".c"):
        return [mutant.file]
    return sorted(str(path.relative_to(tables.ROOT))
                  for path in (tables.ROOT / "net").glob("*.c"))


def build(mutant, folder):
    """The test program with the mutant in it; None and why not."""
    text = (tables.ROOT / mutant.file).read_text()
    if text.count(mutant.old) != 1:
        return None, f"stale: found {text.count(mutant.old)} times"
    changed = folder / mutant.file
    changed.parent.mkdir(parents=True, exist_ok=True)
    changed.write_text(text.replace(mutant.old, mutant.new))
    objects = []
    for source in sources_of(mutant):
        here = folder / source
        obj = folder / (source.replace("/", "_") + ".o")
        run = compile_one(here if here.exists() else source, obj, folder)
        if run.returncode:
            return None, f"does not compile: {run.stderr[:400]}"
        objects.append(obj)
    kind = "unit"
    if (tables.HERE / f"{mutant.program}.c").exists():
        kind = "conformance"
    program = folder / mutant.program
    own = BUILD / f"host-gcc/obj/tests/{kind}/{mutant.program}.c.o"
    run = subprocess.run(
        ["gcc", *FLAGS, "-o", program, own, *objects, "-Wl,--start-group",
         BUILD / "host-gcc/libtest.a", BUILD / "host-gcc/libnet.a",
         "-Wl,--end-group", "-lcmocka", "-lm"],
        capture_output=True, text=True, check=False)
    if run.returncode:
        return None, f"does not link: {run.stderr[:400]}"
    return program, None


def went_red(program, test):
    """Whether the test failed, or the program died in it."""
    try:
        run = subprocess.run([program], capture_output=True, text=True,
                             errors="replace", timeout=SECONDS, check=False)
        output, ended = run.stdout + run.stderr, run.returncode != 0
    except subprocess.TimeoutExpired as late:
        output = "".join(part.decode(errors="replace") for part in
                         (late.stdout, late.stderr) if part)
        ended = True
    if re.search(rf"^\[\s+FAILED\s+\] {test}$", output, re.MULTILINE):
        return True
    begun = re.findall(r"^\[ RUN      \] (\w+)$", output, re.MULTILINE)
    done = re.findall(r"^\[\s+(?:OK|FAILED)\s+\] (\w+)$", output,
                      re.MULTILINE)
    return ended and test in begun and test not in done


def try_one(job):
    number, mutant = job
    folder = OUT / str(number)
    subprocess.run(["rm", "-rf", folder], check=True)
    folder.mkdir(parents=True)
    program, why = build(mutant, folder)
    if program and not went_red(program, mutant.test):
        why = f"survived {mutant.test}"
    subprocess.run(["rm", "-rf", folder], check=True)
    return mutant, why


def uncovered(found):
    """MUST rows that a test shows and no mutant breaks; mutants of no row."""
    have = {row for mutant in found for row in mutant.rows}
    there = set()
    for row in tables.all_rows():
        there.add(row.key)
        if row.is_must() and row.result == "shown" and row.key not in have:
            yield f"{row.where}: {row.key} has no mutant"
    for mutant in found:
        for row in mutant.rows:
            if "/rfc" in mutant.where and row not in there:
                yield f"{mutant.where}: there is no row {row}"


def main(words):
    found = [mutant for mutant in mutants()
             if not words or any(mutant.has(word) for word in words)]
    bad = [] if words else list(uncovered(list(mutants())))
    print("\n".join(bad))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for mutant, why in pool.map(try_one, enumerate(found)):
            if why:
                bad.append(f"{mutant.where}: {mutant.row}: {why}")
                print(bad[-1], flush=True)
    print(f"mutate: {len(found)} mutants, {len(bad)} problems")
    return len(bad) > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
