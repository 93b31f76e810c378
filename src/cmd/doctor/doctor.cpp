#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/table.hpp"
#include "cmd/doctor/checks.hpp"
#include "lifecycle/forget.hpp"
#include "lifecycle/pid_lock.hpp"
#include "lifecycle/state_lock.hpp"
#include "util/fd.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

struct health_display {
    std::string_view word, json, code;
};

constexpr health_display display_of(health state) {
    switch (state) {
        case health::ok:
            return {"ok", "ok", "32"};
        case health::warn:
            return {"warn", "warn", "33"};
        case health::fail:
            break;
    }
    return {"FAIL", "fail", "1;31"};
}

// Removes the access of other users to a directory of ours. Changes nothing else about it.
void make_private(const std::string& path) {
    const util::unique_fd fd = util::open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    struct stat found {};
    if (!fd || ::fstat(fd.get(), &found) != 0) return;
    if (found.st_uid == ::geteuid() && (found.st_mode & 077)) ::fchmod(fd.get(), 0700);
}

// Under the instance lock. If it is taken, a daemon is starting, which removes them itself.
void remove_leftovers(const lifecycle::instance& where) {
    if (leftovers_of(where).empty()) return;
    const auto lock = lifecycle::instance_lock::try_take(where.pid_path());
    if (!lock) return;
    for (const auto& path : {where.socket_path(), where.page_path(), where.pid_path()}) {
        lock->unlink_guarded(where.pid_path(), path);
    }
}

void fix(const lifecycle::instance& where) {
    for (const auto& path : {where.runtime_dir, where.state_root, where.state_dir(), where.log_dir()}) {
        make_private(path);
    }
    try {
        remove_leftovers(where);
    } catch (const failure&) {  // the check of leftovers reports the reason
    }
    for (const auto& deleted : lifecycle::deleted_instances()) {
        try {
            lifecycle::forget_instance(deleted);
        } catch (const failure&) {  // the check of deleted projects reports it again
        }
    }
}

std::vector<finding> examine(invocation& call) {
    const lifecycle::instance& where = call.where();
    const daemon_glance seen = glance_at_daemon(where, call.limit);
    return {check_runtime_directory(where),
            check_state_directory(where),
            check_locks(where),
            check_socket_path(where),
            check_config(where),
            check_consent(where),
            check_crash_loop(where),
            check_daemon(seen),
            check_leftovers(where),
            check_processes(where, seen),
            check_database(where, seen),
            check_boot(where),
            check_logout(where),
            check_deleted_projects(),
            check_disk_space(where),
            check_system_calls(),
            check_proc(),
            check_inotify(),
            check_descriptors(),
            check_priority(),
            check_inherited(seen),
            check_limits(seen)};
}

std::string findings_json(const std::vector<finding>& findings) {
    util::json_array entries;
    for (const auto& [check, state, message, hint] : findings) {
        util::json_object entry;
        entry.add("check", check).add("state", display_of(state).json);
        entry.add("message", message).add("hint", hint);
        entries.add(entry);
    }
    return std::move(entries).text() + "\n";
}

std::string findings_text(const std::vector<finding>& findings, const terminal& out) {
    std::string text;
    for (const auto& [check, state, message, hint] : findings) {
        const health_display display = display_of(state);
        text += paint(fmt::format("{:4}", display.word), display.code, out.color);
        text += fmt::format("  {:12}  {}", check, printable(message, out.utf8));
        if (!hint.empty())
            text += (out.utf8 ? "  \u2014 " : "  - ") + paint(printable(hint, out.utf8), "36", out.color);
        text += '\n';
    }
    return text;
}

exit_code run_doctor(invocation& call) {
    if (call.has("clear")) lifecycle::release_brake(call.where());
    if (call.has("fix")) fix(call.where());
    std::vector<finding> findings = examine(call);
    const bool failed = std::any_of(findings.begin(), findings.end(),
                                    [](const finding& entry) { return entry.state == health::fail; });
    if (call.global.json) {
        print(findings_json(findings));
    } else {
        if (call.global.quiet)
            std::erase_if(findings, [](const finding& entry) { return entry.state == health::ok; });
        print(findings_text(findings, out_terminal()));
    }
    return failed ? exit_code::failed : exit_code::done;
}

constexpr option_row options[] = {
    {"clear", "", "forget failed starts, so that the next command may start a daemon"},
    {"fix", "", "remove what dead daemons and deleted projects left, and make directories private"},
};

}  // namespace

extern constinit const command doctor_command;
constinit const command doctor_command{
    .name = "doctor",
    .summary = "examine this machine for what gets in the way",
    .usage = "",
    .description =
        "Examines what the daemon of this instance needs, one line for each check: ok,\n"
        "warn or FAIL, what was found and what to do about it. Nothing is started, and\n"
        "nothing is changed without --fix or --clear. Exits 1 when a check failed.",
    .need = daemon_need::looking,
    .options = options,
    .run = run_doctor,
};

}  // namespace hob::cmd
