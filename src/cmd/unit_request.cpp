#include "cmd/unit_request.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "cmd/connection.hpp"
#include "cmd/output.hpp"
#include "error.hpp"
#include "lifecycle/daemon.hpp"
#include "unit/unit_json.hpp"
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

std::string line_of(const json::object& unit) {
    const auto text = [&](const char* name) {
        const json::value* value = unit.if_contains(name);
        return value && value->is_string() ? std::string_view(value->as_string()) : std::string_view();
    };
    const json::value* pid = unit.if_contains("pid");
    const std::string process = pid && pid->is_int64() ? fmt::format(" (pid {})", pid->as_int64()) : "";
    return fmt::format("{}  {}{}\n", text("name"), text("state"), process);
}

}  // namespace

exit_code ask_units(invocation& call, std::string_view method, caller_environment environment) {
    json::object params;
    json::array names;
    for (const auto& name : call.operands)
        names.emplace_back(name);
    params["units"] = std::move(names);
    if (environment == caller_environment::send) params["env"] = own_environment();
    const std::string result = lifecycle::request_acting(call.where(), connect_options_of(call), method,
                                                         json::serialize(params), call.limit);
    if (call.global.json) {
        print(result + "\n");
        return exit_code::done;
    }
    if (call.global.quiet) return exit_code::done;
    const json::value reply = json::parse(result);
    for (const auto& unit : reply.at("units").as_array())
        print(line_of(unit.as_object()));
    return exit_code::done;
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

std::string unit_reply(lifecycle::daemon& daemon, const std::vector<std::string>& units) {
    std::vector<unit::unit_status> found;
    if (units.empty()) {
        found = daemon.registry().status();
    } else {
        for (const auto& name : units) {
            if (auto status = daemon.registry().status(name)) found.push_back(std::move(*status));
        }
    }
    return "{\"units\":" + unit::units_json(found) + "}";
}

}  // namespace hob::cmd
