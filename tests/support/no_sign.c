/* SPDX-License-Identifier: BSD-2-Clause */
/* Stubs for builds without nettle: no signatures, and no tests of them. */
#include "sign.h"

void wt_sign(struct frame *f, const char *password)
{
	(void)f, (void)password;
}

bool wt_is_signed(const struct frame *f, const char *password)
{
	(void)f, (void)password;
	return false;
}

struct tcp_auth wt_ao_option(const struct wt_ao *ao)
{
	return (struct tcp_auth){.kind = TCP_AUTH_AO, .keyid = ao->id, .rnext = ao->rnext};
}

void wt_sign_ao(struct frame *f, const struct wt_ao *ao, uint32_t isn, uint32_t peer_isn,
                uint32_t sne)
{
	(void)f, (void)ao, (void)isn, (void)peer_isn, (void)sne;
}

bool wt_is_signed_ao(const struct frame *f, const struct wt_ao *ao, uint32_t isn, uint32_t peer_isn,
                     uint32_t sne)
{
	(void)f, (void)ao, (void)isn, (void)peer_isn, (void)sne;
	return false;
}
