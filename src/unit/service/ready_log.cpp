// `ready = { log = "pattern" }`: ready when a line of output matches.

#include "unit/service/readiness.hpp"

namespace hob::unit {
namespace {

const std::string& output_pattern(const ready_spec& ready) { return ready.log_pattern; }

boost::asio::awaitable<void> wait(const readiness_target& target) {
    target.not_yet = "no line of its output matched";
    co_await target.signalled.wait();
}

}  // namespace

extern constinit const readiness_kind ready_log{
    .form = ready_form::log,
    .output_pattern = output_pattern,
    .wait = wait,
};

}  // namespace hob::unit
