#include "unit/process/caller.hpp"

#include <fmt/format.h>
#include <limits.h>
#include <unistd.h>

#include <array>

#include "unit/process/environment.hpp"
#include "util/proc.hpp"

namespace hob::unit {
namespace {

std::string mark_of(pid_t process, std::string_view mark) {
    return util::proc_environment_value(process, std::string(mark)).value_or("");
}

}  // namespace

bool is_inside_unit(pid_t process) {
    return !mark_of(process, mark_unit).empty() || !mark_of(process, mark_run).empty();
}

std::string unit_of(pid_t process, const std::string& instance_key) {
    return mark_of(process, mark_instance) == instance_key ? mark_of(process, mark_unit) : std::string();
}

std::string working_directory_of(pid_t process) {
    std::array<char, PATH_MAX> path{};
    const ssize_t size = ::readlink(fmt::format("/proc/{}/cwd", process).c_str(), path.data(), path.size());
    return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : std::string();
}

}  // namespace hob::unit
