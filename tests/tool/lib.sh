# SPDX-License-Identifier: MIT
# For the check_*.sh beside it: $1 is the command, $2 the folder with models/ and frames/.
set -u

joule=$1
work=$2
models=$work/models
frames=$work/frames
# With the sanitizers: no memory is an error to report, and fontconfig keeps its own.
ASAN_OPTIONS=allocator_may_return_null=1:${ASAN_OPTIONS-}
LSAN_OPTIONS=suppressions=$(dirname "$0")/lsan.txt:print_suppressions=0
export ASAN_OPTIONS LSAN_OPTIONS
passed=0
failed=0
skipped=0

pass() {
	passed=$((passed + 1))
}

fail() {
	echo "FAIL $*"
	failed=$((failed + 1))
}

skip() {
	echo "SKIP $*"
	skipped=$((skipped + 1))
}

# same NAME DIR1 DIR2: the same files with the same contents, and at least one.
same() {
	if [ -n "$(ls "$2" 2>/dev/null)" ] && diff -r "$2" "$3" >/dev/null; then
		pass
	else
		fail "$1: $2 and $3 differ"
	fi
}

# contains NAME FILE PATTERN: a line that matches.
contains() {
	if grep -q -e "$3" "$2"; then
		pass
	else
		fail "$1: no line '$3' in:"
		head -n 5 "$2"
	fi
}

# exits NAME WANT GOT
exits() {
	if [ "$2" = "$3" ]; then
		pass
	else
		fail "$1: exit code $3, not $2"
	fi
}

finish() {
	echo "$passed passed, $failed failed, $skipped skipped (${0##*/})"
	[ "$failed" = 0 ]
	exit
}
