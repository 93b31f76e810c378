#pragma once
// The words that can stand next on a command line of hob. Reads the configuration, starts nothing and never
// fails.

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

// The values of -C and --instance.
struct instance_choice {
    std::optional<std::string> directory, name;
};
// The names of a kind, see hob-completions(1), in the instance that the options choose.
using word_source = std::function<std::vector<candidate>(std::string_view kind, const instance_choice&)>;

// `line`: the words typed so far, from the program's name to the one at the cursor, which is completed.
completion complete_line(std::span<const std::string> line, const word_source& words_of);

// Kinds that need no instance.
std::vector<candidate> verb_words();
std::vector<candidate> key_words();       // of hob.toml: "ready.tcp"
std::vector<candidate> full_key_words();  // "service.ready.tcp"
std::vector<candidate> shell_words();

// One line for each word, with its help after a tab; then ":files" or ":directories".
std::string completion_text(const completion& found);

}  // namespace hob::cmd
