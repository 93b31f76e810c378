#pragma once
// `${NAME}` and `${NAME:-default}` in the values of variables. `$${` stands for `${`; any other `$` is
// itself.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hob::unit {

// In a value as written: the character after it is itself. No value can have a NUL byte of its own.
inline constexpr char literal_mark = '\0';

struct written_variable {
    std::string name;
    std::string value;   // as written
    std::string origin;  // for messages: "'/home/me/web/.env:3'", "env"
};

using variables = std::map<std::string, std::string, std::less<>>;

// Merges `layers` over `base`, later ones replacing earlier ones, then expands the values of the layers, in
// any order. A name in its own value means the layer below. `base` is taken as it is. Throws
// failure(unit_failed, "cannot start '<unit>': …") for a name that is not set and has no default, for a
// cycle, and when the result is larger than a process can have.
variables expand_layers(const variables& base, const std::vector<std::vector<written_variable>>& layers,
                        std::string_view unit);

// Expands one text of the unit's definition with `values`. `what` is for messages: "ready.tcp". Throws as
// expand_layers().
std::string expand_text(std::string_view text, const variables& values, std::string_view unit,
                        std::string_view what);

// A name that ${NAME} can have, and a shell's variable.
bool is_variable_name(std::string_view name);

// Whether the text is to be expanded.
bool has_reference(std::string_view text);

}  // namespace hob::unit
