#!/bin/sh
# Run test programs, each to its end; say which failed. Output of the ones
# that pass stays in build/ beside the program.
set -u
failed=0 passed=0
for program in "$@"; do
    if timeout 600 "$program" >"$program.log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $program"
        grep -E 'FAILED|ERROR|panic|runtime error|Sanitizer|#[0-9]' \
            "$program.log" | head -40
    fi
done
echo "unit: $passed passed, $failed failed"
[ "$failed" = 0 ]
