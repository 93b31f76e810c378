#pragma once
// A small file system that gets full: code runs in a child with a tmpfs of its own, which nobody else sees.

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <exception>
#include <functional>
#include <optional>
#include <string>

#include "util/fd.hpp"

namespace hob::test {

// Runs `body(directory)` in a forked child, with a tmpfs of `kib` KiB on `directory`. Returns what it
// returned: an empty text when all is well, else what is wrong. nullopt, and the reason in `why`: such a file
// system is not to be had here (neither root nor user namespaces).
inline std::optional<std::string> in_private_tmpfs(
    int kib, std::string& why, const std::function<std::string(const std::string&)>& body) {
    char directory[] = "/tmp/hob-tmpfs-XXXXXX";
    if (::mkdtemp(directory) == nullptr) {
        why = "no temporary directory";
        return std::nullopt;
    }
    auto ends = util::make_pipe();
    const pid_t child = ::fork();
    if (child == 0) {
        std::string said;
        const int flags = ::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;
        const std::string options = "mode=0777,size=" + std::to_string(kib) + "k";
        if (::unshare(flags) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("tmpfs", directory, "tmpfs", 0, options.c_str()) != 0) {
            ::_exit(77);
        }
        try {
            said = body(directory);
        } catch (const std::exception& error) {
            said = std::string("exception: ") + error.what();
        }
        util::write_all(ends.write.get(), said);
        ::_exit(0);
    }
    ends.write.reset();
    std::string said;
    char chunk[4096];
    for (ssize_t n = 0; (n = ::read(ends.read.get(), chunk, sizeof chunk)) > 0;) {
        said.append(chunk, static_cast<std::size_t>(n));
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ::rmdir(directory);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        why = "no mount namespace";
        return std::nullopt;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) said += " (the child did not end by itself)";
    return said;
}

// Within a test: all is to be well, where such a file system is to be had.
inline void check_in_private_tmpfs(int kib, const std::function<std::string(const std::string&)>& body) {
    std::string why;
    const auto said = in_private_tmpfs(kib, why, body);
    if (!said) {
        BOOST_TEST_MESSAGE("not tested here: " << why);
    } else {
        BOOST_TEST(*said == "");
    }
}

}  // namespace hob::test
