# SPDX-License-Identifier: GPL-2.0
# A guest: kernel, an initramfs of busybox, init and the files asked for, and
# four serial lines: the kernel's log, stdout, stderr and the exit status.

# What in a kernel's log is a failure whatever the command says.
SPLAT='BUG:|BUG [^ ]+ \(|kernel BUG at'
SPLAT+='|WARNING: (CPU|at|possible|suspicious|inconsistent|lock|bad|held|[Nn]ested)'
SPLAT+='|Oops|general protection fault|Kernel panic|INFO: (task|rcu|lockdep|trying)'
SPLAT+='|rcu: INFO: .*(stall|expedited)|soft lockup|hard LOCKUP|KASAN:|KCSAN:'
SPLAT+='|UBSAN:|unreferenced object|list_(add|del) corruption|refcount_t:'
SPLAT+='|\[ INFO: |workqueue lockup|sched: DL replenish|Unbalanced enable'
# ... and what checks no more
SPLAT+='|turning off the locking correctness|ODEBUG|leak detector disabled'

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

# initramfs DIR: of what is in DIR
initramfs()
{
	local dir=$1
	mkdir -p "$dir"/{bin,dev,etc,proc,root,run,sys,tmp}
	cp "$(root $TOOLS)/bin/busybox" "$dir/bin/"
	cp "$VM/init" "$dir/init"
	(cd "$dir" && find . | ./bin/busybox cpio -o -H newc 2>/dev/null)
}

vm_run()
{
	local mode=$1 kernel=${KERNELS[0]} smp=1 mem=1G icount= append= cpu=max
	local thread=multi module=1 params= timeout=600 log= plugin= files=()
	local dir image ko qemu status f
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

	need $TOOLS
	dir=$(mktemp -d)
	# expanded now: others have a dir of their own when the trap is sprung
	# shellcheck disable=SC2064
	trap "rm -rf '$dir'" EXIT
	mkdir -p "$dir/root/lib" "$dir/root/run"
	need "$kernel"
	image=$(root "$kernel")/vmlinuz
	ko=$(module "$kernel") || exit 126
	cp "$ko" "$dir/root/lib/kwaitd.ko"
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
	initramfs "$dir/root" >"$dir/initrd"
	mkfifo "$dir/stdout" "$dir/stderr"
	: >"$dir/console"
	: >"$dir/status"

	cp -L "$image" "$dir/vmlinuz"
	[ "$mode" = run ] || timeout=infinity
	qemu=(in_root $TOOLS -b "$dir:/mnt" timeout --foreground "$timeout"
		qemu-system-x86_64 -nodefaults
		-no-user-config -display none -no-reboot
		-cpu "$cpu" -smp "$smp" -m "$mem"
		-kernel /mnt/vmlinuz -initrd /mnt/initrd
		-serial file:/mnt/console)
	if [ "$mode" = shell ]; then
		qemu+=(-serial stdio -serial null -serial file:/mnt/status)
	else
		qemu+=(-serial file:/mnt/stdout -serial file:/mnt/stderr
			-serial file:/mnt/status)
	fi
	if [ -n "$icount" ]; then
		qemu+=(-accel tcg -icount shift=0)
	else
		qemu+=(-accel "tcg,thread=$thread")
	fi
	if [ -n "$plugin" ]; then
		cp "$plugin" "$dir/plugin.so"
		qemu+=(-plugin /mnt/plugin.so -d plugin -D /mnt/plugin.log)
	fi
	append="console=ttyS0 ignore_loglevel panic=-1 oops=panic$append"
	qemu+=(-append "$append mitigations=off tsc=reliable")

	status=0
	if [ "$mode" = shell ]; then
		stty raw -echo
		"${qemu[@]}" || status=$?
		stty sane
	else
		cat "$dir/stdout" &
		cat "$dir/stderr" >&2 &
		"${qemu[@]}" </dev/null || status=$?
		# opened by nobody if qemu did not start
		: <>"$dir/stdout" <>"$dir/stderr"
		wait
	fi
	[ -z "$log" ] || cp "$dir/console" "$log"
	[ -z "$plugin" ] || cp "$dir/plugin.log" "$plugin.log"
	verdict "$dir" "$status" "$timeout"
}

# ours LOG: without what KCSAN says of races that the module takes no part in: the
# kernel has some of its own, also in interrupts of the module's functions; nor what the
# kernel says when there is no memory for a tracepoint of a module that is loaded, or for
# what vmalloc() keeps of an area
ours()
{
	awk '
	function others(report,    lines, n, i)
	{
		n = split(report, lines, "\n")
		for (i = 1; i <= n; i++)
			if (lines[i] !~ /KCSAN/)
				print lines[i]
	}
	/WARNING: .* (event_define_fields|_*alloc_vmap_area)\+/ { next }
	!/==========/ && !report { print; next }
	{ report = report (report ? "\n" : "") $0 }
	/ to 0x[0-9a-f]+ of [0-9]+ bytes by / { interrupted = 0 }
	/ asm_(sysvec|exc|common)_/ { interrupted = 1 }
	/\[kwaitd\]/ && !interrupted { ours = 1 }
	/==========/ && seen++ % 2 {
		if (report !~ /BUG: KCSAN:/ || ours)
			print report
		else	# but for what another CPU had to say
			others(report)
		report = ""
		ours = interrupted = 0
	}
	END { if (report) print report }' "$1"
}

# verdict DIR QEMU'S-STATUS TIMEOUT: exit as the command did, if all is well
verdict()
{
	if ours "$1/console" | grep -aE -B2 -A60 "$SPLAT" >"$1/splat"; then
		echo "vm: the guest's kernel reported:" >&2
		head -n 150 "$1/splat" >&2
		exit 125
	elif (($2 == 124)); then
		echo "vm: no end after $3 s; the guest's last words:" >&2
		tail -n 20 "$1/console" >&2
		exit 124
	elif ! grep -qE '^[0-9]+' "$1/status"; then
		echo "vm: the guest died without a word; its log ends" >&2
		tail -n 20 "$1/console" >&2
		exit 125
	fi
	exit "$(tr -dc 0-9 <"$1/status")"
}
