#pragma once
// Shows the logs of several units, and of the daemon, merged in the order of time, each line with its name.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/core/log_text.hpp"
#include "util/log/log_reader_filter.hpp"

namespace hob::cmd {

struct log_source {
    std::string name;  // the prefix of its lines; the member "unit" of its records with --json
    std::string path;
    bool without_unit_events = false;  // leaves out the daemon's records of units that start and end
};

struct merged_options {
    std::vector<log_source> sources;
    std::optional<std::size_t> lines;  // the last so many of all logs together; nullopt: all
    bool follow = false;
    const util::log_filter& filter;
    log_format format = log_format::brief;
};

exit_code show_merged_logs(invocation& call, const merged_options& options);

}  // namespace hob::cmd
