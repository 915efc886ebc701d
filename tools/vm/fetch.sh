# SPDX-License-Identifier: GPL-2.0
# Kernels: each gets a small Debian system of its release, with the kernel, its
# headers and the compiler that goes with them. mmdebstrap and apt check the
# signatures.

# The mirror that this machine's own apt uses.
mirror()
{
	local uri
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' \
		'Label: Debian' 'Created-By: Packages' | sort -u | head -n1)
	[ -n "$uri" ] || die "apt knows no Debian mirror; run apt-get update"
	echo "$uri"
}

# root NAME: where a kernel's Debian system is
root()
{
	echo "$CACHE/kernels/$1"
}

# release NAME: what uname -r says on it
release()
{
	basename "$(root "$1")"/lib/modules/*
}

# in_root NAME [-b FROM:TO]... COMMAND...: run there, with /proc and binds
in_root()
{
	local dir binds=() i
	dir=$(root "$1")
	shift
	while [ "$1" = -b ]; do
		binds+=("${2%:*}" "$dir${2##*:}")
		mkdir -p "$dir${2##*:}"
		shift 2
	done
	(($(id -u) == 0)) || die "building and fetching need root, for chroot"
	# shellcheck disable=SC2016 # expanded in the new mount namespace
	unshare --mount bash -euc '
		dir=$1 n=$2; shift 2
		mount -t proc proc "$dir/proc"
		while ((n)); do mount --bind "$1" "$2"; shift 2; ((n -= 2)) || :; done
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$dir" "$@"
	' in_root "$dir" "${#binds[@]}" "${binds[@]}" "$@"
}

fetch_one()
{
	local name=$1 distro suite flavour uri sources
	read -r distro suite flavour < <(awk -v n="$name" \
		'$1 == n { print $2, $3, $4 }' "$VM/kernels") ||
		die "no kernel '$name'; see vm kernels"
	uri=$(mirror)
	sources=("deb $uri $distro main")
	[ "$suite" = "$distro" ] || sources+=("deb $uri $suite main")
	echo "vm: fetching kernel $name ($suite, $flavour)" >&2
	rm -rf "$(root "$name")" "$(root "$name").tmp"
	mkdir -p "$CACHE/kernels"
	mmdebstrap --quiet --mode=root --variant=apt \
		--aptopt="APT::Default-Release \"$suite\"" \
		--include="make,gcc,binutils,xz-utils,linux-headers-$flavour" \
		--customize-hook="$VM/fetch-hook" \
		"$distro" "$(root "$name").tmp" "${sources[@]}" >&2
	mv "$(root "$name").tmp" "$(root "$name")"
}

vm_fetch()
{
	local force= name
	[ "${1:-}" != -f ] || { force=1; shift; }
	for name in "${@:-${KERNELS[@]}}"; do
		[ -z "$force" ] && [ -d "$(root "$name")" ] || fetch_one "$name"
	done
}

# What the project takes from the kernel's source: kselftest and checkpatch.
vm_source()
{
	local dir=$CACHE/source
	if [ ! -d "$dir" ]; then
		vm_fetch 6.1
		echo "vm: fetching the kernel's selftest harness" >&2
		rm -rf "$dir.tmp"
		mkdir -p "$dir.tmp"
		# shellcheck disable=SC2016 # expanded there
		in_root 6.1 -b "$dir.tmp:/mnt" sh -ec '
			cd /mnt
			apt-get -qq update
			apt-get -qq -o APT::Sandbox::User=root download linux-source-6.1
			dpkg-deb -x linux-source*.deb .
			tar -xf usr/src/linux-source-6.1.tar.xz --strip-components=1 \
				--wildcards "*/tools/testing/selftests/lib.mk" \
				"*/tools/testing/selftests/kselftest*" \
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
		if [ -d "$(root "$name")" ]; then
			state=$(release "$name")
		else
			state="not fetched yet"
		fi
		printf '%-8s %s\n' "$name" "$state"
	done
}
