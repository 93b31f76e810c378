#pragma once
// What a language server announces in the `capabilities` of its answer to `initialize`, raw.

#include <string_view>

namespace hob::unit {

bool announces(std::string_view capabilities, std::string_view name);

// Whether it wants to be told about documents that are opened.
bool takes_documents(std::string_view capabilities);

}  // namespace hob::unit
