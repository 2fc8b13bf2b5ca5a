#!/bin/sh
# Declares the GPUs that nodes are labelled with: `declare-gpus.sh kubectl [OPTION...]`.
#
# A kubelet that starts resets the extended resources that no device plugin stands behind, so this follows the
# nodes and writes them back. It ends with the watch, or with its process group when a node cannot be written,
# and is then started again.
set -eu
resource=nvidia.com/gpu
label=e2e.ergosphere.dev/gpus

field() { printf '%s' "$1" | sed 's/\./\\./g'; }
columns="NAME:.metadata.name,WANTED:.metadata.labels.$(field "$label")"
columns="$columns,CAPACITY:.status.capacity.$(field "$resource")"
columns="$columns,ALLOCATABLE:.status.allocatable.$(field "$resource")"

"$@" get nodes --selector="$label" --watch --no-headers --output="custom-columns=$columns" |
    while read -r node wanted capacity allocatable; do
        if [ "$capacity/$allocatable" != "$wanted/$wanted" ]; then
            amount="{\"$resource\":\"$wanted\"}"
            "$@" patch node "$node" --subresource=status --type=merge \
                --patch="{\"status\":{\"capacity\":$amount,\"allocatable\":$amount}}" || kill 0
        fi
    done
