// Workers that listen on a port, and all the ways in which that fails.

#include <arpa/inet.h>
#include <sys/socket.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <string>

#include "fixtures/protocol_project.hpp"
#include "harness/free_port.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;
namespace data = boost::unit_test::data;

namespace {

std::string error(sandbox& box, int status = 1) {
    const auto output = box.run({"call", "w", "t/pid"});
    BOOST_TEST(output.status == status, output.text());
    return output.err.substr(0, output.err.find('\n'));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(worker_tcp)

BOOST_DATA_TEST_CASE(calls_go_to_the_port_that_the_worker_prints, data::make(protocols), protocol) {
    for (const char* way : {"listen", "listen-stderr"}) {
        sandbox box;
        box.config(listening_worker(protocol, way));
        BOOST_TEST(call_worker(box, {"t/echo", "5"}) == "5\n");
        run_options long_text;
        long_text.input = "\"" + std::string(3'000'000, 'x') + "\"";
        BOOST_TEST(box.run({"call", "w", "t/echo", "-"}, long_text).out == *long_text.input + "\n");
        const std::string waited =
            call_worker(box, {"--until", "stopped", "t/events", R"({"after":[["stopped",{"n":1}]]})"});
        BOOST_TEST(json_at(waited, "/until/event").value_or("") == "stopped", waited);
        // Its standard output is not read as messages.
        BOOST_TEST(call_worker(box, {"t/print", "\"{}\""}) == "\"printed\"\n");
        BOOST_TEST(wait_until([&] { return box.run({"logs", "w"}).out.find("{}") != std::string::npos; }));
        BOOST_TEST(box.run({"logs", "w"}).out.find("first some words") != std::string::npos);
        BOOST_TEST(box.run({"stop", "w"}).status == 0);
        BOOST_TEST(box.processes().size() == 1u);
    }
}

BOOST_DATA_TEST_CASE(U11_its_death_and_the_end_of_its_connection_are_reported, data::make(protocols),
                     protocol) {
    sandbox box;
    box.config(listening_worker(protocol, "listen", R"({ log = "listening on (.*)\\." })",
                                "stop = { timeout = \"500ms\" }"));
    const std::string first = call_worker(box, {"t/pid"});
    const auto died = box.run({"call", "w", "t/die"});
    BOOST_TEST(died.err ==
               "hob: cannot call 'w': the worker exited with status 3\nhint: its last words: last words\n");
    const std::string second = call_worker(box, {"t/pid"});
    BOOST_TEST(second != first);
    const auto cut = box.run({"call", "w", "t/hang_up"});
    BOOST_TEST(cut.status == 1);
    BOOST_TEST(cut.err == "hob: cannot call 'w': its connection has ended\n", cut.err);
    BOOST_TEST(call_worker(box, {"t/pid"}) != second);
    BOOST_TEST(!process_lives(std::stoi(second)));
}

// Even while it is not known yet whether the process has ended.
BOOST_DATA_TEST_CASE(U11_no_call_is_sent_into_a_connection_that_is_known_to_be_cut, data::make(protocols),
                     protocol) {
    sandbox box;
    box.config(listening_worker(protocol, "listen", R"({ log = "listening on (.*)\\." })",
                                "stop = { timeout = \"500ms\" }"));
    const std::string first = call_worker(box, {"t/pid"});
    auto cut = box.start({"call", "w", "t/hang_up"});
    std::string now = first;
    for (int i = 0; i < 1000 && now == first; ++i) {
        const auto called = box.run({"call", "w", "t/pid"});
        if (called.status == 0) {
            now = called.out;
        } else {
            // It was sent before the connection was cut.
            BOOST_TEST(called.err == "hob: cannot call 'w': its connection has ended\n");
        }
    }
    BOOST_TEST(now != first);
    BOOST_TEST(cut.wait().err == "hob: cannot call 'w': its connection has ended\n");
}

BOOST_AUTO_TEST_CASE(U11_every_failure_before_the_connection_is_reported) {
    sandbox box;
    const std::string pattern = R"(log = "listening on (.*)\\.")";
    box.config(listening_worker("dap", "listen-silent", "{ " + pattern + ", timeout = \"400ms\" }"));
    BOOST_TEST(error(box, 4) ==
               "hob: cannot connect to 'w': not within 400ms: it has not said where it listens");
    BOOST_TEST(wait_until([&] { return box.processes().size() == 1; }));
    box.config(listening_worker("dap", "listen-wrong", "{ " + pattern + " }"));
    BOOST_TEST(box.run({"reload"}).status == 0);
    BOOST_TEST(
        error(box) ==
        "hob: cannot connect to 'w': 'not-a-port' is no address; it is to be PORT or ADDRESS:PORT, the "
        "address numeric or localhost");
    box.config(listening_worker("dap", "listen-nowhere", "{ " + pattern + ", timeout = \"5s\" }"));
    BOOST_TEST(box.run({"reload"}).status == 0);
    const std::string refused = error(box, 4);
    BOOST_TEST(refused.starts_with("hob: cannot connect to 'w': not within 5s: port "), refused);
    BOOST_TEST(refused.ends_with(": Connection refused"), refused);
    box.config(listening_worker("dap", "listen-dies"));
    BOOST_TEST(box.run({"reload"}).status == 0);
    const auto dead = box.run({"call", "w", "t/pid"});
    BOOST_TEST(dead.err ==
               "hob: cannot connect to 'w': the worker exited with status 1 before it could be connected to\n"
               "hint: its last words: cannot listen today\n");
    BOOST_TEST(box.run({"stop", "w"}).status == 0);
}

BOOST_AUTO_TEST_CASE(a_stop_ends_the_wait_for_a_connection) {
    sandbox box;
    box.config(listening_worker("dap", "listen-silent"));
    auto waiting = box.start({"call", "w", "t/pid"});
    BOOST_TEST(wait_until([&] { return box.processes().size() == 2; }));
    BOOST_TEST(box.run({"stop", "w"}).status == 0);
    BOOST_TEST(waiting.wait().status != 0);
    BOOST_TEST(box.processes().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_port_of_another_program_is_not_connected_to) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    BOOST_REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&here), sizeof here) == 0);
    BOOST_REQUIRE(::listen(listener, 8) == 0);
    BOOST_REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&here), &size) == 0);
    const std::string port = std::to_string(ntohs(here.sin_port));
    sandbox box;
    box.config(listening_worker("dap", "listen-silent", "{ tcp = " + port + ", timeout = \"2s\" }"));
    const std::string output = error(box, 4);
    BOOST_TEST(output.find("port " + port + " is answered by pid ") != std::string::npos, output);
    ::close(listener);
}

BOOST_AUTO_TEST_CASE(a_real_adapter_works_over_its_port) {
    if (!require_program("lldb-vscode-14") || !require_program("c++")) return;
    sandbox box;
    const std::string port = std::to_string(free_port());
    box.config("[worker.dbg]\nrun = [\"lldb-vscode-14\", \"--port\", \"" + port +
               "\"]\nprotocol = \"dap\"\nconnect = { tcp = " + port + " }\n");
    const auto built =
        box.shell("cp " HOB_SOURCE_DIR "/test/fixtures/debuggee.cpp . && c++ -g -O0 -o d debuggee.cpp");
    BOOST_REQUIRE_MESSAGE(built.status == 0, built.text());
    run_options options;
    options.limit = 90s;
    const auto dbg = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"call", "dbg", "--timeout", "60s"});
        const auto output = box.run(words, options);
        BOOST_TEST(output.status == 0, output.text());
        return output.out;
    };
    dbg({"setBreakpoints", "file=debuggee.cpp", "line=7"});
    std::string output = dbg({"--until", "stopped,exited", "--locals", "launch", "program=d"});
    for (int i = 0; i < scaled(20); ++i) {
        BOOST_REQUIRE_MESSAGE(json_at(output, "/frame/line").value_or("") == "7", output);
        output = dbg({"--until", "stopped,exited", "--locals", "continue"});
    }
    BOOST_TEST(box.run({"stop", "dbg"}).status == 0);
    BOOST_TEST(wait_until([&] { return box.processes().size() == 1; }));
}

BOOST_AUTO_TEST_CASE(the_configuration_is_strict) {
    sandbox box;
    const auto refused = [&](const std::string& connect) {
        box.config(listening_worker("dap", "listen", connect));
        const auto checked = box.run({"check"});
        BOOST_TEST(checked.status == 2, connect);
        return checked.err;
    };
    BOOST_TEST(refused("{ }").find("does not say where the worker listens") != std::string::npos);
    BOOST_TEST(refused("{ tcp = 1, log = \"(a)\" }").find("has both 'tcp' and 'log'") != std::string::npos);
    BOOST_TEST(refused("{ tcp = 0 }").find("must be a port from 1 to 65535") != std::string::npos);
    BOOST_TEST(refused("{ tcp = \"example.org:80\" }").find("is not \"ADDRESS:PORT\"") != std::string::npos);
    BOOST_TEST(refused("{ log = \"no group\" }").find("has no group for the address") != std::string::npos);
    BOOST_TEST(refused("{ log = \"(\" }").find("is not a regular expression") != std::string::npos);
    BOOST_TEST(refused("{ port = 1 }").find("unknown key 'port'") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
