#include "unit/supervise/stop_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "util/proc.hpp"

namespace hob::unit {

bool lives(const member& process) {
    const auto found = util::read_proc_stat(process.pid);
    return found && found->start_time == process.start_time && !util::has_ended(*found);
}

std::vector<member> living_of(const std::vector<member>& processes) {
    std::vector<member> living;
    std::copy_if(processes.begin(), processes.end(), std::back_inserter(living), lives);
    return living;
}

std::string text_of_left(const std::vector<member>& left) {
    const std::vector<member> living = living_of(left);
    if (living.empty()) return {};
    const pid_t pid = living.front().pid;
    const auto process = util::read_proc_stat(pid);
    return fmt::format("pid {}{} is left and could not be ended{}", pid,
                       process ? fmt::format(" ({})", process->comm) : "",
                       living.size() > 1 ? fmt::format(", and {} more", living.size() - 1) : "");
}

std::string stop_report::text() const {
    std::string text = text_of_left(left);
    return text.empty() ? killed : text;
}

}  // namespace hob::unit
