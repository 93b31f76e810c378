#pragma once
// Words of an editor's configuration, with the variables that editors put into them.

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace hob::cmd {

// An entry cannot become a worker; what() says why.
class unimportable : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct word_part {
    std::string text;       // a literal, or a variable's name
    bool variable = false;  // of the environment, as it is when the worker starts
    std::string fallback;   // of a variable that is unset or empty
    bool operator==(const word_part&) const = default;
};
using import_word = std::vector<word_part>;  // without empty literals; adjacent ones are one

struct import_place {
    std::string root;         // the directory of hob.toml
    std::string folder;       // what ${workspaceFolder} is
    std::string home;         // what ${userHome} is in a path
    bool bare_names = false;  // ${NAME} and ${NAME:-TEXT} are of the environment
};

// Throws unimportable for a variable that only an editor knows.
import_word parse_word(std::string_view text, const import_place& place);

// A path of hob.toml: relative to `root` where it can be. Throws unimportable, also for what depends on the
// environment, which hob.toml does not expand in paths. `key` is for the message.
std::string parse_path(std::string_view key, std::string_view text, const import_place& place);

bool is_literal(const import_word& word);
std::string literal_text(const import_word& word);  // of a literal one

// For /bin/sh: one word, whatever is in it.
std::string shell_word(const import_word& word);

bool is_variable_name(std::string_view name);

}  // namespace hob::cmd
