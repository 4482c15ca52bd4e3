#!/bin/sh
# Boot an image with QEMU's user network and show its console; Ctrl-C presses
# the power button, and pulls the plug when that does not help.
#
#   scripts/run.sh IMAGE [GUEST_PORT]
#
# PORT   on this host's 127.0.0.1 that leads to GUEST_PORT (8080); without
#        GUEST_PORT the image serves nobody, and none is needed
# ACCEL  auto, kvm or tcg (auto: KVM when the image runs under it)
# MEM    MiB of memory (64), 2 or more
# ARGS   more for the guest's command line: "--logs=debug"
set -u
image=$1 guest_port=${2:-}
port=${PORT:-8080} accel=${ACCEL:-auto} mem=${MEM:-64} args=${ARGS:-}
here=$(dirname "$0")

fail() {
    echo "run: $1" >&2
    exit 1
}

# --- may it start? ---------------------------------------------------------

case $mem in
'' | *[!0-9]*) fail "MEM=$mem is not a number of MiB" ;;
esac
[ "$mem" -ge 2 ] || fail "MEM=$mem: an image needs 2 MiB at least"

may_use() { # PORT
    case $1 in
    '' | *[!0-9]*) fail "PORT=$1 is not a number" ;;
    esac
    /usr/bin/python3 - "$1" <<'PYTHON' || exit 1
import socket
import sys

try:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", int(sys.argv[1])))
except (OSError, OverflowError) as error:
    sys.exit(f"run: port {sys.argv[1]} of 127.0.0.1 cannot be used: {error}\n"
             "run: choose another: make run PORT=8081")
PYTHON
}
[ -z "$guest_port" ] || may_use "$port"

case $accel in
auto)
    if why=$("$here/kvm-probe" "$image"); then accel=kvm; else accel=tcg; fi
    ;;
kvm)
    why=$("$here/kvm-probe" "$image") || fail "ACCEL=kvm: $why"
    ;;
tcg) why="ACCEL=tcg" ;;
*) fail "ACCEL=$accel: auto, kvm or tcg" ;;
esac
case $accel in
kvm) cpu="-cpu host" ;;
*) cpu= ;;
esac

# --- the machine -----------------------------------------------------------

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkfifo "$work/monitor.in" "$work/monitor.out"

echo "run: $image with $mem MiB, accelerator $accel ($why)"
case $guest_port in
'') echo "run: Ctrl-C ends it" ;;
80) echo "run: open http://127.0.0.1:$port/ when it is ready; Ctrl-C ends it" ;;
*) echo "run: 127.0.0.1:$port leads to its port $guest_port; Ctrl-C ends it" ;;
esac

forward=
[ -z "$guest_port" ] || forward=,hostfwd=tcp:127.0.0.1:$port-:$guest_port

# In a session of its own, so that Ctrl-C reaches this script only.
# shellcheck disable=SC2086
setsid qemu-system-x86_64 -nodefaults -no-user-config -display none \
    -no-reboot -accel "$accel" $cpu -m "$mem" \
    -chardev stdio,id=console,signal=off -serial chardev:console \
    -chardev "pipe,id=monitor,path=$work/monitor" -mon chardev=monitor \
    -netdev "user,id=net0$forward" \
    -device virtio-net-pci,disable-legacy=on,netdev=net0 \
    -device virtio-rng-pci -device isa-debug-exit \
    -kernel "$image" \
    -append "$args" \
    </dev/null &
qemu=$!

# --- its end ---------------------------------------------------------------

# make hands on what its whole group was sent anyway: a second signal counts
# only when it is not the echo of the first.
stop() {
    trap : INT TERM
    stopped=$(date +%s)
    trap '[ "$(date +%s)" -le $((stopped + 1)) ] || kill -KILL $qemu' INT TERM
    echo "run: pressing the power button"
    echo system_powerdown >"$work/monitor.in"
    (sleep 5 && kill -TERM $qemu && echo "run: no answer: pulled the plug") \
        2>/dev/null &
    timer=$!
}
timer=
trap stop INT TERM HUP

wait $qemu
status=$?
while kill -0 $qemu 2>/dev/null; do # a trap ended the wait
    wait $qemu
    status=$?
done
[ -z "$timer" ] || kill $timer 2>/dev/null

case $status in
137 | 139) echo "run: QEMU was killed" ;; # by SIGKILL, SIGSEGV
*)
    if [ "$status" -ge 3 ] && [ $((status % 2)) = 1 ]; then
        status=$((status / 2))
        echo "run: the program ended with status $status"
    fi
    ;;
esac
exit "$status"
