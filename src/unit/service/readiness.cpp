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
        auto trying = attempt(wanted, target);
        if (co_await std::move(trying)) co_return;
        auto resting = util::pause(length);
        co_await std::move(resting);
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
            auto resting = util::pause(wanted.delay);
            co_await std::move(resting);
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
            auto probing = until_it_succeeds(probe_tcp, target);
            co_await std::move(probing);
            break;
        }
        case ready_form::http: {
            auto probing = until_it_succeeds(probe_http, target);
            co_await std::move(probing);
            break;
        }
        case ready_form::exec: {
            auto probing = until_it_succeeds(probe_exec, target);
            co_await std::move(probing);
            break;
        }
    }
}

}  // namespace hob::unit
