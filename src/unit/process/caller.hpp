#pragma once
// The process of a client, as seen by the marks in its environment.

#include <sys/types.h>

#include <string>

namespace hob::unit {

// It runs in a unit or a run, of whichever instance. False for a process that has ended.
bool is_inside_unit(pid_t process);

// The unit of this instance in which it runs; empty: none.
std::string unit_of(pid_t process, const std::string& instance_key);

// Where it is; empty: not known.
std::string working_directory_of(pid_t process);

}  // namespace hob::unit
