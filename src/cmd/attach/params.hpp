#pragma once
// The params of the methods of `hob attach`.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "unit/process/pseudo_terminal.hpp"

namespace hob::cmd {

struct attach_params {
    std::string unit;
    // Of a service.
    bool typed = false;
    bool recent = false;
    std::optional<unit::terminal_size> size{};
};

struct attached_input {
    std::uint64_t attachment = 0;
    std::string data;  // from `data` or `data_b64`
    bool end = false;
};

struct attached_size {
    std::uint64_t attachment = 0;
    unit::terminal_size size;
};

// Each throws failure(usage).
attach_params parse_attach(std::string_view params);
attached_input parse_attached_input(std::string_view params);
attached_size parse_attached_size(std::string_view params);

}  // namespace hob::cmd
