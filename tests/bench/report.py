"""The table, the goals, and the files that keep both."""
import datetime
import json
import os
import pathlib
import platform
import re
import subprocess

import counted
import guest as guests


def facts():
    """What the figures were measured on."""
    def first(*command):
        run = subprocess.run(command, cwd=guests.ROOT, capture_output=True,
                             text=True, check=False)
        return run.stdout.splitlines()[0] if run.stdout else "unknown"

    cpu = re.search(r"model name\s*: (.*)",
                    pathlib.Path("/proc/cpuinfo").read_text())
    return {
        "date": datetime.datetime.now().isoformat(timespec="seconds"),
        "commit": first("git", "describe", "--always", "--dirty"),
        "cpu": f"{cpu[1] if cpu else 'unknown'}, {os.cpu_count()} of them",
        "host": f"{platform.system()} {platform.release()}",
        "load": pathlib.Path("/proc/loadavg").read_text().split()[0],
        "qemu": first("qemu-system-x86_64", "--version") + ", TCG",
        "compiler": first("gcc", "--version"),
        "quick": bool(os.environ.get("QUICK")),
    }


# ---- goals ------------------------------------------------------------------
# (row, what it is held against, limit): "at most" of the row itself, or "times"
# the row of the Linux guest.

KEEP_64, CLOSE_64 = ("keep-alive request, 64 connections",
                     "request with a new connection, 64")
OUT, IN = "KiB sent in bulk", "KiB received in bulk"
NGINX, EPOLL = "linux-nginx", "linux-epoll"
GOALS = (
    (KEEP_64, "at most", 3000),
    (CLOSE_64, "at most", 10000),
    (OUT, "at most", 150),
    (IN, "at most", 200),
    ("image", "at most", 250),
    ("smallest RAM", "at most", 4),
    ("... less an empty guest's time", "at most", 40),
    (f"... {KEEP_64}: kicks", "at most", 0.1),
    (f"... {KEEP_64}: interrupts", "at most", 0.1),
    (f"... {OUT}: kicks", "at most", 1 / 64),
    (f"... {IN}: kicks", "at most", 1 / 64),
    ("keep-alive, 64", NGINX, 10),
    ("keep-alive, 1", NGINX, 4),
    ("new connection each, 64", NGINX, 6),
    ("bulk out", EPOLL, 1.3),
    ("bulk in", EPOLL, 1.3),
)


def judge(results):
    """[(row, against, limit, value, met)], for the goals that were measured."""
    judged = []
    for row, against, limit in GOALS:
        value = results.get(row, "runnel")
        if value is None:
            continue
        if against != "at most":
            other = results.get(row, against)
            if other is None:
                continue
            value /= other
        met = value <= limit if against == "at most" else value >= limit
        judged.append((row, against, limit, value, met))
    return judged


# ---- text -------------------------------------------------------------------

def number(value):
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.3f}"


def table_lines(results, peers):
    names = [peer.name for peer in peers]
    width = max(map(len, results.rows)) + 2
    yield f"{'':{width}}" + "".join(f"{name:>14}" for name in names)
    for row, (unit, samples) in results.rows.items():
        values = "".join(f"{number(results.get(row, name)):>14}"
                         for name in names)
        count = max(map(len, samples.values()))
        yield f"{row:{width}}{values}  {unit}" + \
            (f", median of {count}" if count > 1 else "")


def goal_lines(judged):
    yield "Goals"
    for row, against, limit, value, met in judged:
        aim = f"at most {number(limit)}" if against == "at most" else \
            f"{limit} times {against}"
        yield (f"  {'met   ' if met else 'MISSED'} {row}: {number(value)} "
               f"({aim})")


def profile_lines(results, judged):
    """For each cost that is above its goal: where it goes."""
    for row, _, _, _, met in judged:
        reading = results.readings.get((row, "runnel"))
        if reading and not met:
            yield ""
            yield f"A {row}: instructions by function"
            yield from counted.profile_lines(reading)


def write(results, peers):
    """build/bench/<date>.txt and .json; returns the text and its path."""
    known = facts()
    judged = judge(results)
    lines = [f"{name:10}{value}" for name, value in known.items()]
    lines += ["", *table_lines(results, peers), "", *goal_lines(judged),
              *profile_lines(results, judged)]
    text = "\n".join(lines) + "\n"
    base = counted.OUT / known["date"].replace(":", "")
    base.with_suffix(".txt").write_text(text)
    base.with_suffix(".json").write_text(json.dumps({
        "facts": known,
        "rows": {row: {"unit": unit, "samples": samples}
                 for row, (unit, samples) in results.rows.items()},
        "goals": [dict(zip(("row", "against", "limit", "value", "met"), one))
                  for one in judged]}, indent=1) + "\n")
    return text, base.with_suffix(".txt")
