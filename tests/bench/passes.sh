#!/bin/sh
# SPDX-License-Identifier: MIT
# passes.sh JOULE DATA: what each pass is worth on a model that it changes
# (tests/models/passes.tsv). Turns are taken, so that both sides see the same
# machine; a ratio above 1 is time that the pass saves. Nothing is asserted.
set -u

joule=$1
data=$2
table=$(dirname "$0")/../models/passes.tsv
turns=3

[ -d "$data/models" ] || exit 0

# p50 in ms of the options given
p50() {
	"$joule" bench --quiet --seconds 0.5 --format csv "$@" 2>/dev/null |
	sed ':a;s/\("[^",]*\),\([^"]*"\)/\1\2/;ta' |
	awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } { print $at["p50_ms"] }'
}

echo
echo '| pass | model | p50 ms with | without | ratio |'
echo '|---|---|---:|---:|---:|'
grep -v '^#' "$table" | while IFS='	' read -r pass model shapes; do
	options=
	for s in $shapes; do
		options="$options --shape $s"
	done
	with= without= i=0
	while [ $i -lt $turns ]; do
		# shellcheck disable=SC2086
		with="$with $(p50 $options "$data/models/$model/model.onnx")"
		# shellcheck disable=SC2086
		without="$without $(p50 $options --no-pass "$pass" "$data/models/$model/model.onnx")"
		i=$((i + 1))
	done
	# The least of each: what disturbs only adds.
	echo "$with /$without" | awk -v pass="$pass" -v model="$model" '
		{
			for (i = 1; i <= NF && $i != "/"; i++)
				if (!a || $i < a) a = $i
			for (i++; i <= NF; i++)
				if (!b || $i < b) b = $i
			if (!a || !b)
				printf "| %s | %s | not measured | | |\n", pass, model
			else
				printf "| %s | %s | %.3f | %.3f | %.2f |\n", pass, model, a, b, b / a
		}'
done
