#!/bin/sh
# SPDX-License-Identifier: MIT
# demo.sh JOULE OUT: reads the pictures of meters beside this script, then shows
# where the time of a reading goes.
set -eu

joule=$1
out=$2
here=$(dirname "$0")
mkdir -p "$out"

# field NAME: a number or string of the JSON that joule run printed.
field() {
	sed -n "s/^ *\"$1\": \"*\([^\",]*\)\"*,*\$/\1/p" "$out/run.json"
}

echo
echo "A reader of utility meters: a picture of the whole meter in, the number out."
echo "The model was trained on rendered meters, no photographs (tools/demo/meter.md)."
echo
echo "It runs as Vulkan compute on: $($joule devices --format csv | sed -n '2s/^[^,]*,\("[^"]*"\|[^,]*\),.*/\1/p' | tr -d '"')"
echo
printf '  %-14s %-12s %-12s %-10s %s\n' picture shows joule confidence "time to run"
for picture in "$here"/meter-*.jpg; do
	name=$(basename "$picture")
	shows=$(awk -F '\t' -v n="$name" '$1 == n { print $2 }' "$here/samples.tsv")
	$joule run "$here/meter.onnx" "$picture" --format json >"$out/run.json"
	reading=$(field reading)
	mark=
	[ "$reading" = "$shows" ] || mark="   (wrong)"
	printf '  %-14s %-12s %-12s %5.1f %%  %8.2f ms%s\n' "$name" "$shows" "$reading" \
		"$(awk "BEGIN { print 100 * $(field confidence) }")" "$(field run_ms)" "$mark"
done
echo
echo "Where the time of one reading goes (measured; the rows add up to the total):"
echo
$joule profile "$here/meter.onnx" --html "$out/meter.html" --top 10 \
	--columns node,kernel,device,ms,percent,bar,gflops,peak_percent
echo
echo "All steps, with graph and timeline, as a page: $out/meter.html"
echo "Try it:  $joule run $here/meter.onnx $here/meter-1.jpg"
echo "         $joule bench $here/meter.onnx --precision fp32,fp16"
