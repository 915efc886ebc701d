# SPDX-License-Identifier: GPL-2.0
# The module, for a kernel: built in a copy, so that kernels do not fight over
# the object files, and only when the source has changed. Each tree has its own copies,
# so that what one of them builds is never taken for another's.
BUILT=$CACHE/build/$(cksum <<<"$TOP" | cut -d" " -f1)

# build_in DIR MAKE...: bring the copy in DIR up to date and make it with MAKE
build_in()
{
	local dir=$1 log=$1.log
	shift
	# one at a time, until this function's caller is done
	exec 9>"$dir.lock"
	flock 9
	if [ -e "$dir/module/kwaitd.ko" ] && [ -z "$(find "$TOP/module" \
	     "$TOP/include" -newer "$dir/module/kwaitd.ko" \( -name '*.[ch]' \
	     -o -name Kbuild -o -type d \) -print -quit)" ]; then
		return
	fi
	rm -rf "${dir:?}"/*
	mkdir "$dir/module"
	cp "$TOP"/module/*.[ch] "$TOP/module/Kbuild" "$dir/module"
	cp -r "$TOP/include" "$dir"
	# no BTF: it would take pahole and vmlinux
	if ! "$@" CONFIG_DEBUG_INFO_BTF_MODULES= modules >"$log" 2>&1; then
		cat "$log" >&2
		rm -f "$dir/module/kwaitd.ko"
		return 1
	fi
	grep -A6 -E 'warning|error' "$log" >&2 || :
}

# sign NAME DIR: the module in DIR with the key of a kernel that was built here, so
# that it can be loaded when that is locked down
sign()
{
	local key=/usr/src/linux/certs/signing_key.pem
	[ -e "$(root "$1")$key" ] || return 0
	! tail -c 28 "$2/module/kwaitd.ko" |
		grep -qx '~Module signature appended~' || return 0
	in_root "$1" -b "$2:/mnt" /usr/src/linux/scripts/sign-file sha256 \
		$key $key /mnt/module/kwaitd.ko
}

# module NAME [VAR=VALUE]...: build for it, print the path of kwaitd.ko
module()
{
	local dir=$BUILT/$1
	[ $# = 1 ] || dir+=-checked
	mkdir -p "$dir"
	# ... or the kernel is another than that which it was built for
	[ $# = 1 ] && [ "$dir/module/kwaitd.ko" -nt "$(root "$1")/etc/kwaitd" ] ||
		rm -f "$dir/module/kwaitd.ko"
	build_in "$dir" in_root "$1" -b "$dir:/mnt" make -s -j2 \
		-C "/lib/modules/$(release "$1")/build" M=/mnt/module "${@:2}" &&
		sign "$1" "$dir" &&
		echo "$dir/module/kwaitd.ko"
}

# vm_testmod NAME: build the modules of the selftests for it, print their paths
vm_testmod()
{
	local dir=$BUILT/$1-test
	need "$1"
	mkdir -p "$dir"
	exec 9>"$dir.lock"
	flock 9
	if [ -z "$(find "$TOP/selftests/modules" "$(root "$1")/etc/kwaitd" \
	     -newer "$dir/built" -print -quit 2>&1)" ]; then
		ls "$dir"/*.ko
		return
	fi
	rm -rf "${dir:?}"/*
	cp "$TOP"/selftests/modules/* "$dir"
	in_root "$1" -b "$dir:/mnt" make -s -C "/lib/modules/$(release "$1")/build" \
		M=/mnt CONFIG_DEBUG_INFO_BTF_MODULES= modules >"$dir.log" 2>&1 ||
		{ cat "$dir.log" >&2; return 1; }
	touch "$dir/built"
	ls "$dir"/*.ko
}

vm_build()
{
	local arg names=() vars=()
	for arg; do
		case $arg in
		*=*) vars+=("$arg") ;;
		*) names+=("$arg") ;;
		esac
	done
	for arg in "${names[@]-${PACKAGED[@]}}"; do
		need "$arg"
		module "$arg" ${vars[@]+"${vars[@]}"}
	done
}

# Build kwaitctl to run anywhere, print its path.
vm_kwaitctl()
{
	local dir=$BUILT/kwaitctl
	need $TOOLS
	mkdir -p "$dir"
	exec 9>"$dir.lock"
	flock 9
	# the linker warns of the plugins that libtraceevent could load, and does not
	in_root $TOOLS -b "$TOP:/src" -b "$dir:/mnt" make -s \
		-C /src/tools/kwaitctl O=/mnt STATIC=1 >"$dir.log" 2>&1 ||
		{ cat "$dir.log" >&2; return 1; }
	echo "$dir/kwaitctl"
}
