#include "util/memory.hpp"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace hob::util {
namespace {

// Code is read-only and backed by the file, so dropping its pages loses nothing. Only the program's own
// object.
int drop_code(dl_phdr_info* object, std::size_t, void*) {
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    for (int i = 0; i < object->dlpi_phnum; ++i) {
        const auto& segment = object->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD || segment.p_flags != (PF_R | PF_X)) continue;
        const std::uintptr_t begin = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
        const std::uintptr_t end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
        ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
    }
    return 1;  // the first object is the program
}

}  // namespace

void release_free_memory() { ::malloc_trim(0); }

void release_startup_memory() {
    release_free_memory();
    ::dl_iterate_phdr(drop_code, nullptr);
}

}  // namespace hob::util
