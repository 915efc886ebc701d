# SPDX-License-Identifier: GPL-2.0
# The module, for a kernel: built in a copy, so that kernels do not fight over
# the object files, and only when the source has changed.

# build_in DIR MAKE...: bring the copy in DIR up to date and make it with MAKE
build_in()
{
	local dir=$1 log=$1.log
	shift
	mkdir -p "$dir"
	if [ -e "$dir/kwaitd.ko" ] && [ -z "$(find "$TOP/module" \
	     -newer "$dir/kwaitd.ko" \( -name '*.[ch]' -o -name Kbuild \
	     -o -type d \) -print -quit)" ]; then
		return
	fi
	rm -rf "${dir:?}"/*
	cp "$TOP"/module/*.[ch] "$TOP/module/Kbuild" "$dir"
	# no BTF: it would take pahole and vmlinux
	if ! "$@" CONFIG_DEBUG_INFO_BTF_MODULES= ${W:+W=$W} modules \
	     >"$log" 2>&1; then
		cat "$log" >&2
		rm -f "$dir/kwaitd.ko"
		return 1
	fi
	grep -i warning "$log" >&2 || :
	strip --strip-debug "$dir/kwaitd.ko"
}

# module NAME: build for it, print the path of kwaitd.ko
module()
{
	local dir=$CACHE/build/$1
	mkdir -p "$dir"
	build_in "$dir" in_root "$1" -b "$dir:/mnt" \
		make -s -j2 -C "/lib/modules/$(release "$1")/build" M=/mnt &&
		echo "$dir/kwaitd.ko"
}

# module_kdir KDIR: the same for a kernel built by hand
module_kdir()
{
	local dir
	dir=$CACHE/build/kdir-$(realpath "$1" | cksum | cut -d' ' -f1)
	build_in "$dir" make -s -j2 -C "$1" M="$dir" && echo "$dir/kwaitd.ko"
}

vm_build()
{
	local name
	for name in "${@:-${KERNELS[@]}}"; do
		vm_fetch "$name"
		module "$name"
	done
}
