#!/bin/sh
# SPDX-License-Identifier: MIT
# gen_rules.sh FILE.comp ...: make rules, one for each shader variant.
set -eu

echo "SPV :="
for f in "$@"; do
	sed -n 's/^\/\/! variant  *\([a-z0-9_]*\) *\(.*\)$/\1 \2/p' "$f" |
	while read -r name defs; do
		echo "SPV += \$(SPV_DIR)/$name.spv"
		echo "\$(SPV_DIR)/$name.spv: $f \$(SHADER_LIB)"
		echo "	\$(call quiet,GLSL)mkdir -p \$(@D) && \$(GLSLANG) -V --target-env vulkan1.1 -Ishaders -I\$(SPV_DIR) $defs -o \$@.raw $f >\$@.log || { cat \$@.log; exit 1; }; \\"
		echo "	spirv-val --target-env vulkan1.1 --scalar-block-layout \$@.raw && spirv-opt --strip-debug \$@.raw -o \$@"
	done
done
