#pragma once
// The files by which a service manager starts the daemon of an instance at login or at boot.

#include <sys/types.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "lifecycle/instance.hpp"

namespace hob::cmd {

enum class boot_scope {
    user,    // units of a user's own systemd
    system,  // units of the system, whose daemon runs as a user
};

struct boot_request {
    boot_scope scope = boot_scope::user;
    lifecycle::instance where{};  // as the user of the daemon finds it
    std::string program{};        // absolute path
    std::string user{};           // of the daemon; empty in the scope of a user
    uid_t uid = 0;
    // For the daemon, beyond what the service manager gives it.
    std::vector<std::pair<std::string, std::string>> environment{};
    std::chrono::milliseconds shutdown_timeout{};
};

struct boot_file {
    std::string name;
    std::string text;
};

// The service, and the socket unless its path is too long for one. Throws failure(config) for a path that
// systemd cannot express.
std::vector<boot_file> systemd_units(const boot_request& request);

// A property list of launchd for a user agent.
boot_file launchd_plist(const boot_request& request);

// The text with a head that says who wrote it, and a digest, so that later changes are noticed.
std::string with_head(const std::string& text, boot_scope scope, const std::string& unit);

// How the text of a unit file relates to with_head().
enum class written_by { us, us_then_changed, others };
written_by writer_of(const std::string& text);

// The value of a line KEY=VALUE of its section [X-Hob]; empty: there is none.
std::string own_value(const std::string& text, const std::string& key);

}  // namespace hob::cmd
