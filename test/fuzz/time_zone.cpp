// A zone file, and the rule that stands at the end of one: whatever they hold, each time has an offset, the
// same one each time, and what a rule says comes again after 400 years.

#include "util/time_zone/time_zone.hpp"

#include <cstdint>
#include <set>

#include "fuzz/target.hpp"
#include "util/time_zone/zone_rule.hpp"

using namespace hob;
using test::claim;

namespace {

constexpr std::int64_t day = 86400;
constexpr std::int64_t first = -62135596800;           // the year 1
constexpr std::int64_t cycle = 146097 * day;           // of the calendar: 400 years
constexpr std::int64_t step = 97 * day + 12345;        // so that each time of the year and of the day is met
constexpr std::int64_t offset_max = (167 + 1) * 3600;  // of a rule

void check_rule(std::string_view text) {
    const auto rule = util::zone_rule::parse(text);
    claim(rule == util::zone_rule::parse(text), "a rule is read the same again");
    if (!rule) return;
    std::set<std::int64_t> offsets;
    for (std::int64_t time = first + cycle; time < first + 2 * cycle; time += step) {
        const std::int64_t offset = rule->offset_at(time);
        offsets.insert(offset);
        claim(offset >= -offset_max && offset <= offset_max, "an offset is as large as it can be written");
        claim(offset == rule->offset_at(time + cycle), "a rule comes again");
    }
    claim(offsets.size() <= 2, "a rule has standard time and summer time");
}

void check_file(std::string_view content) {
    const auto zone = util::time_zone::parse("x", content);
    claim(zone == util::time_zone::parse("x", content), "a file is read the same again");
    if (!zone) return;
    for (std::int64_t time = first; time < first + 7 * cycle; time += 61 * step) {
        const std::int64_t offset = zone->offset_at(time);
        claim(offset >= INT32_MIN && offset <= INT32_MAX, "an offset has four bytes");
    }
    claim(zone->offset_at(INT64_MIN / 2) >= INT32_MIN, "there was an offset before all changes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text = test::text_of(bytes, size);
    check_rule(text);
    check_file(text);
    return 0;
}
