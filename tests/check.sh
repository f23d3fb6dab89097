#!/bin/sh
# SPDX-License-Identifier: MIT
# check.sh MAKE TARGET ...: runs each check, keeps its log, adds up what passed.
#
# A check's output counts by its lines "N passed, N failed[, N skipped]", and by
# lines that start with PASS, FAIL or SKIP; a check that fails without saying so
# counts as one failure.
set -u

make=$1
logs=${O:-build}/check
shift
mkdir -p "$logs"
passed=0 failed=0 skipped=0

for target; do
	log=$logs/$target.log
	start=$(date +%s)
	echo "== $target"
	$make "$target" >"$log" 2>&1
	code=$?
	counts=$(awk '
		/^[0-9]+ passed, [0-9]+ failed/ { p += $1; f += $3; s += $5; next }
		/^ *PASS / { p++ }
		/^ *FAIL / { x++ }
		/^ *SKIP / { s++ }
		END { if (!f) f = x; print p + 0, f + 0, s + 0 }' "$log")
	read -r p f s <<-END
		$counts
	END
	[ "$code" = 0 ] || [ "$f" != 0 ] || f=1
	if [ "$code" != 0 ] || [ "$f" != 0 ]; then
		grep -E 'FAIL|[Ee]rror|ERROR' "$log" | head -n 40
		echo "   ... the last lines of $log:"
		tail -n 15 "$log"
	fi
	grep -E 'skipped: ' "$log" | sort -u | head -n 5
	echo "   $target: $p passed, $f failed, $s skipped, $(($(date +%s) - start)) s"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
