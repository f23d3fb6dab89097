#!/bin/sh
# SPDX-License-Identifier: MIT
# check.sh MAKE TARGET ...: runs the checks, one for each processor at a time,
# keeps their logs, adds up what passed.
#
# A check's output counts by its lines "N passed, N failed[, N skipped]", and by
# lines that start with PASS, FAIL or SKIP; a check that fails without saying so
# counts as one failure.
set -u

logs=${O:-build}/check

# One check; its summary is written in one piece, and its counts to a file.
one()
{
	log=$logs/$2.log
	start=$(date +%s)
	$1 "$2" >"$log" 2>&1 </dev/null
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
	{
		if [ "$code" != 0 ] || [ "$f" != 0 ]; then
			grep -E 'FAIL|[Ee]rror|ERROR' "$log" | head -n 40
			echo "   ... the last lines of $log:"
			tail -n 15 "$log"
		fi
		grep -E 'skipped: ' "$log" | sort -u | head -n 5
		echo "== $2: $p passed, $f failed, $s skipped, $(($(date +%s) - start)) s"
	} >"$log.summary"
	cat "$log.summary"
	echo "$p $f $s" >"$logs/$2.counts"
}

if [ "$1" = --one ]; then
	one "$2" "$3"
	exit 0
fi

make=$1
shift
mkdir -p "$logs"
rm -f "$logs"/*.counts
printf '%s\n' "$@" | O=${O:-build} xargs -P "${JOBS:-$(nproc)}" -I '{}' sh "$0" --one "$make" '{}'
echo
# A check that was killed has left no counts: it counts as failed.
cat "$logs"/*.counts 2>/dev/null | awk -v checks=$# '
	{ p += $1; f += $2; s += $3; n++ }
	END {
		f += checks - n
		printf "%d passed, %d failed, %d skipped\n", p, f, s
		exit f > 0
	}'
