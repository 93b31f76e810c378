#include "unit/ports/taken_port.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "unit/ports/port_owner.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t lines_around = 5;  // of the report, where the port may stand
constexpr std::size_t candidates_max = 8;

std::string lower(std::string_view text) {
    std::string lowered(text);
    for (char& c : lowered)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return lowered;
}

bool contains(std::string_view text, std::string_view word) {
    return text.find(word) != std::string_view::npos;
}

bool reports_use(std::string_view line) {
    if (contains(line, "eaddrinuse") || contains(line, "port is already allocated")) return true;
    if (!contains(line, "in use")) return false;
    constexpr std::string_view subjects[] = {"address", "port", "bind", "connection", "listen", "socket"};
    return std::any_of(std::begin(subjects), std::end(subjects),
                       [&](std::string_view subject) { return contains(line, subject); });
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

enum class place : std::uint8_t { none, after_separator, after_port };

// What stands before the number at `at`: "port 80", "port: 80", "port=80"; or ":80", "', 80".
place place_of(std::string_view line, std::size_t at) {
    std::string_view before = line.substr(0, at);
    while (!before.empty() && contains(" :=#'\"", before.substr(before.size() - 1)))
        before.remove_suffix(1);
    if (before.ends_with("port")) return place::after_port;
    const char last = at > 0 ? line[at - 1] : ' ';
    if (last == ' ' && at > 1 && line[at - 2] == ',') return place::after_separator;
    return last == ':' ? place::after_separator : place::none;
}

// "34" and "56" in "12:34:56"; "1" in "::1:80" and "[::1]:80"
bool is_part_of_a_time_or_an_address(std::string_view line, std::size_t at, std::size_t end) {
    const std::string_view after = line.substr(end);
    if (after.starts_with("]:") || (after.size() > 1 && after[0] == ':' && is_digit(after[1]))) return true;
    if (end - at != 2) return false;
    if (at < 3 || line[at - 1] != ':' || !is_digit(line[at - 2]) || !is_digit(line[at - 3])) return false;
    return at < 4 || !(is_digit(line[at - 4]) || line[at - 4] == '.');
}

void add_ports(std::string_view line, place wanted, std::vector<std::uint16_t>& ports) {
    for (std::size_t at = 0; at < line.size(); ++at) {
        if (!is_digit(line[at])) continue;
        std::size_t end = at;
        while (end < line.size() && is_digit(line[end]))
            ++end;
        std::uint16_t port = 0;
        const auto parsed = std::from_chars(line.data() + at, line.data() + end, port);
        const bool found = parsed.ec == std::errc{} && port > 0 && place_of(line, at) == wanted &&
                           !is_part_of_a_time_or_an_address(line, at, end);
        if (found && std::find(ports.begin(), ports.end(), port) == ports.end()) ports.push_back(port);
        at = end;
    }
}

}  // namespace

std::optional<std::vector<std::uint16_t>> ports_reported_in_use(const std::vector<std::string>& lines) {
    std::vector<std::string> lowered;
    std::vector<std::size_t> reports;
    for (const auto& line : lines) {
        lowered.push_back(lower(line));
        if (reports_use(lowered.back())) reports.push_back(lowered.size() - 1);
    }
    if (reports.empty()) return std::nullopt;
    std::vector<std::uint16_t> ports;
    for (const place wanted : {place::after_port, place::after_separator}) {
        for (const auto report : reports)
            add_ports(lowered[report], wanted, ports);
    }
    for (const auto report : reports) {
        const std::size_t from = report - std::min(report, lines_around);
        const std::size_t to = std::min(report + lines_around + 1, lowered.size());
        for (std::size_t at = from; at < to; ++at)
            add_ports(lowered[at], place::after_port, ports);
    }
    ports.resize(std::min(ports.size(), candidates_max));
    return ports;
}

std::optional<port_user> find_port_user(const std::vector<std::string>& lines, std::uint16_t expected,
                                        const std::function<bool(pid_t)>& belongs) {
    auto ports = ports_reported_in_use(lines);
    if (!ports) return std::nullopt;
    if (expected > 0) ports->push_back(expected);
    for (const auto port : *ports) {
        port_user user;
        if (owner_of_bound_port(port, belongs, user) == port_owner::foreign) return user;
    }
    return std::nullopt;
}

}  // namespace hob::unit
