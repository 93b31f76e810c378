#include "cmd/formats/machine.hpp"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>

#include "error.hpp"
#include "limits.hpp"
#include "unit/config/file.hpp"
#include "util/fd.hpp"
#include "util/fork.hpp"
#include "util/process_handle.hpp"

namespace hob::cmd {
namespace {

bool path_exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

bool is_in_path(const std::string& program) {
    const char* path = ::getenv("PATH");
    std::string_view rest = path ? path : "/usr/local/bin:/usr/bin:/bin";
    while (!rest.empty()) {
        const auto end = std::min(rest.find(':'), rest.size());
        const std::string file = std::string(rest.substr(0, end)) + "/" + program;
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (::access(file.c_str(), X_OK) == 0) return true;
    }
    return false;
}

// Finds the module without running it, and not in the current directory.
bool python_has_debugpy() {
    const char* const words[] = {"python3", "-c",
                                 "import sys; sys.path.pop(0); from importlib.util import find_spec; "
                                 "sys.exit(not find_spec('debugpy'))",
                                 nullptr};
    const util::unique_fd null = util::open_file("/dev/null", O_RDWR);
    // exec does not change the arguments, although its signature allows it.
    const pid_t pid = util::start_program(words[0], const_cast<char* const*>(words), [&null] {
        return ::dup2(null.get(), 0) == 0 && ::dup2(null.get(), 1) == 1 && ::dup2(null.get(), 2) == 2;
    });
    if (pid < 0) return false;
    const bool in_time = util::process_handle(pid).wait(util::deadline::in(limits::import_probe_timeout));
    if (!in_time) ::kill(pid, SIGKILL);
    int status = -1;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool is_user(const std::string& name) {
    const auto passwd = unit::read_any_file("/etc/passwd");
    return passwd &&
           (passwd->starts_with(name + ":") || passwd->find("\n" + name + ":") != std::string::npos);
}

std::optional<std::string> read_if_trusted(const std::string& path) {
    try {
        return unit::read_trusted_file(path, ::geteuid());
    } catch (const failure&) {
        return std::nullopt;
    }
}

}  // namespace

import_environment this_machine() {
    return {is_in_path, python_has_debugpy, path_exists, is_user, read_if_trusted};
}

}  // namespace hob::cmd
