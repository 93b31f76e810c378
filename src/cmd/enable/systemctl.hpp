#pragma once
// Asks the systemd of this user or of the system, by systemctl(1).

#include <string>
#include <vector>

#include "cmd/boot/boot_files.hpp"

namespace hob::cmd {

// Throws failure(denied) where that systemd does not run; its hint says what to do. `verb`: "enable" or
// "disable".
void require_systemd(boot_scope scope, const char* verb, const std::string& root);
bool systemd_runs(boot_scope scope);

struct systemctl_result {
    int status = 0;
    std::string text;  // what it printed, without the last line end
};
// Throws failure(denied) if there is no systemctl.
systemctl_result systemctl(boot_scope scope, const std::vector<std::string>& words);
// Throws failure(denied) with what it printed if it fails.
void systemctl_or_fail(boot_scope scope, const std::vector<std::string>& words);

// The command line for a person.
std::string systemctl_text(boot_scope scope, const std::string& words);

}  // namespace hob::cmd
