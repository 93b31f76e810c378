// Whether the daemon starts by itself, whether what was written for that still fits, and what a logout ends.

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/boot/installed.hpp"
#include "cmd/doctor/checks.hpp"
#include "error.hpp"
#include "ipc/unix_socket.hpp"
#include "lifecycle/pid_lock.hpp"
#include "limits.hpp"
#include "util/fd.hpp"

namespace hob::cmd {
namespace {

bool exists(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0;
}

bool same_file(const std::string& one, const std::string& other) {
    struct stat first {
    }, second{};
    return ::stat(one.c_str(), &first) == 0 && ::stat(other.c_str(), &second) == 0 &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

std::string own_name() {
    const auto user = find_account(::geteuid());
    return user ? user->name : std::to_string(::geteuid());
}

// The service of this instance, of the user's systemd or of the system's.
struct boot_unit {
    boot_scope scope = boot_scope::user;
    installed_unit file;
};

std::optional<boot_unit> find_unit(const lifecycle::instance& where) {
    for (const boot_scope scope : {boot_scope::user, boot_scope::system}) {
        auto file = read_unit(unit_directory(scope) + "/" + unit_names(where).front());
        if (file) return boot_unit{scope, std::move(*file)};
    }
    return std::nullopt;
}

// What of the unit does not fit; empty: all does.
std::string fault_of(const boot_unit& unit, const lifecycle::instance& where) {
    const installed_unit& file = unit.file;
    if (file.writer == written_by::others) return {};
    if (!exists(file.program)) return fmt::format("executes {}, which is gone", file.program);
    if (file.root != where.root) return fmt::format("is of {}", file.root);
    if (!same_file(file.program, "/proc/self/exe"))
        return fmt::format("executes {}, which is another program than this one", file.program);
    return {};
}

// Whether the systemd of this scope runs.
bool systemd_runs(boot_scope scope) {
    if (!exists("/run/systemd/system")) return false;
    return scope == boot_scope::system || exists(fmt::format("/run/user/{}/systemd/private", ::geteuid()));
}

// The daemon, and who listens for it, are not those of the enabled unit. nullopt: they are.
std::optional<finding> beside_unit(const lifecycle::instance& where, const boot_unit& unit) {
    const auto names = unit_names(where);
    const std::string manager = unit.scope == boot_scope::user ? "systemctl --user" : "systemctl";
    const auto lock = lifecycle::query_lock(where.pid_path());
    if (lock.state == lifecycle::lock_state::held) {
        if (lock.pid == 0 || runs_in_unit(lock.pid, names.front())) return std::nullopt;
        return finding{
            "boot", health::warn,
            fmt::format("enabled, but systemd did not start the daemon that runs (pid {})", lock.pid),
            fmt::format("hob shutdown, then: {} restart {}", manager, names.back())};
    }
    const bool has_socket = exists(unit_directory(unit.scope) + "/" + names.back());
    if (!has_socket || !systemd_runs(unit.scope) || ipc::is_listened_on(where.socket_path()))
        return std::nullopt;
    return finding{"boot", health::warn, "enabled, but systemd does not listen at the socket",
                   fmt::format("{} restart {}", manager, names.back())};
}

// The last value of a key in logind.conf and its drop-ins, in the order of systemd.
bool kills_user_processes() {
    std::vector<std::string> files{"/usr/lib/systemd/logind.conf", "/etc/systemd/logind.conf"};
    std::map<std::string, std::string> drop_ins;  // by name: a later directory replaces a file
    for (const char* directory : {"/usr/lib/systemd/logind.conf.d", "/usr/local/lib/systemd/logind.conf.d",
                                  "/run/systemd/logind.conf.d", "/etc/systemd/logind.conf.d"}) {
        const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(directory), ::closedir);
        if (!dir) continue;
        while (const dirent* entry = ::readdir(dir.get())) {
            const std::string name = entry->d_name;
            if (name.ends_with(".conf")) drop_ins[name] = std::string(directory) + "/" + name;
        }
    }
    for (const auto& [name, path] : drop_ins)
        files.push_back(path);
    bool kills = false;
    for (const auto& path : files) {
        const std::string text = "\n" + util::read_file(path, limits::small_file_max).value_or("");
        const auto at = text.rfind("\nKillUserProcesses=");
        if (at == std::string::npos) continue;
        const std::string_view value = std::string_view(text).substr(text.find('=', at) + 1);
        kills = value.starts_with("yes") || value.starts_with("true") || value.starts_with("on") ||
                value.starts_with("1");
    }
    return kills;
}

}  // namespace

finding check_boot(const lifecycle::instance& where) {
    const std::string check = "boot";
    std::optional<boot_unit> unit;
    try {
        unit = find_unit(where);
    } catch (const failure&) {  // without a home directory there are no units of the user
    }
    if (!unit)
        return {check, health::ok, "not enabled: the daemon starts with the first command that needs it", ""};
    const std::string name = unit_names(where).front();
    const std::string options = unit->scope == boot_scope::system ? " --system --user NAME" : "";
    if (const std::string fault = fault_of(*unit, where); !fault.empty())
        return {check, health::warn, fmt::format("{} {}", unit->file.path, fault),
                fmt::format("hob enable{} writes it anew", options)};
    struct stat link {};
    if (::lstat(wants_link(unit->scope, name).c_str(), &link) != 0)
        return {check, health::warn, fmt::format("{} exists, but is not enabled", unit->file.path),
                fmt::format("hob enable{}", options)};
    if (auto found = beside_unit(where, *unit)) return std::move(*found);
    const bool changed = unit->file.writer != written_by::us;
    const bool at_login = unit->scope == boot_scope::user && !lingers(own_name());
    return {check, health::ok,
            fmt::format("enabled by {}{}: it starts at {}", unit->file.path,
                        changed ? ", written by hand" : "", at_login ? "login" : "boot"),
            at_login ? "loginctl enable-linger starts it at boot" : ""};
}

finding check_logout(const lifecycle::instance& where) {
    const std::string check = "logout";
    if (!exists("/run/systemd/system")) return {check, health::ok, "no systemd runs, which could end it", ""};
    std::optional<boot_unit> unit;
    try {
        unit = find_unit(where);
    } catch (const failure&) {  // as above
    }
    const bool keeps = lingers(own_name());
    if (unit && unit->scope == boot_scope::system)
        return {check, health::ok, "a unit of the system goes on", ""};
    if (unit && !keeps)
        return {check, health::ok, "the daemon of systemd ends with your last login",
                "loginctl enable-linger keeps it"};
    if (unit) return {check, health::ok, "this user lingers: the daemon of systemd goes on", ""};
    if (kills_user_processes())
        return {check, health::warn, "KillUserProcesses=yes in logind.conf: a logout ends the daemon",
                "hob enable, and loginctl enable-linger"};
    return {check, health::ok, "the daemon goes on after a logout", ""};
}

}  // namespace hob::cmd
