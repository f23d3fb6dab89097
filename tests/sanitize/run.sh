#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh asan|tsan BUILD DATA: runs what that sanitizer is good for. A report is
# a failure, even where the program itself was content.
set -u

kind=$1
o=$2
data=$3
here=$(dirname "$0")
failed=0
passed=0
preload=
[ "$kind" != asan ] || preload=$o/tests/keep_loaded.so

# The preloaded library comes before the sanitizer's own, and does not mind.
export ASAN_OPTIONS=verify_asan_link_order=0:detect_stack_use_after_return=1:strict_string_checks=1:allocator_may_return_null=1
export LSAN_OPTIONS=suppressions=$here/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=suppressions=$here/tsan.supp:second_deadlock_stack=1:print_suppressions=0

# run NAME COMMAND...
run() {
	name=$1
	log=$o/$kind.log
	shift
	LD_PRELOAD=$preload "$@" >"$log" 2>&1
	code=$?
	if [ $code = 77 ]; then
		printf '  %-8s %s %s\n' SKIP "$kind" "$name"
		return
	fi
	if [ $code = 0 ] && ! grep -q 'Sanitizer: \|runtime error: ' "$log"; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	echo "FAIL $kind $name (exit code $code)"
	grep -v '^PASS' "$log" | head -n 60
}

for t in "$o"/tests/unit/test_* "$o"/tests/onnx/test_*; do
	case $t in
	*.o | *.d | *.log) continue ;;
	esac
	run "${t##*/}" "$t"
done
if [ "$kind" = asan ]; then
	run "operator rows on the reference" "$o/tests/run_ops" -d none tests/ops/*.rows
	run "allocation failures of operators" "$o/tests/rows_nomem" tests/ops/*.rows
	run "allocation failures of sessions" "$o/tests/run_nomem" control fp16
else
	run "submitted runs" "$o/tests/run_nomem" submitted
fi
if [ -d "$data/models" ]; then
	for m in mnist-cntk mlperf-ic01-resnet8-qdq-s8 silero-vad-16k-op15 \
		cct2-32-op20-randomweights dtln-1; do
		for device in cpu vulkan; do
			# The numbers are check-models' business.
			run "$m on $device" "$o/joule" verify --device $device --range-tol 1 \
				"$data/models/$m"
		done
	done
else
	echo "SKIP models under $kind: skipped: no data ($data/models)"
fi
echo "$kind: "
echo "$passed passed, $failed failed"
[ $failed = 0 ]
