#!/bin/sh
# SPDX-License-Identifier: MIT
# What the command prints and writes when all goes well.
. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
out=$work/formats
picture=$frames/rgb/000001.png
net="$models/net.onnx --shape x=1,3,16,24"
rm -rf "$out"
mkdir -p "$out"

# ok NAME ARGUMENT...: exit code 0, nothing on stderr, stdout in $out/o.
ok() {
	name=$1
	shift
	timeout 60 "$joule" "$@" >"$out/o" 2>"$out/e"
	code=$?
	[ $code = 0 ] && [ ! -s "$out/e" ] && pass || fail "$name: exit code $code: $(head -n 3 "$out/e")"
}

# json NAME SCHEMA KEY...: what ok() left is JSON of that schema.
json() {
	name=$1
	shift
	why=$(python3 "$here/schema.py" "$out/o" "$@" 2>&1) && pass || fail "$name: $why"
}

# columns NAME: a CSV header and as many fields in each row.
columns() {
	python3 -c '
import csv, sys
rows = list(csv.reader(open(sys.argv[1])))
sys.exit(len(rows) < 2 or any(len(r) != len(rows[0]) for r in rows))' "$out/o" && pass || fail "$1: not CSV"
}

# ---- formats of every command ----
quick="--runs 2 --seconds 0 --warmup 1"
ok "bench json" bench $models/net.onnx $quick --batch 1,2 --precision fp32,fp16 --format json
json "bench json" joule.bench/1 model=string device=string precision=string batch=number \
	p50_ms=number p90_ms=number p99_ms=number min_ms=number mean_ms=number runs=number \
	with_transfer_p50_ms=number per_second=number open_ms=number compile_ms=number \
	first_ms=number gmacs=number gflops=number peak_percent=number peak_gflops=number \
	bandwidth_gbytes=number device_bytes=number arena_bytes=number \
	arena_lower_bound_bytes=number weight_bytes=number host_peak_bytes=number kind=string
[ "$(grep -c '"batch": 2' "$out/o")" = 2 ] && [ "$(grep -c '"precision": "fp16"' "$out/o")" = 2 ] &&
	pass || fail "bench sweep: not 2 x 2 rows"
ok "bench csv" bench $models/net.onnx $quick --device cpu --format csv
columns "bench csv"
ok "bench md" bench $models/net.onnx $quick --device cpu --format md
contains "bench md" "$out/o" '^| net.onnx |'
ok "bench text" bench $models/net.onnx $quick --device cpu
contains "bench text" "$out/o" '^  latency .* p50 .* ms'
"$joule" bench $models/net.onnx $quick --device cpu --max-p99 0.000001 >"$out/o" 2>"$out/e"
exits "a limit missed" 1 $?
contains "a limit missed" "$out/e" 'net.onnx: p99 .* ms is over the limit'
ok "a limit met" bench $models/net.onnx $quick --device cpu --max-p99 100000 --max-p50 100000 --max-first 100000

ok "profile json" profile $net --format json
json "profile json" joule.profile/1 step node op onnx_nodes kernel device precision ms=number percent=number mmacs kbytes
python3 -c '
import json, sys
rows = json.load(open(sys.argv[1]))["rows"]
total = [r["ms"] for r in rows if r["node"] == "(total)"][0]
sys.exit(abs(sum(r["ms"] for r in rows) - 2 * total) > 0.001 + 0.01 * total)' "$out/o" &&
	pass || fail "profile: the rows do not add up to the total"
ok "profile csv" profile $net --format csv
columns "profile csv"
ok "profile --top" profile $net --top 1 --columns node,ms,bar --format csv
columns "profile --top"
[ "$(wc -l <"$out/o")" = 6 ] && contains "profile --top" "$out/o" '^(1 other steps)' || fail "profile --top: $(cat "$out/o")"
ok "profile html" profile $net --html "$out/net.html"
contains "profile html" "$out/net.html" '<html'
ok "inspect json" inspect $net --format json
json "inspect json" joule.inspect/1 op=string before=number after=number
ok "inspect text" inspect $net
contains "inspect text" "$out/o" 'kernel launches'
ok "inspect on the reference" inspect $net --device cpu
grep -q launches "$out/o" && fail "inspect on the reference: launches" || pass
for stage in graph passes plan; do
	ok "inspect $stage" inspect $net --stage $stage
	[ -s "$out/o" ] && pass || fail "inspect $stage: nothing"
done
ok "passes" inspect --passes --format json
json "passes" joule.passes/1 pass=string description=string
for pass in $(python3 -c '
import json, sys
print(*[r["pass"] for r in json.load(open(sys.argv[1]))["rows"]])' "$out/o"); do
	ok "--no-pass $pass" inspect $net --no-pass "$pass"
done
ok "devices json" devices --format json
json "devices json" joule.devices/1 id=string name=string type=string usable=string
ok "diverge json" diverge $net --all --format json
json "diverge json" joule.diverge/1 tensor=string node=string max_abs=number result=string
# Halves against the reference's fp32: by value, and something must be compared.
ok "diverge fp16" diverge $net --precision fp16
contains "diverge fp16" "$out/o" 'no divergence: [1-9]'
for c in run bench profile inspect verify diverge devices; do
	ok "$c --help" $c --help
	contains "$c --help" "$out/o" "^Usage: joule $c"
done

# ---- names of any bytes ----
bad="$models/bad_names.onnx --shape x=1,3,16,24"
ok "bad names, text" profile $bad --html "$out/bad.html"
ok "bad names, json" profile $bad --format json
json "bad names, json" joule.profile/1 node=string onnx_nodes
iconv -f UTF-8 -t UTF-8 "$out/bad.html" >/dev/null 2>&1 && pass || fail "bad names: the page is not UTF-8"
[ "$(grep -c '</script>' "$out/bad.html")" = "$(grep -c '</script>' "$out/net.html")" ] &&
	pass || fail "bad names: a name ends the script"

# ---- run ----
ok "classes" run "$models/colours.onnx" "$picture" --labels "$here/colours.txt" --top 2
[ "$(wc -l <"$out/o")" = 2 ] && pass || fail "top 2: $(wc -l <"$out/o") lines"
contains "classes" "$out/o" '^ *[0-9.]* *[0-2]  \(red\|green\|blue\)$'
ok "classes as JSON" run "$models/colours.onnx" "$picture" --labels "$here/colours.txt" --format json
json "classes as JSON" joule.run/1 input=string prepare_ms=number run_ms=number classes=list
# The best box of two that overlap, and the one of the other class; the weak one is out.
ok "boxes" run "$models/ssd.onnx" "$picture" --draw "$out/boxes.png"
[ "$(cat "$out/o" | tr -s ' ')" = " 0.900 0 x 2..12 y 2..8
 0.700 1 x 12..24 y 8..16" ] && pass || { fail "boxes:"; cat "$out/o"; }
ok "boxes overlap" run "$models/ssd.onnx" "$picture" --overlap 0.95
[ "$(wc -l <"$out/o")" = 3 ] && pass || fail "boxes overlap: $(wc -l <"$out/o") lines"
ok "threshold" run "$models/ssd.onnx" "$picture" --threshold 0.85 --json
json "threshold" joule.run/1 detections=list
ok "mask" run "$models/mask.onnx" "$picture" --draw "$out/mask.png"
python3 -c '
import sys
s = sum(float(l.split()[0]) for l in open(sys.argv[1]))
sys.exit(abs(s - 100) > 0.1)' "$out/o" && pass || fail "mask: shares do not add up to 100 %"
for f in boxes mask; do
	[ "$(od -An -tx1 -N 8 "$out/$f.png" | tr -d ' ')" = 89504e470d0a1a0a ] && pass || fail "$f.png is no PNG"
done
mkdir "$out/a" "$out/b" "$out/c" "$out/d"
ok "npy out" run "$models/plus_one.onnx" "$picture" --output-dir "$out/a"
# Through .npy and back: (x + 1) + 1 on both devices.
ok "npy in" run "$models/plus_one.onnx" "$out/a/y.npy" --output-dir "$out/b"
ok "npy in, reference" run "$models/plus_one.onnx" x="$out/a/y.npy" --output-dir "$out/c" --device cpu
same "npy round trip" "$out/b" "$out/c"
ok "deterministic" run "$models/plus_one.onnx" "$out/a/y.npy" --output-dir "$out/d" --deterministic
same "deterministic" "$out/b" "$out/d"
mkdir "$out/dump"
ok "--dump-tensor" run "$models/colours.onnx" "$picture" --dump-tensor pool --output-dir "$out/dump"
[ -s "$out/dump/p.npy" ] && [ -s "$out/dump/y.npy" ] && pass || fail "--dump-tensor: $(ls "$out/dump")"
ok "a folder" run "$models/colours.onnx" "$frames/rgb" --json
[ "$(grep -c '"run_ms"' "$out/o")" = 5 ] && pass || fail "a folder: not five results"

# ---- verify and its gate ----
"$(dirname "$joule")/tests/tool/make_set" "$out/set" 1
"$(dirname "$joule")/tests/tool/make_set" "$out/wrong" 1.5
for m in set wrong; do cp "$models/plus_one.onnx" "$out/$m/model.onnx"; done
for d in cpu vulkan; do
	ok "verify on $d" verify --device $d "$out/set" --summary
	[ "$(tail -n 1 "$out/o")" = "1 passed of 1" ] && pass || fail "verify: $(tail -n 1 "$out/o")"
done
ok "verify json" verify "$out/set" --format json
json "verify json" joule.verify/1 test=string output=string result=string max_abs=number
"$joule" verify "$out/wrong" >"$out/o" 2>&1
exits "verify, wrong values" 1 $?
contains "verify, wrong values" "$out/o" 'FAIL'
finish
