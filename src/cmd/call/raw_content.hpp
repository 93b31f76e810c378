#pragma once
// What `hob call --raw` prints of the result of an MCP tool.

#include <optional>
#include <string>
#include <string_view>

namespace hob::cmd {

// The texts of the result, one a line. An image or a sound is written to a new file in the current directory,
// and its line names the file. nullopt: the result is not that of an MCP tool. Throws failure when a file
// cannot be written.
std::optional<std::string> raw_content(std::string_view result);

}  // namespace hob::cmd
