#!/bin/sh
# Make a CD image of about 1 MB that boots through GRUB on a BIOS machine.
#
#   iso.sh IMAGE.elf OUT.iso ["COMMAND LINE"]
#
# The first entry boots through Multiboot 2, the second through Multiboot 1;
# MULTIBOOT=1 in the environment makes the second the default.
set -eu
case $# in
2 | 3) ;;
*)
    echo "usage: iso.sh IMAGE.elf OUT.iso [\"COMMAND LINE\"]" >&2
    exit 64
    ;;
esac
image=$1 out=$2 cmdline=${3:-}
entry=$((${MULTIBOOT:-2} == 1))
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tree=$work/tree # the log stays outside: a file that grows is no file to image
mkdir -p "$tree/boot/grub"
strip -s -o "$tree/boot/runnel.elf" "$image"
cat >"$tree/boot/grub/grub.cfg" <<EOF
serial --unit=0 --speed=115200
terminal_input serial console
terminal_output serial console
set timeout=0
set default=$entry
menuentry "Runnel (multiboot2)" {
    multiboot2 /boot/runnel.elf $cmdline
    boot
}
menuentry "Runnel (multiboot)" {
    multiboot /boot/runnel.elf $cmdline
    boot
}
EOF
grub-mkrescue -d /usr/lib/grub/i386-pc -o "$out" "$tree" \
    --install-modules="multiboot multiboot2 normal serial terminal iso9660 biosdisk" \
    --locales= --fonts= --themes= --compress=xz >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    exit 1
}
