#include "cmd/formats/systemd_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace hob::cmd {
namespace {

std::string escaped(const std::string& word, bool is_command) {
    std::string text;
    for (const char c : word) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            text += '\\';
            text += c;
        } else if (c == '\n') {
            text += "\\n";
        } else if (c == '\t') {
            text += "\\t";
        } else if (byte < 0x20 || byte == 0x7f) {
            text += fmt::format("\\x{:02x}", byte);
        } else {
            text += c;
            if (c == '%' || (c == '$' && is_command)) text += c;
        }
    }
    return text;
}

bool is_plain(const std::string& word) {
    return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("_./=:,+-").find(c) != std::string_view::npos;
    });
}

// "*", "0/5" or "1,3,8" for the bits from `first` to `last`.
std::string numbers(std::uint64_t bits, int first, int last, std::string_view form = "{:02}") {
    std::vector<int> set;
    for (int n = first; n <= last; ++n)
        if ((bits >> n & 1u) != 0) set.push_back(n);
    if (set.size() == static_cast<std::size_t>(last - first + 1)) return "*";
    std::string text;
    for (const int n : set)
        text += (text.empty() ? "" : ",") + fmt::format(fmt::runtime(form), n);
    return text;
}

std::string weekdays(std::uint8_t bits) {
    constexpr std::string_view names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    std::string text;
    for (const int day : {1, 2, 3, 4, 5, 6, 0})
        if ((bits >> day & 1) != 0) text.append(text.empty() ? "" : ",").append(names[day]);
    return text;
}

}  // namespace

std::string systemd_word(const std::string& word) { return '"' + escaped(word, false) + '"'; }

std::string systemd_command(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) {
        if (!text.empty()) text += ' ';
        text += is_plain(word) ? word : '"' + escaped(word, true) + '"';
    }
    return text;
}

std::optional<std::string> systemd_path(const std::string& path) {
    const bool unspeakable = path.find_first_of("\n\r") != std::string::npos || path.ends_with('\\') ||
                             path.ends_with(' ') || path.ends_with('\t');
    if (unspeakable) return std::nullopt;
    std::string text;
    for (const char c : path)
        text += c == '%' ? std::string("%%") : std::string(1, c);
    return text;
}

std::optional<std::string> systemd_file_pattern(const std::string& path) {
    std::string text;
    for (const char c : path) {
        if (std::string_view("*?[]{}\\").find(c) != std::string_view::npos) text += '\\';
        text += c;
    }
    return systemd_path(text);
}

std::vector<std::string> systemd_calendar(const unit::cron_spec& cron) {
    const std::string time =
        fmt::format("{}:{}:00", numbers(cron.hours, 0, 23), numbers(cron.minutes, 0, 59));
    const std::string months = numbers(cron.months, 1, 12);
    const std::string days = numbers(cron.days, 1, 31);
    const std::string week = cron.weekdays == 0x7f ? std::string() : weekdays(cron.weekdays) + " ";
    if (cron.any_day || cron.any_weekday) return {fmt::format("{}*-{}-{} {}", week, months, days, time)};
    // One of the two is enough.
    return {fmt::format("*-{}-{} {}", months, days, time), fmt::format("{}*-{}-* {}", week, months, time)};
}

}  // namespace hob::cmd
