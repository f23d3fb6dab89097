#!/bin/sh
# SPDX-License-Identifier: MIT
# install.sh PURPOSE ...: installs with apt what packages.txt lists for these
# purposes and is not there yet. Does nothing, and needs no network, when all is.
set -eu

list=$(dirname "$0")/packages.txt
missing=
for purpose in "$@"; do
	for p in $(sed -n "s/^$purpose //p" "$list"); do
		dpkg-query -W -f '${Status}\n' "$p" 2>/dev/null | grep -q '^install ok installed' ||
			missing="$missing $p"
	done
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "joule: these packages are missing:$missing" >&2
	echo "joule: install them as root: apt-get install$missing" >&2
	exit 1
fi
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get -q update >/dev/null
# shellcheck disable=SC2086
apt-get -q -y install --no-install-recommends $missing >/dev/null
