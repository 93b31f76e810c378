#pragma once
// The history of runs: from the daemon where one answers, else from its database.

#include <cstdint>
#include <optional>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/handlers/handler_context.hpp"
#include "unit/spec/run_record.hpp"
#include "unit/store/run_store.hpp"

namespace hob::cmd {

// Newest first. Throws failure(denied) when the database cannot be read.
std::vector<unit::run_record> run_history(invocation& call, const unit::run_query& wanted);

// One run; nullopt: there is none of that number. Asks no daemon.
std::optional<unit::run_record> run_by_number(invocation& call, std::int64_t id);

// run.list.
std::string answer_run_list(handler_context context, ipc::session& from, const ipc::request& asked);

}  // namespace hob::cmd
