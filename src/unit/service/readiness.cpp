#include "unit/service/readiness.hpp"

#include <algorithm>

#include "limits.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;

// The kernel does not tell when a port is opened, nor when a command would succeed: asked again and again,
// ever more slowly.
template <typename Attempt>
asio::awaitable<void> until_it_succeeds(Attempt attempt, probe_target target) {
    auto length = limits::probe_pause_min;
    for (;;) {
        const ready_spec& wanted = std::get<service_spec>(target.spec->detail).ready;
        if (co_await attempt(wanted, target)) co_return;
        co_await util::pause(length);
        length = std::min(length * 2, limits::probe_pause_max);
    }
}

}  // namespace

asio::awaitable<void> await_ready(probe_target target) {
    const ready_spec& wanted = std::get<service_spec>(target.spec->detail).ready;
    switch (wanted.form) {
        case ready_form::started:
            break;
        case ready_form::delay: {
            co_await util::pause(wanted.delay);
            break;
        }
        case ready_form::log:
            target.why = "no line of its output matched";
            co_await target.told.wait();
            break;
        case ready_form::notify:
            target.why = "it did not say READY=1";
            co_await target.told.wait();
            break;
        case ready_form::tcp: {
            co_await until_it_succeeds(probe_tcp, target);
            break;
        }
        case ready_form::http: {
            co_await until_it_succeeds(probe_http, target);
            break;
        }
        case ready_form::exec: {
            co_await until_it_succeeds(probe_exec, target);
            break;
        }
    }
}

}  // namespace hob::unit
