#pragma once
// A file system of a chosen size for the daemon under test, which inherits the mount namespace of this
// process. The test has a mount namespace of its own, so other processes do not see it.

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "harness/sandbox.hpp"
#include "util/fd.hpp"

namespace hob::test {

class small_disk {
public:
    // Mounts a tmpfs of `kib` KiB on `path`, which it creates with mode 0700 for `owner`. Needs root. Throws
    // test_failure.
    small_disk(std::string path, int kib, uid_t owner = 0) : path_(std::move(path)) {
        if (!util::make_directories(path_)) throw test_failure("cannot make " + path_);
        static const bool own_namespace =
            ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
        const std::string options =
            "mode=0700,size=" + std::to_string(kib) + "k,uid=" + std::to_string(owner);
        if (!own_namespace || ::mount("tmpfs", path_.c_str(), "tmpfs", 0, options.c_str()) != 0) {
            throw test_failure("cannot mount a tmpfs on " + path_ + ": " + std::strerror(errno));
        }
    }
    ~small_disk() { ::umount2(path_.c_str(), MNT_DETACH); }
    small_disk(const small_disk&) = delete;
    small_disk& operator=(const small_disk&) = delete;

    // Uses all free space, to the last page.
    void fill() {
        const auto fd = util::open_file(filler(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        const std::string page(4096, 'f');
        while (::write(fd.get(), page.data(), page.size()) > 0) {
        }
    }
    void free() { ::unlink(filler().c_str()); }

    void read_only(bool on) {
        const unsigned long flags = on ? MS_REMOUNT | MS_RDONLY : MS_REMOUNT;
        if (::mount("none", path_.c_str(), nullptr, flags, nullptr) != 0)
            throw test_failure("cannot mount " + path_ + " anew: " + std::strerror(errno));
    }

private:
    std::string filler() const { return path_ + "/filler"; }
    std::string path_;
};

}  // namespace hob::test
