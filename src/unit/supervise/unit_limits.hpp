#pragma once
// memory_max, pids_max and cpu_weight of one process of a unit. The kernel enforces them in the cgroup of the
// unit, where it has the controllers. Elsewhere memory_max is compared with the memory of the unit's
// processes every limits::memory_look, and the other two have no effect.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "unit/process/cgroup.hpp"
#include "unit/process/scope.hpp"
#include "unit/spec/spec.hpp"
#include "unit/spec/unit_status.hpp"
#include "util/async.hpp"

namespace hob::unit {

// The unit has a limit.
bool has_limits(const resource_spec& resources);

// The memory of the processes, in bytes: each page divided by the number of processes that share it.
std::uint64_t memory_of(const std::vector<member>& processes);

class unit_limits {
public:
    // `tree`: the living processes of the unit's. `wanted` outlives this.
    unit_limits(boost::asio::any_io_executor executor, const resource_spec& wanted,
                std::function<std::vector<member>()> tree);
    ~unit_limits();
    unit_limits(const unit_limits&) = delete;
    unit_limits& operator=(const unit_limits&) = delete;

    // The process of the unit runs, in `cgroup` unless that is none.
    void begin(const std::string& unit, const unit_cgroup& cgroup);
    void end();  // nothing is measured any more

    // Why a process in `cgroup` (empty: none) that was killed was killed: "memory limit 512MiB"; empty: for
    // no limit.
    std::string reached(const std::string& cgroup) const;
    void add_to(unit_status& status) const;

private:
    boost::asio::awaitable<void> measure(std::shared_ptr<util::manual_reset_event> over);
    bool memory_exceeded();  // true: it was, and the processes are killed

    const boost::asio::any_io_executor executor_;
    const resource_spec& wanted_;
    const std::function<std::vector<member>()> tree_;
    controllers limited_{};  // by the kernel
    bool begun_ = false;
    std::string exceeded_;                            // what was measured then
    std::shared_ptr<util::manual_reset_event> over_;  // of the measuring; also held by its coroutine
};

}  // namespace hob::unit
