#include "unit/protocol/event_ring.hpp"

#include <boost/test/unit_test.hpp>

#include "fixtures/run_loop.hpp"

using hob::unit::event_filter;
using hob::unit::event_ring;
using hob::unit::event_watch;
using hob::unit::parse_event_pattern;

namespace {

event_filter filter(const std::string& until, const std::string& collect = {}) {
    event_filter filter;
    if (!until.empty()) filter.until.push_back(parse_event_pattern(until).value());
    if (!collect.empty()) filter.collect.push_back(parse_event_pattern(collect).value());
    return filter;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(event_ring_)

BOOST_AUTO_TEST_CASE(patterns_are_a_name_and_fields) {
    const auto pattern = parse_event_pattern("$/progress:value.kind=end:token=5").value();
    hob::unit::worker_event event;
    event.name = "$/progress";
    event.params = R"({"token":5,"value":{"kind":"end"}})";
    BOOST_TEST(pattern.matches(event));
    event.params = R"({"token":5,"value":{"kind":"begin"}})";
    BOOST_TEST(!pattern.matches(event));
    for (const char* wrong : {"", ":a=b", "x:", "x:a", "x:=b", "x|y", "x y"})
        BOOST_TEST(!parse_event_pattern(wrong).has_value(), wrong);
}

BOOST_AUTO_TEST_CASE(U13_only_events_after_arming_end_a_wait) {
    hob::test::run_loop loop;
    event_ring ring;
    event_watch watch(loop.executor(), ring, filter("stopped"));
    ring.push("stopped", "1", 0);
    BOOST_TEST(!watch.ended_by().has_value());
    watch.arm();
    BOOST_TEST(!watch.ended_by().has_value());
    ring.push("stopped", "2", 0);
    BOOST_TEST(watch.ended_by().value().params == "2");
    ring.push("stopped", "3", 0);
    BOOST_TEST(watch.ended_by().value().seq == 2u);
}

BOOST_AUTO_TEST_CASE(an_event_of_one_call_is_not_seen_by_others) {
    hob::test::run_loop loop;
    event_ring ring;
    event_watch mine(loop.executor(), ring, filter("", "p"));
    event_watch other(loop.executor(), ring, filter("", "p"));
    mine.set_owner(7);
    mine.arm();
    other.arm();
    ring.push("p", "1", 7);
    BOOST_TEST(mine.collected().text() == R"([{"seq":1,"event":"p","params":1}])");
    BOOST_TEST(other.collected().empty());
    event_watch late(loop.executor(), ring, filter("", "p"));
    late.arm();
    BOOST_TEST(late.collected().empty());
}

BOOST_AUTO_TEST_CASE(events_that_were_dropped_unseen_are_counted_by_name) {
    hob::test::run_loop loop;
    event_ring ring;
    for (int i = 0; i < 1024 + 10; ++i)
        ring.push(i % 2 ? "odd" : "even", {}, 0);
    event_watch watch(loop.executor(), ring, filter("", "odd"));
    watch.arm();
    BOOST_TEST(watch.lost() == 5u);
    event_watch again(loop.executor(), ring, filter("", "odd"));
    again.arm();
    BOOST_TEST(again.lost() == 0u);
    BOOST_TEST(again.collected().empty());
}

BOOST_AUTO_TEST_SUITE_END()
