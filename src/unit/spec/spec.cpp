#include "unit/spec/spec.hpp"

namespace hob::unit {

std::string_view name_of(unit_kind kind) {
    switch (kind) {
        case unit_kind::worker:
            return "worker";
        case unit_kind::service:
            return "service";
        case unit_kind::task:
            return "task";
    }
    return "unit";
}

std::string_view name_of(kill_scope scope) {
    switch (scope) {
        case kill_scope::all:
            return "all";
        case kill_scope::group:
            return "group";
        case kill_scope::main:
            return "main";
    }
    return "all";
}

std::string_view name_of(restart_policy policy) {
    switch (policy) {
        case restart_policy::always:
            return "always";
        case restart_policy::on_failure:
            return "on-failure";
        case restart_policy::never:
            return "never";
    }
    return "never";
}

std::string_view name_of(ready_form form) {
    switch (form) {
        case ready_form::started:
            return "started";
        case ready_form::tcp:
            return "tcp";
        case ready_form::http:
            return "http";
        case ready_form::exec:
            return "exec";
        case ready_form::log:
            return "log";
        case ready_form::notify:
            return "notify";
        case ready_form::delay:
            return "delay";
    }
    return "started";
}

std::string_view name_of(catch_up_policy policy) {
    switch (policy) {
        case catch_up_policy::once:
            return "once";
        case catch_up_policy::none:
            return "none";
    }
    return "none";
}

std::string_view name_of(overlap_policy policy) {
    switch (policy) {
        case overlap_policy::skip:
            return "skip";
        case overlap_policy::queue:
            return "queue";
        case overlap_policy::cancel:
            return "cancel";
    }
    return "skip";
}

const unit_spec* config::find(std::string_view name) const {
    for (const auto& unit : units) {
        if (unit.name == name) return &unit;
    }
    return nullptr;
}

}  // namespace hob::unit
