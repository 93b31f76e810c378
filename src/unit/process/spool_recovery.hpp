#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "unit/process/output_spool.hpp"
#include "util/log/log_reader_record.hpp"

namespace hob::unit {

// Compares the log with what a daemon that was killed has committed of `run`: whole records beyond that count
// as logged, and a torn one at the end is removed. True: the file was changed. Before anything is appended.
bool recover_log(output_spool& spool, const std::string& path, std::int64_t run);

// The last records of the file, in order; the first of them may be cut.
void read_last_records(const std::string& path, const std::function<void(const util::log_record&)>& take);

}  // namespace hob::unit
