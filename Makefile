# SPDX-License-Identifier: GPL-2.0
# kwaitd: build the module, see it work, test it.
#
#   make module [KDIR=...]   kwaitd.ko for the running kernel, or that in KDIR
#   make kwaitctl            the command; needs libtracefs and json-c
#   make install             it, manuals, completion and header, into $(DESTDIR)/usr
#   make demo                a VM in which detached tasks die, live
#   make check               the selftests on all kernels, once each
#   make check-all           with 1 CPU and with 4, and longer: before anything lands
#   make check-debug         the same on debug kernels, which it builds first
#   make bench               what it costs: tables, CSV and plots, in half an hour
#   make bench-gate          only whether that is within the budgets
#   make torture             ten minutes of everything at once, with 4 CPUs
#   make style               checkpatch, sparse and W=1 builds
#   make clean

KDIR ?= /lib/modules/$(shell uname -r)/build
VM := tools/vm/vm

help:
	@sed -n 's/^#   //p' Makefile

module:
	$(MAKE) -C $(KDIR) M=$(CURDIR)/module modules

kwaitctl:
	$(MAKE) -C tools/kwaitctl

install:
	$(MAKE) -C tools/kwaitctl install

demo:
	@tools/demo/demo

check:
	@tools/check/check

check-all:
	@tools/check/check -a

check-debug:
	@tools/check/check -k 6.1-debug -k 6.1-kcsan

bench:
	@tools/bench/bench

bench-gate:
	@tools/bench/gate

torture:
	@tools/torture

style:
	@tools/style

clean:
	rm -rf module/*.o module/*.ko module/*.mod module/*.mod.c module/.*.cmd \
		module/Module.symvers module/modules.order module/.tmp_versions
	$(MAKE) -s -C tools/kwaitctl clean

.PHONY: help module kwaitctl install demo check check-all check-debug bench bench-gate \
	torture style clean
