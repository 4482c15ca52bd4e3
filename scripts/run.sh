#!/bin/sh
# Boot an image with QEMU's user network and show its console; Ctrl-C presses
# the power button, and pulls the plug when that does not help.
#
#   scripts/run.sh IMAGE [GUEST_PORT]
#
# ACCEL  auto, kvm or tcg (auto: KVM when the image runs under it)
# PORT, MEM, ARGS: scripts/machine.sh.
set -u
me=run image=${1:?IMAGE is missing} guest_port=${2:-} accel=${ACCEL:-auto}
here=$(dirname "$0")
# shellcheck source=scripts/machine.sh
. "$here/machine.sh"

# --- the machine -----------------------------------------------------------

probe() {
    why=$("$here/kvm_probe.py" "$image" "$mem")
}

case $accel in
auto) if probe; then accel=kvm; else accel=tcg; fi ;;
kvm) probe || fail "ACCEL=kvm: $why" ;;
tcg) why="ACCEL=tcg" ;;
*) fail "ACCEL=$accel: auto, kvm or tcg" ;;
esac
case $accel in
kvm) cpu="-cpu host" ;;
*) cpu= ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkfifo "$work/monitor.in" "$work/monitor.out"

echo "run: $image with $mem MiB, accelerator $accel ($why)"
[ -z "$guest_port" ] ||
    echo "run: 127.0.0.1:$port leads to its port $guest_port" \
        "(PORT and RUN_PORT choose others)"
case $guest_port in
80) echo "run: open http://127.0.0.1:$port/ when it is ready; Ctrl-C ends it" ;;
*) echo "run: Ctrl-C ends it" ;;
esac

# shellcheck disable=SC2086
machine -accel "$accel" $cpu \
    -chardev "pipe,id=monitor,path=$work/monitor" -mon chardev=monitor &
qemu=$!

# --- its end ---------------------------------------------------------------

# make hands on what its whole group was sent anyway: a second signal counts
# only when it is not the echo of the first. A trap ends `wait`, and QEMU may
# have ended before it is asked for again: the shell then still knows how, once.
stop() {
    trap heard=1 INT TERM HUP
    stopped=$(date +%s)
    trap 'heard=1; [ "$(date +%s)" -le $((stopped + 1)) ] ||
        kill -KILL $qemu' INT TERM
    echo "run: pressing the power button"
    echo system_powerdown 1<>"$work/monitor.in" # ">" waits for its reader
    (sleep 5 >/dev/null && kill -TERM $qemu &&
        echo "run: no answer: pulled the plug") 2>/dev/null &
    timer=$!
    heard=1
}
timer=
trap stop INT TERM HUP

# A terminal that is closed tells its session's leader alone. That may be a
# make, which then waits for us.
watch_terminal() {
    while [ -t 1 ]; do
        sleep 1
        kill -0 $$ 2>/dev/null || return # killed, without a last word
    done
    kill -HUP $$
}
watcher=
if [ -t 1 ]; then
    watch_terminal &
    watcher=$!
fi

heard=1 status=127
while [ -n "$heard" ]; do
    heard=
    wait $qemu
    ended=$?
    [ $ended = 127 ] || status=$ended # 127: told before
done
# Not by SIGTERM: one that has just begun still has our traps, and loses it.
for helper in $timer $watcher; do kill -KILL "$helper" 2>/dev/null; done

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
