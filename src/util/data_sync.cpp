// fdatasync of the whole program, SQLite included: the linker passes each call here (--wrap=fdatasync). Where
// it is refused, fsync does the same and writes the times of the file, too.

#include <unistd.h>

#include <cerrno>

#include "util/system_calls.hpp"

extern "C" {

int __real_fdatasync(int fd);

int __wrap_fdatasync(int fd) {
    if (__real_fdatasync(fd) == 0) return 0;
    return hob::util::is_refusal(errno) ? ::fsync(fd) : -1;
}
}
