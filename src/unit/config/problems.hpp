#pragma once
// The faults of a hob.toml. Reading continues after a fault; the error reports the first one by position.

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unit/config/toml_tree.hpp"

namespace hob::unit {

class problems {
public:
    void error(position where, std::string_view message, std::string_view hint = {});
    void warning(position where, std::string_view message);

    // The files that positions other than 0 are in; [0] is not used.
    void name_files(std::vector<std::string> paths) { files_ = std::move(paths); }
    // "line 3", or "line 3 of 'PATH'" seen from another file.
    std::string line_of(position where, position from) const;

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
    std::string place(const std::string& path, position where) const;

    std::vector<std::string> files_;
    std::vector<note> errors_;
    std::vector<note> warnings_;
};

// `did you mean 'x'?`, or empty.
std::string suggestion(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace hob::unit
