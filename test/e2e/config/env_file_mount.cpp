// An env_file on a file system that does not answer.

#include <boost/test/unit_test.hpp>

#include "fixtures/services.hpp"
#include "fixtures/silent_mount.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

BOOST_AUTO_TEST_SUITE(env_file_mount)

BOOST_AUTO_TEST_CASE(an_env_file_that_does_not_answer_fails_its_own_unit_and_delays_nobody) {
    sandbox box;
    const std::string directory = box.project() + "/mounted";
    silent_mount mount(directory);
    if (!mount.is_mounted()) return not_possible_here("there is no FUSE, or this is not root");
    box.config(
        "[service.other]\nrun = \"sleep 1000\"\n[service.s]\nrun = \"echo $A; exec sleep 1000\"\n"
        "env_file = \"mounted/.env\"\n[service.maybe]\nrun = \"sleep 1000\"\n"
        "env_file = { path = \"mounted/.env\", required = false }\n");
    const auto other = box.run({"start", "other"});
    BOOST_TEST(other.status == 0, other.text());
    BOOST_TEST(other.elapsed < 8s);
    for (const std::string unit : {"s", "maybe"}) {
        const auto failed = box.run({"start", unit});
        BOOST_TEST(failed.status == 1, failed.text());
        BOOST_TEST(failed.err.starts_with("hob: cannot start '" + unit + "': its env_file '" + directory +
                                          "/.env': its file system does not answer"),
                   failed.err);
    }
    // The process that waits there is never waited for.
    for (const auto& words : {std::vector<std::string>{"ping"}, {"status"}, {"start", "s"}, {"reload"}}) {
        const auto done = box.run(words);
        BOOST_TEST(done.elapsed < 5s, words.front() << " took " << done.elapsed.count() << " ms");
        BOOST_TEST(done.err.find("timed out") == std::string::npos, done.err);
    }
    BOOST_TEST(box.run({"status", "--json"}).out.find("\"config_state\":\"current\"") != std::string::npos);
    mount.unmount();
    box.write("mounted/.env", "A=back\n");
    const auto back = box.run({"start", "s"});
    BOOST_TEST(back.status == 0, back.text());
    BOOST_TEST(box.run({"logs", "--raw", "s"}).out.find("back\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_daemon_ends_although_an_env_file_does_not_answer) {
    sandbox box;
    silent_mount mount(box.project() + "/mounted");
    if (!mount.is_mounted()) return not_possible_here("there is no FUSE, or this is not root");
    box.config("[service.s]\nrun = \"sleep 1000\"\nenv_file = \"mounted/.env\"\n");
    BOOST_TEST(box.run({"start", "s"}).status == 1);
    const auto ended = box.run({"shutdown"});
    BOOST_TEST(ended.status == 0, ended.text());
    BOOST_TEST(ended.elapsed < 8s);
    // Its lock is free: another one starts.
    BOOST_TEST(box.run({"ping"}).status == 0);
    mount.unmount();
}

BOOST_AUTO_TEST_SUITE_END()
