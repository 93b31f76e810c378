#include "cmd/core/status_report.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <vector>

#include "cmd/core/status_json.hpp"
#include "unit/process/usage.hpp"
#include "unit/spec/unit_status_json.hpp"
#include "util/clock.hpp"
#include "util/fd.hpp"
#include "util/json_text.hpp"
#include "util/suggest.hpp"
#include "version.hpp"

namespace hob::cmd {
namespace {

std::string resident_kib() {
    const auto statm = util::read_file("/proc/self/statm", 256);
    const auto space = statm ? statm->find(' ') : std::string::npos;
    if (space == std::string::npos) return "null";
    const long pages = std::strtol(statm->c_str() + space, nullptr, 10);
    return std::to_string(pages * (::sysconf(_SC_PAGESIZE) / 1024));
}

unit::unit_status known_unit(lifecycle::daemon& of, const std::string& name) {
    if (auto status = of.registry().status(name)) return *status;
    std::vector<std::string_view> names;
    for (const auto& spec : of.config().units)
        names.push_back(spec.name);
    const auto meant = util::nearest(name, names);
    throw failure(error_kind::unit_unknown, fmt::format("cannot show '{}': there is no such unit", name),
                  meant ? fmt::format("did you mean '{}'?", *meant) : "");
}

std::vector<std::string> unit_names_in(const ipc::request& asked) {
    const auto bad = [](const char* what) {
        return failure(error_kind::usage, fmt::format("cannot use the params of 'hob.status': {}", what));
    };
    std::vector<std::string> names;
    if (asked.params.empty()) return names;
    const auto members = util::json_object_members(asked.params);
    if (!members) throw bad("not an object");
    for (const auto& member : *members) {
        if (member.key != "units") throw bad("an unknown member");
        const auto elements = util::json_array_elements(member.value);
        if (!elements) throw bad("units is not an array");
        for (const auto element : *elements) {
            auto name = util::json_unquote(element);
            if (!name) throw bad("units holds something else than names");
            names.push_back(std::move(*name));
        }
    }
    return names;
}

}  // namespace

std::string status_report(lifecycle::daemon& of, const std::vector<std::string>& units) {
    std::vector<unit::unit_status> shown;
    if (units.empty()) {
        shown = of.registry().status();
    } else {
        for (const auto& name : units)
            shown.push_back(known_unit(of, name));
    }
    for (auto& unit : shown) {
        if (unit.pid == 0) continue;
        const unit::usage used = unit::tree_usage(unit.pid, unit.cgroup);
        unit.rss_kib = used.rss_kib;
        unit.cpu_ms = used.cpu_ms;
    }
    const lifecycle::instance& where = of.where();
    std::string text = R"({"instance":)" + util::json_quote(where.key);
    text += R"(,"root":)" + util::json_quote(where.root);
    text += fmt::format(R"(,"daemon":{{"state":"{}","pid":{},"version":"{}","protocol":{})",
                        of.draining() ? "draining" : "running", ::getpid(), version_text, protocol_version);
    text += fmt::format(R"(,"started_at":"{}","uptime_ms":{})", util::rfc3339(of.started_at()),
                        of.uptime().count());
    text += R"(,"socket":)" + util::json_quote(where.socket_path());
    text += R"(,"log":)" + util::json_quote(where.daemon_log_path());
    text += R"(,"config":)" + quoted_or_null(of.config().source_path);
    text += fmt::format(R"(,"config_state":"{}","degraded":{},"clients":{},"rss_kib":{}}},"units":)",
                        of.config_state(), quoted_or_null(of.store().degraded().value_or("")),
                        of.server().clients(), resident_kib());
    return text + unit::units_json(shown) + "}";
}

std::string answer_status(lifecycle::daemon& of, ipc::session&, const ipc::request& asked) {
    return status_report(of, unit_names_in(asked));
}

std::string answer_subscribe(lifecycle::daemon& of, ipc::session& from, const ipc::request&) {
    std::string snapshot = R"({"status":)" + status_report(of, {}) + "}";
    from.subscribe();
    return snapshot;
}

}  // namespace hob::cmd
