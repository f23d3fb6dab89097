#!/bin/sh
# SPDX-License-Identifier: MIT
# joule run on streams of frames: the same answers as on files, clean ends.
. "$(dirname "$0")/lib.sh"
out=$work/stream
rm -rf "$out"
mkdir -p "$out"

# dump NAME MODEL INPUT [OPTION]...: outputs of every frame into $out/NAME.
dump() {
	name=$1 model=$2 input=$3
	shift 3
	mkdir -p "$out/$name"
	"$joule" run "$models/$model.onnx" "$input" --output-dir "$out/$name" "$@" \
		>"$out/$name.txt" 2>"$out/$name.err" || fail "$name: $(cat "$out/$name.err")"
	# 000001.png.y.npy of a folder is 000001.y.npy of a stream.
	for file in "$out/$name"/*.png.*; do
		[ ! -e "$file" ] || mv "$file" "$(echo "$file" | sed 's/\.png\././')"
	done
}

raw="--format-in rawvideo --size-in 24x16 --pix-fmt"
dump rgb_files plus_one "$frames/rgb" --device cpu
dump grey_files plus_one "$frames/grey" --device cpu
for device in cpu vulkan; do
	dump rgb24_$device plus_one "$frames/rgb24.raw" $raw rgb24 --device $device
	same "rgb24 on $device" "$out/rgb24_$device" "$out/rgb_files"
done
dump bgr24 plus_one - $raw bgr24 --device cpu <"$frames/bgr24.raw"
same "bgr24 on standard input" "$out/bgr24" "$out/rgb_files"
dump y4m plus_one "$frames/grey.y4m" --device cpu
same "a .y4m file" "$out/y4m" "$out/grey_files"
cat "$frames/grey.y4m" | dump y4m_pipe plus_one - --device cpu
same "y4m found by its magic" "$out/y4m_pipe" "$out/grey_files"
for f in gray yuv420p nv12 yuyv; do
	dump $f plus_one "$frames/$f.raw" $raw $f --yuv bt601-full --device cpu
	same $f "$out/$f" "$out/grey_files"
done

# Through a FIFO that is opened before there is a writer, a byte at a time at first.
mkfifo "$out/pipe"
{ sleep 0.2; dd bs=1 count=700 status=none; cat; } <"$frames/grey.y4m" >"$out/pipe" &
dump fifo plus_one "$out/pipe" --device cpu
wait
same "a FIFO" "$out/fifo" "$out/grey_files"

# State is kept from frame to frame, as it is in a folder.
dump sum_files sum x="$frames/rgb" --state y=h --device cpu 2>/dev/null
dump sum_stream sum x="$frames/rgb24.raw" $raw rgb24 --state y=h --device vulkan
dump sum_again sum "$frames/rgb24.raw" $raw rgb24 --state y=h --device cpu
same "recurrent state" "$out/sum_stream" "$out/sum_files"
same "recurrent state on the reference" "$out/sum_again" "$out/sum_files"
cmp -s "$out/sum_stream/000001.y.npy" "$out/sum_stream/000002.y.npy" && fail "state does not change" || pass

# --frames, JSON lines, table.
run() {
	"$joule" run "$models/colours.onnx" --device cpu "$@" >"$out/o" 2>"$out/e"
	code=$?
}
run "$frames/grey.y4m" --json
exits "JSON lines" 0 $code
[ "$(wc -l <"$out/o")" = 7 ] && pass || fail "JSON lines: $(wc -l <"$out/o") lines, not 7"
while read -r line; do
	echo "$line" | python3 -m json.tool >/dev/null || fail "not JSON: $line"
done <"$out/o"
contains "JSON head" "$out/o" '^{"schema":"joule.run-stream/1".*"width":24,"height":16,"format":"yuv420p"}'
contains "JSON frame" "$out/o" '^{"frame":5,.*"run_ms":.*"classes":\[{"class":.*}\]}'
contains "JSON summary" "$out/o" '^{"summary":{"frames":5,"dropped":0,"fps":.*"run_p50_ms":.*"run_p99_ms":'
run "$frames/grey.y4m" --frames 2
exits "--frames" 0 $code
contains "--frames" "$out/o" '^2 frames, 0 dropped'
run "$frames/rgb24.raw" $raw rgb24 --top 3 --draw "$out/none.png"
exits "table" 0 $code
contains "table" "$out/o" '^ *FRAME .*ANSWER'

# A stream that is read at a rate: each frame at its time, or dropped when late.
start=$(date +%s%N)
run "$frames/grey.y4m" --fps 20
ms=$((($(date +%s%N) - start) / 1000000))
exits "--fps" 0 $code
[ $ms -ge 190 ] && pass || fail "--fps 20: five frames in $ms ms"
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do cat "$frames/rgb24.raw"; done >"$out/long.raw"
run "$out/long.raw" $raw rgb24 --fps 1000000
exits "late frames" 0 $code
contains "late frames are dropped" "$out/o" 'frames*, [1-9][0-9]* dropped'

# Ends: cut off, empty, not what it should be.
head -c 1000 "$frames/grey.y4m" >"$out/cut.y4m"
run "$out/cut.y4m"
exits "cut off" 3 $code
contains "cut off" "$out/e" 'cut.y4m: frame 2 is cut off after [0-9]* of 576 bytes'
contains "summary before the error" "$out/o" '^1 frame, 0 dropped'
head -c 1200 "$frames/rgb24.raw" >"$out/cut.raw"
run "$out/cut.raw" $raw rgb24
exits "raw cut off" 3 $code
contains "raw cut off" "$out/e" 'cut.raw: frame 2 is cut off after 48 of 1152 bytes'
run - </dev/null
exits "empty" 3 $code
echo "hello, world" >"$out/bad"
run - <"$out/bad"
exits "no video" 3 $code
contains "no video" "$out/e" 'not YUV4MPEG2'
run "$frames/rgb24.raw" --format-in rawvideo
exits "raw without a size" 2 $code
run "$frames/rgb24.raw" --format-in y4m
exits "raw as y4m" 3 $code
printf 'YUV4MPEG2 W24 H16 F25:1 C420p10\nFRAME\n' >"$out/bad"
run - <"$out/bad"
exits "chroma of 10 bits" 4 $code
printf 'YUV4MPEG2 W24 H0\nFRAME\n' >"$out/bad"
run - <"$out/bad"
exits "no height" 3 $code
printf 'YUV4MPEG2 W24 H16 Cmono\nFRAMEX\n' >"$out/bad"
run - <"$out/bad"
exits "no FRAME" 3 $code
printf 'YUV4MPEG2 %02000d' 1 >"$out/bad"
run - <"$out/bad"
exits "endless header" 3 $code
run "$frames/grey.y4m" --size-in 0x4
exits "bad size" 2 $code
run "$frames/grey.y4m" --fps fast
exits "bad rate" 2 $code
run "$out/no_such.y4m"
exits "no such file" 7 $code
run /dev/null
exits "no camera" 3 $code
contains "no camera" "$out/e" '/dev/null: not a V4L2 device'

# SIGINT ends a stream that waits, with its summary and without an error.
mkfifo "$out/silent"
sleep 5 >"$out/silent" &
holder=$!
"$joule" run "$models/colours.onnx" "$out/silent" $raw rgb24 --device cpu >"$out/o" 2>"$out/e" &
pid=$!
sleep 1
kill -TERM $pid
wait $pid
exits "SIGTERM while waiting" 0 $?
kill $holder 2>/dev/null
contains "SIGTERM while waiting" "$out/o" '^0 frames'
[ -s "$out/e" ] && fail "SIGTERM while waiting: $(cat "$out/e")" || pass

# A reader that goes away is no error.
while :; do cat "$frames/rgb24.raw" || break; done 2>/dev/null |
	{ "$joule" run "$models/colours.onnx" - $raw rgb24 --device cpu 2>"$out/e"
	  echo $? >"$out/code"; } | head -n 4 >/dev/null
exits "closed output" 0 "$(cat "$out/code")"
contains "closed output" "$out/e" 'frames*, 0 dropped'
"$joule" run "$models/colours.onnx" "$frames/grey.y4m" --device cpu >/dev/full 2>"$out/e"
exits "full disk" 7 $?
finish
