#!/usr/bin/python3
"""make conformance: every row of rfc*.md has its tests, and they have passed.

Run after `make unit`, whose logs it reads: a named test must be there, with
both compilers, and must have passed. A log older than its program is none,
and so is that of a test whose source has gone. Every mutant still finds what
it changes.
"""
import re
import sys

import mutate
import tables

LOGS = ("host-gcc", "host-clang")
VERDICT = re.compile(r"^\[\s+(OK|FAILED)\s+\] (\w+)$", re.MULTILINE)

# How many rows the sources have: a row that is lost is found by its absence.
COUNTS = {
    "rfc9293.md": 119,
    "rfc2018.md": 16,
    "rfc3168.md": 21,
    "rfc5681.md": 24,
    "rfc5961.md": 8,
    "rfc6298.md": 17,
    "rfc6675.md": 14,
    "rfc7323.md": 28,
    "rfc8985.md": 23,
    "rfc9438.md": 13,
}


def sources():
    for folder in ("unit", "conformance"):
        yield from sorted((tables.ROOT / "tests" / folder).glob("test_*.c"))


def verdicts(folder):
    """Of every test of every log: whether it has passed."""
    passed = {}
    for source in sources():
        program = tables.ROOT / "build" / folder / source.stem
        path = program.with_suffix(".log")
        if not (program.exists() and path.exists()) or \
                path.stat().st_mtime < program.stat().st_mtime:
            continue
        for verdict, test in VERDICT.findall(path.read_text(errors="replace")):
            passed[test] = verdict == "OK" and passed.get(test, True)
    return passed


def problems():
    results = {folder: verdicts(folder) for folder in LOGS}
    for row in tables.all_rows():
        if row.problem():
            yield f"{row.where}: {row.key}: {row.problem()}"
        for test in row.tests:
            for folder, passed in results.items():
                if not passed.get(test):
                    what = "has failed" if test in passed else "is not there"
                    yield f"{row.where}: {row.key}: {test} {what} ({folder})"
    for mutant in mutate.mutants():  # `make mutate` takes long; this does not
        if not mutant.fits():
            yield f"{mutant.where}: what it changes is not in {mutant.file}"
    for name, count in COUNTS.items():
        ids = [row.id for row in tables.rows(tables.HERE / name)]
        if len(set(ids)) != count or len(ids) != count:
            yield f"{name}: {len(ids)} rows, {len(set(ids))} ids, not {count}"


def main():
    found = list(problems())
    rows = list(tables.all_rows())
    shown = sum(row.result == "shown" for row in rows)
    for problem in found:
        print(problem)
    print(f"conformance: {len(rows)} rows, {shown} shown, "
          f"{len(rows) - shown} with a reason why not, {len(found)} problems")
    return len(found) > 0


if __name__ == "__main__":
    sys.exit(main())
