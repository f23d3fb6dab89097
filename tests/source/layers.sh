#!/bin/sh
# SPDX-License-Identifier: MIT
# layers.sh TABLE: every #include "room/file.h" below userspace/ must be allowed by the table.
set -eu

table=$1
bad=$(grep -rn '^#include "' userspace --include='*.[ch]' |
	sed -n 's|^userspace/\([^:]*\):\([0-9]*\):#include "\([^"]*\)".*|\1 \2 \3|p' |
	awk -v table="$table" '
	function room(path, r) { r = path; sub("/[^/]*$", "", r); return r == path ? "" : r }
	BEGIN {
		while ((getline line <table) > 0) {
			if (line ~ /^#/ || line !~ /:/)
				continue
			split(line, a, ":")
			known[a[1]] = 1
			n = split(a[2], list, " ")
			for (i = 1; i <= n; i++)
				ok[a[1], list[i]] = 1
		}
	}
	{
		from = room($1); to = room($3)
		if (to == "" || from == to || from == "include/joule")
			next
		if (!(from in known))
			print "userspace/" $1 ": room " from " is not in the table"
		else if (!((from, to) in ok))
			print "userspace/" $1 ":" $2 ": " from "/ may not include " $3
	}')
# Only the Vulkan backend may know Vulkan.
vulkan=$(grep -rln 'vulkan/vulkan.*\.h>' userspace --include='*.[ch]' | grep -v '^userspace/hal/vulkan/' || true)
if [ -n "$bad$vulkan" ]; then
	[ -z "$bad" ] || printf '%s\n' "$bad" | sed 's/^/FAIL layers: /'
	[ -z "$vulkan" ] || printf '%s\n' "$vulkan" | sed 's/^/FAIL layers: includes vulkan.h: /'
	exit 1
fi
echo "PASS layers"
