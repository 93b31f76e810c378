// Cron expressions, durations, sizes, times: refused, or within bounds.

#include "unit/spec/cron.hpp"

#include <string>

#include "fuzz/target.hpp"
#include "util/clock.hpp"
#include "util/duration.hpp"

using namespace hob;
using test::claim;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text = test::text_of(bytes, size);
    unit::cron_error error;
    if (const auto spec = unit::parse_cron(text, error)) {
        claim(spec->minutes != 0 && spec->minutes >> 60 == 0, "minutes are 0 to 59");
        claim(spec->hours != 0 && spec->hours >> 24 == 0, "hours are 0 to 23");
        claim(spec->days != 0 && (spec->days & 1) == 0, "days are 1 to 31");
        claim(spec->months != 0 && (spec->months & 1) == 0 && spec->months >> 13 == 0, "months are 1 to 12");
        claim(spec->weekdays != 0 && spec->weekdays >> 7 == 0, "weekdays are 0 to 6");
    } else {
        claim(!error.reason.empty(), "a refusal has a reason");
    }
    if (const auto length = util::parse_duration(text)) {
        claim(length->count() >= 0, "a duration is not negative");
        util::format_duration(*length);
    }
    if (const auto time = util::parse_rfc3339(text)) {
        const auto again = util::parse_rfc3339(util::rfc3339(*time));
        claim(again && std::chrono::floor<std::chrono::milliseconds>(*again) ==
                           std::chrono::floor<std::chrono::milliseconds>(*time),
              "a time that is written is read as the same");
    }
    return 0;
}
