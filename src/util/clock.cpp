#include "util/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace hob::util {
namespace {

using std::chrono::system_clock;
using namespace std::chrono_literals;

constexpr std::int64_t first_second = -62167219200;  // 0000-01-01T00:00:00Z
constexpr std::int64_t last_second = 253402300799;   // 9999-12-31T23:59:59Z
// Zones differ from UTC by at most a day: within this margin the local year has four digits as well.
constexpr std::int64_t zone_margin = 2 * 86400;

std::string zone_text(long offset_seconds) {
    if (offset_seconds == 0) return "Z";
    const char sign = offset_seconds < 0 ? '-' : '+';
    const long minutes = std::abs(offset_seconds) / 60;
    return fmt::format("{}{:02}:{:02}", sign, minutes / 60, minutes % 60);
}

// The texts before and after the milliseconds, composed anew when the second changes.
struct second_text {
    std::int64_t second = INT64_MIN;
    std::string date_time;
    std::string zone;

    void set(std::int64_t to) {
        if (second == to) return;
        const std::time_t time = to;
        std::tm local{};
        if (::localtime_r(&time, &local) == nullptr) return;
        date_time = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", local.tm_year + 1900, local.tm_mon + 1,
                                local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
        zone = zone_text(local.tm_gmtoff);
        second = to;
    }
};

// Reads fixed-width fields off the front of a text. After one failure all later reads fail.
class scanner {
public:
    explicit scanner(std::string_view text) : rest_(text) {}

    int digits(std::size_t count) {
        int value = 0;
        if (rest_.size() < count) return fail();
        for (std::size_t i = 0; i < count; ++i) {
            if (!is_digit(rest_[i])) return fail();
            value = value * 10 + (rest_[i] - '0');
        }
        rest_.remove_prefix(count);
        return value;
    }
    // One of `allowed`, or failure; returns it.
    char one_of(std::string_view allowed) {
        if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos)
            return static_cast<char>(fail());
        const char found = rest_.front();
        rest_.remove_prefix(1);
        return found;
    }
    std::chrono::microseconds fraction() {
        if (rest_.empty() || rest_.front() != '.') return 0us;
        rest_.remove_prefix(1);
        std::int64_t micros = 0;
        std::size_t count = 0;
        for (; !rest_.empty() && is_digit(rest_.front()); rest_.remove_prefix(1), ++count) {
            if (count < 6) micros = micros * 10 + (rest_.front() - '0');
        }
        if (count == 0) fail();
        for (; count < 6; ++count)
            micros *= 10;
        return std::chrono::microseconds(micros);
    }
    bool done() const { return good_ && rest_.empty(); }

private:
    static bool is_digit(char c) { return c >= '0' && c <= '9'; }
    int fail() {
        good_ = false;
        rest_ = {};
        return 0;
    }

    std::string_view rest_;
    bool good_ = true;
};

bool in_range(const civil_time& civil) {
    const std::chrono::year_month_day date(std::chrono::year(civil.year),
                                           std::chrono::month(static_cast<unsigned>(civil.month)),
                                           std::chrono::day(static_cast<unsigned>(civil.day)));
    return civil.year >= 0 && civil.year <= 9999 && civil.month >= 1 && civil.day >= 1 && date.ok() &&
           civil.hour >= 0 && civil.hour <= 23 && civil.minute >= 0 && civil.minute <= 59 &&
           civil.second >= 0 && civil.second <= 60;
}

}  // namespace

std::string rfc3339(system_clock::time_point time) {
    thread_local second_text text;
    const auto millis = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(millis);
    text.set(
        std::clamp<std::int64_t>(seconds.count(), first_second + zone_margin, last_second - zone_margin));
    const auto part = static_cast<int>((millis - seconds).count());
    std::string result;
    result.reserve(text.date_time.size() + 4 + text.zone.size());
    result.append(text.date_time);
    const char digits[] = {'.', static_cast<char>('0' + part / 100), static_cast<char>('0' + part / 10 % 10),
                           static_cast<char>('0' + part % 10)};
    result.append(digits, sizeof digits).append(text.zone);
    return result;
}

std::optional<system_clock::time_point> parse_rfc3339(std::string_view text) {
    scanner scan(text);
    civil_time civil;
    civil.year = scan.digits(4);
    scan.one_of("-");
    civil.month = scan.digits(2);
    scan.one_of("-");
    civil.day = scan.digits(2);
    scan.one_of("Tt ");
    civil.hour = scan.digits(2);
    scan.one_of(":");
    civil.minute = scan.digits(2);
    scan.one_of(":");
    civil.second = scan.digits(2);
    const auto fraction = scan.fraction();
    std::chrono::minutes offset{0};
    const char zone = scan.one_of("Zz+-");
    if (zone == '+' || zone == '-') {
        const int hours = scan.digits(2);
        scan.one_of(":");
        const int minutes = scan.digits(2);
        if (hours > 23 || minutes > 59) return std::nullopt;
        offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
        if (zone == '-') offset = -offset;
    }
    if (!scan.done() || !in_range(civil)) return std::nullopt;
    const std::chrono::sys_days day =
        std::chrono::year(civil.year) / civil.month / static_cast<unsigned>(civil.day);
    // system_clock counts nanoseconds, which end in 2262: a year beyond would wrap.
    const auto since_epoch = day.time_since_epoch() + std::chrono::hours(civil.hour) +
                             std::chrono::minutes(civil.minute) +
                             std::chrono::seconds(std::min(civil.second, 59)) - offset;
    constexpr auto limit = std::chrono::floor<std::chrono::hours>(system_clock::duration::max());
    if (std::chrono::abs(since_epoch) >= std::chrono::seconds(limit)) return std::nullopt;
    return system_clock::time_point(since_epoch + fraction);
}

std::optional<system_clock::time_point> from_local(const civil_time& civil) {
    if (!in_range(civil)) return std::nullopt;
    std::tm local{};
    local.tm_year = civil.year - 1900;
    local.tm_mon = civil.month - 1;
    local.tm_mday = civil.day;
    local.tm_hour = civil.hour;
    local.tm_min = civil.minute;
    local.tm_sec = std::min(civil.second, 59);
    local.tm_isdst = 1;  // of a time that occurs twice, the first is in daylight saving time
    std::tm first = local;
    std::time_t time = ::mktime(&first);
    if (first.tm_isdst != 1) {
        local.tm_isdst = -1;
        time = ::mktime(&local);
    }
    constexpr std::time_t limit =
        std::chrono::floor<std::chrono::seconds>(system_clock::duration::max()).count();
    if (time > limit - 1 || time < -limit + 1) return std::nullopt;
    return system_clock::from_time_t(time);
}

civil_time to_local(system_clock::time_point time) {
    const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
    std::tm local{};
    if (::localtime_r(&seconds, &local) == nullptr) return {};
    return {local.tm_year + 1900, local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec};
}

std::string with_local_times(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const auto end = std::min(text.find_first_of(" ;,()"), text.size());
        const std::string_view word = text.substr(0, end);
        const auto time = word.size() > 10 && word[10] == 'T' ? parse_rfc3339(word) : std::nullopt;
        if (time) {
            const std::string local = rfc3339(*time);
            result.append(local, 0, 10).append(" ").append(local, 11, 8);
        } else {
            result.append(word);
        }
        if (end < text.size()) result += text[end];
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return result;
}

}  // namespace hob::util
