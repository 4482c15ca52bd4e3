#!/bin/sh
# Fuzz with each given program in turn: scripts/fuzz.sh MINUTES PROGRAM...
# MINUTES 0 replays the corpus alone. New inputs that reach new code are kept
# in tests/fuzz/corpus/<name>/; one that fails is left in build/fuzz/.
set -eu
minutes=$1
shift
mkdir -p build/fuzz
for program in "$@"; do
    name=$(basename "$program")
    corpus=tests/fuzz/corpus/$name
    mkdir -p "$corpus"
    if [ "$minutes" = 0 ]; then
        "$program" -runs=0 -artifact_prefix="build/fuzz/$name-" "$corpus" >"build/fuzz/$name.log" 2>&1 || {
            echo "FAILED: $name on its corpus"
            tail -40 "build/fuzz/$name.log"
            exit 1
        }
        echo "fuzz: $name: $(ls "$corpus" | wc -l) inputs replayed"
        continue
    fi
    echo "fuzz: $name for $minutes minutes"
    "$program" -max_total_time=$((minutes * 60)) -timeout=20 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="build/fuzz/$name-" \
        "$corpus" >"build/fuzz/$name.log" 2>&1 || {
        echo "FAILED: $name"
        tail -40 "build/fuzz/$name.log"
        exit 1
    }
    grep -E 'number_of_executed|new_units' "build/fuzz/$name.log"
done
