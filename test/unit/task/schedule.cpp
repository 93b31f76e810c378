#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "unit/task/schedule.hpp"
#include "util/clock.hpp"

using namespace hob::unit;
using namespace std::chrono_literals;
using std::chrono::system_clock;

namespace {

struct zone {
    explicit zone(const char* name) {
        ::setenv("TZ", name, 1);
        ::tzset();
    }
    ~zone() {
        ::unsetenv("TZ");
        ::tzset();
    }
};

wall_time at(const std::string& text) {
    const auto time = hob::util::parse_rfc3339(text);
    BOOST_REQUIRE(time);
    return *time;
}

cron_spec cron(const std::string& text) {
    cron_error error;
    const auto parsed = parse_cron(text, error);
    BOOST_REQUIRE_MESSAGE(parsed, error.reason);
    return *parsed;
}

std::string next(const std::string& expression, const std::string& after) {
    const auto found = next_cron(cron(expression), at(after));
    return found ? hob::util::rfc3339(*found) : "never";
}

bool matches(const cron_spec& spec, const std::tm& local) {
    const auto has = [](std::uint64_t bits, int which) { return (bits >> which & 1) != 0; };
    const bool day = has(spec.days, local.tm_mday), weekday = has(spec.weekdays, local.tm_wday);
    const bool days = spec.any_day || spec.any_weekday ? day && weekday : day || weekday;
    return has(spec.minutes, local.tm_min) && has(spec.hours, local.tm_hour) &&
           has(spec.months, local.tm_mon + 1) && days;
}

// Every minute in turn, and what the wall shows then: the slots of each expression by the letter of the
// rules.
std::vector<std::vector<std::time_t>> brute_force(const std::vector<cron_spec>& specs, std::time_t from,
                                                  std::time_t to) {
    std::vector<std::vector<std::time_t>> found(specs.size());
    std::tm local{};
    ::localtime_r(&from, &local);
    std::time_t shown = from + local.tm_gmtoff;  // the latest that the wall has shown
    for (std::time_t time = from + 60; time <= to; time += 60) {
        ::localtime_r(&time, &local);
        const std::time_t now = time + local.tm_gmtoff;
        std::vector<std::tm> passed;  // what the wall shows for the first time, or has left out
        for (; shown < now; shown += 60) {
            const std::time_t minute = shown + 60;
            ::gmtime_r(&minute, &passed.emplace_back());
        }
        for (std::size_t i = 0; i < specs.size(); ++i) {
            const auto due = [&](const std::tm& each) { return matches(specs[i], each); };
            if (specs[i].any_hour ? due(local) : std::any_of(passed.begin(), passed.end(), due))
                found[i].push_back(time);
        }
    }
    return found;
}

task_spec every(std::chrono::milliseconds width, catch_up_policy policy = catch_up_policy::once) {
    task_spec task;
    task.every = width;
    task.catch_up = policy;
    return task;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(schedule)

BOOST_AUTO_TEST_CASE(U09_a_grid_does_not_drift_over_10000_periods) {
    const wall_time anchor = at("2026-01-02T03:04:05.678Z");
    wall_time slot = anchor;
    for (int i = 1; i <= 10000; ++i) {
        slot = next_every(90s, anchor, slot + std::chrono::milliseconds(i % 50));
        BOOST_REQUIRE((slot == anchor + i * 90s));
    }
    BOOST_TEST((next_every(1h, anchor, anchor - 90min) == anchor - 1h));
    BOOST_TEST((next_every(1h, anchor, anchor - 1h) == anchor));
}

BOOST_AUTO_TEST_CASE(U09_cron_at_the_edges) {
    const zone berlin("Europe/Berlin");
    // Forward: 02:00 to 03:00 does not exist.
    BOOST_TEST(next("30 2 * * *", "2026-03-28T12:00:00Z") == "2026-03-29T03:00:00.000+02:00");
    BOOST_TEST(next("30 2 * * *", "2026-03-29T01:00:00Z") == "2026-03-30T02:30:00.000+02:00");
    BOOST_TEST(next("30 * * * *", "2026-03-29T00:30:00Z") == "2026-03-29T03:30:00.000+02:00");
    // Backward: 02:00 to 03:00 comes twice.
    BOOST_TEST(next("30 2 * * *", "2026-10-24T23:00:00Z") == "2026-10-25T02:30:00.000+02:00");
    BOOST_TEST(next("30 2 * * *", "2026-10-25T00:30:00Z") == "2026-10-26T02:30:00.000+01:00");
    BOOST_TEST(next("30 * * * *", "2026-10-25T00:30:00Z") == "2026-10-25T02:30:00.000+01:00");
    BOOST_TEST(next("0 0 29 2 *", "2026-01-01T00:00:00Z") == "2028-02-29T00:00:00.000+01:00");
    BOOST_TEST(next("0 0 29 2 *", "2096-03-01T00:00:00Z") == "2104-02-29T00:00:00.000+01:00");
    BOOST_TEST(next("@daily", "2026-12-31T22:59:59Z") == "2027-01-01T00:00:00.000+01:00");
    BOOST_TEST(next("0 9 13 * fri", "2026-02-14T00:00:00Z") == "2026-02-20T09:00:00.000+01:00");
}

BOOST_AUTO_TEST_CASE(U09_a_schedule_agrees_with_brute_force_over_years_in_several_zones) {
    const char* expressions[] = {"30 2 * * *",   "*/7 * * * *",    "0 */3 * * *",   "15,45 1-3 * * *",
                                 "0 0 29 2 *",   "5 0 1 * *",      "59 23 31 12 *", "0 12 * * mon",
                                 "0 9 13 * fri", "0 0 * 3,10 sun", "*/20 0-4 * * 0"};
    const char* zones[] = {"Europe/Berlin",     "America/New_York", "Australia/Lord_Howe", "America/Santiago",
                           "Africa/Casablanca", "Pacific/Apia",     "Asia/Kolkata",        "UTC"};
    for (const char* name : zones) {
        const zone here(name);
        // Samoa left out 30 December 2011.
        const std::time_t from = system_clock::to_time_t(
            at(std::string(name) == "Pacific/Apia" ? "2011-06-01T00:00:00Z" : "2023-11-05T00:00:00Z"));
        const std::time_t to = from + std::time_t{2} * 366 * 86400;
        std::vector<cron_spec> specs;
        for (const char* expression : expressions)
            specs.push_back(cron(expression));
        const auto all = brute_force(specs, from, to);
        for (std::size_t i = 0; i < specs.size(); ++i) {
            const cron_spec& spec = specs[i];
            const std::string& expression = spec.text;
            const auto& expected = all[i];
            wall_time time = system_clock::from_time_t(from);
            std::size_t wrong = 0;
            for (const std::time_t slot : expected) {
                const auto found = next_cron(spec, time);
                if (!found || system_clock::to_time_t(*found) != slot) {
                    if (wrong++ == 0) {
                        BOOST_ERROR(name << " " << expression << ": after " << hob::util::rfc3339(time)
                                         << " comes " << (found ? hob::util::rfc3339(*found) : "none")
                                         << ", not " << hob::util::rfc3339(system_clock::from_time_t(slot)));
                    }
                }
                time = system_clock::from_time_t(slot);
            }
            const auto beyond = next_cron(spec, time);
            BOOST_TEST((!beyond || system_clock::to_time_t(*beyond) > to));
        }
    }
}

BOOST_AUTO_TEST_CASE(U09_a_task_seen_for_the_first_time_waits_for_its_first_slot) {
    const wall_time now = at("2026-05-01T10:00:00.500Z");
    const auto plan = plan_schedule(every(5min), std::nullopt, now);
    BOOST_TEST(!plan.run);
    BOOST_TEST(plan.missed == 0);
    BOOST_TEST((plan.next == now + 5min));
    BOOST_TEST((plan.record.anchor == now));
}

BOOST_AUTO_TEST_CASE(U09_what_a_sleep_skipped_is_made_up_for_once_or_not_at_all) {
    const wall_time anchor = at("2026-05-01T10:00:00Z");
    const schedule_record known{"every 300000", anchor, anchor + 5min};
    const auto once = plan_schedule(every(5min), known, anchor + 62min);
    BOOST_TEST(once.run);
    BOOST_TEST(once.missed == 11);
    BOOST_TEST((once.record.last_slot == anchor + 60min));
    BOOST_TEST((once.next == anchor + 65min));
    BOOST_TEST(!plan_schedule(every(5min), once.record, anchor + 62min).run);
    const auto none = plan_schedule(every(5min, catch_up_policy::none), known, anchor + 62min);
    BOOST_TEST(!none.run);
    BOOST_TEST(none.missed == 11);
    BOOST_TEST((none.next == anchor + 65min));
    // Woken at the very slot: that one is on time.
    const auto awake = plan_schedule(every(5min, catch_up_policy::none), known, anchor + 60min + 1s);
    BOOST_TEST(awake.run);
    BOOST_TEST(awake.missed == 10);
}

BOOST_AUTO_TEST_CASE(U09_the_clock_set_forward_and_backward_gives_each_slot_once) {
    const wall_time anchor = at("2026-05-01T10:00:00Z");
    const schedule_record known{"every 300000", anchor, anchor + 5min};
    BOOST_TEST(plan_schedule(every(5min), known, anchor + 10min).run);
    // Back by a little: the slot that was had does not come again.
    const auto back = plan_schedule(every(5min), known, anchor + 4min);
    BOOST_TEST(!back.run);
    BOOST_TEST((back.next == anchor + 10min));
    // Back by years: it goes on from there.
    const auto years = plan_schedule(every(5min), known, anchor - 24h * 3650 + 1min);
    BOOST_TEST(!years.run);
    BOOST_TEST((*years.next - (anchor - 24h * 3650) <= 6min));
    // Forward by years: one run.
    const auto far = plan_schedule(every(5min), known, anchor + 24h * 3650);
    BOOST_TEST(far.run);
    BOOST_TEST((*far.next > anchor + 24h * 3650));
    BOOST_TEST(!plan_schedule(every(5min), far.record, anchor + 24h * 3650 + 1s).run);
}

BOOST_AUTO_TEST_CASE(another_rule_begins_anew) {
    const wall_time anchor = at("2026-05-01T10:00:00Z");
    const schedule_record known{"every 300000", anchor, anchor};
    const auto plan = plan_schedule(every(7min), known, anchor + 1h);
    BOOST_TEST(!plan.run);
    BOOST_TEST((plan.next == anchor + 67min));
    BOOST_TEST(plan.record.rule == "every 420000");
}

BOOST_AUTO_TEST_SUITE_END()
