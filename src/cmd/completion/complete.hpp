#pragma once
// What could stand next on a command line of hob. Reads the configuration; starts nothing, fails never.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hob::cmd {

struct candidate {
    std::string word;
    std::string help;  // may be empty
};

enum class more_words { none, files, directories };

struct completion {
    std::vector<candidate> words;
    more_words more = more_words::none;  // what the shell is to add by itself
};

// Names of a kind (man page hob-completions(1)) as the instance chosen by `directory` (-C) and `instance`
// sees them.
struct place {
    std::optional<std::string> directory, instance;
};
using word_source = std::function<std::vector<candidate>(std::string_view kind, const place&)>;

// `line`: the words typed so far from the program's name to the one under the cursor, which is completed.
completion complete_line(std::span<const std::string> line, const word_source& words_of);

// Kinds that need no instance: verbs, shells.
std::vector<candidate> verb_words();
std::vector<candidate> shell_words();

// One line each: the word, and behind a tab its help; then ":files" or ":directories".
std::string completion_text(const completion& found);

}  // namespace hob::cmd
