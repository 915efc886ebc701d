/* SPDX-License-Identifier: GPL-2.0 */
/* The counters in Prometheus' text format, for stat.c. */
#ifndef _KWAITCTL_PROMETHEUS_H
#define _KWAITCTL_PROMETHEUS_H

int prometheus_print(void);

#endif /* _KWAITCTL_PROMETHEUS_H */
