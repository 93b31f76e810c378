// `ready = { log = "pattern" }`: ready when a line of output matches.

#include <fmt/format.h>

#include "limits.hpp"
#include "unit/service/readiness.hpp"

namespace hob::unit {
namespace {

const std::string& output_pattern(const ready_spec& ready) { return ready.log_pattern; }

// Returns when an unfinished line matches and its rest does not come.
boost::asio::awaitable<void> await_partial_line(const readiness_target& target) {
    for (;;) {
        bool silent = false;
        while (!silent) {
            const bool more_came = co_await util::within(limits::log_partial_pause, target.output.wait());
            silent = !more_came;
        }
        if (target.partial_line_matches()) co_return;
        co_await target.output.wait();
    }
}

boost::asio::awaitable<void> wait(const readiness_target& target) {
    target.not_yet.why = "no line of its output matched";
    co_await util::first_of(target.signalled.wait(), await_partial_line(target));
}

std::string text(const ready_spec& ready) { return fmt::format("log = '{}'", ready.log_pattern); }

}  // namespace

extern constinit const readiness_kind ready_log{
    .form = ready_form::log,
    .text = text,
    .output_pattern = output_pattern,
    .wait = wait,
};

}  // namespace hob::unit
