# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the guests are given, made in $OUT: kselftest/, with the tests, and guest/, with
# programs that the tests run.

# build_tests: compile and install them, as "make kselftest-install" does
build_tests()
{
	mkdir -p "$OUT/kselftest" "$OUT/obj"
	"$VM" tools -b "$TOP:/src" -b "$source:/linux" -b "$OUT:/mnt" make -s \
		-C /src/selftests KSELFTEST=/linux/tools/testing/selftests \
		OUTPUT=/mnt/obj INSTALL_PATH=/mnt/kselftest/kwaitd all install >&2
	cp -r "$source"/tools/testing/selftests/{run_kselftest.sh,kselftest} \
		"$OUT/kselftest"
	(cd "$OUT/kselftest/kwaitd" && printf '%s\n' kwaitd_*_test kwaitd_*_test.sh) \
		>"$OUT/tests"
	sed 's/^/kwaitd:/' "$OUT/tests" >"$OUT/kselftest/kselftest-list.txt"
}

# build_programs: with their libraries, of the tools system
build_programs()
{
	# shellcheck disable=SC2016 # expanded there
	"$VM" tools -b "$OUT:/mnt" sh -ec '
		mkdir /mnt/guest
		for program; do
			libs=$(ldd "$program" 2>/dev/null | grep -o "/lib[^ ]*" || :)
			cp -L --parents "$program" $libs /mnt/guest
		done' sh /mnt/kselftest/kwaitd/kwaitd_bpf_test /usr/bin/strace \
		/usr/bin/gdb /usr/bin/tini /usr/bin/dumb-init /usr/bin/catatonit
}

# build_modules: for each kernel, before two guests want the same
build_modules()
{
	local kernel
	for kernel in "${kernels[@]}"; do
		"$VM" build "$kernel" >/dev/null
		"$VM" testmod "$kernel" >/dev/null
	done
}
