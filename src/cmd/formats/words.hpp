#pragma once
// Words of configurations of other programs, and the variables in them.

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace hob::cmd {

// An entry cannot become a unit; what() says why.
class unimportable : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct word_part {
    std::string text;                    // a literal, or a variable's name
    bool variable = false;               // of the environment that the worker starts with
    std::string fallback;                // used if the variable is unset or empty
    bool required = false;               // an unset variable is an error
    std::vector<word_part> otherwise{};  // instead of `fallback`, where that has variables itself
    bool operator==(const word_part&) const = default;
    bool has_default() const { return !fallback.empty() || !otherwise.empty(); }
};
using import_word = std::vector<word_part>;  // without empty literals; adjacent ones are one

struct import_context {
    std::string root;         // the directory of hob.toml
    std::string folder;       // the base of relative paths, and the value of ${workspaceFolder}
    std::string home;         // the value of ${userHome} in a path
    bool bare_names = false;  // ${NAME} and ${NAME:-TEXT} are environment variables
};

// Throws unimportable for a variable that only an editor knows.
import_word parse_word(std::string_view text, const import_context& context);

// A path for hob.toml, relative to `root` if it is inside. Throws unimportable, also for a path that depends
// on the environment, which hob.toml does not expand in paths. `key` is for the message.
std::string parse_path(std::string_view key, std::string_view text, const import_context& context);

bool is_literal(const import_word& word);
std::string literal_text(const import_word& word);  // requires is_literal(word)
import_word literal_word(std::string_view text);
void add_literal(import_word& word, std::string_view text);

// Quoted as one word for /bin/sh.
std::string shell_word(const import_word& word);

bool is_variable_name(std::string_view name);

}  // namespace hob::cmd
