#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Unpack a newer Mesa lavapipe from Debian backports beside the system's own,
# without installing anything and without touching the system's apt state.

set -eu

usage()
{
	cat <<USAGE
usage: ${0##*/} DEST [SUITE]

Downloads mesa-vulkan-drivers of SUITE (default: <this release>-backports)
and every library that it needs and this system lacks, unpacks them below
DEST/root and writes two files:

  DEST/lvp_icd.json  the ICD manifest, with the driver's absolute path
  DEST/env           shell settings to source:  . DEST/env

By hand, the same is:

  VK_DRIVER_FILES=DEST/lvp_icd.json VK_ICD_FILENAMES=DEST/lvp_icd.json \\
  LD_LIBRARY_PATH=DEST/root/usr/lib/<multiarch> program...

(VK_ICD_FILENAMES is the older name that Debian 12's loader also reads.)
The package mirror is the one this system already uses. Remove DEST to undo.
USAGE
}

case "${1-}" in
-h|--help)
	usage
	exit 0
	;;
''|-*)
	usage >&2
	exit 2
	;;
esac

mkdir -p "$1"
dest=$(cd "$1" && pwd)
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
suite=${2-$release-backports}
arch=$(dpkg --print-architecture)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

site=$(apt-get indextargets --format '$(SITE)' \
	"Created-By: Packages" "Release: $release" | head -n 1)
[ -n "$site" ] || site=$(apt-get indextargets --format '$(SITE)' \
	"Created-By: Packages" | head -n 1)
if [ -z "$site" ]; then
	echo "${0##*/}: no package source is set up on this system" >&2
	exit 1
fi

# A private apt: its own lists, cache and sources; the system's dpkg status is
# only read, so that apt knows which libraries are there already.
apt=$dest/apt
mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$dest/deb"
for s in "$release" "$suite"; do
	echo "deb [signed-by=$keyring] $site $s main"
done > "$apt/sources.list"

private_apt()
{
	tool=$1
	shift
	"$tool" -q \
		-o Dir::State="$apt/state" \
		-o Dir::State::status=/var/lib/dpkg/status \
		-o Dir::Cache="$apt/cache" \
		-o Dir::Etc::sourcelist="$apt/sources.list" \
		-o Dir::Etc::sourceparts=- \
		-o Dir::Etc::preferencesparts=- \
		-o APT::Sandbox::User=root \
		-o APT::Get::List-Cleanup=0 \
		"$@"
}

private_apt apt-get update

# What an installation would add or renew, by a simulation: "Inst name ...".
packages=$(private_apt apt-get install --simulate --no-install-recommends \
	-t "$suite" mesa-vulkan-drivers | sed -n 's/^Inst \([^ ]*\) .*/\1/p')
if [ -z "$packages" ]; then
	echo "${0##*/}: $suite has nothing newer than this system" >&2
	exit 1
fi

for p in $packages; do
	(cd "$dest/deb" && private_apt apt-get download -t "$suite" "$p")
done

rm -rf "$dest/root"
mkdir "$dest/root"
for deb in "$dest"/deb/*.deb; do
	dpkg -x "$deb" "$dest/root"
done

driver=$(find "$dest/root" -name libvulkan_lvp.so | head -n 1)
if [ -z "$driver" ]; then
	echo "${0##*/}: the package holds no lavapipe for $arch" >&2
	exit 1
fi
libdir=${driver%/*}

cat > "$dest/lvp_icd.json" <<JSON
{
    "file_format_version": "1.0.0",
    "ICD": { "library_path": "$driver", "api_version": "1.3.0" }
}
JSON
cat > "$dest/env" <<ENV
VK_DRIVER_FILES=$dest/lvp_icd.json
VK_ICD_FILENAMES=$dest/lvp_icd.json
LD_LIBRARY_PATH=$libdir\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}
export VK_DRIVER_FILES VK_ICD_FILENAMES LD_LIBRARY_PATH
ENV

missing=$(LD_LIBRARY_PATH=$libdir ldd "$driver" | grep 'not found' || :)
if [ -n "$missing" ]; then
	echo "${0##*/}: still missing:" >&2
	echo "$missing" >&2
	exit 1
fi
echo "ready: . $dest/env"
