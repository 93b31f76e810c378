#include "util/duration.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>

namespace hob::util {
namespace {

using std::chrono::milliseconds;

struct unit_row {
    std::string_view name;
    std::int64_t factor;
};

// From large to small: the parts of a compound duration must follow this order.
constexpr std::array duration_units{unit_row{"d", 86'400'000}, unit_row{"h", 3'600'000},
                                    unit_row{"m", 60'000}, unit_row{"s", 1000}, unit_row{"ms", 1}};

constexpr std::array size_units{
    unit_row{"B", 1},           unit_row{"KiB", 1LL << 10},    unit_row{"MiB", 1LL << 20},
    unit_row{"GiB", 1LL << 30}, unit_row{"TiB", 1LL << 40},    unit_row{"KB", 1000},
    unit_row{"MB", 1'000'000},  unit_row{"GB", 1'000'000'000}, unit_row{"TB", 1'000'000'000'000}};

constexpr std::int64_t longest = 36'500LL * 86'400'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view take_while_digits(std::string_view& text) {
    std::size_t n = 0;
    while (n < text.size() && is_digit(text[n]))
        ++n;
    const std::string_view digits = text.substr(0, n);
    text.remove_prefix(n);
    return digits;
}

std::string_view take_letters(std::string_view& text) {
    std::size_t n = 0;
    while (n < text.size() && text[n] >= 'a' && text[n] <= 'z')
        ++n;
    const std::string_view letters = text.substr(0, n);
    text.remove_prefix(n);
    return letters;
}

std::optional<std::int64_t> to_number(std::string_view digits) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return value;
}

// WHOLE.FRACTION × factor. nullopt: too large, or not a whole number.
std::optional<std::int64_t> scaled(std::string_view whole, std::string_view fraction, std::int64_t factor) {
    const auto number = to_number(whole);
    if (!number || *number > longest / factor) return std::nullopt;
    while (fraction.ends_with('0'))
        fraction.remove_suffix(1);
    if (fraction.empty()) return *number * factor;
    if (fraction.size() > 9) return std::nullopt;  // no factor makes more digits a whole number
    std::int64_t power = 1;
    for (std::size_t i = 0; i < fraction.size(); ++i)
        power *= 10;
    const std::int64_t share = *to_number(fraction) * factor;
    if (share % power != 0) return std::nullopt;
    return *number * factor + share / power;
}

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
    if (text == "0") return milliseconds(0);
    std::int64_t total = 0;
    std::size_t next_unit = 0;
    if (text.empty()) return std::nullopt;
    while (!text.empty()) {
        const std::string_view whole = take_while_digits(text);
        std::string_view fraction;
        if (text.starts_with('.')) {
            text.remove_prefix(1);
            fraction = take_while_digits(text);
            if (fraction.empty()) return std::nullopt;
        }
        const std::string_view name = take_letters(text);
        while (next_unit < duration_units.size() && duration_units[next_unit].name != name)
            ++next_unit;
        if (next_unit == duration_units.size()) return std::nullopt;
        const auto part = scaled(whole, fraction, duration_units[next_unit].factor);
        ++next_unit;
        if (!part || *part > longest - total) return std::nullopt;
        total += *part;
    }
    return milliseconds(total);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    const auto number = to_number(take_while_digits(text));
    if (!number) return std::nullopt;
    for (const auto& unit : size_units) {
        if (unit.name != text) continue;
        if (*number > std::numeric_limits<std::int64_t>::max() / unit.factor) return std::nullopt;
        return static_cast<std::uint64_t>(*number * unit.factor);
    }
    return std::nullopt;
}

std::string format_duration(milliseconds duration) {
    if (duration < milliseconds(0)) {
        const bool lowest = duration == milliseconds::min();  // has no positive counterpart
        return "-" + format_duration(lowest ? milliseconds::max() : -duration);
    }
    const std::int64_t ms = duration.count();
    if (ms < 1000) return fmt::format("{}ms", ms);
    if (ms < 60'000) {
        const std::int64_t tenths = ms / 100 % 10;
        return tenths == 0 ? fmt::format("{}s", ms / 1000) : fmt::format("{}.{}s", ms / 1000, tenths);
    }
    for (std::size_t i = 0; i + 1 < duration_units.size(); ++i) {
        const auto& [name, factor] = duration_units[i];
        if (ms < factor) continue;
        const auto& [small_name, small_factor] = duration_units[i + 1];
        const std::int64_t rest = ms % factor / small_factor;
        return rest == 0 ? fmt::format("{}{}", ms / factor, name)
                         : fmt::format("{}{}{}{}", ms / factor, name, rest, small_name);
    }
    return "0ms";
}

std::string format_size(std::uint64_t bytes) {
    constexpr std::array names{"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    std::uint64_t factor = 1;
    while (unit + 1 < names.size() && bytes / factor >= 1024) {
        ++unit;
        factor *= 1024;
    }
    const std::uint64_t tenths = bytes % factor * 10 / factor;
    return tenths == 0 ? fmt::format("{}{}", bytes / factor, names[unit])
                       : fmt::format("{}.{}{}", bytes / factor, tenths, names[unit]);
}

}  // namespace hob::util
