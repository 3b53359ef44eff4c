/* SPDX-License-Identifier: BSD-2-Clause */
#include "hist.h"

uint64_t hist_quantile(const struct hist *h, double q)
{
	double want = q * (double)h->n;
	uint64_t seen = 0, top;

	for (uint32_t i = 0; i < HIST_SIZE; i++) {
		seen += h->counts[i];
		if (h->counts[i] == 0 || (double)seen < want)
			continue;
		/* the largest value of the step, as far as one has been seen */
		top = i + 1 < HIST_SIZE ? hist_value(i + 1) - 1 : UINT64_MAX;
		return top < h->max ? top : h->max;
	}
	return h->max;
}

double hist_mean(const struct hist *h)
{
	return h->n > 0 ? (double)h->sum / (double)h->n : 0;
}
