#pragma once
// What readers ask about this machine.

#include "cmd/formats/draft.hpp"

namespace hob::cmd {

import_environment this_machine();

}  // namespace hob::cmd
