#include <boost/test/unit_test.hpp>

#include <random>
#include <string>

#include "unit/spec/cron.hpp"

using namespace hob::unit;

namespace {

cron_spec good(std::string_view text) {
    cron_error error;
    const auto spec = parse_cron(text, error);
    BOOST_REQUIRE_MESSAGE(spec, text << ": " << error.reason);
    BOOST_TEST(spec->text == text);
    return *spec;
}

std::string reason(std::string_view text) {
    cron_error error;
    return parse_cron(text, error) ? "accepted" : error.reason;
}

std::string hint(std::string_view text) {
    cron_error error;
    return parse_cron(text, error) ? "accepted" : error.hint;
}

std::uint64_t bits(std::initializer_list<int> values) {
    std::uint64_t result = 0;
    for (const int value : values)
        result |= std::uint64_t{1} << value;
    return result;
}

constexpr std::uint64_t all_minutes = (std::uint64_t{1} << 60) - 1;

}  // namespace

BOOST_AUTO_TEST_SUITE(config_cron)

BOOST_AUTO_TEST_CASE(five_fields_become_sets) {
    const cron_spec every = good("* * * * *");
    BOOST_TEST(every.minutes == all_minutes);
    BOOST_TEST(every.hours == (1u << 24) - 1);
    BOOST_TEST(every.days == 0xFFFFFFFEu);
    BOOST_TEST(every.months == 0x1FFEu);
    BOOST_TEST(every.weekdays == 0x7Fu);
    BOOST_TEST((every.any_hour && every.any_day && every.any_weekday));
    const cron_spec mixed = good("*/15 0-6/2,23 1,15 jan-mar,DEC mon-fri");
    BOOST_TEST(mixed.minutes == bits({0, 15, 30, 45}));
    BOOST_TEST(mixed.hours == bits({0, 2, 4, 6, 23}));
    BOOST_TEST(mixed.days == bits({1, 15}));
    BOOST_TEST(mixed.months == bits({1, 2, 3, 12}));
    BOOST_TEST(mixed.weekdays == bits({1, 2, 3, 4, 5}));
    BOOST_TEST((!mixed.any_hour && !mixed.any_day && !mixed.any_weekday));
    BOOST_TEST(good("  5\t4   * * *  ").minutes == bits({5}));
    BOOST_TEST(good("10-20/5 * * * *").minutes == bits({10, 15, 20}));
}

BOOST_AUTO_TEST_CASE(sunday_is_zero_and_seven) {
    for (const auto* text : {"0 0 * * 0", "0 0 * * 7", "0 0 * * sun", "0 0 * * SUN", "0 0 * * 0,7"}) {
        BOOST_TEST(good(text).weekdays == 1u, text);
    }
    BOOST_TEST(good("0 0 * * fri-sun").weekdays == bits({5, 6, 0}));
    BOOST_TEST(good("0 0 * * 5-7").weekdays == bits({5, 6, 0}));
    BOOST_TEST(good("0 0 * * sun-tue").weekdays == bits({0, 1, 2}));
    BOOST_TEST(good("0 0 * * */2").weekdays == bits({0, 2, 4, 6}));
}

BOOST_AUTO_TEST_CASE(a_star_with_a_step_counts_as_a_star_for_the_day_rule) {
    const cron_spec spec = good("0 */2 */2 * 1");
    BOOST_TEST(spec.any_day);
    BOOST_TEST(spec.any_hour);
    BOOST_TEST(!spec.any_weekday);
}

BOOST_AUTO_TEST_CASE(nicknames_stand_for_fields) {
    const auto same = [](std::string_view word, std::string_view fields) {
        cron_spec a = good(word);
        a.text = fields;
        BOOST_TEST((a == good(fields)), word);
    };
    same("@yearly", "0 0 1 1 *");
    same("@annually", "0 0 1 1 *");
    same("@monthly", "0 0 1 * *");
    same("@weekly", "0 0 * * 0");
    same("@daily", "0 0 * * *");
    same("@midnight", "0 0 * * *");
    same("@hourly", "0 * * * *");
    BOOST_TEST(reason("@reboot") == "'@reboot' is no time");
    BOOST_TEST(hint("@reboot") == "on_start = true runs a task when the daemon starts");
    BOOST_TEST(hint("@dayly") == "did you mean '@daily'?");
    BOOST_TEST(hint("@") == "one of @yearly @monthly @weekly @daily @hourly");
}

BOOST_AUTO_TEST_CASE(a_bad_expression_is_refused_with_a_reason) {
    BOOST_TEST(reason("") == "has 0 fields, not five");
    BOOST_TEST(reason("5") == "has 1 field, not five");
    BOOST_TEST(reason("* * * *") == "has 4 fields, not five");
    BOOST_TEST(reason("* * * * * *") == "has 6 fields, not five");
    BOOST_TEST(reason("60 * * * *") == "the minute must be from 0 to 59, not 60");
    BOOST_TEST(reason("* 24 * * *") == "the hour must be from 0 to 23, not 24");
    BOOST_TEST(reason("* * 0 * *") == "the day of the month must be from 1 to 31, not 0");
    BOOST_TEST(reason("* * * 13 *") == "the month must be from 1 to 12, not 13");
    BOOST_TEST(reason("* * * * 8") == "the day of the week must be from 0 to 7, not 8");
    BOOST_TEST(reason("* * * * mun") == "'mun' is no day of the week");
    BOOST_TEST(hint("* * * * mun") == "did you mean 'sun'?");
    BOOST_TEST(hint("* * * febr *") == "did you mean 'feb'?");
    BOOST_TEST(reason("*/0 * * * *") == "the step of the minute must be from 1 to 59, not '0'");
    BOOST_TEST(reason("*/60 * * * *") == "the step of the minute must be from 1 to 59, not '60'");
    BOOST_TEST(reason("*/ * * * *") == "the step of the minute must be from 1 to 59, not ''");
    BOOST_TEST(reason("*/-1 * * * *") == "the step of the minute must be from 1 to 59, not '-1'");
    BOOST_TEST(reason("5/15 * * * *") == "the step of the minute needs a range or '*', not '5'");
    BOOST_TEST(hint("5/15 * * * *") == "did you mean '5-59/15'?");
    BOOST_TEST(reason("30-10 * * * *") == "the range '30-10' of the minute runs backward");
    BOOST_TEST(reason("1,,2 * * * *") == "the minute '1,,2' has an empty item");
    BOOST_TEST(reason("1, * * * *") == "the minute '1,' has an empty item");
    for (const auto* text :
         {"*5 * * * *", "** * * * *", "-1 * * * *", "1- * * * *", "1-2-3 * * * *", "+1 * * * *",
          "1.5 * * * *", "0x1 * * * *", "99999999999 * * * *", "? * * * *", "L * * * *"}) {
        BOOST_TEST(reason(text) != "accepted", text);
    }
}

BOOST_AUTO_TEST_CASE(a_day_that_never_comes_is_an_error) {
    BOOST_TEST(reason("0 0 30 2 *") == "names a day that never comes");
    BOOST_TEST(reason("0 0 31 2,4,6,9,11 *") == "names a day that never comes");
    good("0 0 29 2 *");
    good("0 0 31 1,2 *");
    good("0 0 30 2 mon");  // either day field suffices
    BOOST_TEST(reason("0 0 30 2 */2") == "names a day that never comes");
}

BOOST_AUTO_TEST_CASE(S04_random_text_is_refused_or_gives_sets_within_bounds) {
    std::mt19937 random(11);
    constexpr std::string_view alphabet = "0123456789*/-, \t@janmonsu";
    for (int i = 0; i < 100'000; ++i) {
        std::string text;
        for (auto n = random() % 20; n > 0; --n)
            text += alphabet[random() % alphabet.size()];
        cron_error error;
        const auto spec = parse_cron(text, error);
        if (!spec) {
            BOOST_REQUIRE(!error.reason.empty());
            continue;
        }
        BOOST_REQUIRE((spec->minutes != 0 && (spec->minutes & ~all_minutes) == 0));
        BOOST_REQUIRE((spec->hours != 0 && spec->hours >> 24 == 0));
        BOOST_REQUIRE((spec->days != 0 && (spec->days & 1) == 0));
        BOOST_REQUIRE((spec->months != 0 && (spec->months & ~0x1FFE) == 0));
        BOOST_REQUIRE((spec->weekdays != 0 && spec->weekdays >> 7 == 0));
    }
}

BOOST_AUTO_TEST_SUITE_END()
