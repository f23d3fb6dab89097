#!/bin/sh
# SPDX-License-Identifier: MIT
# Everything a user can do wrong: one line that says what and where, the exit
# code of its class (joule(1)), nothing half written, no crash.
. "$(dirname "$0")/lib.sh"
out=$work/errors
picture=$frames/rgb/000001.png
open_net="$models/net.onnx --shape x=1,3,16,24"
rm -rf "$out"
mkdir -p "$out"

# refuses CODE PATTERN ARGUMENT...: exit code, one line on stderr, and what it says.
refuses() {
	want=$1 pattern=$2
	shift 2
	timeout 20 "$joule" "$@" </dev/null >"$out/o" 2>"$out/e"
	code=$?
	lines=$(grep -cv '^==.*AddressSanitizer failed to allocate' "$out/e")
	if [ $code != "$want" ]; then
		fail "joule $*: exit code $code, not $want: $(head -n 3 "$out/e")"
	elif [ "$lines" != 1 ]; then
		fail "joule $*: $lines lines of errors: $(head -n 3 "$out/e")"
	elif ! grep -q -e "$pattern" "$out/e"; then
		fail "joule $*: no '$pattern' in: $(cat "$out/e")"
	else
		pass
	fi
}

# survives FILE: any outcome but a crash, a hang or chatter.
survives() {
	timeout 20 "$joule" inspect --device cpu "$1" >/dev/null 2>"$out/e"
	code=$?
	[ $code -le 8 ] && [ "$(wc -l <"$out/e")" -le 1 ] && return
	fail "$2: exit code $code: $(head -n 3 "$out/e")"
	cp "$1" "$out/crash-$2.onnx"
}

# ---- usage: 2 ----
refuses 2 "there is no command 'frob'" frob
refuses 2 "unrecognized option '--frob'" run --frob
refuses 2 "no model given" run
refuses 2 "no input given" run "$models/net.onnx"
refuses 2 "give one model" inspect
refuses 2 "bad dimension at 'a'" inspect "$models/net.onnx" --shape x=1,a
refuses 2 "wants NAME=DIMS" inspect "$models/net.onnx" --shape 1,2
refuses 2 "no precision 'fp8'" inspect "$models/net.onnx" --precision fp8
refuses 2 "no format 'xml'" bench "$models/net.onnx" --format xml
refuses 2 "'0x4' is not understood" run "$models/net.onnx" --size 0x4 x
refuses 2 "'much' is not understood" run "$models/net.onnx" --threshold much x
refuses 2 "no way 'nix' to show" run "$models/plus_one.onnx" "$picture" --show nix
refuses 2 "bad batches '0'" bench "$models/net.onnx" --batch 0
refuses 2 "max-p99: 'soon' is no number" bench "$models/net.onnx" --max-p99 soon
refuses 2 "runs: '0' is no number" bench "$models/net.onnx" --runs 0
refuses 2 "range-tol: '' is no number" verify "$models" --range-tol ""
refuses 2 "no folder given" verify

# ---- damaged models: 3 ----
refuses 3 "hello.onnx: not an ONNX model" inspect "$(echo hello >"$out/hello.onnx"; echo "$out/hello.onnx")"
: >"$out/empty.onnx"
refuses 3 "empty.onnx: is empty" inspect "$out/empty.onnx"
for d in cpu vulkan; do
	refuses 3 "cycle.onnx: node first (Add): .*cycle" inspect "$models/cycle.onnx" --device $d
	refuses 3 "mismatch.onnx: node product (MatMul): .*\[2,3\].*\[2,5\]" inspect "$models/mismatch.onnx" --device $d
	refuses 3 "absurd.onnx: input x: .*\[9223372036854775807,9223372036854775807\]" inspect "$models/absurd.onnx" --device $d
	refuses 3 "nested.onnx: nested more than" inspect "$models/nested.onnx" --device $d
	refuses 3 "sparse.onnx: " inspect "$models/sparse.onnx" --device $d
	refuses 3 "there is no pass 'nix'" inspect $open_net --no-pass nix --device $d
	refuses 4 "unknown_op.onnx: .*not supported (opset 13): Frobnicate (mystery)" inspect "$models/unknown_op.onnx" --device $d
	refuses 7 "external.onnx: tensor w: external file no_such_weights.bin: No such file" inspect "$models/external.onnx" --device $d
done
printf short >"$models/short.bin"
refuses 3 "external_short.onnx: tensor w: " inspect "$models/external_short.onnx"

bytes=$(wc -c <"$models/net.onnx")
i=0
before=$failed
while [ $i -lt 40 ]; do
	head -c $((bytes * i / 40)) "$models/net.onnx" >"$out/cut.onnx"
	survives "$out/cut.onnx" "cut-$i"
	cp "$models/net.onnx" "$out/flipped.onnx"
	at=$((bytes * i / 40 / (i % 2 * 3 + 1)))
	byte=$(od -An -tu1 -j $at -N 1 "$out/flipped.onnx")
	printf "\\$(printf %o $((byte ^ (1 << i % 8))))" |
		dd of="$out/flipped.onnx" bs=1 seek=$at conv=notrunc status=none
	survives "$out/flipped.onnx" "flip-$i"
	i=$((i + 1))
done
[ "$failed" = $before ] && pass

# ---- inputs that do not fit: 3 ----
refuses 3 "net.onnx: input x has shape \[?,3,16,24\], given was \[1,4,16,24\]" inspect "$models/net.onnx" --shape x=1,4,16,24
refuses 3 "net.onnx: has no input z" inspect "$models/net.onnx" --shape z=1
refuses 3 "plus_one.onnx: the model has no input 'z'" run "$models/plus_one.onnx" z=$picture.no
refuses 3 "sum.onnx: input h was not set" run "$models/sum.onnx" "$picture"
refuses 3 "no such output or input" run "$models/sum.onnx" "$picture" --state y=nix
refuses 3 "README.md: not a .jpg" run "$models/plus_one.onnx" README.md
refuses 3 "nix: no node or tensor" run "$models/plus_one.onnx" "$picture" --dump-tensor nix
head -c 90 "$picture" >"$out/cut.png"
refuses 3 "cut.png: " run "$models/plus_one.onnx" "$out/cut.png"
head -c 3000 tools/demo/meter-1.jpg >"$out/cut.jpg"
refuses 3 "cut.jpg: " run "$models/plus_one.onnx" "$out/cut.jpg"
echo text >"$out/text.png"
refuses 3 "text.png: neither a JPEG nor a PNG" run "$models/plus_one.onnx" "$out/text.png"
"$joule" run "$models/plus_one.onnx" "$picture" --device cpu --output-dir "$out" >/dev/null
head -c 1000 "$out/y.npy" >"$out/cut.npy"
refuses 3 "cut.npy: truncated" run "$models/plus_one.onnx" "$out/cut.npy"
"$joule" run "$models/colours.onnx" "$picture" --device cpu --output-dir "$out/.." >/dev/null
refuses 3 "mask.onnx: input x has shape \[1,3,16,24\], given was \[1,3\]" run "$models/mask.onnx" "$out/../y.npy"
refuses 3 "cut.wav: " run "$models/plus_one.onnx" "$(cp "$out/cut.npy" "$out/cut.wav"; echo "$out/cut.wav")"

# ---- no device: 5; no memory: 6 ----
VK_DRIVER_FILES=/nonexistent VK_ICD_FILENAMES=/nonexistent \
	refuses 5 "plus_one.onnx: .*Vulkan" run "$models/plus_one.onnx" "$picture"
refuses 5 "named 'nonsense'" inspect $open_net --device nonsense
refuses 5 "no Vulkan device 99\|vulkan:99" inspect $open_net --device vulkan:99
refuses 6 "huge.onnx: .*memory: .* MiB" inspect "$models/huge.onnx" --device vulkan
refuses 6 "input x \[1048576,1048576,64\]: no memory" bench "$models/huge.onnx" --device cpu
refuses 6 "net.onnx: .*memory: .* MiB" inspect "$models/net.onnx" --shape x=2000000000,3,16,24

# ---- files: 7 ----
refuses 7 "/no/such.onnx: No such file" inspect /no/such.onnx
refuses 7 "is a directory" inspect "$models"
refuses 7 "no_such.png: No such file" run "$models/plus_one.onnx" "$out/no_such.png"
refuses 7 "/no/such: No such file" run "$models/plus_one.onnx" "$picture" --labels /no/such
refuses 7 "/no/such/y.npy: No such file" run "$models/plus_one.onnx" "$picture" --output-dir /no/such
refuses 7 "/no/such/x.html: No such file" profile $open_net --html /no/such/x.html
refuses 7 "/no/such: No such file" verify /no/such
for format in text json; do
	timeout 20 "$joule" run "$models/plus_one.onnx" "$picture" --device cpu --format $format \
		>/dev/full 2>"$out/e"
	exits "full disk, $format" 7 $?
	contains "full disk, $format" "$out/e" "standard output: No space left"
done
refuses 7 "/dev/full: No space left" profile $open_net --html /dev/full
refuses 7 "/dev/full: No space left" run "$models/mask.onnx" "$picture" --draw /dev/full
refuses 7 "/dev/full: No space left" run "$models/ssd.onnx" "$picture" --draw /dev/full
[ -c /dev/full ] && pass || fail "/dev/full was replaced by a file"

# A disk that fills up half-way: a limit on the size of files, and a tiny file system.
mkdir "$out/limited"
(trap '' XFSZ; ulimit -f 2; exec "$joule" run "$models/plus_one.onnx" "$picture" --device cpu \
	--output-dir "$out/limited") >/dev/null 2>"$out/e"
exits "file too large" 7 $?
contains "file too large" "$out/e" "limited/y.npy: File too large"
[ -z "$(ls "$out/limited")" ] && pass || fail "left behind: $(ls "$out/limited")"
mkdir "$out/tiny"
if mount -t tmpfs -o size=4k tmpfs "$out/tiny" 2>/dev/null; then
	refuses 7 "tiny/y.npy: No space left" run "$models/plus_one.onnx" "$picture" --output-dir "$out/tiny"
	[ -z "$(ls "$out/tiny")" ] && pass || fail "left behind: $(ls "$out/tiny")"
	umount "$out/tiny"
else
	skip "full file system: skipped: no right to mount"
fi

# What was there before stays.
mkdir "$out/kept"
echo before >"$out/kept/y.npy"
(trap '' XFSZ; ulimit -f 2; exec "$joule" run "$models/plus_one.onnx" "$picture" --device cpu \
	--output-dir "$out/kept") >/dev/null 2>&1
[ "$(cat "$out/kept/y.npy")" = before ] && [ "$(ls "$out/kept")" = y.npy ] && pass ||
	fail "an output that failed took the old one's place"

# ---- interrupted: 8 ----
head -c 1048576 /dev/zero >"$out/zeros"
{
	printf '\223NUMPY\001\000\166\000'
	printf '%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (512, 512), }"
	cat "$out/zeros"
} >"$out/square.npy"
mkdir "$out/interrupted"
for d in cpu vulkan; do
	"$joule" run "$models/slow.onnx" "$out/square.npy" --device $d --output-dir \
		"$out/interrupted" >"$out/o" 2>"$out/e" &
	pid=$!
	sleep 0.7
	kill -TERM $pid 2>/dev/null
	wait $pid
	code=$?
	# A fast machine may be done before.
	if [ $code = 0 ]; then
		skip "interrupted on $d: skipped: it was done before"
		rm -f "$out"/interrupted/*
		continue
	fi
	exits "interrupted on $d" 8 $code
	contains "interrupted on $d" "$out/e" "slow.onnx: interrupted"
	[ -z "$(ls "$out/interrupted")" ] && pass || fail "left behind: $(ls "$out/interrupted")"
done
finish
