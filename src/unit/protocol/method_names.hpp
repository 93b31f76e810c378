#pragma once
// Methods that were mistyped.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "error.hpp"

namespace hob::unit {

// The method of `methods` that was probably meant by `word`, which may leave out the part before the slash:
// "textDocument/hover" for "hovr". nullopt: none, or `word` is a method itself.
std::optional<std::string_view> method_like(std::string_view word, std::span<const std::string_view> methods);

// The failure of a request of `method` with a hint at the method that was probably meant.
failure with_method_hint(const failure& why, const std::string& method,
                         std::span<const std::string_view> methods);

}  // namespace hob::unit
