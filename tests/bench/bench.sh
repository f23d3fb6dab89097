#!/bin/sh
# SPDX-License-Identifier: MIT
# bench.sh JOULE DATA: the models of peers.tsv on the Vulkan device, beside the
# recorded figures of ncnn, as a Markdown table. Every joule figure is measured
# in this run; limits are ratios: first inference over steady, memory over the
# planner's lower bound.
set -u

joule=$1
data=$2
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ ! -d "$data/models-light" ]; then
	echo "skipped: no data ($data)"
	exit 0
fi
$joule devices --format md
echo
echo '| model | p50 ms | ncnn-Vulkan ms (recorded) | ratio | GFLOP/s | % of measured peak | first ms | first / p50 | arena / bound | device MiB | ready ms |'
echo '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|'
grep -v '^#' "$here/peers.tsv" | while IFS='	' read -r file name ms; do
	$joule bench --quiet --format csv "$data/$file" >"$work/csv" || continue
	# A comma inside a quoted field is no separator.
	sed ':a;s/\("[^",]*\),\([^"]*"\)/\1\2/;ta' "$work/csv" >"$work/row"
	awk -F, -v name="$name" -v peer="$ms" '
		NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		{
			printf "| %s | %.1f | %s | %.2f | %.1f | %s | %.1f | %.2f | %.3f | %.1f | %.0f |\n",
				name, $at["p50_ms"], peer, $at["p50_ms"] / peer, $at["gflops"],
				$at["peak_percent"], $at["first_ms"], $at["first_ms"] / $at["p50_ms"],
				$at["arena_bytes"] / $at["arena_lower_bound_bytes"],
				$at["device_bytes"] / 1048576, $at["open_ms"]
			if ($at["warning"] != "")
				print "warning: " name ": " $at["warning"] >"/dev/stderr"
		}' "$work/row"
done
