#pragma once
// The quoting of systemd.unit(5), systemd.service(5) and systemd.time(7).

#include <optional>
#include <string>
#include <vector>

#include "unit/spec/cron.hpp"

namespace hob::cmd {

// A command as words of ExecStart=: nothing in them is expanded or split.
std::string systemd_command(const std::vector<std::string>& words);
// One word in quotes, where specifiers are expanded and variables are not.
std::string systemd_word(const std::string& word);
// A path for settings that do not split their value. nullopt: it has a line break or ends with a backslash.
std::optional<std::string> systemd_path(const std::string& path);
// The same for EnvironmentFile=, which knows patterns.
std::optional<std::string> systemd_file_pattern(const std::string& path);

// The values of OnCalendar=; a timer fires at each of them.
std::vector<std::string> systemd_calendar(const unit::cron_spec& cron);

}  // namespace hob::cmd
