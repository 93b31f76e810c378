#pragma once

#include <string_view>

namespace hob::cmd {

// The text that `hob init` writes. It is valid as it is, and with every commented line uncommented.
extern const std::string_view init_template;

}  // namespace hob::cmd
