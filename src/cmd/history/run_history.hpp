#pragma once
// The history of runs and of the lives of services, from the daemon if one answers, else from its database.

#include <cstdint>
#include <optional>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/handlers/handler_context.hpp"
#include "error.hpp"
#include "unit/spec/run_record.hpp"
#include "unit/store/run_store.hpp"

namespace hob::cmd {

// Newest first. Throws failure(denied) when the database cannot be read.
std::vector<unit::run_record> run_history(invocation& call, const unit::run_query& query);

// One run, from the database; nullopt: there is none with this id.
std::optional<unit::run_record> find_run_record(invocation& call, std::int64_t id);

// Says whether there never was such a run, or whether it is forgotten.
failure no_such_run(invocation& call, cannot tried, std::int64_t id);

// Handles run.list.
std::string answer_run_list(handler_context context, ipc::session& from, const ipc::request& request);

}  // namespace hob::cmd
