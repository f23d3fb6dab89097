#!/bin/sh
# SPDX-License-Identifier: MIT
# check_models.sh JOULE DATA DEVICE: every model of DATA/models by limits.tsv.
set -u

joule=$1
data=$2
device=$3
limits=$(dirname "$0")/limits.tsv
passed=0
failed=0

if [ ! -d "$data/models" ]; then
	echo "SKIP models on $device: skipped: no data ($data/models)"
	exit 0
fi
for dir in "$data"/models/*/; do
	name=$(basename "$dir")
	options=$(awk -F '\t' -v m="$name" -v d="$device" '$1 == m && ($3 == "" || $3 == d) { print $2 }' "$limits")
	# shellcheck disable=SC2086
	if out=$($joule verify --device "$device" $options "$dir" 2>&1); then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $name on $device"
		echo "$out"
	fi
done
echo "models on $device:"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
