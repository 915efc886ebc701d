# SPDX-License-Identifier: GPL-2.0
# A guest: kernel, an initramfs of busybox, init and the files asked for, and
# four serial lines: the kernel's log, stdout, stderr and the exit status.

# put DIR FILE[:PATH]: into the guest's root, with libraries
put()
{
	local file=${2%%:*} path=/root/ lib
	[ "$file" = "$2" ] || path=${2#*:}
	[ -e "$file" ] || die "$file: no such file"
	[ "${path%/}" = "$path" ] || path+=$(basename "$file")
	mkdir -p "$1$(dirname "$path")"
	cp -rL "$file" "$1$path"
	[ -f "$file" ] || return 0
	for lib in $(ldd "$file" 2>/dev/null | grep -o '/[^ )]*'); do
		mkdir -p "$1$(dirname "$lib")"
		cp -nL "$lib" "$1$lib"
	done
}

# quote WORD...: for the guest's shell
quote()
{
	local word
	for word; do
		printf "'%s' " "${word//\'/\'\\\'\'}"
	done
}

# How long the guest's kernel waits until it calls a CPU or a task stuck. What it
# reports is stuck for good; a machine that has other work to do takes longer than the
# kernel's own limits, of 20 s or so, without anything being wrong.
PATIENT="rcupdate.rcu_cpu_stall_timeout=300 watchdog_thresh=60"
PATIENT+=" workqueue.watchdog_thresh=150 sysctl.kernel.hung_task_timeout_secs=600"

# has_kvm: can the machine run any guest by itself? Some have a /dev/kvm that cannot:
# kvm-pvm, which does without the CPU's help, runs kernels that were made for it alone.
has_kvm()
{
	grep -qwE 'vmx|svm' /proc/cpuinfo && { : <>/dev/kvm; } 2>/dev/null
}

# accelerator ASKED EMULATE: what to run guests with. Emulation, if EMULATE is not
# empty, since it counts instructions or has plugins; else what was asked for, or the
# machine's own virtualization where it can be used.
accelerator()
{
	case $1 in
	"" | kvm | tcg) ;;
	*) die "--accel is kvm or tcg" ;;
	esac
	if [ "$1" = tcg ] || [ -n "$2" ]; then
		[ "$1" != kvm ] || die "--icount and --plugin need --accel tcg"
		echo tcg
	elif [ "$1" = kvm ] || has_kvm; then
		echo kvm
	else
		echo tcg
	fi
}

described()
{
	case $1 in
	kvm) echo "with KVM" ;;
	*) echo "emulated" ;;
	esac
}

# qemu_pid DIR: wait until it runs, and print its process id
qemu_pid()
{
	until [ -s "$1/pid" ]; do sleep 0.1; done
	cat "$1/pid"
}

# end_idle DIR SECONDS: end QEMU when its guest has printed nothing for so long
end_idle()
{
	local pid
	pid=$(qemu_pid "$1")
	while find "$1/said" "$1/console" -newermt "-$2 seconds" | grep -q .; do
		sleep 1
	done
	: >"$1/idle"
	kill "$pid"
}

# stall DIR N: let QEMU run for a tenth of a second, and not for the next N - 1 of them,
# over and over: a machine N times as slow, whose CPUs are taken away time and again
stall()
{
	local pid
	pid=$(qemu_pid "$1")
	# shellcheck disable=SC2064 # expanded now
	trap "kill -CONT $pid" EXIT
	while kill -STOP "$pid"; do
		sleep "$(($2 - 1))e-1"
		kill -CONT "$pid"
		sleep 0.1
	done
}

# help_with COMMAND...: while QEMU runs
help_with()
{
	"$@" </dev/null >/dev/null 2>&1 &
	helpers+=($!)
}

# guest_root DIR COMMAND...: fill DIR/root, which the initramfs is of
guest_root()
{
	local dir=$1 f
	shift
	mkdir -p "$dir"/root/{bin,dev,etc,lib,proc,root,run,sbin,sys,tmp}
	cp "$(root $TOOLS)/bin/busybox" "$dir/root/bin/"
	cp "$VM/init" "$dir/root/init"
	# each in a shell of its own, which holds the lock of what it copies
	(module "$kernel" >/dev/null &&
		cp "$BUILT/$kernel/module/kwaitd.ko" "$dir/root/lib") || exit 126
	(vm_kwaitctl >/dev/null &&
		cp "$BUILT/kwaitctl/kwaitctl" "$dir/root/sbin") || exit 126
	[ -z "$module" ] || echo "$params" >"$dir/root/run/params"
	for f in ${files[@]+"${files[@]}"}; do
		put "$dir/root" "$f"
	done
	if [ "$mode" = shell ]; then
		echo "stty $(stty size | sed 's/\(.*\) \(.*\)/rows \1 cols \2/')" \
			>"$dir/root/run/shell"
	elif (($# == 1)); then
		echo "$1" >"$dir/root/run/command"
	else
		quote "$@" >"$dir/root/run/command"
	fi
	(cd "$dir/root" && find . | ./bin/busybox cpio -o -H newc 2>/dev/null) >"$dir/initrd"
}

# qemu DIR [OPTION]...: with the guest's files in DIR, until the guest ends
qemu()
{
	local dir=$1
	shift
	if [ -n "$icount" ]; then
		set -- "$@" -accel tcg -icount shift=0
	elif [ "$accel" = kvm ]; then
		# where there is none after all QEMU says so, and emulates
		set -- "$@" -accel kvm -accel "tcg,thread=$thread"
	else
		set -- "$@" -accel "tcg,thread=$thread"
	fi
	[ -z "$plugin" ] || set -- "$@" -plugin /mnt/plugin.so -d plugin -D /mnt/plugin.log
	in_root $TOOLS -b "$dir:/mnt" timeout --foreground "$timeout" \
		qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
		-pidfile /mnt/pid -cpu "$cpu" -smp "$smp" -m "$mem" \
		-kernel /mnt/vmlinuz -initrd /mnt/initrd -serial file:/mnt/console "$@" \
		-append "console=ttyS0 ignore_loglevel panic=-1 oops=panic $PATIENT$append \
mitigations=off tsc=reliable"
}

# qemu_run DIR: with standard output and error, to the guest's end or that of patience
qemu_run()
{
	local helpers=()
	mkfifo "$1/stdout" "$1/stderr"
	: >"$1/said"
	tee -a "$1/said" <"$1/stdout" &
	tee -a "$1/said" <"$1/stderr" >&2 &
	[ -z "$idle" ] || help_with end_idle "$1" "$idle"
	[ -z "${KWAITD_STALL:-}" ] || help_with stall "$1" "$KWAITD_STALL"
	qemu "$1" -serial file:/mnt/stdout -serial file:/mnt/stderr \
		-serial file:/mnt/status </dev/null || status=$?
	# opened by nobody if QEMU did not start
	: <>"$1/stdout" <>"$1/stderr"
	((${#helpers[@]} == 0)) || kill "${helpers[@]}" 2>/dev/null || :
	wait
	[ ! -e "$1/idle" ] || status=124 timeout=$idle
}

vm_run()
{
	local mode=$1 kernel=${KERNELS[0]} smp=1 mem=1G icount= append= cpu=max
	local thread=multi module=1 params= timeout=600 idle= log= plugin= files=()
	local accel= dir status=0
	shift
	while (($#)); do
		case $1 in
		-k) kernel=$2; shift ;;
		-s) smp=$2; shift ;;
		-m) mem=$2; shift ;;
		-f) files+=("$2"); shift ;;
		--param) params+=" $2"; shift ;;
		--append) append+=" $2"; shift ;;
		--timeout) timeout=$2; shift ;;
		--idle) idle=$2; shift ;;
		--accel) accel=$2; shift ;;
		--log) log=$2; shift ;;
		--plugin) plugin=$2; shift ;;
		--icount) icount=1 ;;
		--cpu) cpu=$2; shift ;;
		--thread) thread=$2; shift ;;
		--no-module) module= ;;
		--) shift; break ;;
		*) usage >&2; die "unknown option $1" ;;
		esac
		shift
	done
	[ "$mode" = shell ] || (($#)) || die "no command; see vm help"
	[ -z "$icount" ] || [ "$smp" = 1 ] || die "--icount takes one CPU"
	accel=$(accelerator "$accel" "$icount$plugin") || exit 2
	need $TOOLS
	need "$kernel"

	dir=$(mktemp -d)
	# expanded now: others have a dir of their own when the trap is sprung
	# shellcheck disable=SC2064
	trap "rm -rf '$dir'" EXIT
	guest_root "$dir" "$@"
	cp -L "$(root "$kernel")/vmlinuz" "$dir/vmlinuz"
	[ -z "$plugin" ] || cp "$plugin" "$dir/plugin.so"
	: >"$dir/console"
	: >"$dir/status"

	echo "vm: $kernel, $smp CPU$([ "$smp" = 1 ] || echo s), $(described "$accel")" >&2
	if [ "$mode" = shell ]; then
		timeout=infinity
		stty raw -echo
		qemu "$dir" -serial stdio -serial null -serial file:/mnt/status ||
			status=$?
		stty sane
	else
		qemu_run "$dir"
	fi
	[ -z "$log" ] || cp "$dir/console" "$log"
	[ -z "$plugin" ] || cp "$dir/plugin.log" "$plugin.log"
	verdict "$dir" "$status" "$timeout"
}
