#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs every test program; fails if one fails. 77 counts as skipped.
failed=0
for t; do
	"$t"
	code=$?
	case $code in
	0) printf '  %-8s %s\n' PASS "${t##*/}" ;;
	77) printf '  %-8s %s\n' SKIP "${t##*/}" ;;
	*) printf '  %-8s %s (exit code %d)\n' FAIL "${t##*/}" $code; failed=1 ;;
	esac
done
exit $failed
