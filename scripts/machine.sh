# shellcheck shell=sh disable=SC2154
# What run.sh and debug.sh share, which source it: the settings, checked, and
# the machine that is made of them. `me` is who asks, `image` what boots and
# `guest_port` where it listens; empty: it serves nobody, and needs no port.
#
# PORT   on this host's 127.0.0.1 that leads to guest_port, TCP and UDP (8080)
# MEM    MiB of memory (64)
# ARGS   more for the guest's command line: --help tells what there is
port=${PORT:-8080} mem=${MEM:-64} args=${ARGS:-}

fail() {
    echo "$me: $1" >&2
    exit 1
}

check_number() { # NAME VALUE LEAST MOST OF-WHAT
    case $2 in
    '' | *[!0-9]* | ??????????*) ;; # more digits than the shell counts
    *) [ "$2" -lt "$3" ] || [ "$2" -gt "$4" ] || return 0 ;;
    esac
    fail "$1=$2: $5 is a number from $3 to $4"
}

host_kib=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)
check_number MEM "$mem" 2 $((host_kib / 1024)) \
    "the guest's memory in MiB, of this machine's,"
forward=
if [ -n "$guest_port" ]; then
    check_number PORT "$port" 1 65535 "a port of 127.0.0.1"
    check_number RUN_PORT "$guest_port" 1 65535 "the image's port"
    why=$("$(dirname "$0")/free_port.py" "$port") || fail "$why"
    for protocol in tcp udp; do
        forward=$forward,hostfwd=$protocol:127.0.0.1:$port-:$guest_port
    done
fi

# QEMU in place of this shell, in a session of its own: Ctrl-C is not for it.
machine() { # MORE OPTIONS OF QEMU'S...
    exec setsid qemu-system-x86_64 -nodefaults -no-user-config -display none \
        -no-reboot -m "$mem" \
        -chardev stdio,id=console,signal=off -serial chardev:console \
        -netdev "user,id=net0$forward" \
        -device virtio-net-pci,disable-legacy=on,netdev=net0 \
        -device virtio-rng-pci -device isa-debug-exit \
        -kernel "$image" -append "$args" "$@" </dev/null
}
