#include "util/clock.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <ctime>

using namespace std::chrono_literals;
namespace hob {  // a suite named clock would clash with ::clock

using hob::util::civil_time;
using hob::util::from_local;
using hob::util::parse_rfc3339;
using hob::util::rfc3339;
using std::chrono::system_clock;

namespace {

struct in_zone {
    explicit in_zone(const char* zone) {
        ::setenv("TZ", zone, 1);
        ::tzset();
    }
    ~in_zone() {
        ::unsetenv("TZ");
        ::tzset();
    }
};

system_clock::time_point at(std::int64_t seconds, std::chrono::milliseconds millis = 0ms) {
    return system_clock::time_point(std::chrono::seconds(seconds) + millis);
}

}  // namespace

// rfc3339() caches the text of one second in one zone, so each test uses other seconds.

BOOST_AUTO_TEST_SUITE(clock)

BOOST_AUTO_TEST_CASE(utc_is_written_with_z_and_milliseconds) {
    const in_zone zone("UTC0");
    BOOST_TEST(rfc3339(at(0)) == "1970-01-01T00:00:00.000Z");
    BOOST_TEST(rfc3339(at(1767323045, 678ms)) == "2026-01-02T03:04:05.678Z");
    BOOST_TEST(rfc3339(at(1767323045, 7ms)) == "2026-01-02T03:04:05.007Z");
    BOOST_TEST(rfc3339(at(-1, 1ms)) == "1969-12-31T23:59:59.001Z");
}

BOOST_AUTO_TEST_CASE(an_offset_is_written_with_sign_and_minutes) {
    {
        const in_zone zone("EAST-1");
        BOOST_TEST(rfc3339(at(1767323046)) == "2026-01-02T04:04:06.000+01:00");
    }
    {
        const in_zone zone("WEST3:30");
        BOOST_TEST(rfc3339(at(1767323047)) == "2026-01-01T23:34:07.000-03:30");
    }
}

BOOST_AUTO_TEST_CASE(milliseconds_are_cut_off_and_not_rounded) {
    const in_zone zone("UTC0");
    BOOST_TEST(rfc3339(at(10) + std::chrono::microseconds(999999)) == "1970-01-01T00:00:10.999Z");
    BOOST_TEST(rfc3339(at(20) - std::chrono::microseconds(1)) == "1970-01-01T00:00:19.999Z");
}

BOOST_AUTO_TEST_CASE(the_extremes_of_the_clock_can_be_formatted) {
    BOOST_TEST(!rfc3339(system_clock::time_point::max()).empty());
    BOOST_TEST(!rfc3339(system_clock::time_point::min()).empty());
}

BOOST_AUTO_TEST_CASE(formatted_times_are_parsed_back) {
    const in_zone zone("CET-1CEST,M3.5.0,M10.5.0/3");
    for (const std::int64_t second : {0L, 1767323045L, 1782800000L, 951782400L, 1743296399L, 1743296400L}) {
        const auto time = at(second, 123ms);
        BOOST_TEST((parse_rfc3339(rfc3339(time)) == time), rfc3339(time));
    }
}

BOOST_AUTO_TEST_CASE(zones_and_fractions_are_parsed) {
    BOOST_TEST((parse_rfc3339("2026-01-02T03:04:05Z") == at(1767323045)));
    BOOST_TEST((parse_rfc3339("2026-01-02t03:04:05z") == at(1767323045)));
    BOOST_TEST((parse_rfc3339("2026-01-02 03:04:05Z") == at(1767323045)));
    BOOST_TEST((parse_rfc3339("2026-01-02T05:04:05+02:00") == at(1767323045)));
    BOOST_TEST((parse_rfc3339("2026-01-01T23:34:05-03:30") == at(1767323045)));
    BOOST_TEST((parse_rfc3339("2026-01-02T03:04:05.5Z") == at(1767323045, 500ms)));
    BOOST_TEST((parse_rfc3339("2026-01-02T03:04:05.123456789Z") == at(1767323045) + 123456us));
    BOOST_TEST((parse_rfc3339("2016-12-31T23:59:60Z") == at(1483228799)));  // a leap second
    BOOST_TEST((parse_rfc3339("2024-02-29T00:00:00Z").has_value()));
}

BOOST_AUTO_TEST_CASE(other_texts_are_refused) {
    for (const char* text : {"",
                             "2026",
                             "2026-01-02",
                             "2026-01-02T03:04:05",
                             "2026-01-02T03:04:05.Z",
                             "2026-13-02T03:04:05Z",
                             "2026-02-30T03:04:05Z",
                             "2025-02-29T00:00:00Z",
                             "2026-01-02T24:00:00Z",
                             "2026-01-02T03:60:00Z",
                             "2026-01-02T03:04:61Z",
                             "2026-01-02T03:04:05+25:00",
                             "2026-01-02T03:04:05+0200",
                             "2026-01-02T03:04:05Zx",
                             " 2026-01-02T03:04:05Z",
                             "-026-01-02T03:04:05Z",
                             "2026-1-02T03:04:05Z",
                             "9999-01-01T00:00:00Z",
                             "0001-01-01T00:00:00Z",
                             "2026-00-02T03:04:05Z",
                             "2026-01-00T03:04:05Z"}) {
        BOOST_TEST(!parse_rfc3339(text).has_value(), text);
    }
}

BOOST_AUTO_TEST_CASE(local_times_are_right_around_the_change_to_daylight_saving_time) {
    const in_zone zone("CET-1CEST,M3.5.0,M10.5.0/3");
    BOOST_TEST((from_local({2026, 1, 2, 4, 4, 5}) == at(1767323045)));
    BOOST_TEST((from_local({2026, 7, 1, 12, 0, 0}) == parse_rfc3339("2026-07-01T12:00:00+02:00")));
    BOOST_TEST((from_local({2026, 10, 25, 2, 30, 0}) ==
                parse_rfc3339("2026-10-25T02:30:00+02:00")));  // occurs twice
    const auto skipped = from_local({2026, 3, 29, 2, 30, 0});  // does not exist
    BOOST_REQUIRE(skipped.has_value());
    BOOST_TEST((*skipped == parse_rfc3339("2026-03-29T01:30:00+01:00") ||
                *skipped == parse_rfc3339("2026-03-29T03:30:00+02:00")));
    BOOST_TEST(!from_local({2026, 2, 30, 0, 0, 0}).has_value());
    BOOST_TEST(!from_local({2026, 1, 1, 24, 0, 0}).has_value());
    const civil_time civil = hob::util::to_local(at(1767323045));
    BOOST_TEST(
        (civil.year == 2026 && civil.month == 1 && civil.day == 2 && civil.hour == 4 && civil.second == 5));
}

BOOST_AUTO_TEST_CASE(C11_times_within_a_text_become_local) {
    const in_zone zone("CET-1CEST,M3.5.0,M10.5.0/3");
    BOOST_TEST(hob::util::with_local_times("due 2026-07-01T10:00:00.000Z; makes up for 2 slots") ==
               "due 2026-07-01 12:00:00; makes up for 2 slots");
    BOOST_TEST(hob::util::with_local_times("2026-01-02T03:04:05.678+00:00") == "2026-01-02 04:04:05");
    for (const char* text : {"", "src/main.cpp and 2 more", "2026-07-01Tx", "2026-07-01", "a;b,c (d)"})
        BOOST_TEST(hob::util::with_local_times(text) == text);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace hob
