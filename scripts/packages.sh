#!/bin/sh
# Install the packages that are missing, saying so first.
#
#   packages.sh SECTION...      of packages.txt: build, test, bench
set -eu
cd "$(dirname "$0")/.."
wanted=
for section in "$@"; do
    found=$(sed -n "/^# \[$section\]/,/^# \[/ { s/#.*//; p }" packages.txt)
    [ -n "$found" ] || {
        echo "packages.sh: packages.txt has no section $section" >&2
        exit 1
    }
    wanted="$wanted $found"
done
missing=
for package in $wanted; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
        grep -q '^installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "Installing Debian packages that are missing:$missing"
if [ "$(id -u)" = 0 ]; then
    sudo=
elif command -v sudo >/dev/null; then
    sudo=sudo
else
    echo "Neither root nor sudo: as root, run" >&2
    echo "  apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
$sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
    --no-install-recommends $missing >/dev/null
