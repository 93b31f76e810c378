#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "cmd/core/command.hpp"
#include "cmd/core/connection.hpp"
#include "cmd/core/foreground.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/spawned.hpp"
#include "cmd/handlers/make_application.hpp"
#include "error.hpp"
#include "lifecycle/connect.hpp"
#include "lifecycle/daemon.hpp"
#include "lifecycle/daemonize.hpp"
#include "lifecycle/spawn.hpp"
#include "lifecycle/start_failure.hpp"
#include "lifecycle/start_keeper.hpp"
#include "lifecycle/successor.hpp"
#include "unit/application/check_successor.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

constexpr option_row options[] = {
    {"foreground", "", "stay in the foreground, log to standard error and show what units print"},
};

exit_code run_daemon_verb(invocation& call) {
    if (call.has("foreground")) {
        foreground_options foreground;
        foreground.make_application = make_application;
        return run_foreground(call, std::move(foreground));
    }
    lifecycle::connect_options settings = connect_options_of(call);
    settings.release_brake = true;
    const ipc::client connection = lifecycle::connect_acting(call.where(), settings);
    const pid_t pid = connection.greeting().pid;
    if (call.global.json) {
        util::json_object result;
        result.add("pid", pid);
        print(std::move(result).text() + "\n");
    } else if (!call.global.quiet) {
        print(fmt::format("the daemon is running (pid {})\n", pid));
    }
    return exit_code::done;
}

// "LOCK,OUTCOME"
struct handover {
    int lock = -1;
    int outcome = -1;
};

std::optional<handover> parse_handover(std::string_view text) {
    handover result;
    const auto comma = text.find(',');
    if (comma == std::string_view::npos) return std::nullopt;
    const char* end = text.data() + text.size();
    const auto [lock_end, lock_error] = std::from_chars(text.data(), text.data() + comma, result.lock);
    const auto [outcome_end, outcome_error] = std::from_chars(text.data() + comma + 1, end, result.outcome);
    const bool whole = lock_error == std::errc() && outcome_error == std::errc() &&
                       lock_end == text.data() + comma && outcome_end == end;
    if (!whole || result.lock < 3 || result.outcome < 3 || result.lock == result.outcome) return std::nullopt;
    return result;
}

// Another daemon asks whether this program can take over from it.
exit_code answer_check(std::string_view key, std::string_view root, bool database) {
    const auto check = [&](const std::string& config_text) {
        unit::check_successor(lifecycle::handed_instance(std::string(key), std::string(root)), config_text,
                              database);
    };
    return lifecycle::answer_successor_check(check) == 0 ? exit_code::done : exit_code::failed;
}

std::optional<std::string_view> value_of(const std::string& word, std::string_view option) {
    if (!word.starts_with(option)) return std::nullopt;
    return std::string_view(word).substr(option.size());
}

}  // namespace

std::optional<exit_code> run_if_spawned(const std::vector<std::string>& words) {
    if (words.size() != 4 || words[0] != "daemon") return std::nullopt;
    const auto handed = value_of(words[1], lifecycle::handover_option);
    const auto key = value_of(words[2], lifecycle::key_option);
    const auto root = value_of(words[3], lifecycle::root_option);
    const bool database = words[1] == lifecycle::check_option;
    if ((database || words[1] == lifecycle::check_without_database_option) && key && root)
        return answer_check(*key, *root, database);
    const auto given = handed ? parse_handover(*handed) : std::nullopt;
    if (!given || !key || !root) return std::nullopt;

    lifecycle::daemon_options run;
    run.make_application = make_application;
    if (auto keeper = lifecycle::inherited_keeper()) {
        run.where = lifecycle::handed_instance(std::string(*key), std::string(*root));
        lifecycle::take_over(run, std::move(*keeper), true);
        lifecycle::resume_lock(run);
        return lifecycle::run_daemon(std::move(run));
    }
    run.caller = lifecycle::read_caller_settings();
    const int keep[] = {given->lock, given->outcome};
    util::unique_fd lock(given->lock);
    run.outcome = util::unique_fd(given->outcome);
    util::set_cloexec(run.outcome.get(), true);
    try {
        lifecycle::daemonize(run.caller, keep, true);
        run.where = lifecycle::handed_instance(std::string(*key), std::string(*root));
        run.lock = lifecycle::instance_lock::adopt(std::move(lock), run.where.pid_path());
    } catch (const lifecycle::pid_file_lost& why) {
        lifecycle::report_pid_file_lost(run.outcome.get());
        return exit_code_of(why.kind());
    } catch (const failure& why) {
        // The client reports it: standard error may still be the same for both.
        lifecycle::report_failure(run.outcome.get(), why);
        return exit_code_of(why.kind());
    }
    run.keeper = lifecycle::fork_from_keeper(run.where, run.caller, run.lock.fd(), run.outcome.get());
    return lifecycle::run_daemon(std::move(run));
}

extern constinit const command daemon_command{
    .name = "daemon",
    .summary = "start the daemon",
    .usage = "",
    .description =
        "Starts the daemon and returns once it is ready; one that runs already is\n"
        "success. Any verb that needs a daemon does this by itself: this one is for\n"
        "scripts, and to try again at once after repeated failures.",
    .need = daemon_need::acting,
    .options = options,
    .run = run_daemon_verb,
};

}  // namespace hob::cmd
