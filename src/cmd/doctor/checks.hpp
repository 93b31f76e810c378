#pragma once
// The checks of `hob doctor`. A check changes nothing.

#include <string>
#include <string_view>
#include <vector>

#include "cmd/doctor/daemon_glance.hpp"
#include "lifecycle/instance.hpp"

namespace hob::cmd {

enum class health { ok, warn, fail };

struct finding {
    std::string check;
    health state = health::ok;
    std::string message;
    std::string hint;  // what to do, or empty
};

// Checks of the instance, its files and its daemon. None throws.
finding check_runtime_directory(const lifecycle::instance& where);
finding check_state_directory(const lifecycle::instance& where);
finding check_locks(const lifecycle::instance& where);
finding check_socket_path(const lifecycle::instance& where);
finding check_config(const lifecycle::instance& where);
finding check_consent(const lifecycle::instance& where);
finding check_crash_loop(const lifecycle::instance& where);
finding check_daemon(const daemon_glance& seen);
finding check_leftovers(const lifecycle::instance& where);
finding check_processes(const lifecycle::instance& where, const daemon_glance& seen);
finding check_database(const lifecycle::instance& where, const daemon_glance& seen);
// Whether the limits of the units that run have an effect.
finding check_limits(const daemon_glance& seen);

finding check_boot(const lifecycle::instance& where);
finding check_logout(const lifecycle::instance& where);

// Of all instances of this user.
finding check_deleted_projects();

// Checks of the machine and of the environment of this process.
finding check_disk_space(const lifecycle::instance& where);
finding check_system_calls();
finding check_proc();
finding check_inotify();
finding check_descriptors();
finding check_priority();

// What the daemon, or without one a daemon started from here, could not undo of its starter's settings.
finding check_inherited(const daemon_glance& seen);

// The files that a dead daemon has left: socket, page and pid file, if the lock is free.
std::vector<std::string> leftovers_of(const lifecycle::instance& where);

// The nearest directory at or above `path` that exists.
std::string existing_ancestor(std::string path);

}  // namespace hob::cmd
