/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a shared library calls functions of other libraries through a table of addresses, which
 * the dynamic linker fills in according to relocations (System V ABI, chapter 5).  This finds the
 * relocations for a function, and overwrites the addresses.  The linker makes such tables read-only
 * when it is done (PT_GNU_RELRO), so the page is made writable for the write.
 */
#include "plt.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if __ELF_NATIVE_CLASS == 64
#define RELOC_SYM ELF64_R_SYM
#else
#define RELOC_SYM ELF32_R_SYM
#endif

struct search {
	const char *library, *function;
	plt_function to;
	int rc;
};

/* The dynamic section of a loaded library. */
struct library {
	ElfW(Addr) base, relro, relro_end;
	const ElfW(Sym) * symbols;
	const char *strings;
	const ElfW(Rela) * table[2]; /* relocations of calls, and all others */
	size_t bytes[2];
};

/* On most machines the linker has already added the base to the library's addresses. */
static const void *at(const struct library *l, ElfW(Addr) where)
{
	return (const void *)(where < l->base ? l->base + where : where);
}

static void note(struct library *l, const ElfW(Dyn) * d)
{
	switch (d->d_tag) {
	case DT_SYMTAB:
		l->symbols = at(l, d->d_un.d_ptr);
		break;
	case DT_STRTAB:
		l->strings = at(l, d->d_un.d_ptr);
		break;
	case DT_JMPREL:
		l->table[0] = at(l, d->d_un.d_ptr);
		break;
	case DT_PLTRELSZ:
		l->bytes[0] = d->d_un.d_val;
		break;
	case DT_RELA:
		l->table[1] = at(l, d->d_un.d_ptr);
		break;
	case DT_RELASZ:
		l->bytes[1] = d->d_un.d_val;
		break;
	default:
		break;
	}
}

static void read_headers(struct library *l, const struct dl_phdr_info *info)
{
	*l = (struct library){.base = info->dlpi_addr};
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];

		if (h->p_type == PT_GNU_RELRO) {
			l->relro = l->base + h->p_vaddr;
			l->relro_end = l->relro + h->p_memsz;
		} else if (h->p_type == PT_DYNAMIC) {
			for (const ElfW(Dyn) *d = at(l, h->p_vaddr); d->d_tag != DT_NULL; d++)
				note(l, d);
		}
	}
}

static int write_slot(const struct library *l, ElfW(Addr) slot, plt_function to)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const bool sealed = slot >= l->relro && slot < l->relro_end;
	void *begin = (void *)(slot & ~(ElfW(Addr))(page - 1));

	if (sealed && mprotect(begin, page, PROT_READ | PROT_WRITE) != 0)
		return -errno;
	__atomic_store_n((uintptr_t *)slot, (uintptr_t)to, __ATOMIC_RELEASE);
	if (sealed && mprotect(begin, page, PROT_READ) != 0)
		return -errno;
	return 0;
}

static void redirect(struct search *s, const struct library *l, unsigned t)
{
	for (size_t i = 0; i < l->bytes[t] / sizeof(*l->table[t]); i++) {
		const ElfW(Rela) *r = &l->table[t][i];
		const ElfW(Sym) *symbol = &l->symbols[RELOC_SYM(r->r_info)];

		if (strcmp(l->strings + symbol->st_name, s->function) != 0)
			continue;
		s->rc = write_slot(l, l->base + r->r_offset, s->to);
		if (s->rc != 0)
			return;
	}
}

static int visit(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct search *s = arg;
	struct library l;

	(void)size;
	if (strstr(info->dlpi_name, s->library) == NULL)
		return 0;
	read_headers(&l, info);
	if (l.symbols == NULL || l.strings == NULL)
		return 0;
	for (unsigned t = 0; t < 2; t++)
		if (l.table[t] != NULL)
			redirect(s, &l, t);
	return 0;
}

int plt_redirect(const char *library, const char *function, plt_function to)
{
	struct search s = {.library = library, .function = function, .to = to, .rc = -ENOENT};

	dl_iterate_phdr(visit, &s);
	return s.rc;
}
