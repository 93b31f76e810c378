#pragma once
// Signals by name: those that can end a process.

#include <optional>
#include <string>
#include <string_view>

namespace hob::util {

struct signal_error {
    std::string reason;
    std::string hint;  // or empty
};

// "TERM", "SIGTERM", "RTMIN+3". nullopt and `error`: an unknown signal, or one that stops or continues a
// process or is ignored by default.
std::optional<int> parse_signal(std::string_view name, signal_error& error);

// The same for any signal, also by its number: "9".
std::optional<int> parse_any_signal(std::string_view name, signal_error& error);

// "TERM" for SIGTERM; "RTMIN+3"; the number for a signal without a name.
std::string signal_name(int number);

}  // namespace hob::util
