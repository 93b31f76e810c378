#pragma once
// What the end of a process left to say.

#include <string>
#include <vector>

#include "unit/process/scope.hpp"

namespace hob::unit {

struct stop_report {
    // It needed SIGKILL, and which keys change that: "killed: it did not end within 5s of SIGTERM; …"; or
    // "ended by SIGTERM: its stop command … exited with status 1". Empty: neither.
    std::string killed{};
    std::vector<member> left{};  // processes that could not be ended

    // "pid 12 (sudo) is left and could not be ended", or `killed`; empty: there is nothing to say.
    std::string text() const;
};

bool lives(const member& process);
std::vector<member> living_of(const std::vector<member>& processes);
// Of those that still live; empty: there is none.
std::string text_of_left(const std::vector<member>& left);

}  // namespace hob::unit
