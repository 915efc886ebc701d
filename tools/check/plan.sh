# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Which test runs in which guest, and for how long.
#
# A guest's name is KERNEL-CPUS-MODE, and MODE one of
#   multi	as many host threads as CPUs
#   single	all CPUs in one host thread
#   stock	single, and without the module
#
# Tests that have kernel text patched while other CPUs execute it, by loading and
# unloading the module, by tracers or by turning kprobes off, want one host thread. QEMU
# with more of them may translate an instruction between the moment it forgets the old
# translation and the store that changes the instruction, and then never notice. So it
# crashes without kwaitd as well, given a minute of the kernel's own kprobe_events.

# cpus_of KERNEL: with how many it runs. Guests of 2 CPUs take half the time that guests
# of 4 do, on a machine of two cores.
cpus_of()
{
	if [ -z "$all" ]; then
		echo "${cpus[@]-2}"
		return
	fi
	case $1 in
	*-debug | *-kcsan) echo "${cpus[@]-2}" ;;
	*-rt) echo "${cpus[@]-4}" ;;
	*) echo "${cpus[@]-1 4}" ;;
	esac
}

# left_to_all KERNEL: do those tests wait for check-all there? They take twice as long
# there as elsewhere.
left_to_all()
{
	[ -z "$all" ] && [ -n "$usual" ] && [[ $1 == *-rt ]]
}

guests()
{
	local k n
	# those first that take longest, so that at the end no core is left without one
	for k in "${kernels[@]}"; do
		for n in $(cpus_of "$k"); do
			((n == 1)) || echo "$k-$n-multi"
		done
	done
	for k in "${kernels[@]}"; do
		left_to_all "$k" && continue
		for n in $(cpus_of "$k"); do
			echo "$k-$n-single"
		done
	done
	[[ " ${kernels[*]} " != *" 7.3 "* ]] || echo "7.3-$n-stock"
}

# slowness GUEST: how many times longer everything may take
slowness()
{
	case $1 in
	*-debug-* | *-kcsan-*) echo $((5 * ${KWAITD_SLOW:-1})) ;;
	*) echo "${KWAITD_SLOW:-1}" ;;
	esac
}

patches_text()
{
	case $1 in
	kwaitd_unload_test | kwaitd_torture_test.sh | kwaitd_fault_test) ;;
	kwaitd_ipmodify_test.sh | kwaitd_bpf_test | kwaitd_exit_trace_test) ;;
	kwaitd_kwaitctl_absent_test.sh) ;;
	*) return 1 ;;
	esac
}

needs_cpus()
{
	case $1 in
	kwaitd_hotplug_test | kwaitd_steal_test) ;;
	*) return 1 ;;
	esac
}

# Does it not matter to a test with how many CPUs it runs, nor much on which kernel? Then
# once is enough; or, where all there is runs, once for each kernel.
anywhere()
{
	case $1 in
	kwaitd_kwaitctl_test.sh) ;;
	*) return 1 ;;
	esac
}

# Does a test run where the kernel has CLONE_AUTOREAP and no module is loaded? It must
# say what it expects of kwaitd from what the kernel does itself.
stock_test()
{
	local src=$TOP/selftests/$1.c
	[ -e "$src" ] && ! patches_text "$1" &&
		! grep -qE '^TEST_F(_TIMEOUT)?\((kwaitd|reaper|hog),' "$src"
}

# first_of GUEST: is there none before it, with that kernel if all there is runs?
first_of()
{
	local same=.
	[ -z "$all" ] || same="^${1%-*-*}-[0-9]*-[^-]*\$"
	[ "$1" = "$(guests | grep -m 1 -e "$same")" ]
}

# runs GUEST TEST: does it run there?
runs()
{
	case $1 in
	*-stock)
		stock_test "$2" ;;
	*-1-single)
		! needs_cpus "$2" && { ! anywhere "$2" || first_of "$1"; } ;;
	*-single)
		patches_text "$2" ;;
	*-multi)
		! patches_text "$2" && { ! anywhere "$2" || first_of "$1"; } ;;
	esac
}

# tests_of GUEST: the names
tests_of()
{
	local t
	for t in "${tests[@]}"; do
		! runs "$1" "$t" || echo "$t"
	done
}

# Tests that may be skipped: GUEST TEST REASON, as patterns
may_skip()
{
	case $1 in
	6.*" kwaitd_limits_test "*"pid_max is global"*) ;;
	*-debug-*" kwaitd_fault_test "*) return 1 ;;
	*" kwaitd_fault_test "*"no fault injection"*) ;;
	*-debug-*" kwaitd_bpf_test "*"no BTF"* | *-kcsan-*" kwaitd_bpf_test "*"no BTF"*) ;;
	6.1-*" kwaitd_bpf_test "*"does not survive"*) ;; # docs/limits.md
	7.*" kwaitd_unload_test "*"the kernel's own CLONE_AUTOREAP"*) ;;
	7.*" kwaitd_status_test "*"nothing is recorded"*) ;;
	*-stock" "*"kwaitd is not loaded"*) ;;
	*) return 1 ;;
	esac
}
