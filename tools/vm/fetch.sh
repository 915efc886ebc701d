# SPDX-License-Identifier: GPL-2.0
# Debian systems of our own, made by mmdebstrap, with packages whose signatures
# apt has checked. One has the tools: QEMU, as the one in bookworm runs stale
# code when several CPUs patch it (fixed in 8.1), busybox and compilers. And
# for each kernel there is one of the release it is for, with the kernel, its
# headers, and the compiler it was built with. Kernels for debugging are built in
# theirs.

TOOLS=tools
TOOLS_PACKAGES=make,gcc,libc6-dev,musl-tools,qemu-system-x86,busybox-static
TOOLS_PACKAGES+=,xz-utils,perl,rsync,strace,gdb
TOOLS_PACKAGES+=,pkg-config,libtracefs-dev,libtraceevent-dev,libjson-c-dev
TOOLS_PACKAGES+=,tini,dumb-init,catatonit,libbpf-dev
TOOLS_PACKAGES+=,linux-libc-dev/trixie-backports

# to build a kernel
SOURCE_PACKAGES=make,gcc,libc6-dev,bc,bison,flex,libelf-dev,libssl-dev,openssl
SOURCE_PACKAGES+=,xz-utils

# Only to plot what bench has measured
PLOT=plot
PLOT_PACKAGES=gnuplot-nox,fonts-dejavu-core

# The mirror that this machine's own apt uses.
mirror()
{
	local uri try
	for try in 1 2; do
		# shellcheck disable=SC2016 # apt's
		uri=$(apt-get indextargets --format '$(REPO_URI)' \
			'Origin: Debian' 'Label: Debian' 'Created-By: Packages' |
			sort -u | head -n1)
		[ -z "$uri" ] || { echo "$uri"; return; }
		((try == 2)) || apt-get -qq update >&2
	done
	die "apt knows no Debian mirror"
}

# root NAME: where the system for a kernel is, or that with the tools
root()
{
	echo "$CACHE/systems/$1"
}

# release KERNEL: what uname -r says on it
release()
{
	basename "$(root "$1")"/lib/modules/*
}

# in_root NAME [-b FROM:TO]... COMMAND...: run there, with /proc and binds
in_root()
{
	local dir binds=()
	dir=$(root "$1")
	shift
	while [ "$1" = -b ]; do
		binds+=("${2%:*}" "$dir${2##*:}")
		mkdir -p "$dir${2##*:}"
		shift 2
	done
	# shellcheck disable=SC2016 # expanded in the new mount namespace
	unshare --mount bash -euc '
		dir=$1 n=$2; shift 2
		mount -t proc proc "$dir/proc"
		mount --rbind /dev "$dir/dev"
		for ((; n; n -= 2)); do mount --bind "$1" "$2"; shift 2; done
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$dir" "$@"
	' in_root "$dir" "${#binds[@]}" ${binds[@]+"${binds[@]}"} "$@"
}

# fetch_system NAME RELEASE SUITE PACKAGES [OPTION]...: unless it is what is there
fetch_system()
{
	local dir uri sources
	dir=$(root "$1")
	[ "$(cat "$dir/etc/kwaitd" 2>/dev/null)" != "${*:2:3}" ] || return 0
	uri=$(mirror)
	sources=("deb $uri $2 main")
	[ "$2" = "$3" ] || sources+=("deb $uri $3 main")
	echo "vm: fetching $1 (Debian $3)" >&2
	rm -rf "$dir" "$dir.tmp"
	mkdir -p "${dir%/*}"
	mmdebstrap --quiet --mode=root --variant=apt --include="$4" \
		--aptopt="APT::Default-Release \"$3\"" "${@:5}" \
		"$2" "$dir.tmp" "${sources[@]}" >&2
	echo "${*:2:3}" >"$dir.tmp/etc/kwaitd"
	mv "$dir.tmp" "$dir"
}

# fetch_source NAME RELEASE SUITE CONFIG,...: a system with a kernel that is built
# in it, unless it is what is there. vm fetch -f is for a newer source.
fetch_source()
{
	local wanted recipe
	wanted=" $VM/${4//,/ $VM/}"
	# shellcheck disable=SC2086 # a list
	recipe=$(cat "$VM/build-hook" $wanted | cksum)
	[ "$(cat "$(root "$1")/etc/kwaitd-recipe" 2>/dev/null)" = "$recipe" ] ||
		rm -rf "$(root "$1")"
	fetch_system "$1" "$2" "$3" "$SOURCE_PACKAGES,linux-source-${1%%-*}" \
		--customize-hook="$VM/build-hook \"\$1\"$wanted" \
		--customize-hook="echo '$recipe' >\"\$1/etc/kwaitd-recipe\""
}

# need NAME: fetch a system if it is not there
need()
{
	local release suite flavour
	if [ "$1" = $TOOLS ]; then
		# the selftests are compiled against the newest kernel's headers
		fetch_system $TOOLS trixie trixie-backports "$TOOLS_PACKAGES" \
			--aptopt='APT::Default-Release "trixie"'
		return
	fi
	if [ "$1" = $PLOT ]; then
		fetch_system $PLOT trixie trixie "$PLOT_PACKAGES"
		return
	fi
	read -r release suite flavour < <(awk -v n="$1" \
		'$1 == n { print $2, $3, $4 }' "$VM/kernels") ||
		die "no kernel '$1'; see vm kernels"
	case $flavour in
	*.config)
		fetch_source "$1" "$release" "$suite" "$flavour" ;;
	*)
		fetch_system "$1" "$release" "$suite" \
			"make,gcc,binutils,sparse,linux-headers-$flavour" \
			--customize-hook="$VM/fetch-hook" ;;
	esac
}

vm_fetch()
{
	local name force=
	[ "${1:-}" != -f ] || { force=1; shift; }
	for name in $TOOLS "${@:-${PACKAGED[@]}}"; do
		[ -z "$force" ] || rm -rf "$(root "$name")"
		need "$name"
	done
}

# Print where what the project takes from the kernel's source is: kselftest and
# checkpatch.
vm_source()
{
	local dir=$CACHE/source
	if [ ! -d "$dir" ]; then
		need $TOOLS
		need 6.1
		echo "vm: fetching the kernel's selftest harness" >&2
		rm -rf "$dir.tmp"
		mkdir -p "$dir.tmp"
		in_root 6.1 -b "$dir.tmp:/mnt" sh -ec '
			cd /mnt
			apt-get -qq update
			apt-get -qq -o APT::Sandbox::User=root download linux-source-6.1
			dpkg-deb -x linux-source*.deb .' >&2
		in_root $TOOLS -b "$dir.tmp:/mnt" sh -ec '
			cd /mnt
			tar -xf usr/src/linux-source-6.1.tar.xz --strip-components=1 \
				--wildcards "*/tools/testing/selftests/lib.mk" \
				"*/tools/testing/selftests/kselftest*" \
				"*/tools/testing/selftests/run_kselftest.sh" \
				"*/tools/scripts" "*/scripts/checkpatch.pl" \
				"*/scripts/spelling.txt" "*/scripts/const_structs.checkpatch"
			rm -r usr linux-source*.deb' >&2
		mv "$dir.tmp" "$dir"
	fi
	echo "$dir"
}

vm_kernels()
{
	local name state
	for name in "${KERNELS[@]}"; do
		state="not here yet"
		[ ! -d "$(root "$name")" ] || state=$(release "$name")
		printf '%-10s %s\n' "$name" "$state"
	done
}
