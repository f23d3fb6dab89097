#!/bin/sh
# SPDX-License-Identifier: MIT
# Licence lines and sizes of all tracked source files.
set -u

failed=0
files=$(git ls-files '*.c' '*.h' '*.comp' '*.glsl' '*.sh' '*.py' '*.mk' '*.def' '*.S' Makefile)
for f in $files; do
	head -n 5 "$f" | grep -q 'SPDX-License-Identifier:' || {
		echo "FAIL $f has no SPDX line"
		failed=1
	}
	n=$(wc -l <"$f")
	[ "$n" -le 1200 ] || {
		echo "FAIL $f has $n lines, the most is 1200"
		failed=1
	}
done
[ $failed = 0 ] && echo "PASS files"
exit $failed
