#!/bin/sh
# SPDX-License-Identifier: MIT
# check_nodes.sh JOULE DATA DEVICE LIST: ONNX's node vectors. Every test must
# pass but those that LIST names with the reason: "DEVICE|any TEST reason".
# A listed test that passes must be taken off the list.
set -u

joule=$1
data=$2
device=$3
list=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ ! -d "$data/onnx-node" ]; then
	echo "SKIP onnx nodes on $device: skipped: no data ($data/onnx-node)"
	exit 0
fi
for group in v1.17 pytorch-converted pytorch-operator simple main-2026-08; do
	$joule verify --summary --quiet --device "$device" "$data/onnx-node/$group" 2>/dev/null
done | awk '/^(pass|FAIL) / { print }' >"$work/results"
grep -v '^#' "$list" | awk -v d="$device" '$1 == d || $1 == "any" { print $2 }' | sort -u >"$work/known"
sed -n 's/^FAIL //p' "$work/results" | sort -u >"$work/failed"
sed -n 's/^pass //p' "$work/results" | sort -u >"$work/passed"
bad=$(comm -23 "$work/failed" "$work/known")
stale=$(comm -12 "$work/passed" "$work/known")
for t in $bad; do echo "FAIL $t on $device"; done
for t in $stale; do echo "FAIL $t on $device passes now: take it off $list"; done
echo "onnx nodes on $device: $(wc -l <"$work/passed") pass, $(comm -12 "$work/failed" "$work/known" | wc -l) are listed as not supported"
echo "$(wc -l <"$work/passed") passed, $(printf '%s\n' $bad $stale | grep -c .) failed"
[ -z "$bad$stale" ]
