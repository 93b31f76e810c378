#pragma once
// Reads a file of another program, whichever of the known formats it has.

#include <string>
#include <string_view>
#include <vector>

#include "cmd/formats/draft.hpp"

namespace hob::cmd {

// The names of the formats, for --format.
inline constexpr std::string_view import_formats[] = {"procfile", "package", "compose", "tasks",
                                                      "launch",   "mcp",     "crontab"};

// `format`: one of import_formats; empty: found out by the name and the content. `path` is the name of the
// file. Throws only failure(config), `cannot import 'PATH': REASON`, for a file of another form.
import_result read_import(std::string_view bytes, const std::string& path, import_context context,
                          const import_environment& machine, std::string_view format = {});

}  // namespace hob::cmd
