#include "cmd/enable/systemctl.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "cmd/boot/installed.hpp"
#include "error.hpp"
#include "util/fd.hpp"
#include "util/fork.hpp"

namespace hob::cmd {
namespace {

std::string user_directory() { return fmt::format("/run/user/{}", ::geteuid()); }

bool exists(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0;
}

std::string output_of(int fd) {
    std::string text;
    char chunk[4096];
    for (ssize_t n = 0; (n = ::read(fd, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR);)
        if (n > 0) text.append(chunk, static_cast<std::size_t>(n));
    while (text.ends_with('\n'))
        text.pop_back();
    return text;
}

}  // namespace

bool systemd_runs(boot_scope scope) {
    if (!exists("/run/systemd/system")) return false;
    return scope == boot_scope::system || exists(user_directory() + "/systemd/private");
}

void require_systemd(boot_scope scope, const char* verb, const std::string& root) {
    if (systemd_runs(scope)) return;
    const cannot tried(verb, root);
    if (!exists("/run/systemd/system"))
        throw failure(
            error_kind::denied, tried, "systemd does not run on this machine",
            "hob enable --print shows the units; where there is no systemd, run hob up or hob daemon");
    const auto user = find_account(::geteuid());
    const std::string name = user ? user->name : std::to_string(::geteuid());
    throw failure(
        error_kind::denied, tried, fmt::format("no systemd of the user {} runs", name),
        fmt::format("log in as {0} (su and sudo are no login), or as root: loginctl enable-linger {0}; "
                    "hob enable --print shows the units",
                    name));
}

systemctl_result systemctl(boot_scope scope, const std::vector<std::string>& words) {
    std::vector<std::string> line{"systemctl"};
    if (scope == boot_scope::user) line.emplace_back("--user");
    line.insert(line.end(), words.begin(), words.end());
    std::vector<char*> argv;
    for (auto& word : line)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    // Without a login session, as after su, it does not find the user's systemd.
    if (scope == boot_scope::user) ::setenv("XDG_RUNTIME_DIR", user_directory().c_str(), 1);
    util::pipe_ends output = util::make_pipe();
    const int end = output.write.get();
    const pid_t pid = util::start_program("systemctl", argv.data(), [end] {
        return ::dup2(end, STDOUT_FILENO) >= 0 && ::dup2(end, STDERR_FILENO) >= 0;
    });
    if (pid < 0) throw denied("run", "systemctl", errno);
    output.write.reset();
    systemctl_result result;
    result.text = output_of(output.read.get());
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    return result;
}

void systemctl_or_fail(boot_scope scope, const std::vector<std::string>& words) {
    auto result = systemctl(scope, words);
    if (result.status == 0) return;
    std::replace(result.text.begin(), result.text.end(), '\n', ' ');
    throw failure(error_kind::denied,
                  cannot("run", systemctl_text(scope, fmt::format("{}", fmt::join(words, " ")))),
                  result.text.empty() ? fmt::format("it exited with status {}", result.status) : result.text);
}

std::string systemctl_text(boot_scope scope, const std::string& words) {
    return fmt::format("systemctl {}{}", scope == boot_scope::user ? "--user " : "", words);
}

}  // namespace hob::cmd
