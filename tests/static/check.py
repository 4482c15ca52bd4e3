#!/usr/bin/python3
"""make check: every rule of the house that a program can see.

Run from anywhere; `check.py layers text` runs only these. Prints each problem
as `path:line: what`, and ends with status 1 if there is one.
"""
import pathlib
import sys

import globals as state
import headers
import layers
import layout
import logs
import rows
import text

CHECKS = {
    "layers": layers,
    "text": text,
    "layout": layout,
    "headers": headers,
    "globals": state,
    "logs": logs,
    "rows": rows,
}


def main(wanted):
    root = pathlib.Path(__file__).resolve().parents[2]
    count = 0
    for name in wanted or CHECKS:
        found = list(CHECKS[name].problems(root))
        for problem in found:
            print(problem)
        print(f"check {name}: {len(found)} problems" if found
              else f"check {name}: ok")
        count += len(found)
    return count > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
