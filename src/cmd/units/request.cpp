#include "cmd/units/request.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "cmd/core/connection.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/status_view.hpp"
#include "cmd/units/progress.hpp"
#include "cmd/units/unready.hpp"
#include "error.hpp"
#include "unit/application/application.hpp"
#include "unit/spec/unit_status_json.hpp"
#include "util/json_text.hpp"
#include "util/utf8.hpp"

namespace hob::cmd {
namespace {

namespace json = boost::json;

// Values that are not UTF-8 cannot travel in JSON; a unit that needs one has `env_file`.
json::array own_environment() {
    json::array entries;
    for (char** entry = environ; entry && *entry; ++entry) {
        if (util::is_utf8(*entry)) entries.emplace_back(*entry);
    }
    return entries;
}

std::optional<std::vector<std::string>> strings_of(const json::value* value) {
    const json::array* list = value ? value->if_array() : nullptr;
    if (!list) return std::nullopt;
    std::vector<std::string> texts;
    for (const auto& entry : *list) {
        if (!entry.is_string()) return std::nullopt;
        texts.emplace_back(entry.as_string());
    }
    return texts;
}

std::string request_params(const invocation& call) {
    json::object params;
    json::array names;
    for (const auto& name : call.operands)
        names.emplace_back(name);
    params["units"] = std::move(names);
    params["env"] = own_environment();
    return json::serialize(params);
}

// The reply; on a terminal what happens until then is shown.
std::string ask_daemon(invocation& call, std::string_view method, const std::string& params) {
    const terminal out = out_terminal();
    if (call.global.json || call.global.quiet || !out.drawable)
        return lifecycle::request_acting(call.where(), connect_options_of(call), method, params, call.limit);
    return ask_and_show(call, method, params);
}

}  // namespace

exit_code ask_units(invocation& call, std::string_view verb, std::string_view method) {
    const auto began = std::chrono::system_clock::now();
    std::string result;
    try {
        result = ask_daemon(call, method, request_params(call));
    } catch (const failure& why) {
        throw explain_unready(call, verb, why, began);
    }
    if (call.global.json) {
        print(result + "\n");
        return exit_code::done;
    }
    if (call.global.quiet || out_terminal().drawable) return exit_code::done;
    for (const auto& unit : read_units(result))
        print(unit_line(unit));
    return exit_code::done;
}

std::vector<std::string> every_service(const unit::application& units, const char* verb, const char* hint) {
    std::vector<std::string> names;
    for (const auto& spec : units.config().units) {
        if (spec.kind == unit::unit_kind::service) names.push_back(spec.name);
    }
    if (!names.empty()) return names;
    throw failure(error_kind::unit_failed,
                  fmt::format("cannot {} 'every service': hob.toml has no service", verb), hint);
}

unit_request parse_unit_request(std::string_view params) {
    const failure malformed(error_kind::usage,
                            "cannot read the params: they are not {\"units\":[NAME...],\"env\":[K=V...]}");
    json::error_code error;
    const json::value parsed = params.empty() ? json::value(json::object()) : json::parse(params, error);
    const json::object* object = error ? nullptr : parsed.if_object();
    if (!object) throw malformed;
    unit_request wanted;
    const auto units = strings_of(object->if_contains("units"));
    if (!units) throw malformed;
    wanted.units = *units;
    if (const json::value* environment = object->if_contains("env")) {
        wanted.environment = strings_of(environment);
        if (!wanted.environment) throw malformed;
    }
    return wanted;
}

std::string unit_reply(unit::application& application, const std::vector<std::string>& units) {
    std::vector<unit::unit_status> found;
    if (units.empty()) {
        found = application.registry().status();
    } else {
        for (const auto& name : units) {
            if (auto status = application.registry().status(name)) found.push_back(std::move(*status));
        }
    }
    return "{\"units\":" + unit::units_json(found) + "}";
}

}  // namespace hob::cmd
