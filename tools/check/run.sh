# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# One guest: run its tests, and judge what they said.

# timed FILE: copy TAP, and write how many seconds each test took to FILE
timed()
{
	local line start=$SECONDS
	: >"$1"
	while IFS= read -r line; do
		printf '%s\n' "$line"
		case $line in
		"# selftests: kwaitd: "*) start=$SECONDS ;;
		"ok "*" selftests: kwaitd: "* | "not ok "*" selftests: kwaitd: "*)
			line=${line##* selftests: kwaitd: }
			echo "$((SECONDS - start)) ${line%% *}" >>"$1" ;;
		esac
	done
}

# run GUEST: its tests; their TAP to its file in $OUT
run()
{
	local kernel n mode=() numbers= list slow limit modules status=0
	# the kernel's name may have a dash in it
	kernel=${1%-*-*} n=${1%-*} n=${n##*-}
	case $1 in
	*-multi) ;;
	*-stock) mode+=(--thread single --no-module) ;;
	*) mode+=(--thread single) ;;
	esac
	# the large numbers once, where they take the least time
	case $all$1 in
	-a6.1-4-multi) mode+=(-m 3G)
		numbers="KWAITD_LONG=1 KWAITD_ORPHANS=10000 KWAITD_ZOMBIES=50000" ;;
	-a6.1-4-single) numbers="KWAITD_LONG=1 KWAITD_TORTURE=45" ;;
	-a*-4-single) numbers="KWAITD_TORTURE=45" ;;
	esac
	slow=$(slowness "$1")
	# A guest with a test that hangs is ended when it has been silent for so long, and
	# by nothing else. (kselftest's own timeouts take a coreutils timeout.) Each result
	# within a test is a line. So this is much longer than a busy machine needs.
	limit=$((1800 * slow))
	((${KWAITD_FAULT_STEP:-17} > 1)) || limit=$((limit * 4))
	case $1 in
	# kmemleak tells if an object is lost
	*-debug-* | *-kcsan-*)
		mode+=(-m 2G) ;;
	# the module's cache is its own, so that it is told if it leaves an object
	*)
		mode+=(--append slab_nomerge) ;;
	esac
	mapfile -t list < <(tests_of "$1")
	modules=$("$VM" testmod "$kernel" | head -n 1)
	"$VM" run -k "$kernel" -s "$n" "${mode[@]}" --idle $limit \
		--timeout $((limit * ${#list[@]})) \
		--log "$OUT/$1.log" -f "$OUT/kselftest:/kselftest" \
		-f "$OUT/guest/.:/" -f "${modules%/*}:/modules" -- "
		export KWAITD_KO=/lib/kwaitd.ko KWAITD_SLOW=$slow $numbers
		export KWAITD_FAULT_STEP=${KWAITD_FAULT_STEP:-17}
		export KWAITD_MODULES=/modules
		cd /kselftest && ./run_kselftest.sh ${list[*]/#/-t kwaitd:}" \
		2>"$OUT/$1.err" | timed "$OUT/$1.times" >"$OUT/$1.tap" || status=$?
	echo "guest $status" >>"$OUT/$1.tap"
}

# judge GUEST SECONDS: print one line, and what is not as it should be; its sums to its
# file in $OUT
judge()
{
	local guest=$1 line test= sub=0 p=0 f=0 s=0
	while read -r line; do
		case $line in
		"# selftests: kwaitd: "*)
			test=${line##* } sub=0 ;;
		"# ok "*"# SKIP"*)
			((s += 1, sub += 1)) || :
			may_skip "$guest $test $line" && continue
			((f += 1)) || :
			echo "  unexpected skip: $test: ${line#\# ok }" ;;
		"# ok "*)
			((p += 1, sub += 1)) || : ;;
		"# not ok "*)
			((f += 1, sub += 1)) || :
			echo "  failed: $test: ${line#\# not ok }" ;;
		"ok "*"# SKIP"* | "not ok "*"# SKIP"*)
			# the whole of it, without a word on what
			((sub == 0)) || continue
			((s += 1)) || :
			may_skip "$guest $test " && continue
			((f += 1)) || :
			echo "  unexpected skip: $test" ;;
		"not ok "*)
			# died, or fewer results than it planned
			grep -q "failed: $test:" "$OUT/$guest.judged" && continue
			((f += 1)) || :
			echo "  failed: $test" ;;
		"guest "[1-9]*)
			((f += 1)) || :
			echo "  the guest failed (${line#guest }):"
			sed 's/^/    /' "$OUT/$guest.err" | head -n 60 ;;
		"guest 0")
			((p + f + s)) && continue
			f=1
			echo "  the guest ran no test" ;;
		esac
	done <"$OUT/$guest.tap" >"$OUT/$guest.judged"
	echo "$p $f $s" >"$OUT/$guest.sums"
	printf '%-18s %3d passed, %d failed, %d skipped, in %d s%s\n' "$guest" $p $f $s \
		"$2" "$(sed -n '1s/^vm: .*\(,.*\)/\1/p' "$OUT/$guest.err")"
	cat "$OUT/$guest.judged"
}

# run_and_judge GUEST: and print it all at once
run_and_judge()
{
	local start=$SECONDS text
	run "$1"
	text=$(judge "$1" $((SECONDS - start)))
	printf '%s%s\n' "$clear" "$text"
}

# run_vm_tests: those of "vm run" itself and of its verdict, on which all others rely
run_vm_tests()
{
	local text
	text=$("$TOP/tools/vm/verdict-test"; "$TOP/tools/vm/vm-test" "${kernels[@]}") || :
	printf '%s%s\n' "$clear" "$text"
	sed -n 's/^[a-z]*: \([0-9]*\) passed, \([0-9]*\) failed$/\1 \2 0/p' <<<"$text" \
		>"$OUT/vm.sums"
	(($(wc -l <"$OUT/vm.sums") == 2)) || echo "0 1 0" >>"$OUT/vm.sums"
}

# progress: on one line of the terminal, over and over, how many of its tests each
# guest has behind it
progress()
{
	local guest done line
	while sleep 2; do
		line=
		for guest in $(guests); do
			[ -e "$OUT/$guest.times" ] && [ ! -e "$OUT/$guest.sums" ] ||
				continue
			done=$(wc -l <"$OUT/$guest.times")
			line+="$guest: $done of $(tests_of "$guest" | wc -l) tests, "
		done
		printf '%s%.78s' "$clear" "${line%, }" >&2
	done
}
