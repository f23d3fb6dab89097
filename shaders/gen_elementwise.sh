#!/bin/sh
# SPDX-License-Identifier: MIT
# gen_elementwise.sh CC FILE.def: the GLSL side of the element-wise step list.
set -eu

cc=$1
def=$2
numbered() {
	sed -n 's/^JOULE_EW[12](\([A-Z0-9_]*\),.*/\1/p' "$def" |
	awk '{ printf "#define JOULE_EW_%s %du\n", $1, NR - 1 }'
}
cases() {
	{
		echo '#define JOULE_EW1(n, c, g) case JOULE_EW_##n: return g;'
		echo '#define JOULE_EW2(n, c, g) case JOULE_EW_##n: return g;'
		grep -v '^#' "$def"
	} | $cc -E -P -x c -
}

echo '/* generated from elementwise.def */'
numbered
echo 'float joule_ew(uint code, float x, float y, float p, float q)'
echo '{'
echo 'switch (code) {'
cases
echo '}'
echo 'return x;'
echo '}'
