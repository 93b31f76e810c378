#pragma once
// What the debugged program is doing, as the adapter reports it.

#include <cstdint>
#include <optional>
#include <string>

namespace hob::unit {

struct program_state {
    enum class phase { unknown, running, paused, exited, terminated };

    phase is = phase::unknown;
    std::string reason{};                  // of paused: "breakpoint"; may be empty
    std::optional<std::int64_t> status{};  // of exited

    bool over() const { return is == phase::exited || is == phase::terminated; }
    // "paused: breakpoint", "exited with status 1"; unknown is empty.
    std::string text() const;
};

}  // namespace hob::unit
