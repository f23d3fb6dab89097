#!/bin/sh
# SPDX-License-Identifier: MIT
# check_install.sh MAKE CC BUILD_DIR: make install into a folder of its own, the
# example built against it by pkg-config, exported symbols, dependencies, size.
set -u

make=$1
cc=$2
o=$(cd "$3" && pwd)
root=$o/check/install
failed=0
fail() {
	echo "FAIL install: $*"
	failed=1
}

rm -rf "$root"
$make install DESTDIR="$root" PREFIX=/usr >"$o/check/install.log" 2>&1 || fail "make install"
for f in bin/joule lib/libjoule.so.0 lib/libjoule.so lib/libjoule.a lib/pkgconfig/joule.pc \
	include/joule/joule.h share/man/man1/joule.1 share/man/man3/libjoule.3; do
	[ -e "$root/usr/$f" ] || fail "$f is missing"
done

export PKG_CONFIG_SYSROOT_DIR="$root" PKG_CONFIG_PATH="$root/usr/lib/pkgconfig"
# shellcheck disable=SC2046
$cc -std=c11 -Wall -Wextra -Wno-unused-parameter docs/examples/run.c \
	$(pkg-config --cflags --libs joule) -o "$root/example" || fail "the example does not build"
LD_LIBRARY_PATH=$root/usr/lib "$root/usr/bin/joule" --version >/dev/null || fail "the command does not start"

# What is exported is what the symbol map and the headers say, no more.
nm -D --defined-only "$root/usr/lib/libjoule.so.0" | awk '$2 == "T" { sub("@.*", "", $3); print $3 }' |
	sort >"$o/check/exported"
sed -n 's/^\t\t\(joule_[a-z0-9_]*\);/\1/p' userspace/libjoule.map | sort >"$o/check/mapped"
cmp -s "$o/check/exported" "$o/check/mapped" ||
	fail "exported symbols differ from libjoule.map: $(comm -3 "$o/check/exported" "$o/check/mapped" | tr '\n\t' '  ')"
cat userspace/include/joule/*.h | tr '\n' ' ' | grep -o 'joule_[a-z0-9_]*(' | tr -d '(' | sort -u >"$o/check/declared"
missing=$(comm -23 "$o/check/mapped" "$o/check/declared")
[ -z "$missing" ] || fail "not declared in a public header: $missing"

needed=$(objdump -p "$root/usr/lib/libjoule.so.0" | awk '/NEEDED/ { print $2 }' | sort | tr '\n' ' ')
for n in $needed; do
	case $n in
	libvulkan.so.*|libprotobuf-c.so.*|libdrm.so.*|libc.so.*|libm.so.*|ld-linux*) ;;
	*) fail "the library depends on $n" ;;
	esac
done
strip -o "$o/check/stripped.so" "$root/usr/lib/libjoule.so.0"
bytes=$(wc -c <"$o/check/stripped.so")
[ "$bytes" -lt 3000000 ] || fail "the stripped library has $bytes bytes, the limit is 3000000"
for page in docs/man/*; do
	[ -z "$(man --warnings -l "$page" 2>&1 >/dev/null)" ] || fail "$page has warnings"
done
[ $failed = 0 ] && echo "PASS install (library $bytes bytes stripped; needs $needed)"
exit $failed
