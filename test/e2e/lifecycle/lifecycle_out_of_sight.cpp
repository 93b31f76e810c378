// A daemon that lives where this process cannot see it: in another mount namespace, or with files of others.

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <string>

#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

// A mount namespace of its own, with `what` at `path` instead of what is there.
void hide(const std::string& path, const char* what) {
    const bool directory = std::string(what) == "tmpfs";
    const bool hidden = ::unshare(CLONE_NEWNS) == 0 &&
                        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                        (directory ? ::mount("tmpfs", path.c_str(), "tmpfs", 0, "mode=0700")
                                   : ::mount(what, path.c_str(), nullptr, MS_BIND, nullptr)) == 0;
    if (!hidden) ::_exit(99);
}

void expect_elsewhere(sandbox& box, const outcome& result) {
    BOOST_TEST(result.status == 3, result.text());
    BOOST_TEST(json_at(result.err, "/error/code").value_or("") == "instance_elsewhere", result.text());
    BOOST_TEST(result.err.find("pid " + std::to_string(box.daemon_pid())) != std::string::npos,
               result.text());
    BOOST_TEST(result.elapsed < 1500ms, result.elapsed.count() << " ms");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lifecycle_out_of_sight)

BOOST_AUTO_TEST_CASE(L35_a_hidden_runtime_directory_is_said_at_once_with_the_first_pid) {
    if (!require_root()) return;
    sandbox box;
    box.config(echo_worker());
    const auto warm = box.run({"call", "echo", "pid"});
    BOOST_REQUIRE_MESSAGE(warm.status == 0, warm.text());
    const auto before = box.processes().size();
    run_options inside;
    const std::string runtime = box.runtime();
    inside.in_child = [&runtime] { hide(runtime, "tmpfs"); };
    for (const char* verb : {"ping", "daemon", "status", "stop", "shutdown"})
        expect_elsewhere(box, box.run({verb, "--json"}, inside));
    for (int i = 0; i < 4; ++i)  // not a crash loop
        expect_elsewhere(box, box.run({"call", "echo", "pid", "--json"}, inside));
    BOOST_TEST(box.processes().size() == before);
    BOOST_TEST(!exists(box.state_dir() + "/last-words"));
    BOOST_TEST(box.run({"call", "echo", "pid"}).out == warm.out);
    BOOST_TEST(box.daemon_starts() == 1);
    // Once it has ended, the other place may have it.
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    inside.program = "/bin/sh";
    const auto both = box.run({"-c", box.binary() + " ping && " + box.binary() + " shutdown"}, inside);
    BOOST_TEST(both.status == 0, both.text());
}

BOOST_AUTO_TEST_CASE(L35_a_hidden_socket_alone_is_said_at_once) {
    if (!require_root()) return;
    sandbox box;
    box.config(echo_worker());
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    const pid_t daemon = box.daemon_pid();
    // A directory like a shared one whose sockets do not pass: the files are the same, the socket is dead.
    run_options inside;
    const std::string script = "mkdir '" + box.root() + "/copy' && cd '" + box.runtime() +
                               "' && python3 -c \"import socket,sys; "
                               "socket.socket(socket.AF_UNIX).bind('" +
                               box.root() + "/dead')\"";
    BOOST_REQUIRE(box.shell(script).status == 0);
    const std::string socket = box.socket();
    const std::string dead = box.root() + "/dead";
    inside.in_child = [&] { hide(socket, dead.c_str()); };
    for (const char* verb : {"ping", "status", "shutdown"})
        expect_elsewhere(box, box.run({verb, "--json"}, inside));
    BOOST_TEST(box.daemon_pid() == daemon);
    BOOST_TEST(box.run({"ping"}).status == 0);
}

BOOST_AUTO_TEST_CASE(L35_a_daemon_that_shuts_down_out_of_sight_is_waited_for) {
    if (!require_root()) return;
    sandbox box;
    box.config(echo_worker());
    auto call = box.start({"call", "echo", "sleep", R"({"ms":1500})"});
    BOOST_REQUIRE(wait_until([&] {
        return json_at(box.run({"status", "--json"}).out, "/units/0/state").value_or("") == "warm";
    }));
    const pid_t daemon = box.daemon_pid();
    ::kill(daemon, SIGTERM);
    BOOST_REQUIRE(wait_until([&] { return !exists(box.socket()); }));
    const std::string runtime = box.runtime();
    run_options inside;
    inside.in_child = [&runtime] { hide(runtime, "tmpfs"); };
    inside.program = "/bin/sh";
    const auto both = box.run({"-c", box.binary() + " ping && " + box.binary() + " shutdown"}, inside);
    BOOST_TEST(both.status == 0, both.text());
    BOOST_TEST(call.wait().status == 0);
    BOOST_TEST(!process_lives(daemon));
}

BOOST_AUTO_TEST_SUITE_END()
