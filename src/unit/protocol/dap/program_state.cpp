#include "unit/protocol/dap/program_state.hpp"

#include <fmt/format.h>

namespace hob::unit {
namespace {

std::string_view name_of(program_state::phase phase) {
    switch (phase) {
        case program_state::phase::unknown:
            return "";
        case program_state::phase::running:
            return "running";
        case program_state::phase::paused:
            return "paused";
        case program_state::phase::exited:
            return "exited";
        case program_state::phase::terminated:
            return "terminated";
    }
    return "";
}

}  // namespace

std::string program_state::text() const {
    std::string text(name_of(is));
    if (is == phase::paused && !reason.empty()) text += ": " + reason;
    if (is == phase::exited && status) text += fmt::format(" with status {}", *status);
    return text;
}

}  // namespace hob::unit
