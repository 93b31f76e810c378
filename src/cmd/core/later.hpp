#pragma once
// Verbs whose kind of unit this version reads in hob.toml but does not run yet. They say so.

#include <optional>
#include <string_view>

#include "error.hpp"
#include "exit_code.hpp"

namespace hob::cmd {

struct refusal {
    failure why;
    exit_code exit;
};

std::optional<refusal> refuse_later_verb(std::string_view verb);

}  // namespace hob::cmd
