# SPDX-License-Identifier: GPL-2.0
# From the sorted lines "ADDRESS - NAME" of symbols and "ADDRESS RUN INSTRUCTIONS ORDER"
# of blocks: "NAME" and the instructions a child, a column for each run, and in the end
# what the last run has more than the first, or in what order they came.
#   -v runs=N -v children=N -v ordered=0|1
$2 == "-" { name = $3; next }
substr($1, 1, 1) == "f" {
	n[name, $2] += $3
	names[name]
	# not in the first run: that is another matter, then
	if ($2 > 1 && (!(name in first) || $4 < first[name]))
		first[name] = $4
}
END {
	for (name in names) {
		line = name
		for (i = 1; i <= runs; i++) {
			line = line sprintf(" %.1f", n[name, i] / children)
			sum[i] += n[name, i]
		}
		print line, ordered ? first[name] : (n[name, runs] - n[name, 1]) / children
	}
	line = "total"
	for (i = 1; i <= runs; i++)
		line = line sprintf(" %.1f", sum[i] / children)
	print line, (sum[runs] - sum[1]) / children
}
