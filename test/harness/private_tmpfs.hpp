#pragma once
// A small file system to fill up: code runs in a child with a private tmpfs.

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
// returned: an empty text for success, else the problem. nullopt, and the reason in `why`: private file
// systems are not available (neither root nor user namespaces).
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
        std::string message;
        const int flags = ::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;
        const std::string options = "mode=0777,size=" + std::to_string(kib) + "k";
        if (::unshare(flags) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("tmpfs", directory, "tmpfs", 0, options.c_str()) != 0) {
            ::_exit(77);
        }
        try {
            message = body(directory);
        } catch (const std::exception& error) {
            message = std::string("exception: ") + error.what();
        }
        util::write_all(ends.write.get(), message);
        ::_exit(0);
    }
    ends.write.reset();
    std::string message;
    char chunk[4096];
    for (ssize_t n = 0; (n = ::read(ends.read.get(), chunk, sizeof chunk)) > 0;) {
        message.append(chunk, static_cast<std::size_t>(n));
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ::rmdir(directory);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        why = "no mount namespace";
        return std::nullopt;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) message += " (the child did not end by itself)";
    return message;
}

// Within a test: checks that it succeeds, where private file systems are available.
inline void check_in_private_tmpfs(int kib, const std::function<std::string(const std::string&)>& body) {
    std::string why;
    const auto message = in_private_tmpfs(kib, why, body);
    if (!message) {
        BOOST_TEST_MESSAGE("not tested here: " << why);
    } else {
        BOOST_TEST(*message == "");
    }
}

}  // namespace hob::test
