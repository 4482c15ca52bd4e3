#!/usr/bin/python3
"""make conformance: every row of rfc*.md has its tests, and they have passed.

Run after `make unit`, whose logs it reads: a named test must be there, with
both compilers, and must have passed.
"""
import re
import sys

import tables

LOGS = ("host-gcc", "host-clang")
VERDICT = re.compile(r"^\[\s+(OK|FAILED)\s+\] (\w+)$", re.MULTILINE)

# How many rows the sources have: a row that is lost is found by its absence.
COUNTS = {"rfc9293.md": 119}


def verdicts(folder):
    """Of every test of every log: whether it has passed."""
    passed = {}
    for path in sorted((tables.ROOT / "build" / folder).glob("test_*.log")):
        for verdict, test in VERDICT.findall(path.read_text(errors="replace")):
            passed[test] = verdict == "OK" and passed.get(test, True)
    return passed


def problems():
    results = {folder: verdicts(folder) for folder in LOGS}
    for row in tables.all_rows():
        if row.problem():
            yield f"{row.where}: {row.id}: {row.problem()}"
        for test in row.tests:
            for folder, passed in results.items():
                if not passed.get(test):
                    what = "has failed" if test in passed else "is not there"
                    yield f"{row.where}: {row.id}: {test} {what} ({folder})"
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
