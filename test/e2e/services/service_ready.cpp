// Each kind of readiness, and its failures.

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>

#include "fixtures/services.hpp"
#include "harness/free_port.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

BOOST_AUTO_TEST_SUITE(service_ready)

BOOST_AUTO_TEST_CASE(log_matches_a_whole_line_and_start_returns_only_then) {
    sandbox box;
    box.config(service("s",
                       "printf 'rea'; sleep 0.2; printf 'dy'; sleep 0.2; echo ' to serve'; exec sleep 1000",
                       "ready = { log = \"^ready to\" }\n"));
    const auto started = box.run({"start", "s"});
    BOOST_TEST_CONTEXT(started.text()) {
        BOOST_TEST(started.status == 0);
        BOOST_TEST(started.out.starts_with("s  ready (pid "));
        BOOST_TEST(started.elapsed >= 400ms);
    }
}

BOOST_AUTO_TEST_CASE(U03_a_pattern_that_never_comes_is_named) {
    sandbox box;
    box.config(service("s", "echo 'not yet ready'; printf 'nearly ready'; exec sleep 1000",
                       "ready = { log = \"^ready\", timeout = \"700ms\" }\nrestart = \"never\"\n"));
    const auto started = box.run({"start", "s"});
    BOOST_TEST(started.status == 1, started.text());
    BOOST_TEST(
        started.err.find("cannot start 's': it was not ready within 700ms: no line of its output matched") !=
            std::string::npos,
        started.err);
    BOOST_TEST(unit_member(box, "s", "state") == "failed");
}

BOOST_AUTO_TEST_CASE(U22_a_partial_line_matches_once_its_rest_does_not_come) {
    sandbox box;
    box.config(service("s", "printf 'Proceed? [y/N] '; exec sleep 1000", "ready = { log = \"y/N\" }") +
               service("e", "printf 'booted' >&2; exec sleep 1000", "ready = { log = \"^booted$\" }"));
    const auto started = box.run({"start"});
    BOOST_TEST(started.status == 0, started.text());
    BOOST_TEST(started.elapsed < 10s);
}

BOOST_AUTO_TEST_CASE(U22_a_partial_line_is_in_the_log_while_the_process_waits) {
    sandbox box;
    box.config(service("s",
                       "printf 'Proceed? [y/N] '; while [ ! -e answer ]; do sleep 0.05; done; echo yes; exec "
                       "sleep 1000") +
               "[task.t]\nrun = \"printf 'Sure? '; while [ ! -e answer ]; do sleep 0.05; done\"\n");
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    auto running = box.start({"run", "t"});
    for (const auto& [unit, text] : {std::pair("s", "Proceed? [y/N] "), std::pair("t", "Sure? ")})
        BOOST_TEST(wait_until([&, unit = unit, text = text] {
            return box.run({"logs", unit}).out.find(text) != std::string::npos;
        }));
    box.write("answer", "");
    BOOST_TEST(running.wait().status == 0);
    BOOST_TEST(wait_until([&] { return box.run({"logs", "s"}).out.find("yes\n") != std::string::npos; }));
}

BOOST_AUTO_TEST_CASE(U03_readiness_that_never_comes_ends_the_process_at_its_timeout) {
    sandbox box;
    const int port = free_port();
    box.config(
        service("s", "exec sleep 1000",
                fmt::format("ready = {{ tcp = {}, timeout = \"500ms\" }}\nrestart = \"never\"\n", port)));
    const auto started = box.run({"start", "s"});
    BOOST_TEST(started.status == 1);
    BOOST_TEST(started.err.find(fmt::format("it was not ready within 500ms: port {}: Connection refused",
                                            port)) != std::string::npos,
               started.err);
    BOOST_TEST(wait_until([&] { return box.processes().size() == 1; }));
}

BOOST_AUTO_TEST_CASE(U03_a_port_that_another_program_answers_is_not_this_services) {
    if (!require_program("socat")) return;
    sandbox box;
    const int port = free_port();
    run_options other;
    other.program = "/usr/bin/socat";
    auto squatter =
        box.start({fmt::format("TCP-LISTEN:{},bind=127.0.0.1,fork,reuseaddr", port), "PIPE"}, other);
    BOOST_REQUIRE(wait_until(
        [&] { return box.shell(fmt::format("exec 3<>/dev/tcp/127.0.0.1/{}", port)).status == 0; }));
    box.config(
        service("s", "exec sleep 1000",
                fmt::format("ready = {{ tcp = {}, timeout = \"800ms\" }}\nrestart = \"never\"\n", port)));
    const auto started = box.run({"start", "s"});
    BOOST_TEST(started.status == 1);
    BOOST_TEST(started.err.find(fmt::format("port {} is answered by pid {} (socat)", port, squatter.pid())) !=
                   std::string::npos,
               started.err);
}

BOOST_AUTO_TEST_CASE(U03_a_probe_that_hangs_and_forks_is_ended_with_all_it_started) {
    sandbox box;
    box.config(
        service("s", "exec sleep 1000",
                "ready = { exec = ['/bin/sh', '-c', 'sleep 1001 & sleep 1002'], timeout = \"500ms\" }\n"
                "restart = \"never\"\n"));
    const auto started = box.run({"start", "s"});
    BOOST_TEST(started.status == 1, started.text());
    BOOST_TEST(wait_until([&] { return box.processes().size() == 1; }));
}

BOOST_AUTO_TEST_CASE(exec_is_asked_again_until_it_succeeds) {
    sandbox box;
    box.config(
        service("s", "sleep 0.3; touch flag; exec sleep 1000", "ready = { exec = \"test -e flag\" }\n"));
    BOOST_TEST(box.run({"start", "s"}).status == 0);
    BOOST_TEST(exists(box.project() + "/flag"));
}

BOOST_AUTO_TEST_CASE(U05_a_failed_probe_never_ends_a_service_that_is_up) {
    sandbox box;
    box.write("flag", "");
    box.config(service("s", "exec sleep 1000", "ready = { exec = \"test -e flag\", timeout = \"300ms\" }\n"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const auto pid = unit_member(box, "s", "pid");
    BOOST_TEST(remove_tree(box.project() + "/flag"));
    BOOST_TEST(box.run({"start", "s"}).status == 0);
    let_pass(800ms);
    BOOST_TEST(unit_member(box, "s", "state") == "ready");
    BOOST_TEST(unit_member(box, "s", "pid") == pid);
}

BOOST_AUTO_TEST_CASE(http_wants_the_status_it_is_told) {
    if (!require_program("python3")) return;
    sandbox box;
    const int port = free_port();
    const std::string server = fmt::format(
        "[service.{{}}]\nrun = [\"python3\", \"-m\", \"http.server\", \"{0}\", \"--bind\", \"127.0.0.1\"]\n"
        "restart = \"never\"\nready = {{{{ http = {{{{ url = \"http://localhost:{0}/none?x=1\", status = "
        "{{}} }}}}, "
        "timeout = \"{{}}\" }}}}\n",
        port);
    box.config(fmt::format(fmt::runtime(server), "good", 404, "20s") +
               fmt::format(fmt::runtime(server), "bad", 200, "2s"));
    BOOST_TEST(box.run({"start", "good"}).status == 0);
    BOOST_TEST(box.run({"stop", "good"}).status == 0);
    const auto bad = box.run({"start", "bad"});
    BOOST_TEST(bad.status == 1);
    BOOST_TEST(bad.err.find("answers with status 404") != std::string::npos, bad.err);
}

BOOST_AUTO_TEST_CASE(notify_tells_ready_and_status_and_its_silence_is_noticed) {
    if (!require_program("python3")) return;
    sandbox box;
    box.write("notify.py",
              "import os, socket, sys, time\n"
              "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
              "address = os.environ['NOTIFY_SOCKET'].replace('@', '\\0', 1)\n"
              "say = lambda text: s.sendto(text.encode(), address)\n"
              "time.sleep(0.3)\n"
              "say('STATUS=warming up\\nREADY=1')\n"
              "assert os.environ['WATCHDOG_USEC'] == '400000'\n"
              "for _ in range(10):\n"
              "    say('WATCHDOG=1'); time.sleep(0.1)\n"
              "say('STATUS=silent now')\n"
              "time.sleep(1000)\n");
    box.config(
        "[service.s]\nrun = \"python3 notify.py\"\nready = { notify = true }\nwatchdog = \"400ms\"\n"
        "restart = \"never\"\n");
    const auto started = box.run({"start", "s"});
    BOOST_REQUIRE_MESSAGE(started.status == 0, started.text());
    BOOST_TEST(unit_member(box, "s", "detail") == "warming up");
    BOOST_TEST(wait_until([&] { return unit_member(box, "s", "state") == "failed"; }, 20s));
    BOOST_TEST(unit_member(box, "s", "detail") == "its watchdog heard nothing for 400ms");
}

BOOST_AUTO_TEST_CASE(a_program_that_is_not_there_says_so) {
    sandbox box;
    box.config("[service.s]\nrun = [\"/no/such/program\"]\nrestart = \"never\"\n");
    const auto started = box.run({"start", "s"});
    BOOST_TEST(started.status == 1);
    BOOST_TEST(
        started.err.find("cannot start 's': its program '/no/such/program': No such file or directory") !=
            std::string::npos,
        started.err);
}

BOOST_AUTO_TEST_CASE(a_failure_shows_the_last_lines_of_the_log_at_once) {
    sandbox box;
    box.config(service("s", "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i; done; exit 7",
                       "ready = { delay = \"20s\" }\nrestart = \"never\"\n"));
    const auto started = box.run({"start", "s"});
    BOOST_TEST(started.status == 1);
    BOOST_TEST(count(started.err, "s | ") == 10u, started.err);
    BOOST_TEST(started.err.find(" line 12\n") != std::string::npos, started.err);
    BOOST_TEST(started.err.find("exited with status 7 before it was ready") != std::string::npos,
               started.err);
    const auto json = box.run({"start", "s", "--json"});
    BOOST_TEST(json_at(json.err, "/error/code").value_or("") == "unit_failed", json.err);
}

BOOST_AUTO_TEST_CASE(U42_http_needs_nothing_but_the_final_status_line) {
    if (!require_program("python3")) return;
    // What comes before and after the status line: interim answers, headers over 8 KiB, a body without an
    // end.
    const std::pair<const char*, const char*> answers[] = {
        {"interim",
         "b'HTTP/1.1 103 Early Hints\\r\\nLink: </a>\\r\\n\\r\\nHTTP/1.1 100 Continue\\r\\n\\r\\nHTTP/1.1 "
         "200 OK\\r\\n\\r\\n'"},
        {"headers", "b'HTTP/1.1 204 No Content\\r\\nX: ' + b'x' * 100000 + b'\\r\\n\\r\\n'"},
        {"unfinished", "b'HTTP/1.0 200 OK\\nContent-Length: 99999999999\\nX: '"},
    };
    for (const auto& [name, answer] : answers) {
        sandbox box;
        const int port = free_port();
        box.write("server.py", fmt::format("import socket, time\n"
                                           "s = socket.create_server(('127.0.0.1', {}))\n"
                                           "kept = []\n"
                                           "while True:\n"
                                           "    c = s.accept()[0]; c.recv(9999); kept.append(c)\n"
                                           "    c.sendall({})\n",
                                           port, answer));
        box.config(
            fmt::format("[service.s]\nrun = \"python3 server.py\"\nrestart = \"never\"\n"
                        "ready = {{ http = \"http://127.0.0.1:{}/\", timeout = \"10s\" }}\n",
                        port));
        const auto started = box.run({"start", "s"});
        BOOST_TEST(started.status == 0, name << ": " << started.text());
    }
}

BOOST_AUTO_TEST_CASE(U42_a_first_answer_may_take_as_long_as_the_timeout_allows) {
    if (!require_program("python3")) return;
    sandbox box;
    const int port = free_port();
    box.write("server.py", fmt::format("import socket, time\n"
                                       "s = socket.create_server(('127.0.0.1', {}))\n"
                                       "while True:\n"
                                       "    c = s.accept()[0]; c.recv(9999); time.sleep(6)\n"
                                       "    try: c.sendall(b'HTTP/1.1 200 OK\\r\\n\\r\\n')\n"
                                       "    except OSError: pass\n",
                                       port));
    const std::string unit =
        "[service.{}]\nrun = \"python3 server.py\"\nrestart = \"never\"\n"
        "ready = {{ http = \"http://127.0.0.1:{}/\", timeout = \"{}\" }}\n";
    box.config(fmt::format(fmt::runtime(unit), "s", port, "20s") +
               fmt::format(fmt::runtime(unit), "short", port, "1s"));
    const auto late = box.run({"start", "short"});
    BOOST_TEST(late.err.find(fmt::format("it was not ready within 1s: http://127.0.0.1:{}/ has not answered",
                                         port)) != std::string::npos,
               late.err);
    const auto started = box.run({"start", "s"});
    BOOST_TEST(started.status == 0, started.text());
    BOOST_TEST(started.elapsed < 12s);
}

BOOST_AUTO_TEST_CASE(U23_a_port_is_tried_on_both_addresses_of_localhost) {
    if (!require_program("socat")) return;
    for (const std::string address :
         {"TCP6-LISTEN:{},bind=[::1],fork", "TCP4-LISTEN:{},bind=127.0.0.1,fork"}) {
        sandbox box;
        const int port = free_port();
        box.config(
            fmt::format("[service.s]\nrun = [\"socat\", \"{}\", \"PIPE\"]\nrestart = \"never\"\n"
                        "ready = {{ tcp = {}, timeout = \"5s\" }}\n",
                        fmt::format(fmt::runtime(address), port), port));
        const auto started = box.run({"start", "s"});
        BOOST_TEST(started.status == 0, address << ": " << started.text());
    }
}

BOOST_AUTO_TEST_CASE(U21_a_port_may_belong_to_any_process_where_the_service_says_so) {
    if (!require_program("python3")) return;
    sandbox box;
    const int port = free_port();
    run_options other;
    other.program = "/usr/bin/env";
    auto squatter =
        box.start({"python3", "-m", "http.server", std::to_string(port), "--bind", "127.0.0.1"}, other);
    BOOST_REQUIRE(wait_until(
        [&] { return box.shell(fmt::format("exec 3<>/dev/tcp/127.0.0.1/{}", port)).status == 0; }));
    std::string config;
    const std::string unit =
        "[service.{}]\nrun = \"sleep 1000\"\nrestart = \"never\"\n"
        "ready = {{ {}, owner = \"{}\", timeout = \"{}\" }}\n";
    const std::string tcp = fmt::format("tcp = {}", port),
                      http = fmt::format("http = \"http://localhost:{}/\"", port);
    box.config(fmt::format(fmt::runtime(unit), "tcp", tcp, "any", "10s") +
               fmt::format(fmt::runtime(unit), "http", http, "any", "10s") +
               fmt::format(fmt::runtime(unit), "own_tcp", tcp, "service", "500ms") +
               fmt::format(fmt::runtime(unit), "own_http", http, "service", "500ms"));
    for (const std::string name : {"tcp", "http"}) {
        const auto started = box.run({"start", name});
        BOOST_TEST(started.status == 0, started.text());
    }
    // localhost is ::1 as well, where nobody listens: the reason is the one that helps.
    for (const std::string name : {"own_tcp", "own_http"}) {
        const auto started = box.run({"start", name});
        BOOST_TEST(started.status == 1, started.text());
        BOOST_TEST(started.err.find(fmt::format("port {} is answered by pid {} (python3)", port,
                                                squatter.pid())) != std::string::npos,
                   started.err);
        BOOST_TEST(started.err.find("owner = \"any\"") != std::string::npos, started.err);
    }
}

BOOST_AUTO_TEST_CASE(U29_a_long_line_that_nearly_matches_delays_nobody) {
    sandbox box;
    box.config(service("s",
                       "while [ ! -e go ]; do sleep 0.05; done; "
                       "i=0; while [ $i -lt 20 ]; do yes 'Server started ' | head -4000 | tr -d '\\n'; echo; "
                       "i=$((i+1)); done; echo 'Server started, listening on tcp:80'; exec sleep 1000",
                       "ready = { log = \"Server .* listening on .*:([0-9]+)\" }\n"));
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    auto started = box.start({"start", "s"});
    box.write("go", "");
    auto slowest = 0ms;
    for (int i = 0; i < 20; ++i) {
        const auto ping = box.run({"ping"});
        BOOST_TEST(ping.status == 0, ping.text());
        slowest = std::max(slowest, std::chrono::duration_cast<std::chrono::milliseconds>(ping.elapsed));
    }
    const auto result = started.wait();
    BOOST_TEST(result.status == 0, result.text());
    BOOST_TEST(slowest < 2s, slowest.count());
}

BOOST_AUTO_TEST_CASE(U29_an_expression_that_eats_memory_is_refused_by_all_verbs_and_the_daemon_goes_on) {
    sandbox box;
    box.config(service("s", "exec sleep 1000", "ready = { delay = \"0s\" }\n"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    box.config(
        service("s", "exec sleep 1000", "ready = { log = \"((((a{1,200}){1,200}){1,200}){1,200})\" }\n"));
    for (const char* verb : {"check", "reload", "doctor"}) {
        const auto refused = box.run({verb});
        BOOST_TEST_CONTEXT(refused.text()) {
            BOOST_TEST(refused.status != 0);
            BOOST_TEST(refused.text().find("is not a regular expression: invalid repetition size: {1,200}") !=
                       std::string::npos);
            BOOST_TEST(refused.elapsed < 5s);
        }
    }
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(unit_member(box, "s", "state") == "ready");
}

BOOST_AUTO_TEST_SUITE_END()
