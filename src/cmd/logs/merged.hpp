#pragma once
// The logs of several units, and of the daemon, as one: in the order of time, each line with its name.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cmd/core/command.hpp"
#include "util/log_reader_filter.hpp"

namespace hob::cmd {

struct log_source {
    std::string name;  // what stands before its lines; "unit" of its records with --json
    std::string path;
};

struct merged_options {
    std::vector<log_source> sources;
    std::optional<std::size_t> lines;  // of the end, of all together; nullopt: all
    bool follow = false;
    const util::log_filter& filter;
};

exit_code show_merged_logs(invocation& call, const merged_options& options);

}  // namespace hob::cmd
