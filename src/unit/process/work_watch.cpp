#include "unit/process/work_watch.hpp"

#include <utility>

#include "limits.hpp"
#include "util/proc.hpp"

namespace hob::unit {

work_watch::clock::time_point work_watch::last_worked(pid_t root) {
    const auto now = clock::now();
    if (now - looked_ < limits::work_look) return worked_;
    looked_ = now;
    bool working = false;
    const auto before = std::exchange(ticks_, {});
    const auto look = [&](const util::proc_stat& process) {
        const auto known = before.find(process.pid);
        working = working || process.state == 'R' || process.state == 'D' || known == before.end() ||
                  known->second != process.cpu_ticks;
        ticks_.emplace(process.pid, process.cpu_ticks);
    };
    // Reading the tree means reading all of /proc.
    if (before.empty() || now - listed_ >= limits::work_list) {
        listed_ = now;
        for (const auto& process : util::process_tree(root))
            look(process);
    } else {
        for (const auto& [pid, ticks] : before) {
            if (const auto process = util::read_proc_stat(pid)) look(*process);
        }
    }
    if (working) worked_ = now;
    return worked_;
}

}  // namespace hob::unit
