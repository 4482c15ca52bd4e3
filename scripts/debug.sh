#!/bin/sh
# QEMU waits before the first instruction; gdb starts with the symbols and
# stops in main(). The console shows in between.
#
#   scripts/debug.sh IMAGE GUEST_PORT [GDB OPTION...]
#
# PORT, MEM, ARGS: scripts/machine.sh.
set -eu
me=debug image=${1:?IMAGE is missing} guest_port=${2?GUEST_PORT is missing}
shift 2
# shellcheck source=scripts/machine.sh
. "$(dirname "$0")/machine.sh"
work=$(mktemp -d)

# A socket in a folder of our own rather than a port: nothing to be taken,
# nobody else to connect.
machine -accel tcg -S -gdb chardev:gdb \
    -chardev "socket,id=gdb,path=$work/gdb,server=on,wait=off" &
qemu=$!
trap 'kill $qemu 2>/dev/null || :; rm -rf "$work"' EXIT
# Ctrl-C is gdb's; who closes the terminal ends the machine, too.
trap : INT
trap 'exit 1' HUP TERM
while [ ! -S "$work/gdb" ] && kill -0 $qemu 2>/dev/null; do sleep 0.1; done

[ -z "$guest_port" ] ||
    echo "debug: 127.0.0.1:$port leads to its port $guest_port"
gdb -q -ex "set architecture i386:x86-64" -ex "target remote $work/gdb" \
    -ex "hbreak main" -ex continue "$@" "$image"
