# SPDX-License-Identifier: GPL-2.0
# What a guest's kernel said: is it a failure? verdict-test has a table of examples.

# What in a kernel's log is a failure whatever the command says.
SPLAT='BUG:|BUG [^ ]+ \(|kernel BUG at'
SPLAT+='|WARNING: ([^ ]+:[0-9]+ at |CPU|at|possible|suspicious|inconsistent|lock|bad|held|[Nn]ested)'
SPLAT+='|Oops|general protection fault|: [0-9a-f]{4} \[#[0-9]+\]|Kernel panic'
SPLAT+='|INFO: (task|rcu|lockdep|trying)'
SPLAT+='|rcu: INFO: .*(stall|expedited)|soft lockup|hard LOCKUP|KASAN:|KCSAN:'
SPLAT+='|UBSAN:|unreferenced object|list_(add|del) corruption|refcount_t:'
SPLAT+='|\[ INFO: |workqueue lockup|Unbalanced enable'
# ... and what checks no more
SPLAT+='|turning off the locking correctness|ODEBUG|leak detector disabled'

# What the kernel says of a user program that a signal ends: its name, at most 15 bytes
# of anything, its pid, and what it did. "traps:" is of user mode only; where the kernel
# itself is at fault the line says Oops, or has a number of it, [#1].
USERS='(traps: .{0,15}\[[0-9]+\] (general protection fault|trap [a-z ]+) ip:[0-9a-f]+ sp:'
USERS+='|.{0,15}\[[0-9]+\]: segfault at [0-9a-f]+ ip [0-9a-f]+ sp )'

# without_users: without what is said of user programs
without_users()
{
	grep -avE "^(\[ *[0-9.]+\] ?(\[ *[CT][0-9]+\] )?)?$USERS" || :
}

# without_others: without what KCSAN says of races that the module takes no part in: the
# kernel has some of its own, also in interrupts of the module's functions; nor what the
# kernel says when there is no memory for a tracepoint of a module that is loaded, or for
# what vmalloc() keeps of an area
without_others()
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
	END { if (report) print report }'
}

# without_known RELEASE: without the reports of faults that are known to be this
# kernel's own; one line for each of these on standard error. A report is known by its
# first line. It goes on to its end mark, or to the next report, or for 80 lines.
without_known()
{
	awk -v release="$1" '
	NR == FNR {
		if (!/^(#|$)/) {
			pattern[++n] = $0
			sub(/^[^\t]*\t+/, "", pattern[n])
			versions[n] = $1
		}
		next
	}
	/---\[ cut here \]---/ || FNR > last { known = 0 }
	!known {
		for (i = 1; i <= n; i++)
			if (release ~ "^(" versions[i] ")" && $0 ~ pattern[i]) {
				known = 1
				last = FNR + 80
				print "vm: a known fault of Linux " release \
					", not a failure: " $0 >"/dev/stderr"
			}
	}
	!known { print; next }
	/---\[ end trace / { known = 0 }' "$VM/known-faults" -
}

# splats RELEASE <LOG: print what is a failure, with the lines around
splats()
{
	without_users | without_others | without_known "$1" |
		grep -aE -B2 -A60 "$SPLAT"
}

# verdict DIR QEMU'S-STATUS PATIENCE: exit as the command did, if all is well
verdict()
{
	local release
	release=$(grep -aoE -m1 'Linux version [^ ]+' "$1/console" || :)
	if splats "${release##* }" <"$1/console" >"$1/splat"; then
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
