#pragma once
// Notices a unit that changes the files it watches, so that each start of it causes the next one.

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hob::unit {

class change_loop {
public:
    using time = std::chrono::steady_clock::time_point;

    // What a change has caused, a run or a process, starts now.
    void started() { started_ = std::chrono::steady_clock::now(); }

    // Before a change starts something: a path that has started it limits::watch_loop_runs times in a row,
    // each soon after the start before. `seen`: when the change was reported. `debounce`: how late that is.
    std::optional<std::string> path_at_fault(const std::vector<std::string>& paths, time seen,
                                             std::chrono::milliseconds debounce);
    void clear() { repeats_.clear(); }

private:
    std::optional<time> started_;
    std::map<std::string, int> repeats_;  // by path: starts that it caused, each soon after the last
};

}  // namespace hob::unit
