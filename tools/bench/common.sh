# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Where things are, and how they are built. For the scripts beside it.

BENCH=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$BENCH/../.." && pwd)
VM=$TOP/tools/vm/vm
CACHE=${KWAITD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kwaitd}
OUT=$CACHE/bench

. "$TOP/tools/vm/ends.sh"

# The guest's program, and the plugin of QEMU. One at a time.
build()
{
	mkdir -p "$OUT"
	exec 8>"$OUT/lock"
	flock 8
	# shellcheck disable=SC2016 # expanded there
	"$VM" tools -b "$TOP:/src" -b "$OUT:/mnt" sh -ec '
		warn="-Wall -Wextra -Wno-unused-parameter -Wno-unused-function"
		gcc $warn -O2 -static -pthread \
			-I/src/include/uapi -o /mnt/guest.new /src/tools/bench/guest/*.c
		gcc -Wall -Wextra -O2 -shared -fPIC -fvisibility=hidden \
			-o /mnt/plugin.so.new /src/tools/bench/plugin.c
		mv /mnt/guest.new /mnt/guest
		mv /mnt/plugin.so.new /mnt/plugin.so'
	exec 8>&-
}

# The inits that storm runs, with their libraries, as a directory to put into the guest
inits()
{
	rm -rf "$OUT/inits"
	mkdir -p "$OUT/inits"
	# shellcheck disable=SC2016 # expanded there
	"$VM" tools -b "$OUT/inits:/mnt" sh -ec '
		for program; do
			libs=$(ldd "$program" 2>/dev/null | grep -o "/lib[^ ]*" || :)
			cp -L --parents "$program" $libs /mnt
		done' sh /usr/bin/tini /usr/bin/dumb-init
}

# guest KERNEL MODE [OPTION-OF-VM]... -- ARGUMENT...: run it there, keep its samples. It is
# ended when it has had nothing to say for much longer than a busy machine needs.
guest()
{
	local kernel=$1 mode=$2 options=() out limit=$((1800 * ${KWAITD_SLOW:-1}))
	shift 2
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	mkdir -p "$OUT/samples"
	out=$OUT/samples/$kernel-$mode.csv
	"$VM" run -k "$kernel" --no-module --idle $limit --timeout $((limit * 50)) \
		-f "$OUT/guest:/bench" "${options[@]}" -- "/bench $mode $*" >"$out.new" &
	wait $!
	sed "s/^/$kernel,$mode,/" "$out.new" >"$out"
	rm "$out.new"
}

running=()

# beside N COMMAND...: run it beside up to N - 1 others
beside()
{
	at_most $(($1 - 1))
	shift
	"$@" &
	running+=($!)
}

# Wait until so few are left. None is left running: if one fails, wait for all, and exit.
at_most()
{
	local n=$1
	while ((${#running[@]} > n)); do
		wait "${running[0]}" || { n=0 failed=1; }
		running=("${running[@]:1}")
	done
	[ -z "${failed:-}" ] || exit 1
}

# Samples to medians
summarise()
{
	LC_ALL=C sort -t, -k1,5 -k7,7 -k8,8g "$OUT"/samples/*.csv |
		awk -f "$BENCH/summary.awk" >"$OUT/summary.csv"
}
