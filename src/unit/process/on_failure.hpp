#pragma once
// The on_failure command of a unit.

#include <boost/asio/any_io_executor.hpp>

#include <string>
#include <vector>

#include "unit/spec/spec.hpp"

namespace hob::unit {

// Starts the command, if the unit has one, and returns at once. Its environment has HOB_UNIT, HOB_REASON and
// HOB_LAST_LINES (the last lines of the unit's output, each with its newline). It is killed after
// limits::on_failure_timeout.
void run_on_failure(const boost::asio::any_io_executor& executor, const unit_spec& spec,
                    std::vector<std::string> environment, const std::string& reason,
                    const std::vector<std::string>& last_lines);

}  // namespace hob::unit
