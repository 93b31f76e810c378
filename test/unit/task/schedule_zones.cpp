// Schedules in a zone that is not the machine's, against the C library and against croner of npm.
#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "fixtures/npm.hpp"
#include "harness/command_output.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"
#include "unit/task/schedule.hpp"
#include "util/clock.hpp"
#include "util/time_zone/time_zone.hpp"

using namespace hob::unit;
namespace test = hob::test;
namespace util = hob::util;
using std::chrono::seconds;
using std::chrono::system_clock;

namespace {

constexpr std::array zones{
    "Europe/Berlin",       "Europe/London",       "Europe/Dublin",     "America/New_York",
    "America/Los_Angeles", "America/Santiago",    "America/Sao_Paulo", "America/St_Johns",
    "Australia/Lord_Howe", "Australia/Sydney",    "Asia/Kolkata",      "Asia/Kathmandu",
    "Asia/Tehran",         "Asia/Jerusalem",      "Pacific/Chatham",   "Pacific/Apia",
    "Pacific/Auckland",    "Africa/Johannesburg", "Asia/Tokyo",        "UTC"};

util::time_zone zone_named(const std::string& name) {
    util::time_zone_error error;
    const auto zone = util::find_time_zone(name, error);
    BOOST_REQUIRE_MESSAGE(zone, name << " " << error.reason);
    return *zone;
}

std::string text(std::int64_t time) { return util::rfc3339(system_clock::time_point(seconds(time))); }

struct zone_case {
    std::int64_t from = 0;
    std::string zone;
    std::string expression;
};

class case_maker {
public:
    std::vector<zone_case> make(std::size_t count) {
        std::vector<zone_case> cases;
        while (cases.size() < count) {
            zone_case one;
            one.zone = zones[static_cast<std::size_t>(below(zones.size()))];
            one.from = near_a_change(zone_named(one.zone));
            const auto days = below(4);
            one.expression = field(0, 59, true) + " " + field(0, below(2) == 0 ? 5 : 23, true) + " " +
                             (days == 0 ? field(1, 28, false) : "*") + " " +
                             (below(6) == 0 ? field(1, 12, false) : "*") + " " +
                             (days == 1 ? field(0, 6, false) : "*");
            cases.push_back(one);
        }
        return cases;
    }

private:
    std::int64_t below(std::uint64_t limit) {
        return std::uniform_int_distribution<std::int64_t>(0, static_cast<std::int64_t>(limit) - 1)(random_);
    }

    std::string field(int lowest, int highest, bool steps) {
        const auto value = [&] {
            return lowest + static_cast<int>(below(static_cast<std::uint64_t>(highest - lowest + 1)));
        };
        switch (below(steps ? 5 : 4)) {
            case 0:
                return "*";
            case 1:
                return std::to_string(value()) + "," + std::to_string(value());
            case 2: {
                const int one = value(), other = value();
                return std::to_string(std::min(one, other)) + "-" + std::to_string(std::max(one, other));
            }
            case 3:
                return std::to_string(value());
            default:
                return "*/" + std::to_string(2 + below(static_cast<std::uint64_t>(highest - 1)));
        }
    }

    // Two of three times within three hours of a change of the offset, where the zone has one that year.
    std::int64_t near_a_change(const util::time_zone& zone) {
        constexpr std::int64_t year_2012 = 1325376000, day = 86400;
        std::int64_t time = year_2012 + below(17 * 365) * day + below(1440) * 60;
        if (below(3) == 0) return time;
        for (int days = 0; days < 366; ++days, time += day) {
            if (zone.offset_at(time) == zone.offset_at(time + day)) continue;
            std::int64_t before = time, after = time + day;
            while (after - before > 60) {
                const std::int64_t middle = before + (after - before) / 120 * 60;
                (zone.offset_at(middle) == zone.offset_at(time) ? before : after) = middle;
            }
            return after - 3 * 3600 + below(360) * 60;
        }
        return time;
    }

    std::minstd_rand random_{20261128};
};

std::vector<std::string> judged_by_croner(const std::vector<zone_case>& cases) {
    std::vector<std::string> verdicts;
    if (!test::require_npm("croner")) return verdicts;
    const std::string path = "/tmp/hob-croner-" + std::to_string(::getpid());
    {
        std::ofstream file(path);
        for (const auto& one : cases)
            file << one.from << ' ' << one.zone << ' ' << one.expression << '\n';
    }
    const std::string command =
        "node '" HOB_SOURCE_DIR "/test/fixtures/croner_judge.js' '" HOB_NPM "' '" + path + "'";
    std::istringstream lines(test::output_of(command));
    ::unlink(path.c_str());
    for (std::string line; std::getline(lines, line);)
        verdicts.push_back(line);
    return verdicts;
}

enum class reason { none, moved, left_out, repeated, second_pass, backward };

// The change of the offset in the hours before `time`: positive where the clock was put forward.
std::int64_t change_before(const util::time_zone& zone, std::int64_t time) {
    constexpr std::int64_t hours = 3 * 3600;
    for (std::int64_t at = time; at > time - hours; at -= 60) {
        const std::int64_t change = zone.offset_at(at) - zone.offset_at(at - 60);
        if (change != 0) return change;
    }
    return 0;
}

// Why the two may differ. Croner moves a time in a skipped hour on by that hour. hob runs it at the first
// minute that exists, or, where the hour field begins with `*`, leaves it out, as cron does. Croner leaves
// out the second pass of a repeated hour; hob runs in it where the hour field begins with `*`, as cron does.
// Where the clock is put back by half an hour croner takes the second pass. And in that pass it may find a
// time that has passed.
reason explained(const util::time_zone& zone, const cron_spec& cron, std::int64_t from, std::int64_t ours,
                 std::int64_t theirs) {
    if (theirs <= from) return change_before(zone, from) < 0 ? reason::backward : reason::none;
    const std::int64_t change = change_before(zone, std::min(ours, theirs));
    if (!cron.any_hour && change > 0 && theirs > ours && theirs - ours < change) return reason::moved;
    if (cron.any_hour && change > 0 && theirs < ours) return reason::left_out;
    if (cron.any_hour && change < 0 && theirs > ours) return reason::repeated;
    if (theirs > ours && theirs - ours == -change_before(zone, theirs)) return reason::second_pass;
    return reason::none;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(schedule_zones)

BOOST_AUTO_TEST_CASE(offsets_are_those_of_the_c_library_in_every_zone_from_1900_to_2100) {
    std::ifstream names("/usr/share/zoneinfo/tzdata.zi");
    std::vector<std::string> all(zones.begin(), zones.end());
    for (std::string line; std::getline(names, line);) {
        if (line.starts_with("Z ")) all.push_back(line.substr(2, line.find(' ', 2) - 2));
    }
    BOOST_TEST(all.size() > 300u);
    std::minstd_rand random(7);
    std::uniform_int_distribution<std::int64_t> times(-2208988800, 4102444800);
    for (const auto& name : all) {
        const auto zone = zone_named(name);
        ::setenv("TZ", name.c_str(), 1);
        ::tzset();
        std::size_t wrong = 0;
        for (int i = 0; i < 300; ++i) {
            const std::time_t time = times(random);
            std::tm local{};
            ::localtime_r(&time, &local);
            if (zone.offset_at(time) == local.tm_gmtoff) continue;
            if (wrong++ == 0)
                BOOST_ERROR(name << " at " << time << ": " << zone.offset_at(time) << ", not "
                                 << local.tm_gmtoff);
        }
    }
    ::unsetenv("TZ");
    ::tzset();
}

BOOST_AUTO_TEST_CASE(slots_are_those_of_croner_but_for_skipped_and_repeated_hours) {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    const auto cases = case_maker().make(4000);
    const auto verdicts = judged_by_croner(cases);
    if (verdicts.empty()) return;
    BOOST_REQUIRE(verdicts.size() == cases.size());
    std::map<reason, std::size_t> reasons;
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const auto& one = cases[i];
        cron_error error;
        const auto cron = parse_cron(one.expression, error);
        BOOST_REQUIRE(cron);
        const auto zone = zone_named(one.zone);
        const auto found = next_cron(*cron, system_clock::time_point(seconds(one.from)), zone);
        const std::int64_t ours = found ? system_clock::to_time_t(*found) : 0;
        const std::int64_t theirs = verdicts[i] == "never" ? 0 : std::stoll(verdicts[i]);
        if (ours == theirs) continue;
        const reason why = explained(zone, *cron, one.from, ours, theirs);
        if (why == reason::none && reasons[why] < 6) {
            BOOST_ERROR(one.expression << " in " << one.zone << " after " << text(one.from) << ": hob "
                                       << text(ours) << ", croner " << text(theirs));
        }
        ++reasons[why];
    }
    BOOST_TEST(reasons[reason::none] == 0u);
    for (const reason each : {reason::moved, reason::left_out, reason::repeated})
        BOOST_TEST(reasons[each] > 0u, "reason " << static_cast<int>(each) << " does not occur");
    for (const auto& [why, number] : reasons)
        BOOST_TEST_MESSAGE("reason " << static_cast<int>(why) << ": " << number << " of " << cases.size());
}

BOOST_AUTO_TEST_CASE(names_that_are_no_zones_are_refused_with_what_was_meant) {
    util::time_zone_error error;
    for (const char* name :
         {"", "/etc/passwd", "../zoneinfo/UTC", "Europe", "Europe/", "tzdata.zi", "europe/berlin"}) {
        BOOST_TEST(!util::find_time_zone(name, error), name);
        BOOST_TEST(error.reason == "is not a time zone", name);
    }
    BOOST_TEST(!util::find_time_zone("Europe/Berln", error));
    BOOST_TEST(error.hint == "did you mean 'Europe/Berlin'?");
    BOOST_TEST(!util::find_time_zone("berlin", error));
    BOOST_TEST(error.hint == "did you mean 'Europe/Berlin'?");
    BOOST_TEST(!util::find_time_zone("New York", error));
    BOOST_TEST(error.hint.find("America/New_York") != std::string::npos, error.hint);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_cut_or_damaged_is_no_zone) {
    const std::string content = test::slurp("/usr/share/zoneinfo/Europe/Berlin");
    BOOST_REQUIRE(util::time_zone::parse("x", content));
    // The rule at the end is cut to a shorter one before it is cut away: that may be one, too.
    for (std::size_t size = 0; size + 40 < content.size(); ++size)
        BOOST_TEST(!util::time_zone::parse("x", content.substr(0, size)), size);
    std::minstd_rand random(3);
    for (int i = 0; i < 2000; ++i) {
        std::string damaged = content;
        for (int n = 0; n < 4; ++n)
            damaged[random() % damaged.size()] = static_cast<char>(random() & 0xFF);
        if (const auto zone = util::time_zone::parse("x", damaged)) zone->offset_at(1'700'000'000);
    }
}

BOOST_AUTO_TEST_SUITE_END()
