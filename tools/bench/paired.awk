# SPDX-License-Identifier: GPL-2.0
# Samples of the mode speed: a detached child's figures beside another way's of the same
# round, which has more to say than a ratio of medians where the host is noisy.
BEGIN {
	FS = ","
	n = split("per_second,handler,1.5 per_second,ignore,0.97 parent_us,ignore,1.02 " \
		  "voluntary,ignore,0 signals,ignore,0", wanted, " ")
	printf "| %-4s | %-4s | %-24s | %6s | %6s | %6s | %-15s |\n", "Linux", "kind",
		"kwaitd against", "median", "least", "most", "budget"
	print "| --- | --- | --- | ---: | ---: | ---: | --- |"
}

{
	value[$1, $4, $5, $6, $7] = $8
	if (!(($1, $4) in seen) && $4 != "thread") {
		seen[$1, $4]
		pair[++pairs] = $1 FS $4
	}
	if ($6 > last)
		last = $6
}

function sort(v, n,    i, j, t)
{
	for (i = 2; i <= n; i++) {
		t = v[i]
		for (j = i; j > 1 && v[j - 1] > t; j--)
			v[j] = v[j - 1]
		v[j] = t
	}
}

# For children that share memory there is one.
function budget(kind, metric, counts, limit)
{
	if (kind != "vm")
		return ""
	return counts ? "0 more" : (metric == "per_second" ? "at least " : "at most ") limit
}

# metric: counts are compared by difference, all else by ratio
function row(kernel, kind, metric, other, limit,    r, a, b, v, m, counts)
{
	counts = metric == "voluntary" || metric == "signals"
	for (r = 0; r <= last; r++) {
		a = kernel SUBSEP kind SUBSEP "kwaitd" SUBSEP r SUBSEP metric
		b = kernel SUBSEP kind SUBSEP other SUBSEP r SUBSEP metric
		if (a in value && b in value)
			v[++m] = counts ? value[a] - value[b] : value[a] / value[b]
	}
	if (!m)
		return
	sort(v, m)
	printf "| %-5s | %-4s | %-24s | %6.3f | %6.3f | %6.3f | %-15s |\n", kernel, kind,
		other ": " metric, (v[int((m + 1) / 2)] + v[int(m / 2) + 1]) / 2, v[1], v[m],
		budget(kind, metric, counts, limit)
}

END {
	for (p = 1; p <= pairs; p++) {
		split(pair[p], of, FS)
		for (w = 1; w <= n; w++) {
			split(wanted[w], f, FS)
			row(of[1], of[2], f[1], f[2], f[3])
		}
	}
}
