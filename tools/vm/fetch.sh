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

# during TEXT COMMAND...: run it. On a terminal show TEXT, for how long, and the last
# line of what it says; else nothing, unless it fails.
during()
{
	local text=$1 log ticker= status=0
	log=$(mktemp)
	shift
	if [ -t 2 ]; then
		while sleep 1; do
			printf '\r\033[K%s, %d s: %.50s' "$text" $SECONDS \
				"$(tail -n 1 "$log" | tr -d '\r')" >&2
		done &
		ticker=$!
	fi
	"$@" >"$log" 2>&1 </dev/null || status=$?
	[ -z "$ticker" ] || { kill $ticker; printf '\r\033[K' >&2; }
	((status == 0)) || { echo "$text: failed"; tail -n 30 "$log"; } >&2
	rm "$log"
	return $status
}

# room GB WHAT: or die
room()
{
	local free
	mkdir -p "$CACHE"
	free=$(df --output=avail -BM "$CACHE" | tr -dc 0-9)
	((free >= $1 * 1000)) ||
		die "no disk space: $2 needs $1 GB, and $CACHE has $free MB left"
}

# online URI RELEASE: does apt reach it there? Else die.
online()
{
	local file said
	file=$(mktemp)
	said=$(/usr/lib/apt/apt-helper download-file "${1%/}/dists/$2/InRelease" "$file" 2>&1) ||
		die "no network: apt says: $(grep '^E:' <<<"$said" | head -n 1)"
	rm "$file"
}

# is_fetched NAME RELEASE SUITE PACKAGES...: is it what is there?
is_fetched()
{
	[ "$(cat "$(root "$1")/etc/kwaitd" 2>/dev/null)" = "${*:2:3}" ]
}

# fetch_system NAME RELEASE SUITE PACKAGES [OPTION]...: unless it is what is there
fetch_system()
(
	dir=$(root "$1")
	! is_fetched "$@" || exit 0
	mkdir -p "${dir%/*}"
	exec 9>"$dir.lock"
	flock 9
	# by another run, meanwhile?
	! is_fetched "$@" || exit 0
	room 3 "a Debian system with $1"
	# apt-get update has a lock that it does not wait for
	exec 8>"$CACHE/apt.lock"
	flock 8
	uri=$(mirror)
	exec 8>&-
	online "$uri" "$2"
	sources=("deb $uri $2 main")
	[ "$2" = "$3" ] || sources+=("deb $uri $3 main")
	rm -rf "$dir" "$dir.tmp"
	during "vm: fetching $1 (Debian $3)" mmdebstrap --mode=root --variant=apt \
		--include="$4" --aptopt="APT::Default-Release \"$3\"" "${@:5}" \
		"$2" "$dir.tmp" "${sources[@]}"
	echo "${*:2:3}" >"$dir.tmp/etc/kwaitd"
	mv "$dir.tmp" "$dir"
)

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

# Two at a time: one downloads while the other unpacks.
vm_fetch()
{
	local name force= missing=0
	[ "${1:-}" != -f ] || { force=1; shift; }
	set -- $TOOLS "${@:-${PACKAGED[@]}}"
	for name; do
		[ -z "$force" ] || rm -rf "$(root "$name")"
		[ -d "$(root "$name")" ] || ((missing += 1))
	done
	room $((missing + 2)) "fetching $missing Debian systems"
	for name; do
		(($(jobs -pr | wc -l) < 2)) || wait -n
		need "$name" &
	done
	while [ -n "$(jobs -p)" ]; do wait -n; done
}

# fetch_kernel_source DIR: of the kernel's source what the project uses
fetch_kernel_source()
{
	in_root 6.1 -b "$1:/mnt" sh -ec '
		cd /mnt
		apt-get -qq update
		apt-get -qq -o APT::Sandbox::User=root download linux-source-6.1
		dpkg-deb -x linux-source*.deb .' &&
	in_root $TOOLS -b "$1:/mnt" sh -ec '
		cd /mnt
		tar -xf usr/src/linux-source-6.1.tar.xz --strip-components=1 \
			--wildcards "*/tools/testing/selftests/lib.mk" \
			"*/tools/testing/selftests/kselftest*" \
			"*/tools/testing/selftests/run_kselftest.sh" \
			"*/tools/scripts" "*/scripts/checkpatch.pl" \
			"*/scripts/spelling.txt" "*/scripts/const_structs.checkpatch"
		rm -r usr linux-source*.deb'
}

# Print where what the project takes from the kernel's source is: kselftest and
# checkpatch.
vm_source()
{
	local dir=$CACHE/source
	need $TOOLS
	need 6.1
	exec 8>"$dir.lock"
	flock 8
	if [ ! -d "$dir" ]; then
		rm -rf "$dir.tmp"
		mkdir -p "$dir.tmp"
		during "vm: fetching the kernel's selftest harness" \
			fetch_kernel_source "$dir.tmp"
		mv "$dir.tmp" "$dir"
	fi
	exec 8>&-
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
