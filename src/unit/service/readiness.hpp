#pragma once
// When a service counts as ready: a process that was started is not yet a service that can be used. Each kind
// of readiness is one record in a file of its own, ready_KIND.cpp; readiness.cpp lists them.

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "unit/ports/tcp_connect.hpp"
#include "unit/spec/spec.hpp"
#include "util/async.hpp"

namespace hob::unit {

struct readiness_target {
    std::shared_ptr<const unit_spec> spec;  // of a service
    const ready_spec& wanted;               // its `ready`, or the probe of its `health`
    std::vector<std::string> environment;   // K=V, of its process
    std::function<bool(pid_t)> belongs;   // whether a process is part of the service; empty: any is accepted
    util::manual_reset_event& signalled;  // set by a matching line of output, or by READY=1
    util::notifier& output;               // rings when output came
    std::function<bool()> partial_line_matches;
    attempt_failure& not_yet;  // why the service is not ready yet, for people; kept up to date

    const ready_spec& ready() const { return wanted; }
};

// Added to the reason that the port belongs to another process.
inline constexpr std::string_view owner_advice = "; owner = \"any\" accepts that";

// Exactly one of `probe` and `wait` is set. Both throw on cancellation, and neither has a limit of its own:
// the caller cancels it at the timeout of `ready`.
struct readiness_kind {
    ready_form form;
    // What is looked at, as hob.toml writes it, such as `tcp = 5432`.
    std::string (*text)(const ready_spec& ready);
    // The port that the service is to listen on.
    std::uint16_t (*port)(const ready_spec& ready) = nullptr;
    // The process gets NOTIFY_SOCKET; READY=1 sets `signalled`.
    bool notify_socket = false;
    // A regular expression; a line of output that matches sets `signalled`.
    const std::string& (*output_pattern)(const ready_spec& ready) = nullptr;
    // How long it takes at least. The timeout counts from then.
    milliseconds (*minimum)(const ready_spec& ready) = nullptr;
    // One attempt; repeated, with growing pauses, until it returns true. Else it sets `not_yet`.
    boost::asio::awaitable<bool> (*probe)(const readiness_target& target) = nullptr;
    // Returns once the service is ready.
    boost::asio::awaitable<void> (*wait)(const readiness_target& target) = nullptr;
};

const readiness_kind& readiness_kind_of(const ready_spec& ready);

// Returns once the service is ready. Throws on cancellation.
boost::asio::awaitable<void> await_ready(readiness_target target);

}  // namespace hob::unit
