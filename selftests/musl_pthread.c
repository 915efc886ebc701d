// SPDX-License-Identifier: GPL-2.0
/*
 * A pthread program that knows nothing of kwaitd: rounds of threads, half of them joined
 * and half detached. Each adds to a sum that main() checks.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_long sum, running;

static void *work(void *arg)
{
	sum += (long)arg;
	running--;
	return arg;
}

int main(int argc, char **argv)
{
	long threads = argc > 1 ? atol(argv[1]) : 64;
	long rounds = argc > 2 ? atol(argv[2]) : 100;
	pthread_t t[threads];
	long round, i;
	void *ret;

	for (round = 0; round < rounds; round++) {
		for (i = 0; i < threads; i++) {
			running++;
			if (pthread_create(&t[i], NULL, work, (void *)i))
				return 2;
			if (i & 1 && pthread_detach(t[i]))
				return 3;
		}
		for (i = 0; i < threads; i += 2) {
			if (pthread_join(t[i], &ret) || ret != (void *)i)
				return 4;
		}
		while (running)
			;
	}
	printf("%ld\n", (long)sum);
	return sum != rounds * (threads - 1) * threads / 2;
}
