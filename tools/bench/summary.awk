# SPDX-License-Identifier: GPL-2.0
# From samples, sorted by what they are samples of and then by value, to a line each:
# median, median absolute deviation in percent of it, and how many they are.
BEGIN {
	FS = OFS = ","
	print "kernel", "mode", "state", "kind", "way", "metric", "median",
		"mad_percent", "samples"
}

{
	key = $1 OFS $2 OFS $3 OFS $4 OFS $5 OFS $7
	if (key != last)
		flush()
	last = key
	v[++n] = $8
}

END { flush() }

# of v[1] to v[n], in order
function median()
{
	return (v[int((n + 1) / 2)] + v[int(n / 2) + 1]) / 2
}

function flush(    m, i, j, d)
{
	if (n) {
		m = median()
		for (i = 1; i <= n; i++) {
			d = v[i] > m ? v[i] - m : m - v[i]
			for (j = i; j > 1 && v[j - 1] > d; j--)
				v[j] = v[j - 1]
			v[j] = d
		}
		print last, m, m ? sprintf("%.2f", 100 * median() / m) : 0, n
	}
	n = 0
}
