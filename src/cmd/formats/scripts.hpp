#pragma once
// Commands of line-based files, and the comments that `hob export` writes into them.

#include <string>
#include <string_view>
#include <vector>

#include "cmd/formats/draft.hpp"

namespace hob::cmd {

// Sets run or script, and cwd where the command begins with `cd DIR &&`. Literal words in quotes become an
// array. Throws unimportable.
void set_command(imported_unit& unit, std::string_view command, const import_context& context);

// What `hob export` says of the next entry, since these formats cannot: "# after: db, cache".
struct written_notes {
    std::string name;
    std::vector<std::string> after;
    std::vector<std::string> environment;  // names
    std::vector<std::string> env_files;
};
inline constexpr std::string_view export_heading = "# Written by hob export";
bool is_written_by_export(std::string_view text);
void read_note(std::string_view comment, written_notes& notes);
void apply_notes(const written_notes& notes, imported_unit& unit);

}  // namespace hob::cmd
