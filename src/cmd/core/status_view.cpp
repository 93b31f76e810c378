#include "cmd/core/status_view.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "identity.hpp"
#include "ipc/run_state.hpp"
#include "ipc/unit_state.hpp"
#include "lifecycle/application.hpp"
#include "lifecycle/inherited.hpp"
#include "util/clock.hpp"
#include "util/duration.hpp"
#include "util/json/json_text.hpp"
#include "version.hpp"

namespace hob::cmd {
namespace {

using std::chrono::milliseconds;

// The members of a JSON object; absent ones are null.
class object {
public:
    explicit object(std::string_view text) {
        if (auto members = util::json_object_members(text)) members_ = std::move(*members);
    }
    std::string_view raw(std::string_view key) const {
        for (const auto& member : members_) {
            if (member.key == key) return member.value;
        }
        return "null";
    }
    bool has(std::string_view key) const {
        return std::any_of(members_.begin(), members_.end(),
                           [key](const auto& member) { return member.key == key; });
    }
    std::string_view object_or_empty(std::string_view key) const {
        const std::string_view value = raw(key);
        return value.starts_with('{') ? value : std::string_view();
    }
    std::string text(std::string_view key) const { return util::json_unquote(raw(key)).value_or(""); }
    std::optional<std::int64_t> number(std::string_view key) const { return util::json_integer(raw(key)); }

private:
    std::vector<util::json_member> members_;
};

std::vector<std::string> texts_in(std::string_view array) {
    std::vector<std::string> texts;
    for (const auto text : util::json_array_elements(array).value_or(std::vector<std::string_view>()))
        texts.push_back(util::json_unquote(text).value_or(""));
    return texts;
}

// "12.5 MiB", or "12.5 MiB of 512MiB"
std::string memory_text(const unit_view& unit) {
    if (!unit.rss_kib) return {};
    const std::string used = fmt::format("{:.1f} MiB", static_cast<double>(*unit.rss_kib) / 1024);
    if (unit.memory_max == 0) return used;
    return used + " of " + util::format_size(static_cast<std::uint64_t>(unit.memory_max));
}

struct look_row {
    std::string_view state;
    std::string_view mark, ascii_mark, code;
};

constexpr std::string_view good = "32", busy = "33", bad = "1;31", quiet = "2";

constexpr std::array looks{
    look_row{"running", "\u25cf", "*", good},  look_row{"warm", "\u25cf", "*", good},
    look_row{"ready", "\u25cf", "*", good},    look_row{"starting", "\u25d0", "+", busy},
    look_row{"stopping", "\u25d0", "-", busy}, look_row{"draining", "\u25d0", "-", busy},
    look_row{"waiting", "\u25d0", "+", busy},  look_row{"queued", "\u25d0", "+", busy},
    look_row{"backoff", "\u25d0", "!", busy},  look_row{"failed", "\u2717", "!", bad},
    look_row{"wedged", "\u2717", "!", bad},    look_row{"denied", "\u2717", "!", bad},
    look_row{"foreign", "\u2717", "!", bad},   look_row{"scheduled", "\u25cb", ".", ""},
    look_row{"held", "\u25cb", ".", busy},
};

std::string plural(std::int64_t count, std::string_view noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

bool run_has_failed(std::string_view state) {
    const auto known = ipc::run_state_named(state);
    return known && ipc::is_failure(*known);
}

std::string exit_words(const std::string& exit) {
    if (exit.empty() || exit.starts_with("signal")) return exit;
    return exit == "0" ? "ok" : "exit " + exit;
}

std::vector<piece> daemon_pieces(const status_view& status, const terminal& out, bool verbose) {
    const state_look look = look_of_state(status.state, out.utf8);
    std::vector<piece> pieces;
    pieces.push_back(
        {fmt::format("{} {} {}", look.mark, this_program.name, status.state), std::string(look.code)});
    if (status.pid > 0) pieces.push_back({fmt::format("pid {}", status.pid), ""});
    if (status.uptime_ms) {
        pieces.push_back({"up " + util::format_duration(milliseconds(*status.uptime_ms)), ""});
    }
    const bool differs = !status.version.empty() && status.version != version_text;
    if (differs || verbose)
        pieces.push_back({"version " + printable(status.version, out.utf8), differs ? "33" : ""});
    if (status.rss_kib)
        pieces.push_back({fmt::format("{:.1f} MiB", static_cast<double>(*status.rss_kib) / 1024), ""});
    // This client is one of them.
    if (verbose && status.clients) pieces.push_back({plural(*status.clients, "client"), ""});
    return pieces;
}

std::string notes_of(const status_view& status, const terminal& out) {
    const auto note = [&](std::string_view text) {
        return flow({{"!", "33"}, {std::string(text), "33"}}, 3, out);
    };
    std::string text;
    const std::string file = this_program.config_file;
    if (status.config_state == lifecycle::config_state::changed)
        text += note(file + " has changed, apply it with: " + command_text("reload"));
    if (status.config_state == lifecycle::config_state::broken)
        text += note(file + " cannot be used, see: " + command_text("check"));
    if (!status.degraded.empty()) {
        text += note(fmt::format("it remembers nothing after its end: {}, see: {}",
                                 printable(status.degraded, out.utf8), command_text("doctor")));
    }
    if (!status.kept.empty()) {
        text += note(fmt::format("it and every unit keep what it was started under: {}",
                                 printable(fmt::format("{}", fmt::join(status.kept, ", ")), out.utf8)));
    }
    if (status.lacks_keeper)
        text += note(fmt::format("it has no keeper: what runs would end with it; a new start makes one: {}",
                                 command_text("restart --daemon")));
    if (status.daemon_state == lifecycle::daemon_state::orphaned)
        text += note(fmt::format("daemons have crashed several times; what runs goes on; try again with: {}",
                                 command_text("daemon")));
    if (status.daemon_state == lifecycle::daemon_state::wedged)
        text += note("it does not answer; this is its last published state");
    if (!status.version.empty() && status.version != version_text) {
        text += note(fmt::format("this is {} {}, bring the daemon up to it with: {}", this_program.name,
                                 version_text, command_text("restart --daemon")));
    }
    return text;
}

// The mark of its state; a task at rest whose last run failed has that of a failure.
state_look look_of(const unit_view& unit, bool utf8) {
    const bool failing = unit.failing || run_has_failed(unit.last_run_state);
    return look_of_state(failing ? name_of(ipc::unit_state::failed) : unit.state, utf8);
}

// Of a task: how its last run ended, unless its process said it already.
std::string last_exit_of(const unit_view& unit) {
    if (!unit.exit.empty() || !run_has_failed(unit.last_run_state)) return exit_words(unit.exit);
    return unit.last_run_exit ? fmt::format("exit {}", *unit.last_run_exit) : unit.last_run_state;
}

std::string time_until(std::string_view rfc3339) {
    const auto when = util::parse_rfc3339(rfc3339);
    if (!when) return {};
    const auto left = std::chrono::duration_cast<milliseconds>(*when - std::chrono::system_clock::now());
    // Whole seconds: nothing less matters before a start.
    return "in " + util::format_duration(
                       std::max(std::chrono::ceil<std::chrono::seconds>(left), std::chrono::seconds(0)));
}

table units_table(const std::vector<unit_view>& units, const terminal& out) {
    constexpr int detail_width = 20;
    table rows({{"", 0, false},
                {"UNIT", 0, false},
                {"STATE", 0, false},
                {"KIND", 4, false},
                {"PID", 3, true},
                {"SINCE", 2, true},
                {"NEXT", 1, true},
                {"MEMORY", 5, true},
                {"CPU", 5, true},
                {"RESTARTS", 5, true},
                {"LAST EXIT", 1, false},
                {"DETAIL", 0, false, detail_width}});
    for (const auto& unit : units) {
        const state_look look = look_of(unit, out.utf8);
        const std::string code(look.code);
        const std::string exit = last_exit_of(unit);
        rows.add({{std::string(look.mark), code},
                  {printable(unit.name, out.utf8), ""},
                  {printable(unit.state, out.utf8), code},
                  {printable(unit.kind, out.utf8), std::string(quiet)},
                  {unit.pid > 0 ? std::to_string(unit.pid) : "", ""},
                  {age_of(unit.since), ""},
                  {time_until(unit.next_at), ""},
                  {memory_text(unit), ""},
                  {unit.cpu_ms ? util::format_duration(milliseconds(*unit.cpu_ms)) : "", ""},
                  {unit.restarts > 0 ? std::to_string(unit.restarts) : "", std::string(busy)},
                  {printable(exit, out.utf8), unit.exit == "0" ? "" : std::string(bad)},
                  {printable(unit.detail, out.utf8), ""}});
    }
    return rows;
}

std::string head_of(const status_view& status, const terminal& out, bool verbose) {
    std::string text = flow(daemon_pieces(status, out, verbose), 2, out);
    text += flow({{" ", ""},
                  {printable(status.root, out.utf8), std::string(quiet)},
                  {verbose ? printable(status.instance, out.utf8) : "", std::string(quiet)}},
                 3, out);
    std::vector<piece> ports{{status.ports.empty() ? "" : "ports", std::string(quiet)}};
    for (const auto& [name, port] : status.ports)
        ports.push_back({fmt::format("{}={}", printable(name, out.utf8), port), ""});
    if (!status.ports.empty()) text += flow(ports, 3, out);
    text += notes_of(status, out);
    return status.units.empty() ? text : text + "\n";
}

}  // namespace

std::string render_units(const std::vector<unit_view>& units, const terminal& out) {
    return units_table(units, out).render(out);
}

state_look look_of_state(std::string_view state, bool utf8) {
    for (const auto& row : looks) {
        if (row.state == state) return {utf8 ? row.mark : row.ascii_mark, row.code};
    }
    return {utf8 ? "\u25cb" : ".", quiet};
}

std::string age_of(std::string_view rfc3339) {
    const auto since = util::parse_rfc3339(rfc3339);
    if (!since) return {};
    const auto age = std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now() - *since);
    return util::format_duration(std::max(age, milliseconds(0)));
}

std::vector<unit_view> read_units(std::string_view reply_json) {
    std::vector<unit_view> units;
    const object whole(reply_json);
    for (const auto element :
         util::json_array_elements(whole.raw("units")).value_or(std::vector<std::string_view>())) {
        const object unit(element);
        units.push_back({.name = unit.text("name"),
                         .kind = unit.text("kind"),
                         .state = unit.text("state"),
                         .exit = unit.text("exit"),
                         .detail = unit.text("detail"),
                         .pid = unit.number("pid").value_or(0),
                         .since = unit.text("since"),
                         .restarts = unit.number("restarts").value_or(0),
                         .failing = unit.raw("failing") == "true",
                         .enabled = unit.raw("enabled") != "false",
                         .leaves_processes = unit.raw("left").starts_with('['),
                         .rss_kib = unit.number("rss_kib"),
                         .cpu_ms = unit.number("cpu_ms"),
                         .memory_max = object(unit.raw("limits")).number("memory_max").value_or(0),
                         .memory_measured = object(unit.raw("limits")).raw("memory_measured") == "true",
                         .without_effect = texts_in(object(unit.raw("limits")).raw("without_effect")),
                         .waiting_for = unit.text("waiting_for"),
                         .probe = unit.text("probe"),
                         .probe_failure = unit.text("probe_failure"),
                         .port_taken = std::string(unit.object_or_empty("port_taken")),
                         .next_at = unit.text("next_at"),
                         .last_run_state = object(unit.raw("last_run")).text("state"),
                         .last_run_exit = object(unit.raw("last_run")).number("exit")});
    }
    return units;
}

bool is_well(const unit_view& unit) {
    const auto state = ipc::unit_state_named(unit.state);
    if (!state || *state == ipc::unit_state::failed) return false;
    if (unit.kind == "service") return *state == ipc::unit_state::ready;
    if (unit.kind == "worker") return *state == ipc::unit_state::warm || *state == ipc::unit_state::cold;
    return !run_has_failed(unit.last_run_state);
}

std::string unit_line(const unit_view& unit) {
    const std::string process = unit.pid > 0 ? fmt::format(" (pid {})", unit.pid) : "";
    return fmt::format("{}  {}{}\n", unit.name, unit.state, process);
}

status_view read_status(std::string_view status_json) {
    const object whole(status_json);
    const object daemon(whole.raw("daemon"));
    status_view status{.instance = whole.text("instance"),
                       .root = whole.text("root"),
                       .version = daemon.text("version"),
                       .config = daemon.text("config"),
                       .degraded = daemon.text("degraded"),
                       .state = daemon.text("state"),
                       .daemon_state = lifecycle::daemon_state_named(daemon.text("state")),
                       .config_state = lifecycle::config_state_named(daemon.text("config_state")),
                       .pid = daemon.number("pid").value_or(0),
                       .uptime_ms = daemon.number("uptime_ms"),
                       .clients = daemon.number("clients"),
                       .rss_kib = daemon.number("rss_kib"),
                       .lacks_keeper = daemon.has("keeper_pid") && daemon.raw("keeper_pid") == "null" &&
                                       daemon.text("state") == "running",
                       .kept = {},
                       .ports = {},
                       .units = {}};
    status.kept = texts_in(daemon.raw("kept"));
    for (const auto& member :
         util::json_object_members(whole.object_or_empty("ports")).value_or(std::vector<util::json_member>()))
        status.ports.emplace_back(member.key, util::json_integer(member.value).value_or(0));
    status.units = read_units(status_json);
    return status;
}

void add_namespaces_apart(status_view& status, pid_t daemon) {
    for (auto& apart : lifecycle::namespaces_apart(daemon)) {
        if (std::find(status.kept.begin(), status.kept.end(), apart) == status.kept.end())
            status.kept.push_back(std::move(apart));
    }
}

std::string render_status(const status_view& status, const terminal& out, bool verbose) {
    return head_of(status, out, verbose) + units_table(status.units, out).render(out);
}

std::string render_status(const status_view& status, const terminal& out, bool verbose,
                          column_widths& widths) {
    return head_of(status, out, verbose) + units_table(status.units, out).render(out, widths);
}

}  // namespace hob::cmd
