#include <signal.h>

#include <boost/test/unit_test.hpp>

#include "harness/calc_project.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

// The next event that is `name`; others are skipped.
std::string await(background& events, const std::string& name) {
    for (;;) {
        const auto line = events.read_line(10s);
        if (!line) return "";
        if (json_at(*line, "/event").value_or("") == name) return *line;
    }
}

// The subscription is active once status counts a client besides its own connection.
// Two clients: status itself and the subscriber. The previous status may still be counted for a moment,
// but not five times in a row.
void until_subscribed(sandbox& box) {
    int in_a_row = 0;
    BOOST_TEST(wait_until([&] {
        const bool both = json_at(box.run({"status", "--json"}).out, "/daemon/clients").value_or("0") >= "2";
        in_a_row = both ? in_a_row + 1 : 0;
        return in_a_row == 5;
    }));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(events)

BOOST_AUTO_TEST_CASE(each_change_of_a_unit_is_a_line) {
    sandbox box;
    make_calc_project(box);
    auto events = box.start({"events"});
    until_subscribed(box);
    box.run({"call", "echo", "hello"});
    std::string line;
    do {
        line = await(events, "unit.state");
    } while (!line.empty() && json_at(line, "/to").value_or("") != "warm");
    BOOST_TEST(json_at(line, "/unit").value_or("") == "echo");
    BOOST_TEST(json_at(line, "/kind").value_or("") == "worker");
    BOOST_TEST(json_at(line, "/ts").has_value());
    box.run({"shutdown"});
    BOOST_TEST(!await(events, "daemon.draining").empty());
    BOOST_TEST(!await(events, "daemon.ended").empty());
    BOOST_TEST(events.wait().status == 0);
}

BOOST_AUTO_TEST_CASE(an_interrupt_is_success) {
    sandbox box;
    make_calc_project(box);
    auto events = box.start({"events", "--json"});
    until_subscribed(box);
    events.signal(SIGINT);
    const auto done = events.wait();
    BOOST_TEST(done.status == 0);
    BOOST_TEST(done.err == "");
}

BOOST_AUTO_TEST_CASE(C01_it_ends_when_its_reader_leaves) {
    sandbox box;
    make_calc_project(box);
    const auto done =
        box.shell("hob ping >/dev/null; hob events | (sleep 0.2; exit 0); echo ${PIPESTATUS[0]}");
    BOOST_TEST(done.out == "0\n");
    BOOST_TEST(done.elapsed < 10s);
}

BOOST_AUTO_TEST_CASE(it_ends_at_its_deadline) {
    sandbox box;
    make_calc_project(box);
    box.run({"ping"});
    BOOST_TEST(box.run({"events", "--timeout", "100ms"}).status == 4);
}

BOOST_AUTO_TEST_SUITE_END()
