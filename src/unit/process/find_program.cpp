#include "unit/process/find_program.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/process/environment.hpp"
#include "unit/process/launch.hpp"

namespace hob::unit {
namespace {

constexpr std::string_view default_path = "/usr/local/bin:/usr/bin:/bin";

bool is_file(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode);
}

}  // namespace

std::string find_program(const child_options& options) {
    const std::string& name = options.argv.front();
    if (name.find('/') != std::string::npos) return name;
    std::string_view path = value_in(options.environment, "PATH");
    if (path.empty()) path = default_path;
    std::string not_executable;
    for (std::string_view rest = path;;) {
        const auto colon = rest.find(':');
        std::string candidate(rest.substr(0, colon));
        if (candidate.empty()) candidate = options.cwd;
        if (candidate.front() != '/') candidate = options.cwd + "/" + candidate;
        candidate.append("/").append(name);
        if (!name.empty() && is_file(candidate)) {
            if (::access(candidate.c_str(), X_OK) == 0) return candidate;
            if (not_executable.empty()) not_executable = candidate;
        }
        if (colon == std::string_view::npos) break;
        rest.remove_prefix(colon + 1);
    }
    if (!not_executable.empty()) {
        fail_to_start(options, fmt::format("its program '{}' is not executable", not_executable), {},
                      exit_not_executable);
    }
    fail_to_start(options, fmt::format("its program '{}' is not in PATH", name),
                  fmt::format("PATH is '{}'; `hob restart {}` takes over yours", path, options.unit),
                  exit_no_program);
}

}  // namespace hob::unit
