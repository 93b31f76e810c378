#pragma once
// The first request to a debug adapter.

#include <string>

#include "unit/spec/spec.hpp"

namespace hob::unit {

// The arguments of `initialize`, raw.
std::string dap_initialize_params(const unit_spec& unit);

}  // namespace hob::unit
