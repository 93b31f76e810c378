#pragma once
// A word of a language server as text, for another program that goes on with it.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "unit/protocol/lsp/word.hpp"

namespace hob::unit {

// nullopt: it cannot be told exactly.
std::optional<std::string> state_of(const lsp_word& word);
std::optional<lsp_word> parse_lsp_word(const std::string& state);

// The steady clock is the same in every program until the machine starts again.
inline std::int64_t ticks_of(lsp_word::clock::time_point when) { return when.time_since_epoch().count(); }
inline lsp_word::clock::time_point time_of_ticks(std::int64_t ticks) {
    return lsp_word::clock::time_point(lsp_word::clock::duration(ticks));
}

}  // namespace hob::unit
