#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/core/connection.hpp"
#include "cmd/core/follow.hpp"
#include "cmd/core/log_text.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/project.hpp"
#include "cmd/core/time_option.hpp"
#include "cmd/history/run_end.hpp"
#include "cmd/history/run_history.hpp"
#include "cmd/logs/merged.hpp"
#include "lifecycle/instance.hpp"
#include "unit/config/config.hpp"
#include "util/clock.hpp"
#include "util/duration.hpp"
#include "util/log/log_reader.hpp"
#include "util/log/log_reader_filter.hpp"
#include "util/log/log_reader_follow.hpp"
#include "util/suggest.hpp"

namespace hob::cmd {
namespace {

using std::chrono::system_clock;

constexpr std::size_t lines_by_default = 50;

// The name of the daemon's log among those of the units; no unit may have this name.
constexpr std::string_view daemon_name = "daemon";

struct logs_options {
    std::string path;
    std::string unit;                  // empty: the daemon
    std::optional<std::size_t> lines;  // the last so many; nullopt: all
    bool follow = false;
    std::optional<unit::run_record> run;  // only what it has written
    util::log_filter filter;
    log_format format = log_format::brief;
};

failure cannot_use(const std::string& value, std::string_view option, const std::string& reason,
                   const std::string& hint = {}) {
    return {error_kind::usage, cannot("use", value, "for '--" + std::string(option) + "'"), reason, hint};
}

failure cannot_read_run(const std::string& id, const std::string& reason, const std::string& hint = {}) {
    return {error_kind::unit_unknown, cannot("read", "", "the log of run '" + id + "'"), reason, hint};
}

// Throws failure(unit_unknown) if the unit is not in hob.toml and has no log.
void check_unit(const lifecycle::instance& where, const std::string& unit) {
    std::vector<std::string> known;
    for (const auto& [name, kind] : unit::unit_names(where.config_path))
        known.push_back(name);
    if (std::find(known.begin(), known.end(), unit) != known.end()) return;
    // A unit that was removed from hob.toml still has a log. A name with a slash would be another file.
    const bool plain = !unit.empty() && unit.front() != '.' && unit.find('/') == std::string::npos;
    if (plain && !util::open_log_files(where.unit_log_path(unit)).empty()) return;
    std::vector<std::string_view> candidates(known.begin(), known.end());
    candidates.push_back(daemon_name);
    std::string hint = "hob status lists the units";
    if (const auto near = util::nearest(unit, candidates))
        hint = "did you mean '" + std::string(*near) + "'?";
    throw failure(error_kind::unit_unknown, cannot("read the log of", unit), "no such unit", hint);
}

std::optional<std::size_t> parse_lines(const std::string& text) {
    if (text == "all") return std::nullopt;
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) {
        throw cannot_use(text, "lines", "neither a number nor 'all'");
    }
    return number;
}

std::optional<util::level> level_option(const invocation& call, bool of_unit) {
    const auto text = call.value("level");
    if (!text) return std::nullopt;
    if (of_unit) {
        throw failure(error_kind::usage, cannot("use", "--level", "with a unit"),
                      "only the daemon's log has levels");
    }
    if (const auto severity = util::level_named(*text)) return severity;
    throw cannot_use(*text, "level", "no such level", "one of trace debug info warning error fatal");
}

// Throws failure(unit_unknown) if there is no such run, or if it belongs to another task.
std::optional<unit::run_record> run_option(invocation& call) {
    const auto text = call.value("run");
    if (!text) return std::nullopt;
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), id);
    if (error != std::errc{} || end != text->data() + text->size() || id < 1) {
        throw cannot_use(*text, "run", "not the number of a run", "hob runs lists them");
    }
    auto run = find_run_record(call, id);
    if (!run) throw no_such_run(call, cannot("read", "", "the log of run '" + *text + "'"), id);
    if (!call.operands.empty() && call.operands.front() != run->task) {
        throw cannot_read_run(*text, "it is of '" + run->task + "', not of '" + call.operands.front() + "'");
    }
    return run;
}

log_format format_of(const invocation& call) {
    if (call.has("raw")) return log_format::raw;
    return call.global.verbose ? log_format::verbose : log_format::brief;
}

logs_options options_of(invocation& call) {
    logs_options options;
    options.run = run_option(call);
    const std::optional<unit::run_record>& run = options.run;
    const bool of_unit = run || (!call.operands.empty() && call.operands.front() != daemon_name);
    if (of_unit) options.unit = run ? run->task : call.operands.front();
    if (run) options.filter.run = run->id;
    options.follow = call.has("follow");
    options.format = format_of(call);
    options.filter.since = time_option(call, "since");
    options.filter.until = time_option(call, "until");
    options.filter.lowest = level_option(call, of_unit);
    if (const auto expression = call.value("grep")) options.filter.search_for(*expression);
    if (options.follow && options.filter.until) {
        throw failure(error_kind::usage, cannot("use", "--until"), "it does not go with '--follow'");
    }
    // With a span of time, all of its lines are shown.
    if (!options.filter.since && !options.filter.until && !run) options.lines = lines_by_default;
    if (const auto lines = call.value("lines")) options.lines = parse_lines(*lines);
    const auto& where = call.where();
    options.path = where.daemon_log_path();
    if (of_unit) {
        if (!run) check_unit(where, options.unit);
        options.path = where.unit_log_path(options.unit);
    }
    return options;
}

class printer {
public:
    printer(const logs_options& options, bool json)
        : filter_(options.filter), json_(json), style_(log_style_for_output(options.format)) {}

    bool matches(std::string_view line) const { return matches(util::parse_log_record(line)); }

    // False: standard output has no reader any more.
    bool show(std::string_view line) const { return show(util::parse_log_record(line), line); }
    bool show_if_matching(std::string_view line) const {
        const util::log_record record = util::parse_log_record(line);
        return !matches(record) || show(record, line);
    }

    bool shown_any() const { return shown_any_; }

private:
    bool matches(const util::log_record& record) const {
        return (json_ || is_shown(record, style_.format)) && filter_.matches(record);
    }

    bool show(const util::log_record& record, std::string_view line) const {
        shown_any_ = true;
        if (json_) return print(log_record_json(record, line));
        const std::string today = util::rfc3339(system_clock::now()).substr(0, 10);
        return print(log_record_text(record, style_, today));
    }

    const util::log_filter& filter_;
    bool json_;
    log_style style_;
    mutable bool shown_any_ = false;
};

// The last matching lines of all files together. `end`: the end of the newest file.
bool show_last(const std::vector<util::open_log>& files, off_t end, std::size_t count, const printer& to) {
    std::vector<std::string> found;  // newest first
    const auto collect = [&](std::string_view line) {
        if (to.matches(line)) found.emplace_back(line);
        return found.size() < count;
    };
    for (auto file = files.rbegin(); file != files.rend() && found.size() < count; ++file) {
        util::read_lines_backward(*file, file == files.rbegin() ? end : file->size, collect);
    }
    return std::all_of(found.rbegin(), found.rend(), [&](const std::string& line) { return to.show(line); });
}

bool show_all(const std::vector<util::open_log>& files, const printer& to) {
    return std::all_of(files.begin(), files.end(), [&](const util::open_log& file) {
        return util::read_lines(file, 0, [&](std::string_view line) { return to.show_if_matching(line); });
    });
}

// Ends with the run, where one is followed.
exit_code follow_log(invocation& call, util::log_follower& log, const printer& to, run_end_watch* run) {
    interrupt_is_success();
    bool reported = !call.global.verbose;
    for (;;) {
        const bool run_ended = run && run->ended();
        const bool reader_present =
            log.drain([&](std::string_view line) { return to.show_if_matching(line); });
        if (!reader_present || !flush() || run_ended) return exit_code::done;
        if (!reported && !log.polling().empty()) {
            print_error("inotify is not available, polling four times a second: " + log.polling() + "\n");
            reported = true;
        }
        switch (log.wait(STDOUT_FILENO, call.limit, run ? run->descriptor() : -1)) {
            case util::log_follower::wake_reason::readable:
                break;
            case util::log_follower::wake_reason::reader_gone:
                return exit_code::done;
            case util::log_follower::wake_reason::deadline:
                throw failure(error_kind::timeout, cannot("follow", "", "the log any longer"),
                              "the deadline is over");
        }
    }
}

// The logs that are shown together: those that are named, or without names the daemon's and those of all
// services. Empty: a single log.
std::vector<log_source> merged_sources(invocation& call) {
    if (call.has("run")) return {};
    std::vector<std::string> names = call.operands;
    const bool brief = names.empty() && format_of(call) != log_format::verbose;
    if (names.empty() && !call.has("level")) {
        for (const auto& [name, kind] : unit::unit_names(call.where().config_path)) {
            if (kind == unit::unit_kind::service) names.push_back(name);
        }
        if (!names.empty()) names.insert(names.begin(), std::string(daemon_name));
    }
    std::vector<log_source> sources;
    if (names.size() < 2) return sources;
    for (const auto& name : names) {
        const bool of_unit = name != daemon_name;
        if (of_unit) check_unit(call.where(), name);
        sources.push_back({name, of_unit ? call.where().unit_log_path(name) : call.where().daemon_log_path(),
                           brief && !of_unit});
    }
    return sources;
}

// The log is rotated, whatever the history still knows.
void note_lost_output(const invocation& call, const logs_options& options) {
    const auto& filter = options.filter;
    const bool whole = options.run && call.options.size() == 1;
    if (!whole || call.global.quiet || options.run->output_bytes.value_or(0) == 0) return;
    print_error(fmt::format("the log no longer has the {} that run {} has written\n",
                            util::format_size(static_cast<std::uint64_t>(*options.run->output_bytes)),
                            *filter.run));
}

exit_code run_logs(invocation& call) {
    require_known_instance(call);
    call.operands = unit::names_meant(call.where().config_path, call.operands, directory_of(call));
    look_at_greeting(call);
    if (const auto sources = merged_sources(call); !sources.empty()) {
        const logs_options common = options_of(call);
        return show_merged_logs(call, {sources, common.lines, common.follow, common.filter, common.format});
    }
    const logs_options options = options_of(call);
    std::optional<run_end_watch> run_end;  // asked before the log is read: nothing is missed in between
    if (options.follow && options.run) run_end.emplace(call, *options.run);
    const printer to(options, call.global.json);
    auto files = util::open_log_files(options.path);
    const bool has_current = !files.empty() && files.back().path == options.path;
    // The follower shows a line that is still being written.
    off_t end = files.empty() ? 0 : files.back().size;
    if (options.follow && has_current) end = util::end_of_last_line(files.back());

    if (options.follow && !options.lines && has_current) {
        // The follower reads the newest file from its beginning.
        util::open_log current = std::move(files.back());
        files.pop_back();
        if (!show_all(files, to)) return exit_code::done;
        util::log_follower log(options.path, std::move(current), 0);
        return follow_log(call, log, to, run_end ? &*run_end : nullptr);
    }
    const bool reader_present =
        options.lines ? show_last(files, end, *options.lines, to) : show_all(files, to);
    if (!options.follow) {
        if (files.empty() && !call.global.quiet && out_terminal().interactive) print_error("no log yet\n");
        if (!to.shown_any()) note_lost_output(call, options);
        flush();
        return exit_code::done;
    }
    if (!reader_present) return exit_code::done;
    util::open_log current;
    if (has_current) current = std::move(files.back());
    util::log_follower log(options.path, std::move(current), has_current ? end : 0);
    return follow_log(call, log, to, run_end ? &*run_end : nullptr);
}

constexpr option_row options[] = {
    {"follow,f", "", "continue with new lines, over rotations and restarts"},
    {"lines,n", "N", "the last N lines, or 'all'; 50, or all with --since or --until"},
    {"since", "TIME", "lines written at TIME or later; as in 10m (ago), 13:02, 2026-01-02"},
    {"until", "TIME", "lines written before TIME"},
    {"level", "LEVEL", "of the daemon's log, this level and above: trace debug info warning error fatal",
     "trace debug info warning error fatal"},
    {"run", "ID", "only the lines of run ID of a task or command, all of them; -f ends with it"},
    {"grep", "REGEX", "only lines whose message or fields match, ignoring colours"},
    {"raw", "", "only the text of each line, without time and name"},
};

}  // namespace

extern constinit const command logs_command;
constinit const command logs_command{
    .name = "logs",
    .summary = "print the logs of the daemon and of units",
    .usage = "[UNIT...]",
    .description =
        "Prints what units have written to their standard output and error, or (`daemon`)\n"
        "the daemon's log, from all rotated files. Several logs are merged in the order\n"
        "of time, and each line begins with the name of its unit. Without a name: the\n"
        "logs of the daemon and of all services. Needs no daemon and starts none. With\n"
        "--json the records are printed as they are stored, one on each line; in merged\n"
        "logs each record names its unit.",
    .need = daemon_need::looking,
    .completes = operand_kind::unit,
    .operands_max = -1,
    .options = options,
    .run = run_logs,
    .notes_config = true,
};

}  // namespace hob::cmd
