#include "unit/watch/change_loop.hpp"

#include <utility>

#include "limits.hpp"

namespace hob::unit {

std::optional<std::string> change_loop::path_at_fault(const std::vector<std::string>& paths, time seen,
                                                      std::chrono::milliseconds debounce) {
    const bool soon = started_ && seen - *started_ <= limits::watch_loop_window + debounce;
    std::map<std::string, int> repeats;
    for (const auto& path : paths) {
        const auto before = soon ? repeats_.find(path) : repeats_.end();
        const int count = before == repeats_.end() ? (soon ? 1 : 0) : before->second + 1;
        if (count >= limits::watch_loop_runs) return path;
        repeats.emplace(path, count);
    }
    repeats_ = std::move(repeats);
    return std::nullopt;
}

}  // namespace hob::unit
