# SPDX-License-Identifier: GPL-2.0
# The table budgets against a summary. Status 1 if one is missed, or cannot be known.
#   awk -f gate.awk summary.csv budgets
FNR == NR {
	split($0, f, ",")
	if (f[6] == "instructions")
		cost[f[1] " " f[3] "," f[4] "," f[5]] = f[7]
	next
}

!/^#/ && NF {
	what = $5
	for (i = 6; i <= NF; i++)
		what = what " " $i
	this = cost[$1 " " $2]
	other = cost[$1 " " $3]
	if (!this || !other) {
		printf "%-5s %-4s %25s  %s\n", "?", $1, "not measured", what
		missed = 1
		next
	}
	over = this / other > $4
	missed = missed || over
	printf "%-5s %-4s %9.0f /%9.0f = %.4f of %-6s %s\n", over ? "OVER" : "ok", $1,
		this, other, this / other, $4, what
}

END { exit missed }
