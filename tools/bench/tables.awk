# SPDX-License-Identifier: GPL-2.0
# A table of the medians in a summary.
#   -v name=instructions|marks|speed|storm
BEGIN {
	FS = ","
	nkinds = split("thread team vm fork kill orphans", kinds, " ")
	nways = split("wait4 handler signalfd pidfd double double/ignore double/adopted own init init/cgroup init/userns ignore autoreap ordinary thread inline " \
		      "kwaitd kwaitd/1 kwaitd/4 kwaitd/16 kwaitd/64 " \
		      "threads detached tini dumb-init sleeper adopted", ways, " ")
}

NR > 1 && $2 == name {
	if (!(($1, $3) in column)) {
		column[$1, $3] = ++ncolumns
		kernel[ncolumns] = $1
		state[ncolumns] = $3
	}
	value[$1, $3, $4, $5, $6] = $7
	mad[$1, $3, $4, $5, $6] = $8
	there[$4, $5]
}

function row(cells, n,    i)
{
	printf "| %-7s | %-10s |", cells[1], cells[2]
	for (i = 3; i <= n; i++)
		printf " %16s |", cells[i]
	print ""
}

function head(text,    cells, n, i)
{
	n = split(text, cells, "|")
	row(cells, n)
	for (i = 1; i <= n; i++)
		cells[i] = i < 3 ? "---" : "---:"
	row(cells, n)
}

# all columns of one metric, the median absolute deviation beside it
function costs(metric,    text, i, k, w, c, cells)
{
	text = "kind|way"
	for (i = 1; i <= ncolumns; i++)
		text = text "|" kernel[i] " " state[i]
	head(text)
	for (k = 1; k <= nkinds; k++) {
		for (w = 1; w <= nways; w++) {
			if (!((kinds[k], ways[w]) in there))
				continue
			cells[1] = kinds[k]
			cells[2] = ways[w]
			for (i = 1; i <= ncolumns; i++) {
				c = kernel[i] SUBSEP state[i] SUBSEP kinds[k] SUBSEP ways[w] \
					SUBSEP metric
				cells[i + 2] = c in value ? sprintf("%.0f %5.2f%%", value[c],
								   mad[c]) : ""
			}
			row(cells, ncolumns + 2)
		}
	}
}

# a table for each kernel, its columns metrics; relative: to wait4, too
function metrics(list, relative,    m, n, i, k, w, j, c, cells, base)
{
	n = split(list, m, " ")
	for (i = 1; i <= ncolumns; i++) {
		print (i > 1 ? "\n" : "") "Linux " kernel[i] ":\n"
		head("kind|way|" (relative ? "of wait4|" : "") list_of(m, n))
		for (k = 1; k <= nkinds; k++) {
			for (w = 1; w <= nways; w++) {
				c = kernel[i] SUBSEP state[i] SUBSEP kinds[k] SUBSEP
				if (!((c ways[w] SUBSEP m[1]) in value))
					continue
				cells[1] = kinds[k]
				cells[2] = ways[w]
				j = 3
				base = value[c "wait4" SUBSEP m[1]]
				if (relative)
					cells[j++] = base ? sprintf("%.2f", \
						value[c ways[w] SUBSEP m[1]] / base) : ""
				c = c ways[w] SUBSEP
				for (x = 1; x <= n; x++)
					cells[j++] = (c m[x]) in value ? \
						number(value[c m[x]]) : ""
				row(cells, j - 1)
			}
		}
	}
}

function number(x)
{
	return sprintf(x < 100 ? "%.3g" : "%.0f", x)
}

function list_of(m, n,    i, text)
{
	for (i = 1; i <= n; i++)
		text = text (i > 1 ? "|" : "") m[i]
	return text
}

END {
	if (!ncolumns)
		print "(" name ": not measured)"
	else if (name == "speed")
		metrics("per_second parent_us voluntary signals peak latency_p50_ns " \
			"latency_p99_ns latency_max_ns", 1)
	else if (name == "storm")
		metrics("ms init_ms left reap_ms", 0)
	else
		costs("instructions")
}
