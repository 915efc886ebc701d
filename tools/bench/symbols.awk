# SPDX-License-Identifier: GPL-2.0
# From the sorted lines "ADDRESS - NAME" of symbols and "ADDRESS RUN INSTRUCTIONS" of
# blocks: "NAME" and the instructions a child, a column for each run, and in the
# end what the last run has more than the first.
#   -v runs=N -v children=N
$2 == "-" { name = $3; next }
substr($1, 1, 1) == "f" { n[name, $2] += $3; names[name] }
END {
	for (name in names) {
		line = name
		for (i = 1; i <= runs; i++) {
			line = line sprintf(" %.1f", n[name, i] / children)
			sum[i] += n[name, i]
		}
		print line, (n[name, runs] - n[name, 1]) / children
	}
	line = "total"
	for (i = 1; i <= runs; i++)
		line = line sprintf(" %.1f", sum[i] / children)
	print line, (sum[runs] - sum[1]) / children
}
