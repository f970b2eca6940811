#include "memory.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Segments that are never written to are what lies in the file: dropping their
   pages loses nothing. */
static int drop_code(struct dl_phdr_info *info, size_t size, void *userdata)
{
	uintptr_t page = *(const uintptr_t *)userdata;

	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t begin = info->dlpi_addr + segment->p_vaddr;
		uintptr_t end = begin + segment->p_memsz;

		if (segment->p_type != PT_LOAD || segment->p_flags & PF_W)
			continue;
		begin = (begin + page - 1) & ~(page - 1);
		end &= ~(page - 1);
		if (end > begin)
			(void)madvise((void *)begin, end - begin, MADV_DONTNEED);
	}
	return 0;
}

void memory_trim(void)
{
	uintptr_t page = sysconf(_SC_PAGESIZE);

	dl_iterate_phdr(drop_code, &page);
	malloc_trim(0);
}
