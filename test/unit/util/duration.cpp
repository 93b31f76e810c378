#include "util/duration.hpp"

#include <boost/test/unit_test.hpp>

#include <random>

using namespace std::chrono_literals;
using hob::util::format_duration;
using hob::util::format_size;
using hob::util::parse_duration;
using hob::util::parse_size;
using std::chrono::milliseconds;

namespace {

// -1: does not parse.
std::int64_t ms(std::string_view text) {
    const auto parsed = parse_duration(text);
    return parsed ? parsed->count() : -1;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(duration)

BOOST_AUTO_TEST_CASE(numbers_with_units_are_durations) {
    BOOST_TEST(ms("250ms") == 250);
    BOOST_TEST(ms("5s") == 5'000);
    BOOST_TEST(ms("10m") == 600'000);
    BOOST_TEST(ms("2h") == 7'200'000);
    BOOST_TEST(ms("1d") == 86'400'000);
    BOOST_TEST(ms("0") == 0);
    BOOST_TEST(ms("0s") == 0);
    BOOST_TEST(ms("007s") == 7'000);
}

BOOST_AUTO_TEST_CASE(compound_durations_go_from_large_to_small) {
    BOOST_TEST(ms("1m30s") == 90'000);
    BOOST_TEST(ms("1d2h3m4s5ms") == 93'784'005);
    BOOST_TEST(ms("1h5ms") == 3'600'005);
    for (const auto* text : {"30s1m", "1s1s", "5ms1s", "1m1m"})
        BOOST_TEST(ms(text) == -1, text);
}

BOOST_AUTO_TEST_CASE(a_fraction_must_be_whole_milliseconds) {
    BOOST_TEST(ms("1.5s") == 1'500);
    BOOST_TEST(ms("0.001s") == 1);
    BOOST_TEST(ms("0.25h") == 900'000);
    BOOST_TEST(ms("0.5d") == 43'200'000);
    BOOST_TEST(ms("0.000005h") == 18);
    BOOST_TEST(ms("1.50000000000000000000s") == 1'500);
    BOOST_TEST(ms("1m0.5s") == 60'500);
    for (const auto* text : {"0.0001s", "0.5ms", "1.s", ".5s", "1.5", "1..5s", "1.2.3s"})
        BOOST_TEST(ms(text) == -1, text);
}

BOOST_AUTO_TEST_CASE(anything_else_is_not_a_duration) {
    for (const auto* text :
         {"",     " ",   "5",   "s",    "ms",    "-5s",  "+5s",  "5 s", " 5s", "5s ", "5S", "5sec",
          "5min", "5us", "5s5", "1e3s", "0x10s", "five", "5s\n", "1w",  "1y",  "inf", "00", "٣s"}) {
        BOOST_TEST(ms(text) == -1, text);
    }
    BOOST_TEST(ms(std::string_view("5s\0", 3)) == -1);
}

BOOST_AUTO_TEST_CASE(a_duration_beyond_the_clock_is_refused) {
    BOOST_TEST(ms("36500d") == 36'500LL * 86'400'000);
    for (const auto* text : {"36501d", "36500d1ms", "9223372036854775807ms", "9223372036854775808ms",
                             "99999999999999999999999999s", "18446744073709551616d", "876001h"}) {
        BOOST_TEST(ms(text) == -1, text);
    }
    const auto longest = *parse_duration("36500d");
    BOOST_TEST((std::chrono::steady_clock::now() + longest > std::chrono::steady_clock::now()));
}

BOOST_AUTO_TEST_CASE(durations_are_formatted_with_two_units_and_cut_off) {
    BOOST_TEST(format_duration(0ms) == "0ms");
    BOOST_TEST(format_duration(850ms) == "850ms");
    BOOST_TEST(format_duration(999ms) == "999ms");
    BOOST_TEST(format_duration(1s) == "1s");
    BOOST_TEST(format_duration(3'299ms) == "3.2s");
    BOOST_TEST(format_duration(59'999ms) == "59.9s");
    BOOST_TEST(format_duration(60s) == "1m");
    BOOST_TEST(format_duration(252s) == "4m12s");
    BOOST_TEST(format_duration(59min + 59s + 999ms) == "59m59s");
    BOOST_TEST(format_duration(125min) == "2h5m");
    BOOST_TEST(format_duration(76h) == "3d4h");
    BOOST_TEST(format_duration(72h) == "3d");
    BOOST_TEST(format_duration(-90s) == "-1m30s");
    BOOST_TEST(format_duration(milliseconds::max()) == "106751991167d7h");
    BOOST_TEST(format_duration(milliseconds::min()) == "-106751991167d7h");
}

BOOST_AUTO_TEST_CASE(formatted_durations_parse_back_cut_off_by_less_than_a_unit) {
    std::mt19937_64 random(20260101);
    for (int i = 0; i < 20'000; ++i) {
        const auto bits = random() % 41;
        const milliseconds original(static_cast<std::int64_t>(random() % (std::uint64_t{1} << bits)));
        const std::string text = format_duration(original);
        const auto back = parse_duration(text);
        BOOST_REQUIRE_MESSAGE(back, text);
        const milliseconds unit = original < 1s     ? 1ms
                                  : original < 1min ? 100ms
                                  : original < 1h   ? 1s
                                  : original < 24h  ? 1min
                                                    : 1h;
        BOOST_REQUIRE_MESSAGE(*back <= original && original - *back < unit,
                              text << " from " << original.count());
        BOOST_REQUIRE_EQUAL(format_duration(*back), text);
    }
}

BOOST_AUTO_TEST_CASE(random_bytes_never_parse_to_something_negative) {
    std::mt19937 random(7);
    constexpr std::string_view alphabet = "0123456789.dhms -+";
    for (int i = 0; i < 50'000; ++i) {
        std::string text;
        for (auto n = random() % 12; n > 0; --n)
            text += alphabet[random() % alphabet.size()];
        const auto parsed = parse_duration(text);
        if (parsed) BOOST_REQUIRE_MESSAGE(*parsed >= 0ms && *parsed <= *parse_duration("36500d"), text);
        parse_size(text);
    }
}

BOOST_AUTO_TEST_CASE(a_whole_number_with_a_unit_is_a_size) {
    BOOST_TEST(*parse_size("512B") == 512u);
    BOOST_TEST(*parse_size("64KiB") == 65'536u);
    BOOST_TEST(*parse_size("10MiB") == 10'485'760u);
    BOOST_TEST(*parse_size("1GiB") == 1'073'741'824u);
    BOOST_TEST(*parse_size("2TiB") == 2'199'023'255'552u);
    BOOST_TEST(*parse_size("64KB") == 64'000u);
    BOOST_TEST(*parse_size("10MB") == 10'000'000u);
    BOOST_TEST(*parse_size("1GB") == 1'000'000'000u);
    BOOST_TEST(*parse_size("1TB") == 1'000'000'000'000u);
    BOOST_TEST(*parse_size("0B") == 0u);
    BOOST_TEST(*parse_size("8388607TiB") == 8'388'607ull << 40);
    for (const auto* text : {"", "10", "MiB", "10M", "10K", "10k", "10mib", "10Mib", "1.5MiB", "-1B", "+1B",
                             "10 MiB", " 10MiB", "10MiB ", "8388608TiB", "18446744073709551616B", "10PiB"}) {
        BOOST_TEST(!parse_size(text), text);
    }
}

BOOST_AUTO_TEST_CASE(sizes_are_formatted_in_the_largest_unit_that_fits) {
    BOOST_TEST(format_size(0) == "0B");
    BOOST_TEST(format_size(1023) == "1023B");
    BOOST_TEST(format_size(1024) == "1KiB");
    BOOST_TEST(format_size(10u << 20) == "10MiB");
    BOOST_TEST(format_size(1536) == "1.5KiB");
    BOOST_TEST(format_size(3ull << 40) == "3TiB");
    BOOST_TEST(format_size(~0ull) == "16777215.9TiB");
}

BOOST_AUTO_TEST_SUITE_END()
