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
#include "cmd/core/status_view.hpp"
#include "cmd/core/table.hpp"
#include "cmd/history/run_history.hpp"
#include "cmd/runs/page.hpp"
#include "cmd/runs/plot.hpp"
#include "identity.hpp"
#include "lifecycle/connect.hpp"
#include "lifecycle/instance.hpp"
#include "limits.hpp"
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

std::size_t limit_of(const invocation& call) {
    const auto text = call.value("lines");
    if (!text) return runs_by_default;
    if (*text == "all") return 0;
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error != std::errc{} || end != text->data() + text->size() || number == 0) {
        throw failure(error_kind::usage, cannot("use", *text, "for '--lines'"),
                      "neither a number from 1 on nor 'all'");
    }
    return number;
}

// Throws failure(unit_unknown) when the task is neither in hob.toml nor in the history.
void check_task(const invocation& call, const lifecycle::instance& where,
                const std::vector<unit::run_record>& runs) {
    if (call.operands.empty() || !runs.empty()) return;
    const std::string& task = call.operands.front();
    if (task == unit::command_name) return;
    std::vector<std::string> tasks;
    for (const auto& [name, kind] : unit::unit_names(where.config_path)) {
        if (kind == unit::unit_kind::task) tasks.push_back(name);
    }
    if (std::find(tasks.begin(), tasks.end(), task) != tasks.end()) return;
    const std::vector<std::string_view> candidates(tasks.begin(), tasks.end());
    const auto near = util::nearest(task, candidates);
    throw failure(error_kind::unit_unknown, cannot("show the runs of", task), "there is no such task",
                  near ? fmt::format("did you mean '{}'?", *near) : "hob status lists the units");
}

milliseconds length_of(const unit::run_record& run) {
    if (const auto ms = run.duration_ms()) return milliseconds(*ms);
    if (run.state != unit::run_state::running) return milliseconds(0);
    return std::max(std::chrono::duration_cast<milliseconds>(system_clock::now() - run.started_at),
                    milliseconds(0));
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

std::string runs_table(const std::vector<unit::run_record>& runs, const terminal& out) {
    table shown({{"ID", 0, true},
                 {"TASK", 0, false},
                 {"STATE", 0, false},
                 {"STARTED", 2, false},
                 {"TOOK", 0, true},
                 {"", 3, false},
                 {"END", 1, false},
                 {"BY", 4, false},
                 {"CAUSE", 5, false}});
    milliseconds longest(0);
    for (const auto& run : runs)
        longest = std::max(longest, length_of(run));
    for (const auto& run : runs) {
        const std::string color(color_of(run.state));
        const bool has_duration =
            run.state != unit::run_state::skipped && (run.ended_at || run.state == unit::run_state::running);
        shown.add({{std::to_string(run.id), ""},
                   {printable(run.task, out.utf8), ""},
                   {std::string(name_of(run.state)), color},
                   {start_time_text(run.started_at), "2"},
                   {has_duration ? util::format_duration(length_of(run)) : "", ""},
                   {bar(length_of(run), longest, out.utf8), color},
                   {end_text(run), color},
                   {std::string(name_of(run.trigger)), "2"},
                   {printable(util::with_local_times(run.cause), out.utf8), "2"}});
    }
    return shown.render(out);
}

// Empty when no daemon answers.
std::vector<unit_view> current_units(invocation& call) {
    try {
        auto daemon = lifecycle::connect_looking(call.where(), call.limit_or(limits::glance_timeout));
        if (daemon) {
            const auto limit = call.limit_or(limits::request_timeout);
            return read_units(daemon->call(this_program.methods.status, "{}", limit));
        }
    } catch (const failure&) {
    } catch (const ipc::not_executed&) {
    }
    return {};
}

// With a task: without the services.
exit_code write_page(invocation& call, std::vector<unit::run_record> runs) {
    const std::string path = *call.value("html");
    page_content content{.runs = std::move(runs), .lives = {}, .written = {}};
    if (call.operands.empty()) content.lives = service_lives(call.where(), current_units(call));
    content.written = system_clock::now();
    const std::string page = runs_page(call.where(), content);
    if (path == "-") {
        print(page);
    } else if (!util::replace_file(path, page)) {
        throw denied("write", path, errno);
    }
    return exit_code::done;
}

// --html and --plot show the whole history by default.
bool wants_all(const invocation& call) {
    return !call.has("lines") && (call.has("html") || call.has("plot"));
}

exit_code run_runs(invocation& call) {
    require_known_instance(call);
    call.operands = unit::names_meant(call.where().config_path, call.operands, directory_of(call));
    look_at_greeting(call);
    unit::run_query query;
    query.limit = wants_all(call) ? 0 : limit_of(call);
    if (call.has("plot") && (call.operands.empty() || call.has("html"))) {
        throw failure(error_kind::usage, cannot("use", "--plot"), "it needs one task, and no '--html'",
                      "hob runs TASK --plot");
    }
    if (!call.operands.empty()) query.task = call.operands.front();
    auto runs = run_history(call, query);
    check_task(call, call.where(), runs);
    if (call.has("html")) return write_page(call, std::move(runs));
    if (call.global.json) {
        print(unit::runs_json(runs, call.where().log_dir()) + "\n");
    } else if (runs.empty()) {
        if (!call.global.quiet) print_error("no runs yet\n");
    } else if (call.has("plot")) {
        print(plot_runs(runs, out_terminal()));
    } else {
        print(runs_table(runs, out_terminal()));
    }
    return exit_code::done;
}

constexpr option_row options[] = {
    {"lines,n", "N", "the last N runs, or 'all'; 20, or all with --plot and --html"},
    {"plot", "", "draw how long the runs of TASK took"},
    {"html", "FILE", "write a page with the time line of all runs and services"},
};

constexpr method_row methods[] = {{.name = "run.list", .handler = answer_run_list, .while_draining = true}};

}  // namespace

extern constinit const command runs_command;
constinit const command runs_command{
    .name = "runs",
    .summary = "show the history of runs",
    .usage = "[TASK]",
    .description =
        "Shows the runs of all tasks and commands, or of TASK, the newest first: how each\n"
        "ended, how long it took, and what caused it. The task of a command that was\n"
        "given to `hob run` is -. Works without a daemon.",
    .need = daemon_need::looking,
    .completes = operand_kind::task,
    .operands_max = 1,
    .options = options,
    .run = run_runs,
    .methods = methods,
    .notes_config = true,
};

}  // namespace hob::cmd
