#pragma once
// What is installed for an instance, as its files say: no service manager is asked.

#include <optional>
#include <string>
#include <vector>

#include "cmd/boot/boot_files.hpp"

namespace hob::cmd {

// Where the units of a scope are: $XDG_CONFIG_HOME/systemd/user, or /etc/systemd/system.
std::string unit_directory(boot_scope scope);

// The units of this instance: "hob-KEY.service" and "hob-KEY.socket".
std::vector<std::string> unit_names(const lifecycle::instance& where);
// The link that makes the service manager start this unit: in the `.wants` directory of its target.
std::string wants_link(boot_scope scope, const std::string& unit);

struct installed_unit {
    std::string path;
    written_by writer = written_by::others;
    std::string root;     // of the instance
    std::string program;  // that it executes
    std::string text;
};
// nullopt: there is no such file, or it cannot be read.
std::optional<installed_unit> read_unit(const std::string& path);

// The keys of instances whose service was written for a directory that is gone, as after a move.
std::vector<std::string> keys_of_moved(boot_scope scope);

// This program, by a path that survives an upgrade: that in PATH if it is the same file. Throws
// failure(denied).
std::string path_of_program();

// Whether the process runs in the cgroup of this unit.
bool runs_in_unit(pid_t process, const std::string& unit);

// An entry of /etc/passwd: a static binary has no NSS.
struct account {
    std::string name;
    uid_t uid = 0;
    gid_t gid = 0;
    std::string home;
};
std::optional<account> find_account(const std::string& name);
std::optional<account> find_account(uid_t uid);

// Whether systemd keeps the processes of this user also without a login.
bool lingers(const std::string& user);

}  // namespace hob::cmd
