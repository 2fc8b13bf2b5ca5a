#!/bin/sh
# Collects a criu and all it links to into a directory that works in any image it is mounted into, at PREFIX.
#   criu-bundle.sh CRIU DEST [PREFIX]
# patchelf must be on the PATH.
set -eu
criu=$1 dest=$2 prefix=${3:-/ergosphere/bin}

mkdir -p "$dest/lib" "$dest/plugins"
cp "$criu" "$dest/criu"
strip "$dest/criu"
# "NAME => PATH (ADDRESS)" for libraries, "PATH (ADDRESS)" for the loader.
ldd "$criu" | sed -n 's/^[[:space:]]*\(.* => \)\{0,1\}\(\/[^ ]*\) (0x.*/\2/p' |
    while read -r library; do cp -L "$library" "$dest/lib/"; done
loader=$(basename "$dest"/lib/ld-linux-*)

# The loader would also load what /etc/ld.so.preload names, a file that the user's image provides.
sed -i 's#/etc/ld\.so\.preload#/nonexistent/none/#' "$dest/lib/$loader"
if grep -q /etc/ld.so.preload "$dest/lib/$loader"; then
    echo "cannot take /etc/ld.so.preload out of the loader" >&2
    exit 1
fi
for file in "$dest"/lib/*; do
    # --force-rpath: unlike a run path, it also holds for the libraries of libraries.
    [ "${file##*/}" = "$loader" ] || patchelf --force-rpath --set-rpath "$prefix/lib" "$file"
done
patchelf --set-interpreter "$prefix/lib/$loader" --force-rpath --set-rpath "$prefix/lib" "$dest/criu"
