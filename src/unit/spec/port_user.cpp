#include "unit/spec/port_user.hpp"

#include <fmt/format.h>

namespace hob::unit {

std::string port_user::text() const {
    return pid == 0 ? "another user's program" : fmt::format("pid {} ({})", pid, name);
}

}  // namespace hob::unit
