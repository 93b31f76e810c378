#include "unit/service/readiness.hpp"

#include <algorithm>

#include "error.hpp"
#include "limits.hpp"

namespace hob::unit {

extern constinit const readiness_kind ready_delay;
extern constinit const readiness_kind ready_exec;
extern constinit const readiness_kind ready_http;
extern constinit const readiness_kind ready_log;
extern constinit const readiness_kind ready_notify;
extern constinit const readiness_kind ready_started;
extern constinit const readiness_kind ready_tcp;
extern constinit const readiness_kind ready_unix;

namespace {

namespace asio = boost::asio;

constexpr const readiness_kind* table[] = {
    &ready_delay,  &ready_exec,    &ready_http, &ready_log,
    &ready_notify, &ready_started, &ready_tcp,  &ready_unix,
};

// Nothing reports that a port was opened, or that a command would succeed by now.
asio::awaitable<void> probe_until_ready(const readiness_kind& kind, const readiness_target& target) {
    auto length = limits::probe_pause_min;
    while (!co_await kind.probe(target)) {
        co_await util::pause(length);
        length = std::min(length * 2, limits::probe_pause_max);
    }
}

}  // namespace

const readiness_kind& readiness_kind_of(const ready_spec& ready) {
    for (const auto* kind : table) {
        if (kind->form == ready.form) return *kind;
    }
    throw failure(error_kind::internal, cannot("find", name_of(ready.form)), "no such kind of readiness");
}

asio::awaitable<void> await_ready(readiness_target target) {
    const readiness_kind& kind = readiness_kind_of(target.ready());
    if (kind.probe) {
        co_await probe_until_ready(kind, target);
    } else {
        co_await kind.wait(target);
    }
}

}  // namespace hob::unit
