#!/bin/sh
# SPDX-License-Identifier: MIT
# check_passes.sh JOULE DATA: the answers of passes.tsv's models without the pass.
set -u

joule=$1
data=$2
here=$(dirname "$0")
passed=0
failed=0

if [ ! -d "$data/models" ]; then
	echo "SKIP models without a pass: skipped: no data ($data/models)"
	exit 0
fi
for pass in $($joule inspect --passes | awk 'NR > 1 { print $1 }'); do
	name=$(awk -F '\t' -v p="$pass" '$1 == p { print $2 }' "$here/passes.tsv")
	if [ -z "$name" ]; then
		failed=$((failed + 1))
		echo "FAIL pass $pass is not in passes.tsv"
		continue
	fi
	options=$(awk -F '\t' -v m="$name" '$1 == m && ($3 == "" || $3 == "vulkan") { print $2 }' \
		"$here/limits.tsv")
	# What no pass recognised may run on the CPU.
	# shellcheck disable=SC2086
	if out=$($joule verify --no-pass "$pass" --allow-host $options "$data/models/$name" 2>&1); then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $name without pass $pass"
		echo "$out"
	fi
done
echo "models without a pass:"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
