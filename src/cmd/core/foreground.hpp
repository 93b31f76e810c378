#pragma once
// A daemon that stays in the foreground: it logs to standard error, and what units print comes out on
// standard output, each line with the name of its unit.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "cmd/core/command.hpp"
#include "lifecycle/application.hpp"

namespace hob::lifecycle {
class daemon;
}

namespace hob::cmd {

struct foreground_options {
    // As in daemon_options.
    std::function<std::unique_ptr<lifecycle::application>(lifecycle::daemon&, lifecycle::application_context)>
        make_application;
    std::optional<std::chrono::milliseconds> shutdown_max{};
};

// Runs the daemon in this process until it ends. Throws failure if it cannot start.
exit_code run_foreground(invocation& call, foreground_options options);

}  // namespace hob::cmd
