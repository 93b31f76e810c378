#include "unit/config/kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "unit/config/address.hpp"
#include "unit/config/toml_to_json.hpp"
#include "util/duration.hpp"

namespace hob::unit {
namespace {

using std::chrono::milliseconds;

constexpr int keep_max = 1'000'000;
constexpr int count_max = 1'000'000;

// The protocols that have it, separated by blanks.
std::string names_of_protocols(bool worker_protocol::*trait) {
    std::string names;
    for (const worker_protocol* each : all_protocols()) {
        if (each->*trait) names.append(names.empty() ? "" : " ").append(each->name);
    }
    return names;
}

void read_initialize(table_reader& reader, worker_spec& spec) {
    const tree_value* value = subtable(reader, "initialize", "{ capabilities = { } }");
    if (value == nullptr) return;
    if (const tree_value* wrong = has_no_json(*value)) {
        reader.reject("initialize", wrong->where, "has a number that JSON does not have");
        return;
    }
    if (!spec.protocol->handshake && !value->members.empty()) {
        reader.reject("initialize", value->where,
                      fmt::format("has no effect: protocol '{}' has no handshake", spec.protocol->name),
                      "protocols with a handshake: " + names_of_protocols(&worker_protocol::handshake));
        return;
    }
    spec.initialize_json = to_json(*value);
}

void read_connect(table_reader& worker, worker_spec& spec) {
    constexpr std::string_view forms =
        "one of tcp = PORT, tcp = \"ADDRESS:PORT\", log = \"listening on (.+)\"";
    const tree_value* table = subtable(worker, "connect", "{ tcp = 4711 }");
    if (table == nullptr) return;
    table_reader reader(*table, subtitle(worker, "connect"), worker.notes());
    connect_spec& to = spec.connect.emplace();
    read_address(reader, "tcp", to.host, to.port);
    read_pattern(reader, "log", to.log_pattern, 1);
    reader.duration("timeout", to.timeout, milliseconds(1));
    const auto has = [&](std::string_view key) {
        return std::any_of(table->members.begin(), table->members.end(),
                           [key](const tree_member& each) { return each.key == key; });
    };
    // An unknown key is the better message: it was probably meant to be the form.
    const bool misspelt = !reader.finish().empty();
    if (has("tcp") && has("log")) {
        worker.reject("connect", table->where, "has both 'tcp' and 'log'", forms);
    } else if (!misspelt && !has("tcp") && !has("log")) {
        worker.reject("connect", table->where, "does not say where the worker listens", forms);
    }
}

backoff_spec read_backoff(table_reader& service) {
    backoff_spec spec;
    const tree_value* table = subtable(service, "backoff", "{ min = \"200ms\", max = \"30s\" }");
    if (table == nullptr) return spec;
    table_reader reader(*table, subtitle(service, "backoff"), service.notes());
    const tree_value* min = reader.duration("min", spec.min, milliseconds(1));
    const tree_value* max = reader.duration("max", spec.max, milliseconds(1));
    reader.duration("reset", spec.reset);
    reader.finish();
    if (spec.min > spec.max && (min != nullptr || max != nullptr)) {
        const position where = max != nullptr ? max->where : min->where;
        service.reject("backoff", where,
                       fmt::format("has a min ({}) longer than its max ({})", util::format_duration(spec.min),
                                   util::format_duration(spec.max)));
    }
    return spec;
}

void read_retry(table_reader& task, retry_spec& spec) {
    const tree_value* table = subtable(task, "retry", "{ max = 3, delay = \"10s\" }");
    if (table == nullptr) return;
    table_reader reader(*table, subtitle(task, "retry"), task.notes());
    reader.integer("max", spec.max, 0, count_max);
    reader.duration("delay", spec.delay);
    reader.finish();
}

void read_schedule(table_reader& reader, task_spec& spec) {
    const tree_value* every = reader.duration("every", spec.every);
    std::string text;
    const tree_value* cron = reader.text("cron", text, "\"*/5 * * * *\"");
    if (cron != nullptr) {
        cron_error error;
        spec.cron = parse_cron(text, error);
        if (!spec.cron)
            reader.reject("cron", cron->where, fmt::format("('{}'): {}", text, error.reason), error.hint);
    }
    if (every != nullptr && cron != nullptr) {
        const bool every_first = every->where < cron->where;
        reader.reject(every_first ? "cron" : "every", (every_first ? cron : every)->where,
                      fmt::format("cannot stand beside '{}'", every_first ? "every" : "cron"),
                      "a task has one schedule; make a second task of it");
    }
    const tree_value* jitter = reader.duration("jitter", spec.jitter);
    if (jitter != nullptr && spec.every && spec.jitter >= *spec.every) {
        reader.reject("jitter", jitter->where,
                      fmt::format("must be shorter than 'every' ({})", util::format_duration(*spec.every)));
    }
    const choice<catch_up_policy> policies[] = {{"once", catch_up_policy::once},
                                                {"none", catch_up_policy::none}};
    const tree_value* catch_up = reader.one_of("catch_up", spec.catch_up, policies);
    if (every != nullptr || cron != nullptr) return;
    for (const auto& [key, value] : {std::pair("jitter", jitter), std::pair("catch_up", catch_up)}) {
        if (value == nullptr) continue;
        reader.notes().warning(value->where, fmt::format("'{}' in {} has no effect without 'every' or 'cron'",
                                                         key, reader.title()));
    }
}

void check_globs(table_reader& reader, std::string_view key, const tree_value* globs) {
    if (globs == nullptr) return;
    for (const auto& item : globs->items) {
        const std::size_t open = item.text.find_last_of('[');
        const bool escaped = open != std::string::npos && open > 0 && item.text[open - 1] == '\\';
        if (open == std::string::npos || escaped || item.text.find(']', open) != std::string::npos) continue;
        reader.reject(key, item.where, fmt::format("has a pattern with an open '[': '{}'", item.text));
    }
}

void read_watch(table_reader& reader, task_spec& spec) {
    const tree_value* watch = reader.strings("watch", spec.watch, "[\"src/**/*.c\"]");
    const tree_value* ignore = reader.strings("ignore", spec.ignore, "[\"build/**\"]");
    const tree_value* gitignore = reader.boolean("gitignore", spec.gitignore);
    const tree_value* debounce = reader.duration("debounce", spec.debounce);
    check_globs(reader, "watch", watch);
    check_globs(reader, "ignore", ignore);
    if (watch != nullptr) return;
    const std::array keys{std::pair("ignore", ignore), std::pair("gitignore", gitignore),
                          std::pair("debounce", debounce)};
    for (const auto& [key, value] : keys) {
        if (value == nullptr) continue;
        reader.notes().warning(value->where,
                               fmt::format("'{}' in {} has no effect without 'watch'", key, reader.title()));
    }
}

}  // namespace

const tree_value* subtable(table_reader& reader, std::string_view key, std::string_view example) {
    return reader.take(key, value_kind::table, example);
}

std::string subtitle(const table_reader& reader, std::string_view key) {
    std::string title = reader.title();
    title.pop_back();
    return title.append(".").append(key).append("]");
}

void read_answers(table_reader& reader, worker_spec& spec) {
    const tree_value* table =
        subtable(reader, "answers", "{ \"workspace/applyEdit\" = { applied = false } }");
    if (table == nullptr) return;
    for (const auto& member : table->members) {
        if (const tree_value* wrong = has_no_json(member.value)) {
            reader.reject("answers", wrong->where, "has a number that JSON does not have");
            return;
        }
        spec.answers.emplace_back(member.key, to_json(member.value));
    }
}

void read_settings(table_reader& reader, worker_spec& spec) {
    const tree_value* table = subtable(reader, "settings", "{ bashIde = { explainshellEndpoint = \"\" } }");
    if (table == nullptr) return;
    if (const tree_value* wrong = has_no_json(*table)) {
        reader.reject("settings", wrong->where, "has a number that JSON does not have");
    } else if (!spec.protocol->settings) {
        reader.reject("settings", table->where,
                      fmt::format("has no effect: protocol '{}' has no settings", spec.protocol->name),
                      "protocols with settings: " + names_of_protocols(&worker_protocol::settings));
    } else {
        spec.settings_json = to_json(*table);
    }
}

worker_spec read_worker(table_reader& reader) {
    worker_spec spec;
    std::vector<choice<const worker_protocol*>> protocols;
    for (const worker_protocol* each : all_protocols())
        protocols.push_back({each->name, each});
    reader.one_of("protocol", spec.protocol, std::span<const choice<const worker_protocol*>>(protocols));
    read_initialize(reader, spec);
    reader.duration("idle_timeout", spec.idle_timeout);
    reader.duration("call_timeout", spec.call_timeout, milliseconds(1));
    read_answers(reader, spec);
    read_settings(reader, spec);
    reader.strings("serial", spec.serial, "[\"build\", \"test\"]");
    read_connect(reader, spec);
    return spec;
}

service_spec read_service(table_reader& reader, std::string_view name) {
    service_spec spec;
    spec.ready = read_ready(reader, name);
    const choice<restart_policy> policies[] = {{"always", restart_policy::always},
                                               {"on-failure", restart_policy::on_failure},
                                               {"never", restart_policy::never}};
    reader.one_of("restart", spec.restart, policies);
    reader.integer("max_restarts", spec.max_restarts, 0, count_max);
    spec.backoff = read_backoff(reader);
    reader.boolean("autostart", spec.autostart);
    reader.duration("watchdog", spec.watchdog);
    return spec;
}

task_spec read_task(table_reader& reader) {
    task_spec spec;
    read_schedule(reader, spec);
    reader.boolean("on_start", spec.on_start);
    const choice<overlap_policy> policies[] = {
        {"skip", overlap_policy::skip}, {"queue", overlap_policy::queue}, {"cancel", overlap_policy::cancel}};
    reader.one_of("overlap", spec.overlap, policies);
    reader.duration("timeout", spec.timeout);
    read_retry(reader, spec.retry);
    reader.integer("keep", spec.keep, 1, keep_max);
    read_watch(reader, spec);
    return spec;
}

}  // namespace hob::unit
