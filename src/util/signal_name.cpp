#include "util/signal_name.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <csignal>

#include "util/suggest.hpp"

namespace hob::util {
namespace {

struct signal_row {
    std::string_view name;
    int number;
    bool ends;  // its default action ends the process
};

constexpr std::array rows{
    signal_row{"TERM", SIGTERM, true},
    signal_row{"INT", SIGINT, true},
    signal_row{"HUP", SIGHUP, true},
    signal_row{"QUIT", SIGQUIT, true},
    signal_row{"KILL", SIGKILL, true},
    signal_row{"USR1", SIGUSR1, true},
    signal_row{"USR2", SIGUSR2, true},
    signal_row{"ABRT", SIGABRT, true},
    signal_row{"ALRM", SIGALRM, true},
    signal_row{"PIPE", SIGPIPE, true},
    signal_row{"ILL", SIGILL, true},
    signal_row{"TRAP", SIGTRAP, true},
    signal_row{"BUS", SIGBUS, true},
    signal_row{"FPE", SIGFPE, true},
    signal_row{"SEGV", SIGSEGV, true},
    signal_row{"STKFLT", SIGSTKFLT, true},
    signal_row{"XCPU", SIGXCPU, true},
    signal_row{"XFSZ", SIGXFSZ, true},
    signal_row{"VTALRM", SIGVTALRM, true},
    signal_row{"PROF", SIGPROF, true},
    signal_row{"IO", SIGIO, true},
    signal_row{"PWR", SIGPWR, true},
    signal_row{"SYS", SIGSYS, true},
    // Ignored by default, but some servers take it as a request to shut down.
    signal_row{"WINCH", SIGWINCH, true},
    signal_row{"CHLD", SIGCHLD, false},
    signal_row{"CONT", SIGCONT, false},
    signal_row{"STOP", SIGSTOP, false},
    signal_row{"TSTP", SIGTSTP, false},
    signal_row{"TTIN", SIGTTIN, false},
    signal_row{"TTOU", SIGTTOU, false},
    signal_row{"URG", SIGURG, false},
};

std::optional<int> real_time(std::string_view name) {
    if (name == "RTMIN") return SIGRTMIN;
    if (name == "RTMAX") return SIGRTMAX;
    const bool from_below = name.starts_with("RTMIN+");
    if (!from_below && !name.starts_with("RTMAX-")) return std::nullopt;
    const std::string_view digits = name.substr(6);
    int offset = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), offset);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    if (offset < 0 || offset > SIGRTMAX - SIGRTMIN) return std::nullopt;
    return from_below ? SIGRTMIN + offset : SIGRTMAX - offset;
}

}  // namespace

std::optional<int> parse_signal(std::string_view name, signal_error& error) {
    const std::string_view bare = name.starts_with("SIG") ? name.substr(3) : name;
    if (const auto number = real_time(bare)) return number;
    std::array<std::string_view, rows.size()> names{};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        names[i] = rows[i].name;
        if (rows[i].name != bare) continue;
        if (rows[i].ends) return rows[i].number;
        error = {fmt::format("cannot be '{}': it does not end a process", name), "TERM is the usual one"};
        return std::nullopt;
    }
    const bool prefixed =
        bare.size() > 3 && (bare[0] | 0x20) == 's' && (bare[1] | 0x20) == 'i' && (bare[2] | 0x20) == 'g';
    const auto near = util::nearest(prefixed ? bare.substr(3) : bare, names);
    error = {fmt::format("names no signal: '{}'", name),
             near ? fmt::format("did you mean '{}'?", *near) : ""};
    return std::nullopt;
}

std::optional<int> parse_any_signal(std::string_view name, signal_error& error) {
    int number = 0;
    const auto [end, fault] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (fault == std::errc{} && end == name.data() + name.size() && number > 0 && number <= SIGRTMAX)
        return number;
    const std::string_view bare = name.starts_with("SIG") ? name.substr(3) : name;
    for (const auto& row : rows) {
        if (row.name == bare) return row.number;
    }
    return parse_signal(name, error);
}

std::string signal_name(int number) {
    for (const auto& row : rows) {
        if (row.number == number) return std::string(row.name);
    }
    if (number == SIGRTMIN) return "RTMIN";
    if (number > SIGRTMIN && number <= SIGRTMAX) return fmt::format("RTMIN+{}", number - SIGRTMIN);
    return std::to_string(number);
}

}  // namespace hob::util
