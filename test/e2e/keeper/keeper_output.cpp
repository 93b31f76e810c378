// What a service writes comes to its log once and whole, whenever the daemon is killed.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <string>

#include "fixtures/daemon_death.hpp"
#include "fixtures/logged_lines.hpp"
#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

constexpr const char* numbered = HOB_PROGRAMS "/numbered";

std::string log_of(sandbox& box, const std::string& unit) {
    return box.state_dir() + "/log/" + unit + ".log";
}

void kill_daemons(sandbox& box, int times) {
    for (int i = 0; i < times; ++i) {
        let_pass_randomly(std::chrono::milliseconds(30));
        kill_daemon(box);
    }
}

struct writer {
    std::string streams = "2";
    std::string kind = "bytes";
    std::string size = "64";
    std::string pause = "0";  // microseconds
    std::string more = {};    // lines of hob.toml
    std::string log = {};     // likewise, of [log]
    bool from_the_first = true;
    std::string denied = {};  // a system call
};

outcome start(sandbox& box, const std::string& denied) {
    if (denied.empty()) return box.run({"start", "s"});
    run_options options;
    options.program = HOB_PROGRAMS "/deny";
    return box.run({denied, "EPERM", box.binary(), "start", "s"}, options);
}

void check_writer(const writer& one) {
    sandbox box;
    box.config("[log]\n" + one.log + "\n[service.s]\nrun = [\"" + numbered + "\", \"" + one.streams +
               "\", \"" + one.kind + "\", \"" + one.size + "\", \"" + one.pause + "\"]\n" + one.more + "\n");
    BOOST_REQUIRE(start(box, one.denied).status == 0);
    const std::string pid = unit_member(box, "s", "pid");
    kill_daemons(box, scaled(30));
    BOOST_TEST(unit_member(box, "s", "pid") == pid);
    BOOST_TEST(box.run({"stop", "s"}).status == 0);
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    const bool text = one.kind == "text";
    check_numbered_lines(logged_lines(log_of(box, "s"), "stdout"), text, text, one.from_the_first);
    if (one.streams == "2")
        check_numbered_lines(logged_lines(log_of(box, "s"), "stderr"), text, text, one.from_the_first);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(keeper_output)

BOOST_AUTO_TEST_CASE(K41_a_flood_is_logged_once_and_whole_over_kills_and_rotations) {
    check_writer({.log = "max_size = \"1MiB\"\nmax_files = 5", .from_the_first = false});
}

BOOST_AUTO_TEST_CASE(K41_lines_every_100_us_too) {
    check_writer({.pause = "100", .log = "max_size = \"256KiB\"\nmax_files = 1000"});
}

BOOST_AUTO_TEST_CASE(K41_merged_output_too) {
    check_writer({.streams = "1",
                  .size = "5000",
                  .pause = "300",
                  .more = "output = \"merged\"",
                  .log = "max_size = \"1MiB\"\nmax_files = 1000"});
}

BOOST_AUTO_TEST_CASE(K41_the_output_of_a_terminal_too) {
    check_writer({.streams = "1", .kind = "text", .pause = "100", .more = "tty = true"});
}

BOOST_AUTO_TEST_CASE(K41_where_splice_is_refused_too) {
    check_writer({.pause = "100", .log = "max_size = \"8MiB\"", .denied = "splice"});
}

BOOST_AUTO_TEST_CASE(K46_the_output_of_a_run_is_logged_once_and_whole) {
    sandbox box;
    box.config("[log]\nmax_size = \"8MiB\"\n[task.t]\nrun = [\"" + std::string(numbered) +
               "\", \"2\", \"bytes\", \"64\", \"100\"]\n");
    BOOST_REQUIRE(box.run({"run", "--detach", "t"}).status == 0);
    kill_daemons(box, scaled(30));
    BOOST_TEST(box.run({"stop", "t"}).status == 0);
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    for (const char* stream : {"stdout", "stderr"})
        check_numbered_lines(logged_lines(log_of(box, "t"), stream), false);
}

BOOST_AUTO_TEST_CASE(K46_the_record_of_a_run_has_the_size_of_all_its_output) {
    sandbox box;
    box.config(
        "[task.t]\nrun = \"for i in 0 1 2 3 4 5 6 7 8 9; do echo line $i; sleep 0.1; done; printf end\"\n");
    BOOST_REQUIRE(box.run({"run", "--detach", "t"}).status == 0);
    kill_daemons(box, scaled(8));
    BOOST_TEST(wait_until([&] { return box.run({"runs", "1"}).out.find(" 73B") != std::string::npos; }));
    BOOST_TEST(logged_lines(log_of(box, "t"), "stdout").size() == 11u);
}

BOOST_AUTO_TEST_CASE(K42_an_unfinished_line_is_neither_lost_nor_doubled) {
    sandbox box;
    box.config(
        service("s", "printf 'one\\nname? '; while [ ! -e go ]; do sleep 0.02; done; echo yes; sleep 1000"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    kill_daemons(box, scaled(10));
    BOOST_REQUIRE(wait_until([&] { return slurp(log_of(box, "s")).find("name? ") != std::string::npos; }));
    kill_daemons(box, scaled(5));
    box.write("go", "");
    BOOST_REQUIRE(wait_until([&] { return slurp(log_of(box, "s")).find("yes") != std::string::npos; }));
    const std::vector<std::string> expected{"one", "name? yes"};
    BOOST_TEST(logged_lines(log_of(box, "s"), "stdout") == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(K43_what_a_service_wrote_last_and_its_end_are_told_once) {
    sandbox box;
    box.config(service("s", "while [ ! -e go ]; do sleep 0.005; done; echo first; printf last; exit 3",
                       "restart = \"never\""));
    for (int i = 0; i < scaled(30); ++i) {
        BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
        box.write("go", "");
        let_pass_randomly(std::chrono::milliseconds(20));
        kill_daemon(box);
        BOOST_REQUIRE(wait_until([&] { return unit_member(box, "s", "state") == "failed"; }));
        BOOST_TEST(unit_member(box, "s", "exit") == "3");
        BOOST_REQUIRE(box.shell("rm go").status == 0);
    }
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    const std::string log = slurp(log_of(box, "s"));
    const auto times = static_cast<std::size_t>(scaled(30));
    BOOST_TEST(logged_lines(log_of(box, "s"), "stdout").size() == 2 * times, log);
    BOOST_TEST(logged_lines(log_of(box, "s"), "hob").size() == times, log);
}

BOOST_AUTO_TEST_CASE(K44_a_line_that_makes_a_service_ready_counts_whenever_the_daemon_is_killed) {
    for (int i = 0; i < scaled(30); ++i) {
        sandbox box;
        box.config(service("s",
                           "while [ ! -e go ]; do sleep 0.002; done; echo listening on 1; echo x; sleep 1000",
                           "ready = { log = \"^listening\", timeout = \"20s\" }"));
        auto starting = box.start({"start", "s"});
        BOOST_REQUIRE(wait_until([&] { return unit_member(box, "s", "state") == "starting"; }));
        box.write("go", "");
        let_pass_randomly(std::chrono::milliseconds(8));
        kill_daemon(box);
        BOOST_REQUIRE(wait_until([&] { return unit_member(box, "s", "state") == "ready"; }));
        starting.wait();
    }
}

BOOST_AUTO_TEST_CASE(K45_who_follows_a_log_sees_each_line_once) {
    sandbox box;
    box.config("[log]\nmax_size = \"8MiB\"\n[service.s]\nrun = [\"" + std::string(numbered) +
               "\", \"1\", \"text\", \"64\", \"200\"]\n");
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    auto following = box.start({"logs", "s", "-f", "--raw", "-n", "100000"});
    kill_daemons(box, scaled(30));
    BOOST_REQUIRE(box.run({"stop", "s"}).status == 0);
    const std::size_t count = logged_lines(log_of(box, "s"), "stdout").size();
    std::vector<std::string> seen;
    while (seen.size() + 1 < count) {
        const auto line = following.read_line(std::chrono::seconds(10));
        BOOST_REQUIRE(line.has_value());
        if (line->starts_with("line ")) seen.push_back(*line);
    }
    check_numbered_lines(seen, true);
}

BOOST_AUTO_TEST_SUITE_END()
