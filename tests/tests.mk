# SPDX-License-Identifier: MIT
# Each kind of test brings its own rules; what an included file adds to CHECKS
# is run by make check.

include $(sort $(wildcard tests/*/*.mk))

## make mesa25      unpacks backports' newer lavapipe below build/, to test on it:
##                  . build/mesa25/env && build/joule ...
.PHONY: mesa25
mesa25: build/mesa25/env
build/mesa25/env: tools/setup/fetch-mesa.sh
	@sh $< $(@D)
