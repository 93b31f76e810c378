#pragma once
// The records of a service's lives in the history: one for each process, from its start to its end.

#include <sys/resource.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "unit/process/child.hpp"
#include "unit/spec/run_record.hpp"
#include "unit/supervise/managed_unit.hpp"

namespace hob::unit {

class life_recorder {
public:
    explicit life_recorder(std::shared_ptr<unit_context> context) : context_(std::move(context)) {}

    // Why the next life will begin; `cause` may be empty.
    void because(run_trigger trigger, std::string cause);
    // The record is written; when it cannot be, the service goes on without. `restarts`: crashes in a row
    // before it. `environment`: of the process; empty: it could not be made.
    void begin(const unit_spec& spec, std::int64_t restarts, const std::vector<std::string>& environment);
    // The record that a daemon before this one has begun; 0: there is none.
    void adopt(std::int64_t id);
    void wrote(std::size_t bytes) { output_bytes_ += static_cast<std::int64_t>(bytes); }
    void ready();
    void ending(const std::string& why);  // hob ends it; the first reason counts
    // `reason`: why it counts as failed; empty: it has not failed. `requested`: hob was asked to end it.
    struct end_of_life {
        std::optional<exit_state> exit{};
        std::optional<rusage> used{};
        std::string reason{};
        bool requested = false;
    };
    void end(const unit_spec& spec, const end_of_life& how);

    // "life 7 exited with status 3", of the one that has ended last.
    const std::string& last_end() const { return last_end_; }
    std::int64_t id() const { return life_ ? life_->id : 0; }  // of the present life; 0: there is none

private:
    void keep(run_record life);

    const std::shared_ptr<unit_context> context_;  // also held by the registry and every unit
    run_trigger trigger_ = run_trigger::manual;
    std::string cause_;
    std::string end_cause_;
    std::string last_end_;
    std::int64_t output_bytes_ = 0;
    std::optional<run_record> life_;
};

}  // namespace hob::unit
