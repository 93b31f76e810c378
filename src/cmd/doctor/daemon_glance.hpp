#pragma once
// The daemon as several checks of doctor see it. It is asked once: a daemon that does not answer costs one
// wait.

#include <optional>

#include "cmd/core/status_view.hpp"
#include "lifecycle/probe.hpp"
#include "util/deadline.hpp"

namespace hob::cmd {

struct daemon_glance {
    lifecycle::probe_result found;
    std::optional<status_view> status;  // nullopt: no daemon answers
};

// Takes at most two glance_timeout.
daemon_glance glance_at_daemon(const lifecycle::instance& where, util::deadline limit);

}  // namespace hob::cmd
