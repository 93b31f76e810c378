#pragma once
// Runs and the lives of services as a web page with a time line, in one file without external resources.

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "lifecycle/instance.hpp"
#include "unit/spec/run_record.hpp"

namespace hob::cmd {

struct page_content {
    std::vector<unit::run_record> runs;             // and lives, newest first
    std::chrono::system_clock::time_point written;  // where the time line ends
};

// Reads the output of runs and services from the logs of `where`.
std::string runs_page(const lifecycle::instance& where, const page_content& content);

// page.html, built into the binary by CMake. "{{data}}" stands where the data go.
extern const std::string_view page_template;

}  // namespace hob::cmd
