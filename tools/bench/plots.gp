# SPDX-License-Identifier: GPL-2.0
# Plots of what plot has put into files, as many as there are. Its type, png or svg,
# is set by who calls.
if (type eq "png") set terminal pngcairo noenhanced size 800,450 font "DejaVu Sans,10"
if (type eq "svg") set terminal svg noenhanced size 800,450 font "DejaVu Sans,12" \
	background "white"

there(name) = int(system("test -e " . name . ".dat && echo 1 || echo 0"))
columns(name) = int(system("head -n 1 " . name . ".dat | grep -o Linux | wc -l"))

set datafile missing "?"
set key outside top center horizontal
set grid ytics
set style fill solid 0.8
set style data histograms
set style histogram clustered gap 1
set yrange [0:*]

name = "instructions"
if (there(name)) {
	set output name . "." . type
	set title "A CLONE_VM child, from clone() until nothing is left of it"
	set ylabel "instructions"
	plot for [i = 2 : columns(name) + 1] name . ".dat" using i:xtic(1) \
		title columnheader(i)
}

name = "speed"
if (there(name)) {
	set output name . "." . type
	set title "CLONE_VM children a second"
	set ylabel "times those of a wait4() loop"
	plot for [i = 2 : columns(name) + 1] name . ".dat" using i:xtic(1) \
		title columnheader(i)
}

name = "orphans"
if (there(name)) {
	set output name . "." . type
	set title "10,000 orphans, until all are gone; under sleeper, zombies"
	set ylabel "seconds"
	plot for [i = 2 : columns(name) + 1] name . ".dat" using i:xtic(1) \
		title columnheader(i)
}

set style data linespoints
set ylabel "instructions"

name = "batch"
if (there(name)) {
	set output name . "." . type
	set title "A detached CLONE_VM child, by how many kwaitd is woken for"
	set xlabel "batch"
	plot for [i = 2 : columns(name) + 1] name . ".dat" using 0:i:xtic(1) \
		title columnheader(i)
}

name = "marks"
if (there(name)) {
	set output name . "." . type
	set title "A detached CLONE_VM child among others that live"
	set xlabel "living detached processes"
	plot for [i = 2 : columns(name) + 1] name . ".dat" using 0:i:xtic(1) \
		title columnheader(i)
}
