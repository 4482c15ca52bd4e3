#!/bin/sh
# Link an image twice: the second time with the table of the first one's
# function names in it. The table is the last read-only section, so the code
# stays where it was; that is checked.
#
#   link.sh OUT.elf APP "COMPILER FLAGS" "LINK FLAGS" "OBJECTS" "LIBRARIES"
#
# Leaves OUT.elf (with debug information, what gdb wants) and
# OUT.elf.stripped beside it.
set -eu
out=$1 app=$2 flags=$3 link=$4 objects=$5 libraries=$6
cc=${CC:-gcc}
python=${PYTHON:-/usr/bin/python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

link_with() { # SYMBOLS.S OUT
    # shellcheck disable=SC2086
    $cc $flags -c "$1" -o "$work/symbols.o"
    # shellcheck disable=SC2086
    $cc $flags $link -o "$2" $objects "$work/symbols.o" $libraries
}

functions() {
    nm --defined-only "$1" | grep -i ' [tw] ' || true
}

"$python" scripts/symbols.py "$app" >"$work/empty.S"
link_with "$work/empty.S" "$work/first.elf"
"$python" scripts/symbols.py "$app" "$work/first.elf" >"$work/symbols.S"
link_with "$work/symbols.S" "$work/second.elf"
if [ "$(functions "$work/first.elf")" != "$(functions "$work/second.elf")" ]
then
    echo "link.sh: code moved between the two links" >&2
    exit 1
fi
strip -s -o "$out.stripped" "$work/second.elf"
mv "$work/second.elf" "$out"
