# SPDX-License-Identifier: GPL-2.0
# Samples of the mode waiters: how long who waits for a process waits. A line for each who
# waits and each number of hogs: p50 and p99 with offload=none, in microseconds, and as
# ratios to those: offload=detached, and none measured once more (the control).
# The status is 1 if a p99 is over its budget: LIMIT, and what the control differs by.
#   -v limit=1.1
BEGIN {
	FS = ","
	printf "| %-5s | %-8s | %-6s | %8s | %9s | %8s | %8s | %9s | %8s | %9s |\n", "Linux",
		"hogs", "waits", "none p50", "detached", "control", "none p99", "detached",
		"control", "queued"
	print "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
}

$7 == "us" {
	row = $1 FS $3 FS $4
	if (!(row in seen)) {
		seen[row]
		rows[++nrows] = row
	}
	v[row, $5, ++n[row, $5]] = $8
}

$7 == "queued_p99_us" { queued[$1 FS $3 FS $4] = $8 }

function sort(row, way,    i, j, t, m)
{
	m = n[row, way]
	for (i = 2; i <= m; i++) {
		t = v[row, way, i]
		for (j = i; j > 1 && v[row, way, j - 1] > t; j--)
			v[row, way, j] = v[row, way, j - 1]
		v[row, way, j] = t
	}
}

# q in percent
function quantile(row, way, q,    i)
{
	i = int((n[row, way] * q + 99) / 100)
	return v[row, way, i < 1 ? 1 : i]
}

END {
	for (r = 1; r <= nrows; r++) {
		row = rows[r]
		split(row, f, FS)
		sort(row, "none"); sort(row, "detached"); sort(row, "control")
		p50 = quantile(row, "none", 50)
		p99 = quantile(row, "none", 99)
		c = quantile(row, "control", 99) / p99
		d = quantile(row, "detached", 99) / p99
		noise = c > 1 ? c - 1 : 1 / c - 1
		over = d > limit + noise
		failed += over
		printf "| %-5s | %-8s | %-6s | %8.0f | %9.3f | %8.3f | %8.0f | %9.3f | %8.3f | %9.0f |%s\n",
			f[1], f[2], f[3], p50, quantile(row, "detached", 50) / p50,
			quantile(row, "control", 50) / p50, p99, d, c, queued[row],
			over ? " over" : ""
	}
	exit failed > 0
}
