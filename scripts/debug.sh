#!/bin/sh
# QEMU waits before the first instruction; gdb starts with the symbols and
# stops in main(). The console shows in between.
#
#   scripts/debug.sh IMAGE [GDB OPTION...]
#
# ARGS and MEM: as for run.sh.
set -eu
image=$1
shift
work=$(mktemp -d)

# In a session of its own: Ctrl-C is for gdb. A socket in a folder of our own
# rather than a port: nothing to be taken, nobody else to connect.
setsid qemu-system-x86_64 -nodefaults -no-user-config -display none \
    -no-reboot -accel tcg -m "${MEM:-64}" -serial stdio \
    -netdev user,id=net0 \
    -device virtio-net-pci,disable-legacy=on,netdev=net0 \
    -device virtio-rng-pci -device isa-debug-exit \
    -S -chardev "socket,id=gdb,path=$work/gdb,server=on,wait=off" \
    -gdb chardev:gdb -kernel "$image" \
    -append "${ARGS:-}" \
    </dev/null &
qemu=$!
trap 'kill $qemu 2>/dev/null || :; rm -rf "$work"' EXIT
while [ ! -S "$work/gdb" ] && kill -0 $qemu 2>/dev/null; do sleep 0.1; done

gdb -q -ex "set architecture i386:x86-64" -ex "target remote $work/gdb" \
    -ex "hbreak main" -ex continue "$@" "$image"
