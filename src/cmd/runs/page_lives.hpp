#pragma once
// The processes that services had, for the page of `hob runs --html`.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cmd/core/status_view.hpp"
#include "lifecycle/instance.hpp"

namespace hob::cmd {

struct service_life {
    std::string unit;
    std::chrono::system_clock::time_point from;
    std::optional<std::chrono::system_clock::time_point> to;  // nullopt: it is up
    std::string state;                                        // starting, ready, stopped, failed, …
    std::string end;                                          // "exited with status 3"; may be empty
    bool failed = false;
};

// From the daemon's log, oldest first, as far as it reaches back; and from `units`, what is up now.
std::vector<service_life> service_lives(const lifecycle::instance& where,
                                        const std::vector<unit_view>& units);

}  // namespace hob::cmd
