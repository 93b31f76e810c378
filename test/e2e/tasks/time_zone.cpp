#include <boost/test/unit_test.hpp>

#include "harness/sandbox.hpp"

using namespace hob::test;

BOOST_AUTO_TEST_SUITE(time_zone)

BOOST_AUTO_TEST_CASE(cron_is_read_in_the_zone_of_the_task) {
    sandbox box;
    box.set_env("TZ", "UTC");
    box.config(
        "[task.tokyo]\nrun = ['true']\ncron = '30 3 * * *'\ntime_zone = 'Asia/Tokyo'\n"
        "[task.utc]\nrun = ['true']\ncron = '30 3 * * *'\ntime_zone = 'UTC'\n");
    const auto next = box.run({"check", "--next", "3"});
    BOOST_TEST(count(next.out, "T18:30:00.000Z  tokyo\n") == 3u, next.text());
    BOOST_TEST(count(next.out, "T03:30:00.000Z  utc\n") == 3u, next.text());
    BOOST_TEST(box.run({"start"}).status == 0);
    const std::string due = json_at(box.run({"status", "--json"}).out, "/units/0/next_at").value_or("?");
    BOOST_TEST(due.ends_with("T18:30:00.000Z"), due);
    box.config("[task.tokyo]\nrun = ['true']\ncron = '30 3 * * *'\ntime_zone = 'Asia/Kolkata'\n");
    BOOST_TEST(box.run({"reload"}).status == 0);
    const std::string moved = json_at(box.run({"status", "--json"}).out, "/units/0/next_at").value_or("?");
    BOOST_TEST(moved.ends_with("T22:00:00.000Z"), moved);
}

BOOST_AUTO_TEST_CASE(a_zone_that_is_unknown_or_cannot_be_looked_up_is_an_error_at_check) {
    sandbox box;
    box.config("[task.t]\nrun = ['true']\ncron = '@daily'\ntime_zone = 'Europe/Berln'\n");
    const auto unknown = box.run({"check"});
    BOOST_TEST(unknown.status == 2);
    BOOST_TEST(
        unknown.err.find("hob.toml:4:13': 'time_zone' in [task.t] ('Europe/Berln') is not a time zone") !=
            std::string::npos,
        unknown.err);
    BOOST_TEST(unknown.err.find("did you mean 'Europe/Berlin'?") != std::string::npos, unknown.err);
    box.config("[task.t]\nrun = ['true']\nevery = '1h'\ntime_zone = 'Europe/Berlin'\n");
    const auto useless = box.run({"check"});
    BOOST_TEST(useless.status == 0);
    BOOST_TEST(
        useless.text().find("'time_zone' in [task.t] has no effect without 'cron'") != std::string::npos,
        useless.text());
    if (!require_root()) return;
    box.config("[task.t]\nrun = ['true']\ncron = '@daily'\ntime_zone = 'Europe/Berlin'\n");
    const std::string hidden =
        "unshare -m sh -c 'mount -t tmpfs none /usr/share && rm -rf /usr/share/zoneinfo && hob check'";
    const auto missing = box.shell(hidden);
    BOOST_TEST(missing.status == 2, missing.text());
    BOOST_TEST(
        missing.err.find("cannot be looked up: this machine has no /usr/share/zoneinfo") != std::string::npos,
        missing.err);
    BOOST_TEST(missing.err.find("tzdata") != std::string::npos, missing.err);
}

BOOST_AUTO_TEST_SUITE_END()
