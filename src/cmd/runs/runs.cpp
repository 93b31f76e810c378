#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/core/connection.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/project.hpp"
#include "cmd/core/table.hpp"
#include "cmd/core/time_option.hpp"
#include "cmd/history/run_history.hpp"
#include "cmd/runs/page.hpp"
#include "cmd/runs/plot.hpp"
#include "cmd/runs/run_text.hpp"
#include "lifecycle/instance.hpp"
#include "unit/config/config.hpp"
#include "util/clock.hpp"
#include "util/duration.hpp"
#include "util/fd.hpp"
#include "util/suggest.hpp"

namespace hob::cmd {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr std::size_t runs_by_default = 20;
constexpr int bar_width = 16;

// With a span of time, --html or --plot, the whole of it is shown by default.
std::size_t limit_of(const invocation& call) {
    const auto text = call.value("lines");
    if (!text) {
        const bool all = call.has("html") || call.has("plot") || call.has("since") || call.has("until");
        return all ? 0 : runs_by_default;
    }
    if (*text == "all") return 0;
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error != std::errc{} || end != text->data() + text->size() || number == 0) {
        throw failure(error_kind::usage, cannot("use", *text, "for '--lines'"),
                      "neither a number from 1 on nor 'all'");
    }
    return number;
}

std::vector<std::string> names_with_history(const lifecycle::instance& where) {
    std::vector<std::string> names;
    for (const auto& [name, kind] : unit::unit_names(where.config_path)) {
        if (kind != unit::unit_kind::worker) names.push_back(name);
    }
    return names;
}

// Throws failure(unit_unknown) when the unit is neither in hob.toml nor in the history.
void check_unit(invocation& call, const std::string& name) {
    if (name == unit::command_name) return;
    const auto known = names_with_history(call.where());
    if (std::find(known.begin(), known.end(), name) != known.end()) return;
    unit::run_query any;
    any.task = name;
    any.limit = 1;
    if (!run_history(call, any).empty()) return;
    const std::vector<std::string_view> candidates(known.begin(), known.end());
    const auto near = util::nearest(name, candidates);
    throw failure(error_kind::unit_unknown, cannot("show the runs of", name),
                  "there is no such task or service",
                  near ? fmt::format("did you mean '{}'?", *near) : "hob status lists the units");
}

// The number of a run, unless a unit has that name.
std::optional<std::int64_t> run_number(invocation& call) {
    if (call.operands.empty()) return std::nullopt;
    const std::string& text = call.operands.front();
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc{} || end != text.data() + text.size() || id < 1) return std::nullopt;
    const auto known = names_with_history(call.where());
    if (std::find(known.begin(), known.end(), text) != known.end()) return std::nullopt;
    return id;
}

// Logarithmic, so that runs of a second and of an hour both have a bar; in eighths of a column with UTF-8.
std::string bar(milliseconds length, milliseconds longest, bool utf8) {
    if (length.count() <= 0) return {};
    const double share = std::log1p(static_cast<double>(length.count())) /
                         std::log1p(static_cast<double>(std::max(longest.count(), length.count())));
    const int eighths = std::max(1, static_cast<int>(std::lround(share * bar_width * 8)));
    std::string text;
    for (int i = 0; i < eighths / 8; ++i)
        text += utf8 ? "\u2588" : "#";
    constexpr const char* parts[] = {"",       "\u258f", "\u258e", "\u258d",
                                     "\u258c", "\u258b", "\u258a", "\u2589"};
    if (utf8) {
        text += parts[eighths % 8];
    } else if (eighths / 8 == 0) {
        text = "#";
    }
    return text;
}

std::string start_time_text(system_clock::time_point time) {
    const std::string text = util::rfc3339(time), today = util::rfc3339(system_clock::now()).substr(0, 10);
    return (text.starts_with(today) ? "" : text.substr(0, 10) + " ") + text.substr(11, 8);
}

std::vector<piece> runs_row(const unit::run_record& run, milliseconds longest, const terminal& out) {
    const std::string color(color_of(run.state));
    const bool has_duration =
        run.state != unit::run_state::skipped && (run.ended_at || run.state == unit::run_state::running);
    return {{std::to_string(run.id), ""},
            {printable(run.task, out.utf8), ""},
            {run.kind == unit::record_kind::life ? "service" : "", "2"},
            {std::string(life_state(run)), color},
            {start_time_text(run.started_at), "2"},
            {has_duration ? util::format_duration(length_of(run)) : "", ""},
            {bar(length_of(run), longest, out.utf8), color},
            {end_text(run), color},
            {std::string(name_of(run.trigger)), "2"},
            {printable(util::with_local_times(run.cause), out.utf8), "2"}};
}

std::string runs_table(const std::vector<unit::run_record>& runs, const terminal& out) {
    constexpr int cause_width = 16;
    table shown({{"ID", 0, true},
                 {"UNIT", 0, false},
                 {"KIND", 6, false},
                 {"STATE", 0, false},
                 {"STARTED", 2, false},
                 {"TOOK", 0, true},
                 {"", 3, false},
                 {"END", 1, false},
                 {"BY", 4, false},
                 {"CAUSE", 5, false, cause_width}});
    milliseconds longest(0);
    for (const auto& run : runs)
        longest = std::max(longest, length_of(run));
    for (const auto& run : runs)
        shown.add(runs_row(run, longest, out));
    return shown.render(out);
}

exit_code write_page(invocation& call, std::vector<unit::run_record> runs) {
    const std::string path = *call.value("html");
    const page_content content{.runs = std::move(runs), .written = system_clock::now()};
    const std::string page = runs_page(call.where(), content);
    if (path == "-") {
        print(page);
    } else if (!util::replace_file(path, page)) {
        throw denied("write", path, errno);
    }
    return exit_code::done;
}

exit_code show_run(invocation& call, std::int64_t id) {
    const std::string name = std::to_string(id);
    for (const std::string_view option : {"failed", "since", "until", "lines", "plot", "html"}) {
        if (!call.has(option)) continue;
        throw failure(error_kind::usage, cannot("use", fmt::format("--{}", option)),
                      fmt::format("{} is one run", id), "hob runs " + name);
    }
    const auto run = find_run_record(call, id);
    if (!run) throw no_such_run(call, cannot("show run", name), id);
    if (call.global.json) {
        print(run_in_full_json(call, *run) + "\n");
    } else {
        print(run_in_full(call, *run, out_terminal()));
    }
    return exit_code::done;
}

unit::run_query query_of(const invocation& call) {
    unit::run_query query;
    query.limit = limit_of(call);
    query.failed = call.has("failed");
    query.since = time_option(call, "since");
    query.until = time_option(call, "until");
    if (!call.operands.empty()) query.task = call.operands.front();
    return query;
}

exit_code run_runs(invocation& call) {
    require_known_instance(call);
    call.operands = unit::names_meant(call.where().config_path, call.operands, directory_of(call));
    look_at_greeting(call);
    if (const auto id = run_number(call)) return show_run(call, *id);
    if (call.has("plot") && (call.operands.empty() || call.has("html"))) {
        throw failure(error_kind::usage, cannot("use", "--plot"), "it needs one task, and no '--html'",
                      "hob runs TASK --plot");
    }
    auto runs = run_history(call, query_of(call));
    if (runs.empty() && !call.operands.empty()) check_unit(call, call.operands.front());
    if (call.has("html")) return write_page(call, std::move(runs));
    const bool chosen = call.has("failed") || call.has("since") || call.has("until");
    if (call.global.json) {
        print(unit::runs_json(runs, call.where().log_dir()) + "\n");
    } else if (runs.empty()) {
        if (!call.global.quiet) print_error(chosen ? "no such runs\n" : "no runs yet\n");
    } else if (call.has("plot")) {
        print(plot_runs(runs, out_terminal()));
    } else {
        print(runs_table(runs, out_terminal()));
    }
    return exit_code::done;
}

constexpr option_row options[] = {
    {"lines,n", "N", "the last N, or 'all'; 20, or all with --since, --until, --plot and --html"},
    {"failed", "", "only those that failed, took too long or were lost"},
    {"since", "TIME", "those that began at TIME or later; as in 10m (ago), 13:02, 2026-01-02"},
    {"until", "TIME", "those that began before TIME"},
    {"plot", "", "draw how long the runs of UNIT took"},
    {"html", "FILE", "write a page with the time line of all runs and services"},
};

constexpr method_row methods[] = {{.name = "run.list", .handler = answer_run_list, .while_draining = true}};

}  // namespace

extern constinit const command runs_command;
constinit const command runs_command{
    .name = "runs",
    .summary = "show the history of runs",
    .usage = "[UNIT|ID]",
    .description =
        "Shows the runs of tasks and commands and the lives of services, or those of\n"
        "UNIT, the newest first: how each ended, how long it took, and what caused it. A\n"
        "life is one process of a service, from its start to its end. The unit of a\n"
        "command that was given to `hob run` is -. With the ID of a run or life: all that\n"
        "is known of it, and the last lines of its output. Works without a daemon.",
    .need = daemon_need::looking,
    .completes = operand_kind::history,
    .operands_max = 1,
    .options = options,
    .run = run_runs,
    .methods = methods,
    .notes_config = true,
};

}  // namespace hob::cmd
