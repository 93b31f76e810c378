#pragma once
// The faults of a hob.toml. Reading continues after a fault; the error reports the first one by position.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unit/config/toml_tree.hpp"

namespace hob::unit {

class problems {
public:
    void error(position where, std::string_view message, std::string_view hint = {});
    void warning(position where, std::string_view message);

    // Throws failure(config) for the first error by position, if there is one: `cannot use 'PATH:L:C':
    // <reason>`.
    void throw_first(const std::string& path) const;
    // "PATH:L:C: text" each, by position.
    std::vector<std::string> warnings(const std::string& path) const;

private:
    struct note {
        position where;
        std::string message;
        std::string hint;
    };
    std::vector<note> errors_;
    std::vector<note> warnings_;
};

// `did you mean 'x'?`, or empty.
std::string suggestion(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace hob::unit
