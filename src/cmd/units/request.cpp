#include "cmd/units/request.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include <boost/json.hpp>

#include "cmd/core/connection.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/project.hpp"
#include "cmd/core/status_view.hpp"
#include "cmd/core/token.hpp"
#include "cmd/units/progress.hpp"
#include "cmd/units/unready.hpp"
#include "error.hpp"
#include "lifecycle/request.hpp"
#include "lifecycle/start_failure.hpp"
#include "unit/application/application.hpp"
#include "unit/config/config.hpp"
#include "unit/spec/definition_digest.hpp"
#include "unit/spec/unit_status_json.hpp"
#include "util/base64.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"
#include "util/utf8.hpp"

namespace hob::cmd {
namespace {

namespace json = boost::json;

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

bool is_true(const json::value* value) { return value && value->is_bool() && value->as_bool(); }
bool is_false(const json::value* value) { return value && value->is_bool() && !value->as_bool(); }

failure malformed_params() {
    return failure(error_kind::usage, cannot("read", {}, "the params"),
                   "they are not {\"units\":[NAME...],\"env\":[K=V...]}");
}

json::object params_object(std::string_view params) {
    json::error_code error;
    const json::value parsed = json::parse(params.empty() ? "{}" : params, error);
    if (error || !parsed.is_object()) throw malformed_params();
    return parsed.as_object();
}

std::optional<std::vector<std::string>> environment_of(const json::object& params) {
    const bool encoded = params.contains("env_b64");
    const json::value* value = params.if_contains(encoded ? "env_b64" : "env");
    if (!value) return std::nullopt;
    auto environment = strings_of(value);
    if (!environment) throw malformed_params();
    if (!encoded) return environment;
    for (std::string& entry : *environment) {
        auto bytes = util::base64_decode(entry);
        if (!bytes || bytes->find('\0') != std::string::npos) throw malformed_params();
        entry = std::move(*bytes);
    }
    return environment;
}

// Returns the reply. Shows the progress on a terminal.
std::string request_daemon(invocation& call, const lifecycle::request& wanted) {
    const terminal out = out_terminal();
    if (call.global.json || call.global.quiet || !out.drawable)
        return lifecycle::request_acting(call.where(), connect_options_of(call), wanted);
    return request_with_progress(call, wanted);
}

// What is asked of the next daemon when one dies: that it was asked for then. Else a restart would be done
// twice.
std::string params_again(const std::string& params) {
    util::json_object again;
    again.add_members(util::raw_json{params}).add("asked_at", lifecycle::boot_milliseconds());
    return std::move(again).text();
}

// A start of a task only lets its triggers run it, which is seldom what was meant.
void point_to_run(const invocation& call, std::string_view reply) {
    for (const auto& unit : read_units(reply)) {
        const bool named =
            std::find(call.operands.begin(), call.operands.end(), unit.name) != call.operands.end();
        if (named && unit.kind == "task")
            print_error(fmt::format("hint: '{0}' is a task: hob run {0} runs it\n",
                                    printable(unit.name, err_terminal().utf8)));
    }
}

}  // namespace

void resolve_operands(invocation& call) {
    const auto& names = call.operands;
    const bool plain = std::none_of(names.begin(), names.end(), unit::is_selector);
    const std::string directory = directory_of(call);
    if (!plain || directory != call.where().root)
        call.operands = unit::names_meant(call.where().config_path, names, directory);
}

void add_directory(util::json_object& params, const invocation& call) {
    char path[PATH_MAX];
    if (!call.global.directory || ::realpath(call.global.directory->c_str(), path) == nullptr) return;
    if (util::is_utf8(path)) params.add("cwd", path);
}

void add_own_environment(util::json_object& params) {
    bool encoded = false;
    for (char** entry = environ; entry && *entry; ++entry)
        encoded = encoded || !util::is_utf8(*entry);
    util::json_array entries;
    for (char** entry = environ; entry && *entry; ++entry) {
        if (encoded) {
            entries.add(util::base64_encode(*entry));
        } else {
            entries.add(*entry);
        }
    }
    params.add(encoded ? "env_b64" : "env", entries);
}

std::string params_of_units(invocation& call, const std::string& exit_with) {
    resolve_operands(call);
    util::json_array names;
    for (const auto& name : call.operands)
        names.add(name);
    util::json_object params;
    params.add("units", names);
    if (!exit_with.empty()) params.add("exit_with", exit_with).add("token", new_token());
    add_directory(params, call);
    add_own_environment(params);
    return std::move(params).text();
}

exit_code request_units(invocation& call, std::string_view verb, std::string_view method) {
    const auto began = std::chrono::system_clock::now();
    const std::string params = params_of_units(call, {});
    const std::string again = params_again(params);
    std::string result;
    try {
        result = request_daemon(
            call, {.method = method, .params = params, .again = again, .reply_limit = call.limit});
    } catch (const failure& why) {
        throw explain_unready(call, verb, why, began);
    }
    if (call.global.json) {
        print(result + "\n");
        return exit_code::done;
    }
    if (call.global.quiet) return exit_code::done;
    if (!out_terminal().drawable) {
        for (const auto& unit : read_units(result))
            print(unit_line(unit));
    }
    print_by_itself(call, result);
    if (verb == "start") point_to_run(call, result);
    return exit_code::done;
}

void print_by_itself(const invocation& call, std::string_view reply) {
    if (call.global.json || call.global.quiet) return;
    std::vector<std::string> names;
    for (const auto element : util::json_array_elements(util::json_find(reply, {"by_itself"}))
                                  .value_or(std::vector<std::string_view>())) {
        if (auto name = util::json_unquote(element)) names.push_back(printable(*name, out_terminal().utf8));
    }
    if (!names.empty()) print(fmt::format("by itself from now on: {}\n", fmt::join(names, ", ")));
}

std::vector<std::string> all_service_names(handler_context context, const char* verb, const char* hint) {
    std::vector<std::string> names;
    for (const auto& spec : context.units.config().units) {
        if (spec.kind == unit::unit_kind::service && spec.enabled) names.push_back(spec.name);
    }
    if (!names.empty()) return names;
    throw failure(error_kind::unit_failed, cannot(verb, "every service"), "hob.toml has no service", hint);
}

std::vector<std::string> all_unit_names(handler_context context) {
    std::vector<std::string> names;
    for (const auto& spec : context.units.config().units)
        names.push_back(spec.name);
    return names;
}

std::vector<std::string> services_or_triggered(handler_context context, const char* verb) {
    std::vector<std::string> services, triggered;
    for (const auto& spec : context.units.config().units) {
        if (spec.kind == unit::unit_kind::service && spec.enabled) services.push_back(spec.name);
        if (unit::starts_by_itself(spec)) triggered.push_back(spec.name);
    }
    if (services.empty() && !triggered.empty()) return triggered;
    return all_service_names(context, verb, "workers start by themselves when they are called");
}

std::optional<std::vector<std::string>> parse_environment(std::string_view params) {
    return environment_of(params_object(params));
}

namespace {

std::optional<std::int64_t> number_of(const json::object& params, std::string_view key) {
    const json::value* value = params.if_contains(key);
    if (!value) return std::nullopt;
    if (!value->is_int64()) throw malformed_params();
    return value->as_int64();
}

}  // namespace

unit_request parse_unit_request(std::string_view params) {
    const json::object object = params_object(params);
    unit_request request;
    const auto units = strings_of(object.if_contains("units"));
    if (!units) throw malformed_params();
    request.units = *units;
    request.environment = environment_of(object);
    request.hold = !is_false(object.if_contains("hold"));
    request.now = is_true(object.if_contains("now"));
    request.resume = is_true(object.if_contains("resume"));
    request.asked_at = number_of(object, "asked_at");
    if (const auto ends = number_of(object, "ends"))
        request.mark = up_mark{*ends, number_of(object, "keeper").value_or(0)};
    if (const json::value* exit_with = object.if_contains("exit_with")) {
        if (!exit_with->is_string()) throw malformed_params();
        request.exit_with = exit_with->as_string();
    }
    if (const json::value* token = object.if_contains("token")) {
        if (!token->is_string()) throw malformed_params();
        request.token = token->as_string();
    }
    if (const json::value* directory = object.if_contains("cwd")) {
        if (!directory->is_string()) throw malformed_params();
        request.directory = directory->as_string();
    }
    return request;
}

std::string unit_reply(handler_context context, const std::vector<std::string>& units,
                       const std::vector<std::string>& by_themselves) {
    std::vector<unit::unit_status> found;
    if (units.empty()) {
        found = context.units.registry().status();
    } else {
        for (const auto& name : units) {
            if (auto status = context.units.registry().status(name)) found.push_back(std::move(*status));
        }
    }
    util::json_object reply;
    reply.add("units", util::raw_json{unit::units_json(found)});
    if (const auto state = context.units.config_state(); state != lifecycle::config_state::current)
        reply.add("config_state", name_of(state));
    util::json_array names;
    for (const auto& name : by_themselves)
        names.add(name);
    if (!names.empty()) reply.add("by_itself", names);
    return std::move(reply).text();
}

}  // namespace hob::cmd
