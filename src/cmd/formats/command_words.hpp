#pragma once
// Commands as other programs write them: in one text.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hob::cmd {

// The words, quotes removed; nullopt: not only literal words, so that a shell does more with the text than to
// execute them.
std::optional<std::vector<std::string>> literal_words(std::string_view text);

// The words as docker compose splits a command: no shell, "${…}" belongs to one word. nullopt: a quote that
// does not end.
std::optional<std::vector<std::string>> split_words(std::string_view text);

struct directory_command {
    std::string directory;
    std::string command;  // not empty
};
// `cd DIR && COMMAND` apart, if the command does not run without that directory.
std::optional<directory_command> leading_directory(std::string_view text);

// The word that says what a command does, for a name: `backup` of `nice /opt/backup.sh -v`. Empty: there is
// none.
std::string name_of_command(std::string_view text);

std::string_view trimmed(std::string_view text);
// The lines, without their ends.
std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace hob::cmd
