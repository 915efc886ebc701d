# SPDX-License-Identifier: GPL-2.0
# From lines "COLUMN ROW VALUE" a table for gnuplot: a line of column names, then a
# line for each of the given rows that is there, with ? for what is missing.
#   -v rows="ROW..." [-v base=ROW]: relative to that one
{
	if (!($1 in seen)) {
		seen[$1]
		column[++n] = $1
	}
	value[$1, $2] = $3
	there[$2]
}

END {
	line = "-"
	for (i = 1; i <= n; i++)
		line = line " \"Linux " column[i] "\""
	print line
	m = split(rows, row, " ")
	for (r = 1; r <= m; r++) {
		if (!(row[r] in there))
			continue
		line = row[r]
		for (i = 1; i <= n; i++) {
			v = "?"
			if ((column[i], row[r]) in value)
				v = value[column[i], row[r]] / \
					(base ? value[column[i], base] : 1)
			line = line " " v
		}
		print line
	}
}
