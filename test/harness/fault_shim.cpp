#include "harness/fault_shim.hpp"
#include "paths.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace hob::test {

fault_shim::fault_shim(const sandbox& box) : path_(box.root() + "/fault-page") {
    const auto fd = util::open_file(path_, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (!fd || ::ftruncate(fd.get(), sizeof(fault_page)) != 0) throw test_failure("cannot make " + path_);
    void* mapped = ::mmap(nullptr, sizeof(fault_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (mapped == MAP_FAILED) throw test_failure("cannot map " + path_);
    page_ = static_cast<fault_page*>(mapped);
}

fault_shim::~fault_shim() { ::munmap(page_, sizeof(fault_page)); }

run_options fault_shim::options() const {
    run_options run;
    run.program = HOB_DYNAMIC_BINARY;
    run.env = {{"LD_PRELOAD", HOB_FAULT_SHIM},
               {"HOB_FAULT_PAGE", path_},
               {"HOB_FAULT_PROGRAM", HOB_DYNAMIC_BINARY},
               // The sanitizer's library checks that it is first; it works behind this one as well.
               {"ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0:log_path=" + path_ + ".asan"}};
    return run;
}

unsigned fault_shim::count(fault_role role, fault_call call) const {
    return __atomic_load_n(&page_->counts[role][call], __ATOMIC_SEQ_CST);
}

void fault_shim::fail(fault_role role, fault_call call, unsigned nth, int error) {
    *page_ = fault_page{};
    page_->role = role;
    page_->call = call;
    page_->error = error;
    page_->nth = nth;
}

void fault_shim::fail_nothing() { *page_ = fault_page{}; }

bool fault_shim::fired() const { return __atomic_load_n(&page_->fired, __ATOMIC_SEQ_CST) > 0; }

void fault_shim::move_clock(std::chrono::nanoseconds offset) {
    __atomic_store_n(&page_->clock_offset_ns, static_cast<long long>(offset.count()), __ATOMIC_SEQ_CST);
}

const char* name_of(fault_role role) { return role == FAULT_CLIENT ? "client" : "daemon"; }

const char* name_of(fault_call call) {
    static constexpr const char* names[FAULT_CALLS] = {
        "open",   "write",   "fsync", "rename",    "flock", "fork",   "posix_spawn", "execve", "bind",
        "listen", "accept4", "mmap",  "ftruncate", "mkdir", "socket", "connect",     "pipe2"};
    return names[call];
}

std::vector<int> errors_of(fault_call call) {
    switch (call) {
        case FAULT_OPEN:
            return {EMFILE, ENFILE, EACCES, ENOENT, ENOSPC, EROFS, EIO, ENOMEM};
        case FAULT_WRITE:
            return {ENOSPC, EIO, EDQUOT, EINTR};
        case FAULT_FSYNC:
            return {EIO, ENOSPC, EINTR};
        case FAULT_RENAME:
            return {EACCES, ENOSPC, EROFS, EIO};
        case FAULT_FLOCK:
            return {ENOLCK, EWOULDBLOCK, EINTR, ENOSYS};
        case FAULT_FORK:
        case FAULT_SPAWN:
            return {EAGAIN, ENOMEM};
        case FAULT_EXECVE:
            return {ENOENT, EACCES, ENOMEM, ETXTBSY, E2BIG};
        case FAULT_BIND:
            return {EADDRINUSE, EACCES, ENOSPC, EROFS, ENOENT};
        case FAULT_LISTEN:
            return {EADDRINUSE, EOPNOTSUPP};
        case FAULT_ACCEPT:
            return {EMFILE, ENFILE, ENOMEM, ENOBUFS, ECONNABORTED, EINTR};
        case FAULT_MMAP:
            return {ENOMEM, EACCES, ENODEV, EAGAIN};
        case FAULT_FTRUNCATE:
            return {EIO, EINTR};
        case FAULT_MKDIR:
            return {EACCES, ENOSPC, EROFS, EDQUOT};
        case FAULT_SOCKET:
            return {EMFILE, ENFILE, ENOBUFS, EACCES};
        case FAULT_CONNECT:
            return {EACCES, EPERM, ECONNREFUSED, EAGAIN};
        case FAULT_PIPE:
            return {EMFILE, ENFILE};
        case FAULT_CALLS:
            break;
    }
    return {};
}

}  // namespace hob::test
