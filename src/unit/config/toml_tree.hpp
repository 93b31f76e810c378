#pragma once
// A TOML document as a plain tree with positions. toml++ is slow to compile, so only toml_tree.cpp includes
// it; the other files work on this tree.

#include <compare>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace hob::unit {

struct position {
    std::uint32_t line = 0;    // from 1; 0: the file as a whole
    std::uint32_t column = 0;  // from 1, in code points
    std::uint32_t file = 0;    // 0: hob.toml; else a file that is read with it
    bool operator==(const position&) const = default;
    std::strong_ordering operator<=>(const position& other) const {
        return std::tie(file, line, column) <=> std::tie(other.file, other.line, other.column);
    }
};

enum class value_kind : std::uint8_t { string, integer, real, boolean, date, array, table };

// "a string", "an integer", …: for messages.
std::string_view described(value_kind kind);

struct tree_member;

struct tree_value {
    value_kind kind = value_kind::table;
    position where;    // of the value; of a table's header
    std::string text;  // of a string; of a date, as TOML writes it
    std::int64_t integer = 0;
    double real = 0;
    bool boolean = false;
    std::vector<tree_value> items;     // array
    std::vector<tree_member> members;  // table, in file order
};

struct tree_member {
    std::string key;
    position where;  // of the key
    tree_value value;
};

class syntax_error : public std::runtime_error {
public:
    syntax_error(position at, const std::string& reason) : std::runtime_error(reason), where(at) {}
    position where;
};

// Throws syntax_error. The depth of the result is bounded, whatever the text.
tree_value parse_tree(std::string_view bytes);

}  // namespace hob::unit
