#pragma once
// One reader for each format. They throw failure(config) for a file as a whole, and refuse single entries.

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

#include "cmd/formats/draft.hpp"

namespace hob::cmd {

// MCP servers under `key`. `bare_names`: ${NAME} is a variable of the environment. False: no such key.
bool read_servers(const boost::json::object& file, std::string_view key, bool bare_names,
                  import_collector& found);
// `configurations` of VS Code's launch.json. False: no such key.
bool read_configurations(const boost::json::object& file, import_collector& found);
// `tasks` of VS Code's tasks.json. False: no such key.
bool read_tasks(const boost::json::object& file, import_collector& found);
// `scripts` of package.json. False: no such key.
bool read_scripts(const boost::json::object& file, import_collector& found);
// `services` of compose.yaml. False: no such key.
bool read_compose(const boost::json::object& file, const std::string& path, import_collector& found);

void read_procfile(std::string_view text, const std::string& path, import_collector& found);
// `by_system`: each line has a user after the times, as in /etc/crontab.
void read_crontab(std::string_view text, bool by_system, const std::string& path, import_collector& found);

// Whether each line is one of such a file, and there is at least one.
bool looks_like_procfile(std::string_view text);
bool looks_like_crontab(std::string_view text);
bool looks_like_system_crontab(std::string_view text, const std::string& path,
                               const import_environment& machine);

// Whether a script, target or recipe of this name stays up rather than ends, as `dev` and `test:watch` do.
bool is_name_of_service(std::string_view name);

}  // namespace hob::cmd
