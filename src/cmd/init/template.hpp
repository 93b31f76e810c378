#pragma once

#include <string_view>

namespace hob::cmd {

// What `hob init` writes: valid as it is, and with every commented line uncommented, too.
extern const std::string_view init_template;

}  // namespace hob::cmd
