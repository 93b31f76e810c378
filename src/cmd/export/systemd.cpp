// Units of systemd: a service for each service and task, and a timer for each schedule.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "cmd/export/writers.hpp"
#include "cmd/formats/draft.hpp"
#include "cmd/formats/systemd_text.hpp"
#include "util/shell_quote.hpp"
#include "util/signal_name.hpp"

namespace hob::cmd {
namespace {

using unit::service_spec;
using unit::task_spec;
using unit::unit_kind;
using unit::unit_spec;

constexpr std::string_view standard_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool is_standard_directory(const std::string& directory) {
    return fmt::format(":{}:", standard_path).find(":" + directory + ":") != std::string::npos;
}

std::string signal_text(int number) {
    const std::string name = util::signal_name(number);
    return name[0] >= '0' && name[0] <= '9' ? name : "SIG" + name;
}

// The seconds of a probe between two attempts.
constexpr std::string_view pause = "sleep 0.2";

class systemd_writer {
public:
    systemd_writer(const export_request& request, const unit_spec& unit, export_result& result)
        : request_(request), unit_(unit), result_(result), notes_(unit, result) {}

    void write() {
        if (unit_.kind == unit_kind::worker) {
            notes_.add("not exported: systemd has nothing that answers calls");
            return;
        }
        main_ = command(unit_.run, unit_.name);
        notes_.add_further_keys(request_,
                                {"stop.run", "time_zone", "health", "memory_max", "pids_max", "cpu_weight"});
        std::string service = unit_.kind == unit_kind::service ? service_section() : task_section();
        service += limits() + environment();
        const std::string head = unit_section();
        std::string install;
        if (unit_.kind == unit_kind::service)
            install = fmt::format("\n[Install]\nWantedBy={}\n",
                                  request_.for_system ? "multi-user.target" : "default.target");
        if (unit_.kind == unit_kind::task) add_timer();
        result_.files.push_back({file_name("service"), notes_.comments() + head + "\n" + service + install});
    }

private:
    std::string file_name(std::string_view type) const { return name_of(unit_.name, type); }
    std::string name_of(const std::string& unit, std::string_view type) const {
        return fmt::format("{}-{}.{}", request_.project, unit, type);
    }

    std::string unit_section() {
        std::string text = fmt::format("[Unit]\nDescription={} of {}\n", unit_.name, request_.project);
        std::vector<std::string> names;
        for (const auto& after : unit_.after) {
            const auto* other = request_.config.find(after);
            if (other != nullptr && other->kind != unit_kind::worker)
                names.push_back(name_of(after, "service"));
        }
        if (!names.empty()) {
            text += fmt::format("Requires={0}\nAfter={0}\n", joined(names, " "));
            notes_.add(fmt::format("when {} is stopped by hand, systemd stops it, too", joined(unit_.after)));
        }
        if (!unit_.restart_with.empty())
            notes_.add(fmt::format("it is restarted with {} only if that is restarted by hand",
                                   joined(unit_.restart_with)));
        if (unit_.on_failure) text += on_failure();
        if (const auto* service = std::get_if<service_spec>(&unit_.detail)) text += start_limit(*service);
        return text;
    }
    std::string start_limit(const service_spec& service) {
        if (service.max_restarts == 0) return "StartLimitIntervalSec=0\n";
        notes_.add("max_restarts: systemd counts the starts in a time, not those in a row");
        return fmt::format(
            "StartLimitBurst={}\nStartLimitIntervalSec={}\n", service.max_restarts + 1,
            seconds_text((service.backoff.max + service.backoff.reset) * service.max_restarts));
    }
    std::string on_failure() {
        const std::string name = name_of(unit_.name + "-failed", "service");
        notes_.add("on_failure: without HOB_REASON");
        result_.files.push_back(
            {name, fmt::format("[Unit]\nDescription=on_failure of {}\n\n[Service]\nType=oneshot\n"
                               "Environment={}\n{}ExecStart={}\n",
                               unit_.name, systemd_word("HOB_UNIT=" + unit_.name), directory(),
                               command(*unit_.on_failure, unit_.name))});
        return fmt::format("OnFailure={}\n", name);
    }

    std::string service_section() {
        const auto& service = std::get<service_spec>(unit_.detail);
        const bool notifies = service.ready.form == unit::ready_form::notify || service.watchdog.has_value();
        std::string text = fmt::format("[Service]\nType={}\n", notifies ? "notify" : "exec");
        if (notifies) text += "NotifyAccess=all\n";
        text += directory() + "ExecStart=" + main_ + "\n" + ready(service.ready);
        if (service.watchdog) text += fmt::format("WatchdogSec={}\n", seconds_text(*service.watchdog));
        if (service.health)
            notes_.add(
                "without health: systemd probes nothing; a program that sends WATCHDOG=1 can have "
                "watchdog instead");
        constexpr std::array<std::string_view, 3> policies{"always", "on-failure", "no"};
        text += fmt::format("Restart={}\n", policies[static_cast<std::size_t>(service.restart)]);
        if (service.restart != unit::restart_policy::never)
            text += fmt::format("RestartSec={}\n", seconds_text(service.backoff.min));
        if (!(service.backoff == unit::backoff_spec{}))
            notes_.add("backoff: systemd waits for the same time before each restart");
        return text + stop();
    }
    // systemd has no probes: a command that waits does the same.
    std::string ready(const unit::ready_spec& ready) {
        std::string probe;
        switch (ready.form) {
            case unit::ready_form::started:
                return {};
            case unit::ready_form::notify:
                break;
            case unit::ready_form::delay:
                return fmt::format("ExecStartPost=/bin/sleep {}\n", seconds_text(ready.delay));
            case unit::ready_form::log:
                notes_.add("without ready.log: systemd takes it for ready once it is started");
                return {};
            case unit::ready_form::exec:
                probe = util::shell_quoted(ready.exec->argv);
                break;
            case unit::ready_form::unix_socket:
                probe = "test -S " + util::shell_quoted({ready.path});
                notes_.add("ready.unix: systemd looks for the socket and does not connect to it");
                break;
            case unit::ready_form::tcp:
                probe = tcp_probe(ready);
                break;
            case unit::ready_form::http:
                probe = "curl -fsS -o /dev/null " +
                        quoted_with_variables(ready.written.empty() ? ready.url : ready.written);
                notes_.add("ready.http: the probe needs curl");
                if (ready.status) notes_.add("ready.http.status: any status below 400 will do");
                break;
        }
        std::string text = fmt::format("TimeoutStartSec={}\n", seconds_text(ready.timeout));
        if (!probe.empty())
            text += "ExecStartPost=" +
                    systemd_command({"/bin/bash", "-c", fmt::format("until {}; do {}; done", probe, pause)}) +
                    "\n";
        return text;
    }
    std::string tcp_probe(const unit::ready_spec& ready) {
        std::string host = ready.host, port = std::to_string(ready.port);
        if (!ready.written.empty()) {
            const auto colon = ready.written.rfind(':');
            const bool has_host =
                colon != std::string::npos && ready.written.find('}', colon) == std::string::npos;
            const bool whole = ready.written.find(":-") != std::string::npos || !has_host;
            host = whole ? "localhost" : ready.written.substr(0, colon);
            port = whole ? ready.written : ready.written.substr(colon + 1);
        }
        return fmt::format("(: < /dev/tcp/{}/{}) 2>/dev/null", host, port);
    }
    // A text with ${NAME}, which the shell of the probe expands as hob does.
    static std::string quoted_with_variables(const std::string& text) {
        std::string quoted = "\"";
        for (std::size_t at = 0; at < text.size(); ++at) {
            const bool literal = text[at] == '"' || text[at] == '\\' || text[at] == '`' ||
                                 (text[at] == '$' && text.substr(at, 2) != "${");
            quoted += literal ? std::string("\\") + text[at] : std::string(1, text[at]);
        }
        return quoted + '"';
    }

    std::string task_section() {
        const auto& task = std::get<task_spec>(unit_.detail);
        std::string text = "[Service]\nType=oneshot\n" + directory() + "ExecStart=" + main_ + "\n";
        if (task.timeout) text += fmt::format("TimeoutStartSec={}\n", seconds_text(*task.timeout));
        if (task.retry.max != 0) notes_.add("without retry: systemd counts the failures of all runs");
        if (task.overlap != unit::overlap_policy::skip)
            notes_.add("without overlap: a run that is due while one goes on is skipped");
        return text + stop();
    }
    void add_timer() {
        const auto& task = std::get<task_spec>(unit_.detail);
        if (!task.every && !task.cron && !task.on_start) return;
        std::string text = fmt::format("[Unit]\nDescription=times of {}\n\n[Timer]\n", unit_.name);
        if (task.on_start) text += "OnActiveSec=0\n";
        if (task.every) {
            if (!task.on_start) text += fmt::format("OnActiveSec={}\n", seconds_text(*task.every));
            text += fmt::format("OnUnitActiveSec={}\n", seconds_text(*task.every));
        }
        if (task.cron) {
            const std::string zone = task.time_zone ? " " + task.time_zone->name() : std::string();
            for (const auto& when : systemd_calendar(*task.cron))
                text += fmt::format("OnCalendar={}{}\n", when, zone);
            if (task.catch_up == unit::catch_up_policy::once) text += "Persistent=true\n";
        }
        text += "AccuracySec=1s\n";
        if (task.jitter.count() > 0)
            text += fmt::format("RandomizedDelaySec={}\n", seconds_text(task.jitter));
        result_.files.push_back({file_name("timer"), text + "\n[Install]\nWantedBy=timers.target\n"});
    }

    std::string stop() {
        std::string text;
        if (unit_.stop.run) text += fmt::format("ExecStop={}\n", command(*unit_.stop.run, unit_.name));
        const bool kill_at_once = unit_.stop.timeout.count() == 0;
        if (kill_at_once) {
            text += "KillSignal=SIGKILL\n";
        } else {
            if (unit_.stop.signal != SIGTERM)
                text += fmt::format("KillSignal={}\n", signal_text(unit_.stop.signal));
            text += fmt::format("TimeoutStopSec={}\n", seconds_text(unit_.stop.timeout));
        }
        constexpr std::array<std::string_view, 4> modes{"control-group", "control-group", "process", "mixed"};
        text += fmt::format("KillMode={}\n", modes[static_cast<std::size_t>(unit_.kill)]);
        if (unit_.kill == unit::kill_scope::group && unit_.kind == unit_kind::service)
            notes_.add("kill: systemd ends all its processes, not its process group");
        return text;
    }

    std::string limits() const {
        const auto& resources = unit_.resources;
        std::string text;
        if (resources.memory_max > 0)
            text += fmt::format("MemoryMax={}\nOOMPolicy=kill\n", resources.memory_max);
        if (resources.pids_max > 0) text += fmt::format("TasksMax={}\n", resources.pids_max);
        if (resources.cpu_weight != unit::resource_spec().cpu_weight)
            text += fmt::format("CPUWeight={}\n", resources.cpu_weight);
        return text;
    }

    std::string directory() {
        const auto path = systemd_path(unit_.cwd);
        if (!path) notes_.add("without cwd: systemd cannot express the path");
        return path ? fmt::format("WorkingDirectory={}\n", *path) : std::string();
    }

    // The program as an absolute path: systemd looks into few directories.
    std::string command(const unit::run_spec& run, const std::string& name) {
        std::vector<std::string> words = command_words(run, name);
        std::string& program = words.front();
        if (program.find('/') != std::string::npos) {
            if (!program.starts_with('/'))
                program = std::filesystem::path(unit_.cwd + "/" + program).lexically_normal().string();
        } else if (const std::string found =
                       request_.find_program ? request_.find_program(program) : std::string();
                   !found.empty()) {
            const std::string directory = found.substr(0, found.rfind('/'));
            if (!is_standard_directory(directory)) path_directory_ = directory;
            program = found;
        } else {
            notes_.add(fmt::format("'{}' is not in PATH here: give its whole path", program));
        }
        return systemd_command(words);
    }

    std::string environment() {
        std::string text;
        if (!path_directory_.empty())
            text += fmt::format("Environment={}\n",
                                systemd_word(fmt::format("PATH={}:{}", path_directory_, standard_path)));
        for (const auto& [name, port] : request_.config.ports)
            text += fmt::format("Environment={}\n", systemd_word(fmt::format("{}={}", name, port)));
        for (const auto& file : unit_.env_files) {
            const auto path = systemd_file_pattern(file.path);
            if (path) {
                text += fmt::format("EnvironmentFile={}{}\n", file.required ? "" : "-", *path);
            } else {
                notes_.add("without an env_file: systemd cannot express its path");
            }
        }
        if (!unit_.env_files.empty()) notes_.add("env_file: systemd expands no ${NAME} in it");
        const auto names = variable_names(unit_, request_.config);
        if (names.empty()) return text;
        const std::string file = fmt::format("{}/{}/{}.env", request_.for_system ? "/etc" : "%h/.config",
                                             request_.project, unit_.name);
        const std::string shown = file.starts_with("%h") ? "~" + file.substr(2) : file;
        notes_.add(
            fmt::format("write the values of {} to {} (NAME=VALUE lines, mode 0600)", joined(names), shown));
        return text + fmt::format("EnvironmentFile={}\n", file);
    }

    const export_request& request_;
    const unit_spec& unit_;
    export_result& result_;
    note_list notes_;
    std::string main_;
    std::string path_directory_;  // of the program, where systemd does not look
};

}  // namespace

export_result export_systemd(const export_request& request) {
    export_result result;
    for (const auto* unit : request.units)
        systemd_writer(request, *unit, result).write();
    return result;
}

}  // namespace hob::cmd
