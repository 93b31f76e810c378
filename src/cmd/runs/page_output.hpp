#pragma once
// The last lines that runs and services have written, for the page of `hob runs --html`.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cmd/runs/page_lives.hpp"
#include "lifecycle/instance.hpp"
#include "unit/spec/run_record.hpp"

namespace hob::cmd {

// Limits of the page, so that it opens quickly whatever has been written.
struct output_limits {
    std::size_t lines = 20;        // of one run or life
    std::size_t bytes = 2u << 10;  // of one run or life
    std::size_t total = 3u << 20;  // of all; the newest have precedence
};

// By run id. Without escape sequences, with control and bidirectional characters made visible.
std::map<std::int64_t, std::string> run_output(const lifecycle::instance& where,
                                               const std::vector<unit::run_record>& runs,
                                               output_limits limits);

// One for each life, in the same order.
std::vector<std::string> life_output(const lifecycle::instance& where, const std::vector<service_life>& lives,
                                     output_limits limits);

}  // namespace hob::cmd
