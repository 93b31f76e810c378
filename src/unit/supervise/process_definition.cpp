#include "unit/supervise/process_definition.hpp"

namespace hob::unit {

unit_spec with_live_parts(const unit_spec& running, const unit_spec& newer) {
    unit_spec spec = running;
    spec.after = newer.after;
    spec.restart_with = newer.restart_with;
    spec.groups = newer.groups;
    spec.enabled = newer.enabled;
    spec.on_failure = newer.on_failure;
    spec.keep = newer.keep;
    spec.watch = newer.watch;
    if (auto* service = std::get_if<service_spec>(&spec.detail)) {
        const auto& from = std::get<service_spec>(newer.detail);
        service->restart = from.restart;
        service->max_restarts = from.max_restarts;
        service->backoff = from.backoff;
        service->autostart = from.autostart;
    } else if (auto* worker = std::get_if<worker_spec>(&spec.detail)) {
        const auto& from = std::get<worker_spec>(newer.detail);
        worker->call_timeout = from.call_timeout;
        worker->call_limit = from.call_limit;
        worker->serial = from.serial;
    } else {
        spec.detail = newer.detail;
    }
    return spec;
}

bool needs_new_process(const unit_spec& running, const unit_spec& newer) {
    return running.kind != newer.kind || !(with_live_parts(running, newer) == newer);
}

}  // namespace hob::unit
