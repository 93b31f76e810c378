// Files and directories that are not what a daemon left there.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/sandbox.hpp"

using namespace hob::test;

BOOST_AUTO_TEST_SUITE(lifecycle_files)

BOOST_AUTO_TEST_CASE(L11_whatever_pid_the_file_holds_nobody_is_signalled_and_a_start_is_not_held_up) {
    sandbox box;
    run_options sleeping;
    sleeping.program = "/bin/sleep";
    auto bystander = box.start({"1000"}, sleeping);
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
    for (const std::string& text :
         {std::to_string(bystander.pid()) + "\n", std::string("1\n"), std::string("0\n"), std::string("-1\n"),
          std::string("-") + std::to_string(bystander.pid()), std::string("garbage"),
          std::string("99999999999999999999\n"), std::string(), std::string(4 << 20, '7'),
          std::string("\0\xff\n", 3)}) {
        BOOST_TEST_CONTEXT("holding " << text.substr(0, 30)) {
            box.write(box.pid_file(), text);
            BOOST_TEST(box.run({"status"}).status == 3);
            BOOST_TEST(box.run({"shutdown"}).status == 0);
            box.write(box.pid_file(), text);
            BOOST_TEST(box.run({"shutdown", "--now"}).status == 0);
            box.write(box.pid_file(), text);
            const auto ping = box.run({"ping"});
            BOOST_TEST(ping.status == 0, ping.text());
            BOOST_TEST(ping.elapsed < 3s);
            BOOST_TEST(slurp(box.pid_file()) == std::to_string(box.daemon_pid()) + "\n");
            BOOST_TEST(box.run({"shutdown"}).status == 0);
            BOOST_TEST(bystander.running());
        }
    }
}

BOOST_AUTO_TEST_CASE(
    L10_a_runtime_directory_deleted_under_a_daemon_leaves_one_daemon_and_the_next_command_works) {
    sandbox box;
    for (int i = 0; i < scaled(10); ++i) {
        BOOST_REQUIRE(box.run({"ping"}).status == 0);
        BOOST_TEST(remove_tree(box.runtime()));
        const auto next = box.run({"ping", "--json"});
        BOOST_TEST(next.status == 0, next.text());
        BOOST_TEST(next.elapsed < 2s);
        BOOST_TEST(wait_until([&] { return box.processes().size() == 1; }, 5s));
        BOOST_TEST(json_at(box.run({"ping", "--json"}).out, "/pid").value_or("") ==
                   std::to_string(box.daemon_pid()));
    }
}

BOOST_AUTO_TEST_CASE(L16_roots_of_every_length_and_of_any_bytes_have_daemons_of_their_own) {
    sandbox box;
    const std::string prefix(200, 'p');
    std::vector<std::string> roots = {"with space", "quo'te\"s", "new\nline",        "bytes\xff\xfe",
                                      "-dash",      ".dot",      "\xc3\xa4\xc3\xb6", "$(exit 1);*",
                                      prefix + "a", prefix + "b"};
    std::string deep;
    while (deep.size() < 3500)
        deep += std::string(200, 'd') + "/";
    roots.push_back(deep + "end");
    std::vector<std::string> pids;
    for (const auto& name : roots) {
        const std::string root = box.root() + "/roots/" + name;
        std::filesystem::create_directories(root);
        box.write(root + "/hob.toml", "");
        const auto ping = box.run({"-C", root, "ping", "--json"});
        BOOST_TEST_CONTEXT(name.substr(0, 20) << ": " << ping.text()) {
            BOOST_TEST(ping.status == 0);
            BOOST_TEST(json_at(ping.out, "/pid").value_or("") == std::to_string(box.daemon_pid(root)));
            for (const auto& other : pids)
                BOOST_TEST(other != json_at(ping.out, "/pid").value_or(""));
            pids.push_back(json_at(ping.out, "/pid").value_or(""));
        }
        const auto status = box.run({"-C", root, "status", "--json"});
        BOOST_TEST(status.status == 0, status.text());
    }
    const auto list = box.run({"list", "--json"});
    BOOST_TEST(json_at(list.out, "/" + std::to_string(roots.size() - 1)).has_value(), list.text());
    for (const auto& name : roots)
        BOOST_TEST(box.run({"-C", box.root() + "/roots/" + name, "shutdown"}).status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
