#include "unit/spec/cron.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <span>
#include <vector>

#include "util/suggest.hpp"

namespace hob::unit {
namespace {

constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> weekday_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct field_rule {
    std::string_view title;
    int lowest;
    int highest;
    std::span<const std::string_view> names = {};  // the first means `lowest`
    bool of_week = false;                          // 0 and 7 are the same day
};

constexpr std::array<field_rule, 5> rules{{
    {"minute", 0, 59},
    {"hour", 0, 23},
    {"day of the month", 1, 31},
    {"month", 1, 12, month_names},
    {"day of the week", 0, 7, weekday_names, true},
}};

struct nickname {
    std::string_view word;
    std::string_view fields;
};
constexpr std::array<nickname, 7> nicknames{{
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
    {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
}};

// Ends the parsing of the expression; caught in parse_cron.
struct bad_field {
    cron_error error;
};

[[noreturn]] void fail(std::string reason, std::string hint = {}) {
    throw bad_field{{std::move(reason), std::move(hint)}};
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators, bool keep_empty) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t end = text.find_first_of(separators);
        if (keep_empty || end != 0) {
            if (keep_empty || !text.empty()) parts.push_back(text.substr(0, end));
        }
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return result;
}

std::optional<int> number(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || text.front() == '-' || error != std::errc{} || end != text.data() + text.size())
        return {};
    return value;
}

int value_of(std::string_view text, const field_rule& rule) {
    if (const auto value = number(text)) {
        if (*value < rule.lowest || *value > rule.highest) {
            fail(fmt::format("the {} must be from {} to {}, not {}", rule.title, rule.lowest, rule.highest,
                             text));
        }
        return *value;
    }
    const std::string name = lower(text);
    for (std::size_t i = 0; i < rule.names.size(); ++i) {
        if (rule.names[i] == name) return rule.lowest + static_cast<int>(i);
    }
    const auto near = util::nearest(text, rule.names);
    fail(fmt::format("'{}' is no {}", text, rule.title),
         near ? fmt::format("did you mean '{}'?", *near) : "");
}

// The step of `*/STEP` or `N-M/STEP`; `slash`: where its `/` is.
int step_of(std::string_view item, std::size_t slash, const field_rule& rule) {
    if (slash == std::string_view::npos) return 1;
    const auto step = number(item.substr(slash + 1));
    if (!step || *step < 1 || *step > rule.highest) {
        fail(fmt::format("the step of the {} must be from 1 to {}, not '{}'", rule.title, rule.highest,
                         item.substr(slash + 1)));
    }
    return *step;
}

// One item of a list: `*`, `N` or `N-M`; `*` and `N-M` may have a `/STEP`.
std::uint64_t item_bits(std::string_view item, const field_rule& rule) {
    const std::size_t slash = item.find('/');
    const std::string_view range = item.substr(0, slash);
    const int step = step_of(item, slash, rule);
    int first = rule.lowest;
    int last = rule.of_week ? 6 : rule.highest;
    if (range != "*") {
        const std::size_t dash = range.find('-');
        first = last = value_of(range.substr(0, dash), rule);
        if (dash != std::string_view::npos) {
            last = value_of(range.substr(dash + 1), rule);
            // "fri-sun" ends on Sunday as the seventh day.
            if (rule.of_week && last == 0 && first > 0) last = 7;
        } else if (slash != std::string_view::npos) {
            fail(fmt::format("the step of the {} needs a range or '*', not '{}'", rule.title, range),
                 fmt::format("did you mean '{}-{}/{}'?", range, rule.highest, step));
        }
    }
    if (first > last) fail(fmt::format("the range '{}' of the {} runs backward", range, rule.title));
    std::uint64_t bits = 0;
    for (int value = first; value <= last; value += step)
        bits |= std::uint64_t{1} << value;
    return bits;
}

std::uint64_t field_bits(std::string_view field, const field_rule& rule) {
    std::uint64_t bits = 0;
    for (const std::string_view item : split(field, ",", true)) {
        if (item.empty()) fail(fmt::format("the {} '{}' has an empty item", rule.title, field));
        bits |= item_bits(item, rule);
    }
    return bits;
}

// False for dates such as 30 February.
bool day_comes(const cron_spec& spec) {
    constexpr std::array<int, 13> longest{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (!spec.any_day && !spec.any_weekday) return true;  // a day of the week comes every week
    for (std::size_t month = 1; month <= 12; ++month) {
        if ((spec.months >> month & 1) == 0) continue;
        for (int day = 1; day <= longest[month]; ++day) {
            if ((spec.days >> day & 1) != 0) return true;
        }
    }
    return false;
}

std::string_view without_nickname(std::string_view text) {
    if (!text.starts_with('@')) return text;
    const std::string word = lower(text);
    std::array<std::string_view, nicknames.size()> words{};
    for (std::size_t i = 0; i < nicknames.size(); ++i) {
        if (nicknames[i].word == word) return nicknames[i].fields;
        words[i] = nicknames[i].word;
    }
    if (word == "@reboot") fail("'@reboot' is no time", "on_start = true runs a task when the daemon starts");
    const auto near = util::nearest(text, words);
    fail(fmt::format("'{}' is no time", text),
         near ? fmt::format("did you mean '{}'?", *near) : "one of @yearly @monthly @weekly @daily @hourly");
}

cron_spec parse(std::string_view text) {
    const auto fields = split(without_nickname(text), " \t", false);
    if (fields.size() != rules.size()) {
        fail(fmt::format("has {} field{}, not five", fields.size(), fields.size() == 1 ? "" : "s"),
             "minute, hour, day of the month, month, day of the week: \"*/5 * * * *\"");
    }
    cron_spec spec;
    spec.text = text;
    spec.minutes = field_bits(fields[0], rules[0]);
    spec.hours = static_cast<std::uint32_t>(field_bits(fields[1], rules[1]));
    spec.days = static_cast<std::uint32_t>(field_bits(fields[2], rules[2]));
    spec.months = static_cast<std::uint16_t>(field_bits(fields[3], rules[3]));
    const std::uint64_t weekdays = field_bits(fields[4], rules[4]);
    spec.weekdays = static_cast<std::uint8_t>((weekdays | weekdays >> 7) & 0x7F);
    spec.any_hour = fields[1].starts_with('*');
    spec.any_day = fields[2].starts_with('*');
    spec.any_weekday = fields[4].starts_with('*');
    if (!day_comes(spec)) fail("names a day that never comes");
    return spec;
}

}  // namespace

std::optional<cron_spec> parse_cron(std::string_view text, cron_error& error) {
    try {
        return parse(text);
    } catch (const bad_field& bad) {
        error = bad.error;
        return std::nullopt;
    }
}

}  // namespace hob::unit
