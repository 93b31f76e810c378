#pragma once
// The last lines that runs and lives of services have written.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lifecycle/instance.hpp"
#include "unit/spec/run_record.hpp"

namespace hob::cmd {

// The defaults are those of the page of `hob runs --html`, so that it opens quickly whatever has been
// written.
struct output_limits {
    std::size_t lines = 20;        // of one run
    std::size_t bytes = 2u << 10;  // of one run
    std::size_t total = 3u << 20;  // of all; the newest have precedence
};

// By run id. Without escape sequences, with control and bidirectional characters made visible.
std::map<std::int64_t, std::string> run_output(const lifecycle::instance& where,
                                               const std::vector<unit::run_record>& runs,
                                               output_limits limits);

}  // namespace hob::cmd
