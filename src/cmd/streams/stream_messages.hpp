#pragma once
// The params of task.run (doc/protocol.md 6.9), both ways.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unit/process/run_io.hpp"
#include "unit/task/run_output.hpp"
#include "util/json/json_writer.hpp"
#include "util/resource_limits.hpp"

namespace hob::cmd {

struct run_request {
    std::optional<std::string> task;  // else a command
    std::vector<std::string> command;
    std::vector<std::string> arguments;  // of a task
    std::vector<std::string> environment;
    std::optional<std::string> cwd;
    bool input = false;             // of run.input
    bool input_descriptor = false;  // the one that comes with the request
    std::optional<unsigned> umask;
    std::vector<util::resource_limit> limits{};
    bool detach = false;
    std::optional<unit::terminal_size> terminal;
    std::optional<std::string> terminal_type;  // TERM
    std::string token{};  // by which the next daemon finds the run that this one has begun; empty: none
};

std::string run_params(const run_request& wanted);

// Throws failure(usage).
run_request parse_run_request(std::string_view params);

// Adds "name":"text" or, for bytes that are not UTF-8, "name_b64":"…".
void add_bytes(util::json_object& to, std::string_view name, std::string_view bytes);
// The same as text.
std::string text_member(std::string_view name, std::string_view bytes);

// What task.run's relatives share: {"run":N,…}. Throws failure(usage).
struct run_message {
    std::int64_t run = 0;
    std::string data;  // of `data` or `data_b64`
    bool end = false;
    bool kill = false;
    unit::terminal_size size;
};
run_message parse_run_message(std::string_view params);

// The params of run.follow.
struct follow_request {
    std::int64_t run = 0;
    unit::run_offsets from{};
};
std::string follow_params(const follow_request& wanted);
follow_request parse_follow_request(std::string_view params);  // throws failure(usage)

}  // namespace hob::cmd
