#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/table.hpp"
#include "cmd/enable/accept.hpp"
#include "cmd/enable/request.hpp"
#include "cmd/enable/systemctl.hpp"
#include "cmd/handlers/handler_context.hpp"
#include "error.hpp"
#include "ipc/session.hpp"
#include "lifecycle/daemon.hpp"
#include "lifecycle/end_daemon.hpp"
#include "lifecycle/pid_lock.hpp"
#include "limits.hpp"
#include "unit/application/application.hpp"
#include "util/fd.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

void check(const invocation& call) {
    const auto refuse = [](std::string_view option, std::string_view reason) {
        throw failure(error_kind::usage, cannot("use", fmt::format("--{}", option)), std::string(reason));
    };
    if (call.has("launchd") && !call.has("print"))
        refuse("launchd", "it is only for --print: hob sets up systemd alone");
    if (call.has("launchd") && call.has("system")) refuse("launchd", "there is a --system, too");
    if (call.has("system") != call.has("user"))
        refuse(call.has("system") ? "system" : "user", "--system and --user NAME belong together");
    if (call.has("print") && call.has("now")) refuse("now", "there is a --print, too");
}

void print_files(const invocation& call, const std::vector<boot_file>& files) {
    if (call.global.json) {
        util::json_array list;
        for (const auto& file : files)
            list.add(util::json_object().add("name", file.name).add("text", file.text));
        print(util::json_object().add("files", list).text() + "\n");
        return;
    }
    for (const auto& file : files) {
        if (files.size() > 1) print(fmt::format("# --- {}\n", file.name));
        print(file.text);
        if (files.size() > 1 && &file != &files.back()) print("\n");
    }
}

// What became of a unit file.
struct written_file {
    std::string path;
    const char* change = "unchanged";  // or "written", "updated"
    std::string old_program;           // of an update that executes another one
};

// Everybody may read a unit.
void write_unit(const std::string& path, const std::string& text) {
    const auto slash = path.rfind('/');
    if (!util::make_directories(path.substr(0, slash)) || !util::replace_file(path, text))
        throw denied("write", path, errno);
    const util::unique_fd written = util::open_file(path, O_RDONLY | O_NOFOLLOW);
    if (!written || ::fchmod(written.get(), 0644) != 0) throw denied("write", path, errno);
}

// Refuses before anything is written.
void refuse_changed(const invocation& call, const std::string& path, const std::string& text) {
    if (call.has("force")) return;
    const auto found = read_unit(path);
    if (!found || found->text == text || found->writer == written_by::us) return;
    const bool changed = found->writer == written_by::us_then_changed;
    throw failure(error_kind::foreign, cannot("replace", path),
                  changed ? "it was changed by hand" : "hob enable did not write it",
                  "--force replaces it; changes belong in a file of their own: systemctl edit");
}

std::vector<written_file> write_units(const invocation& call, const boot_request& request) {
    const auto files = systemd_units(request);
    const std::string directory = unit_directory(request.scope);
    for (const auto& file : files)
        refuse_changed(call, directory + "/" + file.name, file.text);
    std::vector<written_file> written;
    for (const auto& file : files) {
        written_file result;
        result.path = directory + "/" + file.name;
        const auto found = read_unit(result.path);
        if (!found || found->text != file.text) {
            write_unit(result.path, file.text);
            result.change = found ? "updated" : "written";
            if (found && found->program != request.program) result.old_program = found->program;
        }
        written.push_back(std::move(result));
    }
    return written;
}

// A daemon that runs outside of the unit ends, and the one of systemd resumes what it was running.
void start_now(invocation& call, const boot_request& request) {
    const std::string unit = unit_names(request.where).front();
    const auto lock = lifecycle::query_lock(request.where.pid_path());
    if (lock.state == lifecycle::lock_state::held) {
        if (runs_in_unit(lock.pid, unit)) return;
        lifecycle::end_options ending;
        ending.restart = true;
        ending.limit = call.limit_or(limits::shutdown_timeout_max);
        lifecycle::end_daemon(request.where, ending);
    }
    systemctl_or_fail(request.scope, {"start", unit});
}

struct enabled {
    std::vector<written_file> files;
    std::vector<std::string> by_themselves;
    bool started = false;
    bool lingers = false;
    std::vector<std::string> moved;  // keys
};

void print_json(const boot_request& request, const enabled& done) {
    util::json_array files, units, moved;
    for (const auto& file : done.files)
        files.add(util::json_object().add("path", file.path).add("change", file.change));
    for (const auto& unit : done.by_themselves)
        units.add(unit);
    for (const auto& key : done.moved)
        moved.add(key);
    util::json_object result;
    result.add("instance", request.where.key)
        .add("scope", request.scope == boot_scope::user ? "user" : "system")
        .add("files", files)
        .add("by_itself", units)
        .add("started", done.started)
        .add("linger", done.lingers)
        .add("moved", moved);
    print(std::move(result).text() + "\n");
}

std::string when_it_starts(const boot_request& request, const enabled& done) {
    if (request.scope == boot_scope::system) return fmt::format("at boot, as {}", request.user);
    return done.lingers ? "at boot" : "when you log in, and ends it when you log out";
}

void print_text(const boot_request& request, const enabled& done) {
    const bool utf8 = out_terminal().utf8;
    for (const auto& file : done.files) {
        print(fmt::format("{:9}  {}\n", file.change, printable(file.path, utf8)));
        if (!file.old_program.empty())
            print(fmt::format("           it executes {}, no longer {}\n", printable(request.program, utf8),
                              printable(file.old_program, utf8)));
    }
    print(fmt::format("enabled: systemd starts the daemon {}\n", when_it_starts(request, done)));
    if (done.by_themselves.empty()) {
        print("nothing runs by itself then: hob start what is to run, or give it autostart = true\n");
    } else {
        print(fmt::format("by itself then: {}\n",
                          printable(fmt::format("{}", fmt::join(done.by_themselves, ", ")), utf8)));
    }
    const std::string unit = unit_names(request.where).front();
    if (request.scope == boot_scope::user && !done.lingers)
        print("to start it at boot and keep it after a logout: loginctl enable-linger\n");
    if (done.started) {
        print(fmt::format("it runs now as {}\n", unit));
    } else {
        print(fmt::format("to start it now: {}\n", request.scope == boot_scope::user
                                                       ? "hob enable --now"
                                                       : "systemctl start " + unit));
    }
    for (const auto& key : done.moved)
        print(
            fmt::format("hob-{0}.service is of a directory that is gone: hob --instance {0} disable\n", key));
}

exit_code run_enable(invocation& call) {
    const lifecycle::instance where = boot_instance(call);
    const unit::config config = boot_config(call, where);
    const boot_request request = boot_request_of(call, config);
    if (call.has("launchd")) {
        print_files(call, {launchd_plist(request)});
        return exit_code::done;
    }
    if (call.has("print")) {
        print_files(call, systemd_units(request));
        return exit_code::done;
    }
    if (request.scope == boot_scope::system && ::geteuid() != 0)
        throw failure(error_kind::denied, cannot("enable", where.root),
                      "only root writes units of the system", "use sudo, or --print");
    require_systemd(request.scope, "enable", where.root);
    const auto limit = call.limit_or(limits::request_timeout);
    if (request.scope == boot_scope::system) {
        accept_units_as(account_of(call), where, config, limit);
    } else {
        accept_units(where, config, limit);
    }
    enabled done;
    done.files = write_units(call, request);
    systemctl_or_fail(request.scope, {"daemon-reload"});
    systemctl_or_fail(request.scope, {"enable", unit_names(where).front()});
    if (call.has("now")) start_now(call, request);
    done.started = call.has("now");
    done.by_themselves = running_by_themselves(where, config);
    const auto user = find_account(request.uid);
    done.lingers = user && lingers(user->name);
    done.moved = keys_of_moved(request.scope);
    if (call.global.json) {
        print_json(request, done);
    } else if (!call.global.quiet) {
        print_text(request, done);
    }
    return exit_code::done;
}

// The consent of `hob enable`: what starts by itself does so from now on.
boost::asio::awaitable<std::string> answer_accept(handler_context context, std::shared_ptr<ipc::session> by,
                                                  ipc::request) {
    co_await context.daemon.apply_changed_file();
    std::vector<std::string> names;
    for (const auto& spec : context.units.config().units)
        names.push_back(spec.name);
    util::json_array accepted;
    for (const auto& name : context.units.consent(names, by->peer_pid()))
        accepted.add(name);
    if (!accepted.empty()) context.units.begin();
    co_return util::json_object().add("by_itself", accepted).text();
}

constexpr method_row methods[] = {{.name = "unit.accept", .async_handler = answer_accept}};

constexpr option_row options[] = {
    {"now", "", "also start it; a daemon that runs outside of systemd is replaced"},
    {"print", "", "only print what would be written"},
    {"force,f", "", "replace unit files that were changed by hand"},
    {"system", "", "write units of the system instead of the user's own"},
    {"user", "NAME", "with --system: the user whose daemon it is"},
    {"launchd", "", "with --print: a property list of launchd"},
};

}  // namespace

extern constinit const command enable_command;
constinit const command enable_command{
    .name = "enable",
    .summary = "start the daemon at login or at boot",
    .usage = "",
    .description =
        "Writes a service and a socket of systemd for this project and enables them:\n"
        "the daemon starts when you log in, and when a command needs it. That accepts\n"
        "all units of hob.toml as they are defined now, and lists those that then run\n"
        "by themselves. No daemon is started without --now.",
    .need = daemon_need::looking,
    .options = options,
    .check = check,
    .run = run_enable,
    .methods = methods,
};

}  // namespace hob::cmd
