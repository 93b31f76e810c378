#pragma once
// Signals by name, as far as they can end a process.

#include <optional>
#include <string>
#include <string_view>

namespace hob::util {

struct signal_error {
    std::string reason;
    std::string hint;  // or empty
};

// "TERM", "SIGTERM", "RTMIN+3". nullopt, and `error` filled in: unknown, or one that stops, continues or does
// nothing.
std::optional<int> parse_signal(std::string_view name, signal_error& error);

// "TERM" for SIGTERM; "RTMIN+3"; the number where there is no name.
std::string signal_name(int number);

}  // namespace hob::util
