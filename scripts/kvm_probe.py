#!/usr/bin/python3
"""Can this machine really run a guest under KVM? Prints one line that says
why; status 0: yes.

    scripts/kvm_probe.py IMAGE [MIB]

A /dev/kvm that opens may be one that crawls, or stands still: KVM in a machine
of KVM's, badly nested. So IMAGE boots, tells its --help and ends, under KVM and
under TCG at once, and KVM has to be done in a few times what TCG takes. On a
machine that is busy or slow both are: no time is given in seconds.
"""
import os
import signal
import subprocess
import sys
import tempfile
import time

DEVICE = "/dev/kvm"
PATIENCE = 3  # times what TCG takes; a KVM that runs needs less than once
TCG_S = 60  # a machine that needs more has other troubles


class Run:
    """One QEMU that boots the image, tells its help and ends."""

    def __init__(self, image, mib, *accelerator):
        self.log = tempfile.TemporaryFile()
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", *accelerator, "-nodefaults",
             "-no-user-config", "-display", "none", "-no-reboot",
             "-device", "isa-debug-exit", "-m", mib, "-kernel", image,
             "-append", "--help"], stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def took_s(self, limit_s):
        """Until it ended. None: it has not within limit_s of its start."""
        left = max(self.began + limit_s - time.monotonic(), 0)
        try:
            self.process.wait(left)
        except subprocess.TimeoutExpired:
            return None
        return time.monotonic() - self.began

    def complaint(self):
        """Why it ended as it should not; empty: it did not."""
        status = self.process.returncode
        if status == 0:
            return ""
        self.log.seek(0)
        lines = [line for line in self.log.read().decode("latin-1").split("\n")
                 if "warning" not in line]
        return f"QEMU ended with {status}: {lines[0] if lines else ''}"


def race(image, mib):
    """(whether KVM is fit, why)"""
    with Run(image, mib, "-accel", "tcg") as tcg, \
            Run(image, mib, "-accel", "kvm", "-cpu", "host") as kvm:
        tcg_s = tcg.took_s(TCG_S)
        if tcg_s is None or tcg.complaint():
            return False, "the image does not end under TCG either"
        kvm_s = kvm.took_s(PATIENCE * tcg_s)
        if kvm_s is None:
            return False, ("it is there, but does not run the image at speed: "
                           f"not done after {PATIENCE * tcg_s:.1f} s, TCG "
                           f"takes {tcg_s:.1f}")
        return not kvm.complaint(), kvm.complaint() or "the image ran"


def judge(image, mib):
    """(whether KVM is fit, why)"""
    if not os.path.exists(DEVICE):
        return False, f"there is no {DEVICE}"
    if not os.access(DEVICE, os.R_OK | os.W_OK):
        return False, f"{DEVICE} may not be opened"
    return race(image, mib)


def main():
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    fit, why = judge(sys.argv[1], *(sys.argv[2:] or ["64"]))
    print(f"{'KVM' if fit else 'no KVM'}: {why}")
    return 0 if fit else 1


if __name__ == "__main__":
    sys.exit(main())
