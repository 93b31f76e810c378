#pragma once
// The names of units before the lines that they print: aligned and coloured on a terminal, plain in a pipe.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/core/output.hpp"

namespace hob::cmd {

class unit_prefix {
public:
    explicit unit_prefix(const terminal& out) : out_(out) {}

    void add(std::string_view unit);  // before its first line, so that the names are aligned from the start
    // "web  | "
    std::string of(std::string_view unit);

private:
    struct name {
        std::string unit;
        std::string shown;  // at most name_columns wide
    };

    std::size_t index_of(std::string_view unit);

    terminal out_;
    std::vector<name> names_;
    int width_ = 0;
};

}  // namespace hob::cmd
