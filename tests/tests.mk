# SPDX-License-Identifier: MIT
# Each kind of test brings its own rules; what an included file adds to CHECKS
# is run by make check.

include $(sort $(wildcard tests/*/*.mk))
