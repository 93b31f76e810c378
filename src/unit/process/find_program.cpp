#include "unit/process/find_program.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <string_view>
#include <utility>

#include "unit/process/environment.hpp"

namespace hob::unit {
namespace {

constexpr std::string_view default_path = "/usr/local/bin:/usr/bin:/bin";

bool is_file(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode);
}

}  // namespace

program_candidates program_candidates_of(const child_options& options) {
    const std::string& name = options.argv.front();
    if (name.find('/') != std::string::npos) return {{name}, {}};
    std::string_view path = value_in(options.environment, "PATH");
    if (path.empty()) path = default_path;
    program_candidates result{{}, std::string(path)};
    for (std::string_view rest = path;;) {
        const auto colon = rest.find(':');
        std::string candidate(rest.substr(0, colon));
        if (candidate.empty()) candidate = options.cwd;
        if (candidate.front() != '/') candidate = options.cwd + "/" + candidate;
        result.paths.push_back(candidate.append("/").append(name));
        if (colon == std::string_view::npos) return result;
        rest.remove_prefix(colon + 1);
    }
}

found_program find_program(const std::vector<std::string>& candidates) {
    found_program found;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (candidates[i].back() == '/' || !is_file(candidates[i])) continue;
        const bool executable = ::access(candidates[i].c_str(), X_OK) == 0;
        if (executable || found.index < 0) found = {static_cast<int>(i), executable};
        if (executable) break;
    }
    return found;
}

}  // namespace hob::unit
