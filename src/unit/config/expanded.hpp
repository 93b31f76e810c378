#pragma once
// The references to variables outside of variables: in `ready` and `connect`.

#include <memory>
#include <string>
#include <vector>

#include "unit/spec/spec.hpp"

namespace hob::unit {

// The definition with the references in `ready` or `connect` expanded; the same one if it has none.
// `environment`: K=V, of the process that is to be started. Throws failure(unit_failed, "cannot start
// '<unit>': …") for a name that is not set, and for a result that is no address, URL or absolute path.
std::shared_ptr<const unit_spec> expanded(std::shared_ptr<const unit_spec> spec,
                                          const std::vector<std::string>& environment);

}  // namespace hob::unit
