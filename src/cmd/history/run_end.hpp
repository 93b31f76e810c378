#pragma once
// Waiting for the end of a run that somebody else has started.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cmd/core/command.hpp"
#include "ipc/client.hpp"
#include "lifecycle/request.hpp"
#include "unit/spec/run_record.hpp"

namespace hob::cmd {

// The exit status that a run passes on: its own, 128+N after signal N, else 125. `record_json`: as of `hob
// runs --json`.
int exit_status_of_run(std::string_view record_json);

// Waits for the end of run `id` and returns its record as JSON. Starts no daemon: without one, the database
// says how the run has ended. Throws failure(unit_unknown) when there is no such run, failure(timeout) at the
// end of --timeout.
std::string wait_for_run(invocation& call, std::int64_t id);

// Tells when a run has ended, for a loop with its own poll(). Asks the next daemon when one dies.
class run_end_watch {
public:
    // Asks the daemon, unless the record says that the run has ended.
    run_end_watch(invocation& call, const unit::run_record& run);

    int descriptor() const { return daemon_ ? daemon_->socket() : -1; }  // readable: call ended()
    bool ended();

private:
    void ask();
    void next_daemon();

    invocation& call_;
    std::int64_t run_;
    lifecycle::lost_daemons lost_;
    std::optional<ipc::client> daemon_;
};

}  // namespace hob::cmd
