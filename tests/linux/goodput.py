#!/usr/bin/python3
"""make goodput: our TCP beside Linux's, over the same bad wire, in real time.

For each loss and round trip, a stream runs for so many seconds, from a Linux
namespace and from our stack, to a Linux that reads; the same seeds decide the
losses of both. Prints the medians and their spread, and ours as a share of
Linux's. Root, and some quiet on the machine, are needed. WORDS choose cells,
"loss/rtt": goodput.py 1/100 10/20.
"""
import concurrent.futures
import os
import pathlib
import platform
import statistics
import subprocess
import sys

import tun

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/host/goodput"

LOSSES_PERCENT = (0, 0.1, 1, 3, 10, 30)
RTTS_MS = (1, 20, 100, 300)
BITS_PER_S = 20_000_000
QUEUE_PACKETS = 200
SECONDS = int(os.environ.get("SECONDS_PER_CELL", "20"))
RUNS = int(os.environ.get("RUNS", "5"))
AT_ONCE = int(os.environ.get("AT_ONCE", "4"))
BUFFERS = {  # Linux's sender then queues 1.9 MB of stream; ours does too
    "net.ipv4.tcp_wmem": "4096 87380 2097152",
    "net.ipv4.tcp_rmem": "4096 131072 6291456",
    "net.ipv4.tcp_no_metrics_save": "1",
}


def stream(who, loss_percent, rtt_ms, seed):
    """Kilobytes per second of one run."""
    with tun.Namespace("10.9.0.1/24", BUFFERS) as left, \
            tun.Namespace("10.9.0.2/24", BUFFERS) as right:
        out = subprocess.run(
            [PROGRAM, who, left.name, right.name, str(int(loss_percent * 10000)),
             str(rtt_ms * 1000), str(BITS_PER_S), str(QUEUE_PACKETS),
             str(SECONDS), str(seed)],
            check=True, capture_output=True, text=True,
            timeout=SECONDS + 60).stdout
    return int(out) / SECONDS / 1000


def cells(words):
    for loss in LOSSES_PERCENT:
        for rtt in RTTS_MS:
            if not words or f"{loss}/{rtt}" in words:
                yield loss, rtt


def main(words):
    wanted = list(cells(words))
    jobs = [(who, loss, rtt, seed) for seed in range(1, RUNS + 1)
            for loss, rtt in wanted for who in ("linux", "ours")]
    results = {}
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        rates = pool.map(lambda job: stream(*job), jobs)
        for (who, loss, rtt, _), rate in zip(jobs, rates):
            results.setdefault((who, loss, rtt), []).append(rate)
    print(f"Linux {platform.release()}, {BITS_PER_S // 1000000} Mbit/s, a queue"
          f" of {QUEUE_PACKETS} packets, {SECONDS} s a run, {RUNS} runs;"
          " kB/s: median (least to most)")
    print("loss %  rtt ms  " + "linux".ljust(24) + "ours".ljust(24) + "ratio")
    for loss, rtt in wanted:
        both = [results[who, loss, rtt] for who in ("linux", "ours")]
        text = "".join(f"{statistics.median(one):7.1f} "
                       f"({min(one):.1f} to {max(one):.1f})".ljust(24)
                       for one in both)
        ratio = statistics.median(both[1]) / statistics.median(both[0]) \
            if statistics.median(both[0]) else float("inf")
        print(f"{loss:6}  {rtt:6}  {text}{ratio:5.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
