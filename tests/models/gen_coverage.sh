#!/bin/sh
# SPDX-License-Identifier: MIT
# gen_coverage.sh JOULE DATA LIST.tsv PAGE.md: runs ONNX's node vectors on both
# devices and writes what did not pass, with the reason, as the list that
# check_nodes.sh reads and as the page people read.
set -eu

joule=$1
data=$2
list=$3
page=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

reason() {
	$joule verify --device "$1" --format csv "$2" 2>"$work/err" >"$work/out" || true
	if [ -s "$work/err" ]; then
		sed -n '1s/^joule: [^:]*model.onnx: //p' "$work/err"
	else
		awk -F '","|",|,"' 'NR > 1 && /FAIL|ON CPU/ { print $NF; exit }' "$work/out" |
			sed 's/"//g; s/^.*,\([^,]*\)$/\1/'
	fi
}

for group in v1.17 pytorch-converted pytorch-operator simple main-2026-08; do
	for device in cpu vulkan; do
		$joule verify --summary --quiet --device $device "$data/onnx-node/$group" \
			>"$work/$group.$device" 2>/dev/null || true
		sed -n 's/^FAIL //p' "$work/$group.$device" | while read -r t; do
			printf '%s\t%s\t%s\n' $device "$t" "$(reason $device "$data/onnx-node/$group/$t")"
		done
	done
done >"$work/list"

{
	echo '# SPDX-License-Identifier: MIT'
	echo '# ONNX node tests that do not pass: device, test, reason. Made by make coverage.'
	# A test that fails the same way on both is listed once.
	awk -F '\t' '{ k = $2 "\t" $3; if (k in d) d[k] = "any"; else { d[k] = $1; o[++n] = k } }
		END { for (i = 1; i <= n; i++) print d[o[i]] "\t" o[i] }' "$work/list" | sort -k 2
} >"$list"

count() { grep -c "^$1 " "$2" || true; }
{
	echo '# Coverage: ONNX node tests'
	echo
	echo 'Made by `make coverage`. A test passes on Vulkan only if every step with a'
	echo 'floating-point result ran there; integer and shape work may run on the CPU.'
	echo
	echo '| group | tests | plain C reference | Vulkan |'
	echo '|---|---:|---:|---:|'
	for group in v1.17 pytorch-converted pytorch-operator simple main-2026-08; do
		all=$(($(count pass "$work/$group.cpu") + $(count FAIL "$work/$group.cpu")))
		echo "| $group | $all | $(count pass "$work/$group.cpu") | $(count pass "$work/$group.vulkan") |"
	done
	echo
	echo '## Not passed, and why'
	echo
	echo '| device | test | reason |'
	echo '|---|---|---|'
	grep -v '^#' "$list" | awk -F '\t' '{ gsub(/\|/, "\\|"); print "| " ($1 == "any" ? "both" : $1) " | " $2 " | " $3 " |" }'
} >"$page"
