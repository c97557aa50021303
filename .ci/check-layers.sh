#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# check-layers.sh BUILD: who may include whom, headers that compile alone, licence
# lines, and no writable globals in the libraries of BUILD.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
build=$1
status=0

complain() {
	echo "$*"
	status=1
}

# may_include FOLDER ALLOWED...: FOLDER includes only itself, base and ALLOWED
may_include() {
	local folder=$1 allowed
	allowed=$(printf '%s|' "$@" base)
	grep -HnE '^#include "[a-z]+/' src/"$folder"/*.[ch] |
		grep -vE "#include \"(${allowed%|})/" &&
		complain "src/$folder includes what it must not know"
}

may_include base
may_include sched
may_include kvm sched
may_include pci kvm
# A device is a port of the NAT's: it knows port.h and no other header of it.
may_include virtio pci kvm slirp
grep -Hn '#include "slirp/' src/virtio/*.[ch] | grep -v 'slirp/port.h"' &&
	complain "src/virtio includes more of the NAT than its port"
may_include slirp sched
may_include tap slirp
may_include control slirp
may_include netns tap control slirp sched
grep -HnE '#include "[a-z]+/[a-z0-9_]*_internal\.h"' src/*/*.[ch] src/*.[ch] |
	awk -F'[/:"]' '{ split($0, part, ":"); split(part[1], path, "/");
		match($0, /#include "[a-z]+/); folder = substr($0, RSTART + 10, RLENGTH - 10);
		if (path[2] != folder) { print; bad = 1 } } END { exit !bad }' &&
	complain "an internal header is included from outside its folder"

for header in src/*/*.h src/*.h; do
	echo "#include \"${header#src/}\"" |
		cc -D_GNU_SOURCE -DMQVMM_VERSION='"0"' -Isrc -Wall -Wextra -Werror \
			-fsyntax-only -x c - || complain "$header does not compile alone"
done

{
	git ls-files '*.c' '*.h' '*.sh' '*.awk' '*.cmake' '*CMakeLists.txt' '*.asl' '*.py'
	git grep -lI '^#!/' # scripts without an ending in their name
} | sort -u | xargs grep -L 'SPDX-License-Identifier' | grep . &&
	complain "these files lack a licence line"

for folder in base sched kvm pci slirp control tap netns virtio; do
	[ -e "$build/src/$folder/libmqvmm_$folder.a" ] ||
		complain "$build has no library of src/$folder to look into"
done
# Constant tables of pointers are in .data.rel.ro, which is read-only once loaded.
find "$build/src" -name 'libmqvmm_*.a' | sort | while read -r library; do
	nm -f sysv "$library" 2>/dev/null | awk -F'|' -v library="$library" '
		$NF ~ /^\.(data|bss|tdata|tbss)/ && $NF !~ /^\.data\.rel\.ro/ ||
		$NF ~ /COM/ { print library ": " $1 }'
done | grep . && complain "these are writable globals"
exit $status
