#include "util/time_zone/zone_rule.hpp"

#include <algorithm>
#include <chrono>

namespace hob::util {
namespace {

using std::chrono::days;

constexpr std::int64_t seconds_per_day = 86400;
constexpr std::string_view american_rule = ",M3.2.0,M11.1.0";  // of a string that names summer time alone

bool is_leap(int year) { return std::chrono::year(year).is_leap(); }

std::int64_t first_day_of(int year) {
    const std::chrono::sys_days date = std::chrono::year(year) / 1 / 1;
    return date.time_since_epoch().count();
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::int64_t zone_rule::day_rule::local_seconds(int year) const {
    std::int64_t date = 0;
    if (kind == form::weekday_of_month) {
        const std::chrono::sys_days first = std::chrono::year(year) / month / 1;
        const int weekday = static_cast<int>(std::chrono::weekday(first).c_encoding());
        const auto next = std::chrono::year_month(std::chrono::year(year),
                                                  std::chrono::month(static_cast<unsigned>(month))) +
                          std::chrono::months(1);
        const std::int64_t month_end = std::chrono::sys_days(next / 1).time_since_epoch().count();
        date = first.time_since_epoch().count() + (day - weekday + 7) % 7 + std::int64_t{week - 1} * 7;
        if (date >= month_end) date -= 7;
    } else {
        const bool after_leap_day = kind == form::day_without_leap && is_leap(year) && day >= 60;
        date = first_day_of(year) + day - (kind == form::day_without_leap ? 1 : 0) + (after_leap_day ? 1 : 0);
    }
    return date * seconds_per_day + seconds;
}

// Reads parts off the front of the text. After one failure all later reads fail.
class rule_parser {
public:
    explicit rule_parser(std::string_view text) : rest_(text) {}

    std::optional<zone_rule> read() {
        zone_rule rule;
        name();
        rule.standard_ = -time();
        if (good_ && !rest_.empty()) {
            rule.has_summer_ = true;
            name();
            rule.summer_ = !rest_.empty() && rest_.front() != ',' ? -time() : rule.standard_ + 3600;
            if (rest_.empty()) rest_ = american_rule;
            rule.begin_ = day();
            rule.end_ = day();
        }
        if (!good_ || !rest_.empty()) return std::nullopt;
        return rule;
    }

private:
    void fail() {
        good_ = false;
        rest_ = {};
    }

    bool take(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }

    void name() {
        const bool quoted = take('<');
        const auto end = quoted ? rest_.find('>') : rest_.find_first_of("0123456789+-,");
        if (end == 0 || (quoted && end == std::string_view::npos)) return fail();
        rest_.remove_prefix(std::min(end, rest_.size()));
        if (quoted) rest_.remove_prefix(1);
    }

    int number(int least, int most) {
        int value = 0;
        std::size_t length = 0;
        for (; length < rest_.size() && length < 3 && is_digit(rest_[length]); ++length)
            value = value * 10 + (rest_[length] - '0');
        if (length == 0 || value < least || value > most) {
            fail();
            return least;
        }
        rest_.remove_prefix(length);
        return value;
    }

    // [+-]HH[:MM[:SS]] in seconds
    int time() {
        const bool negative = take('-');
        if (!negative) take('+');
        int seconds = number(0, 167) * 3600;
        if (take(':')) seconds += number(0, 59) * 60;
        if (take(':')) seconds += number(0, 59);
        return negative ? -seconds : seconds;
    }

    zone_rule::day_rule day() {
        using form = zone_rule::day_rule::form;
        zone_rule::day_rule rule;
        if (!take(',')) fail();
        if (take('M')) {
            rule.kind = form::weekday_of_month;
            rule.month = number(1, 12);
            if (!take('.')) fail();
            rule.week = number(1, 5);
            if (!take('.')) fail();
            rule.day = number(0, 6);
        } else if (take('J')) {
            rule.kind = form::day_without_leap;
            rule.day = number(1, 365);
        } else {
            rule.day = number(0, 365);
        }
        if (take('/')) rule.seconds = time();
        return rule;
    }

    std::string_view rest_;
    bool good_ = true;
};

std::optional<zone_rule> zone_rule::parse(std::string_view text) { return rule_parser(text).read(); }

std::int64_t zone_rule::offset_at(std::int64_t utc_seconds) const {
    if (!has_summer_) return standard_;
    const std::chrono::sys_days date(std::chrono::floor<days>(std::chrono::seconds(utc_seconds + standard_)));
    const int year = static_cast<int>(std::chrono::year_month_day(date).year());
    const std::int64_t begin = begin_.local_seconds(year) - standard_;
    const std::int64_t end = end_.local_seconds(year) - summer_;
    const bool inside =
        begin < end ? utc_seconds >= begin && utc_seconds < end : utc_seconds >= begin || utc_seconds < end;
    return inside ? summer_ : standard_;
}

}  // namespace hob::util
