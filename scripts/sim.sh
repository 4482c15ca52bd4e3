#!/bin/sh
# Run simulations: sim.sh PROGRAM FIRST COUNT JOBS. Seeds go in chunks to JOBS
# processes; the first chunk that fails ends it, its seed has printed itself.
set -u
export ASAN_OPTIONS=abort_on_error=1:handle_segv=2
export UBSAN_OPTIONS=abort_on_error=1
program=$1 first=$2 count=$3 jobs=$4
chunk=$((count / (jobs * 8) + 1))
[ "$chunk" -gt 500 ] && chunk=500
last=$((first + count - 1))
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
# Two processes have their memory at different places.
if [ "$("$program" --hash "$first")" != "$("$program" --hash "$first")" ]; then
    echo "sim: seed $first: two processes see different runs"
    exit 1
fi
seq "$first" "$chunk" "$last" |
    xargs -P "$jobs" -I{} sh -c '
        rest=$(($3 - $1 + 1))
        [ "$rest" -gt "$2" ] && rest=$2
        "$0" "$1" "$rest" || exit 255' "$program" {} "$chunk" "$last" >"$log" 2>&1
status=$?
awk '/no rule broken/ { segments += $6; turns += $8; next } { print }
    END { printf "sim: %s seeds from %s: %d segments, %d turns\n", \
          count, first, segments, turns }' count="$count" first="$first" "$log"
exit "$status"
