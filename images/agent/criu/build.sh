#!/bin/sh
# Builds CRIU from its source at the version that VERSIONS pins, with the patches beside this script, into DEST/criu.
#   build.sh VERSIONS DEST
# Needs curl, xz, patch, make, gcc, pkg-config, protobuf-compiler, protobuf-c-compiler and the development files of
# protobuf, protobuf-c, libnl-3, libcap, libnet and libuuid.
set -eu
versions=$(realpath "$1") dest=$(realpath "$2") patches=$(dirname "$(realpath "$0")")

pinned() { sed -n '/^\[criu\]/,/^\[/ s/^'"$1"' = "\(.*\)"/\1/p' "$versions"; }
version=$(pinned version)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# The archives that this system installs from: one of them has Debian's pool.
mirrors=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -o '^[^#]*https\{0,1\}://[^ ]*' | grep -o 'http.*' | sort -u)
for mirror in $mirrors; do
    curl --fail --silent --show-error --location --output source.tar.xz \
        "${mirror%/}/pool/main/c/criu/criu_$version.orig.tar.xz" && break
done
echo "$(pinned sha256)  source.tar.xz" | sha256sum --check --quiet
tar --extract --file source.tar.xz
cd "criu-$version"
for file in "$patches"/*.patch; do
    patch --strip 1 --quiet --fuzz 0 <"$file"
done
make -j"$(nproc)" NO_GNUTLS=1 criu >"$work/log" 2>&1 || { tail -40 "$work/log" >&2; exit 1; }
cp criu/criu "$dest/criu"
