#!/bin/sh
# SPDX-License-Identifier: MIT
# headers.sh CC BUILD_DIR: each header compiles alone; public ones as C++ too.
set -u

cc=$1
o=$2
failed=0
for h in $(find userspace -name '*.h' | sort); do
	$cc -std=c11 -D_GNU_SOURCE -fsyntax-only -Wall -Iuserspace -Iuserspace/include \
		-I"$o/gen" -x c "$h" 2>&1 | grep -v 'pragma once' | grep -q 'error:' && {
		echo "FAIL header $h does not compile alone"
		failed=1
	}
done
for h in userspace/include/joule/*.h; do
	g++ -std=c++11 -fsyntax-only -Wall -Wextra -Werror -Iuserspace/include -x c++ "$h" || {
		echo "FAIL header $h is not C++"
		failed=1
	}
done
[ $failed = 0 ] && echo "PASS headers"
exit $failed
