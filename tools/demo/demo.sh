#!/bin/sh
# SPDX-License-Identifier: MIT
# demo.sh JOULE OUT: reads the pictures of meters beside this script, then shows
# where the time of a reading goes.
set -eu

joule=$1
out=$2
here=$(dirname "$0")
mkdir -p "$out"

echo
echo "A reader of utility meters: a picture of the whole meter in, the number out."
echo "The model (tools/demo/meter.onnx) was trained on rendered meters; see tools/demo/meter.md."
echo
$joule devices
echo
for picture in "$here"/meter-*.jpg; do
	name=$(basename "$picture")
	printf '%s shows %s\n' "$name" \
		"$(awk -F '\t' -v n="$name" '$1 == n { print $2 }' "$here/samples.tsv")"
	$joule run "$here/meter.onnx" "$picture" --time | sed 's/^/    /'
done
echo
echo "Where the time of one reading goes (the ten slowest steps, measured):"
echo
$joule profile "$here/meter.onnx" --sort --html "$out/meter.html" >"$out/profile.txt"
head -n 11 "$out/profile.txt"
echo "..."
tail -n 4 "$out/profile.txt"
echo
echo "The same with graph and timeline: $out/meter.html"
