// Whether a service that is ready stays well.

#include <fmt/format.h>

#include <utility>

#include "unit/service/service_process.hpp"
#include "util/duration.hpp"
#include "util/log/log.hpp"

namespace hob::unit {

namespace asio = boost::asio;
using util::field;

void service::set_health_fault(service_process& current, std::string fault) {
    if (current.health_fault == fault) return;
    current.health_fault = std::move(fault);
    if (context_->options.changed) context_->options.changed();
    changes().ring();
}

asio::awaitable<void> service::check_health(std::shared_ptr<service_process> current) {
    // A copy: it refers to what the probe needs for as long as it runs.
    const auto spec = current->spec;
    const health_spec& health = *std::get<service_spec>(spec->detail).health;
    const readiness_kind& kind = readiness_kind_of(health.probe);
    std::string reason;
    for (int failed = 0; failed < health.failures;) {
        co_await util::pause(health.every);
        attempt_failure why;
        const readiness_target target = target_of(current, health.probe, why);
        const auto well = co_await util::within(health.timeout, kind.probe(target));
        failed = well.value_or(false) ? 0 : failed + 1;
        if (failed == 0) {
            set_health_fault(*current, {});
            continue;
        }
        reason = well ? why.why : fmt::format("no answer within {}", util::format_duration(health.timeout));
        util::log(util::level::warning, "unit", "a health check failed",
                  {field("unit", spec->name), field("reason", reason), field("in_a_row", failed)});
        set_health_fault(*current, fmt::format("unhealthy ({} of {}): {}", failed, health.failures, reason));
    }
    const std::string times =
        health.failures == 1 ? "once" : fmt::format("{} times in a row", health.failures);
    current->failure_reason = fmt::format("its health check failed {}: {}", times, reason);
    current->process->request_stop();
}

}  // namespace hob::unit
