#!/bin/sh
# Build newlib once, from Debian's package newlib-source, into BUILD/newlib.
#
# usage: scripts/newlib.sh BUILD
#
# Leaves BUILD/newlib/x86_64-elf/{include,lib} and, as the last act, .built
# there. Its content is a hash of all that the result depends on: while that is
# the same nothing is built, so a fresh clone pays about a minute once.
#
# The configuration: one struct _reent for all green threads (errno is swapped
# at the switch), with stdio streams and atexit global, and our own locks.
set -eu
tarball=/usr/src/newlib/newlib-3.3.0.tar.xz

if [ $# != 1 ]; then
    echo "usage: $0 BUILD" >&2
    exit 2
fi
script=$(readlink -f "$0")
mkdir -p "$1"
build=$(readlink -f "$1")
prefix=$build/newlib
work=$build/newlib-work
log=$build/newlib.log
built=$prefix/x86_64-elf/.built

if [ ! -r "$tarball" ]; then
    echo "$0: $tarball is missing (package newlib-source)" >&2
    exit 1
fi

hash=$( (cat "$script" "$tarball"; gcc -v 2>&1; ld -v) | sha256sum |
    cut -d ' ' -f 1)
if [ -f "$built" ] && [ "$(cat "$built")" = "$hash" ]; then
    touch "$built"
    exit 0
fi

cflags="-O2 -g -ffreestanding -fno-pic -fno-pie -mno-red-zone \
-fno-omit-frame-pointer -fno-asynchronous-unwind-tables \
-fno-stack-protector -fcf-protection=none -mcmodel=small \
-ffunction-sections -fdata-sections \
-ffile-prefix-map=$work/newlib-salsa=newlib"

build_newlib() {
    tar -xf "$tarball" -C "$work"
    mkdir "$work/objects"
    cd "$work/objects"
    "$work/newlib-salsa/configure" --target=x86_64-elf --prefix="$prefix" \
        --disable-multilib --disable-libgloss --disable-nls \
        --disable-newlib-supplied-syscalls \
        --enable-newlib-io-long-long --enable-newlib-io-c99-formats \
        --enable-newlib-retargetable-locking \
        --enable-newlib-reent-small \
        --enable-newlib-global-stdio-streams \
        --enable-newlib-global-atexit \
        --enable-newlib-reent-check-verify \
        CC_FOR_TARGET=gcc AR_FOR_TARGET=ar RANLIB_FOR_TARGET=ranlib \
        AS_FOR_TARGET=as LD_FOR_TARGET=ld NM_FOR_TARGET=nm \
        OBJCOPY_FOR_TARGET=objcopy OBJDUMP_FOR_TARGET=objdump \
        READELF_FOR_TARGET=readelf STRIP_FOR_TARGET=strip \
        MAKEINFO=true CFLAGS_FOR_TARGET="$cflags"
    make -j"$(nproc)" all-target-newlib
    make install-target-newlib
}

echo "Building newlib (about a minute, once; log: $log)"
rm -rf "$work" "$prefix"
mkdir -p "$work"
# A subshell of its own: `set -e` would not hold inside an `if`.
set +e
(
    set -e
    unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
    unset CFLAGS CPPFLAGS LDFLAGS CC
    build_newlib
) >"$log" 2>&1
status=$?
set -e
if [ $status != 0 ]; then
    echo "newlib did not build; the end of $log:" >&2
    tail -n 30 "$log" >&2
    exit 1
fi
rm -rf "$work" "$prefix/share" "$prefix/x86_64-elf/lib/"*.o
echo "$hash" >"$built"
