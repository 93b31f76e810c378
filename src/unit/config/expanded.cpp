#include "unit/config/expanded.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "error.hpp"
#include "unit/config/address.hpp"
#include "unit/config/expansion.hpp"

namespace hob::unit {
namespace {

variables as_variables(const std::vector<std::string>& environment) {
    variables values;
    for (const auto& entry : environment) {
        const auto equals = entry.find('=');
        if (equals != std::string::npos)
            values.insert_or_assign(entry.substr(0, equals), entry.substr(equals + 1));
    }
    return values;
}

[[noreturn]] void refuse(const std::string& unit, std::string_view what, std::string_view written,
                         std::string_view value, std::string_view wanted) {
    throw failure(
        error_kind::unit_failed, cannot("start", unit),
        fmt::format("its {} is '{}', which becomes '{}', and that is no {}", what, written, value, wanted));
}

void expand_probe(ready_spec& ready, std::string_view key, const std::string& unit, const variables& values) {
    if (ready.written.empty()) return;
    const std::string what = fmt::format("{}.{}", key, name_of(ready.form));
    std::string value = expand_text(ready.written, values, unit, what);
    if (ready.form == ready_form::tcp) {
        if (!parse_address(value, ready.host, ready.port))
            refuse(unit, what, ready.written, value, "port or ADDRESS:PORT");
    } else if (ready.form == ready_form::unix_socket) {
        if (!value.starts_with('/')) refuse(unit, what, ready.written, value, "absolute path");
        ready.path = std::move(value);
    } else {
        if (!is_usable_url(value)) refuse(unit, what, ready.written, value, "URL that hob can ask");
        ready.url = std::move(value);
    }
}

}  // namespace

std::shared_ptr<const unit_spec> expanded(std::shared_ptr<const unit_spec> spec,
                                          const std::vector<std::string>& environment) {
    unit_spec copy = *spec;
    if (auto* service = std::get_if<service_spec>(&copy.detail)) {
        const bool in_health = service->health && !service->health->probe.written.empty();
        if (service->ready.written.empty() && !in_health) return spec;
        const variables values = as_variables(environment);
        expand_probe(service->ready, "ready", copy.name, values);
        if (in_health) expand_probe(service->health->probe, "health", copy.name, values);
    } else if (auto* worker = std::get_if<worker_spec>(&copy.detail)) {
        if (!worker->connect || worker->connect->written.empty()) return spec;
        connect_spec& to = *worker->connect;
        const std::string value =
            expand_text(to.written, as_variables(environment), copy.name, "connect.tcp");
        if (!parse_address(value, to.host, to.port))
            refuse(copy.name, "connect.tcp", to.written, value, "port or ADDRESS:PORT");
    } else {
        return spec;
    }
    return std::make_shared<const unit_spec>(std::move(copy));
}

}  // namespace hob::unit
