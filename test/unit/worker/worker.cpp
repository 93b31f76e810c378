// Workers with real processes.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <sstream>

#include "fixtures/units.hpp"
#include "harness/sandbox.hpp"
#include "util/proc.hpp"

using namespace std::chrono_literals;
using hob::error_kind;
using hob::test::failure_of;
using hob::test::units;

namespace {

// A call in the background. It may outlive this object, until its units are stopped.
struct pending_call {
    struct state {
        std::optional<std::string> result;
        std::optional<hob::failure> failed;
        bool ended = false;
        boost::asio::cancellation_signal cancel;
    };
    std::shared_ptr<state> outcome = std::make_shared<state>();  // also held by the completion handler

    pending_call(units& of, const std::string& method) {
        auto done = [shared = outcome](std::exception_ptr error, std::string value) {
            shared->ended = true;
            if (!error) {
                shared->result = std::move(value);
                return;
            }
            try {
                std::rethrow_exception(error);
            } catch (const hob::failure& caught) {
                shared->failed.emplace(caught);
            } catch (const std::exception&) {
            }
        };
        boost::asio::co_spawn(of.loop.context, of.registry.call("w", method, {}, std::nullopt),
                              boost::asio::bind_cancellation_slot(outcome->cancel.slot(), done));
        // Run the loop until the call waits for its answer.
        of.loop.context.restart();
        of.loop.context.poll();
    }
    bool ended() const { return outcome->ended; }
    void cancel() { outcome->cancel.emit(boost::asio::cancellation_type::terminal); }
};

std::string text_of(const std::string& path) {
    std::ifstream in(path);
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
}

std::size_t open_descriptors() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
        ++count;
    return count;
}

const int rounds = hob::test::sanitized() ? 100 : 1000;

}  // namespace

BOOST_AUTO_TEST_SUITE(worker)

BOOST_AUTO_TEST_CASE(the_first_call_starts_it_and_it_stays_warm) {
    units u(units::rpc());
    BOOST_TEST(u.state() == "cold");
    const pid_t first = u.pid();
    BOOST_TEST(u.state() == "warm");
    BOOST_TEST(u.pid() == first);
    BOOST_TEST(u.registry.status("w")->pid == first);
    u.stop();
    BOOST_TEST(u.state() == "cold");
    BOOST_TEST(units::is_gone(first));
}

BOOST_AUTO_TEST_CASE(params_and_results_pass_byte_for_byte) {
    units u(units::rpc());
    BOOST_TEST(u.call("verbatim") == R"({"f":1.50,"big":123456789012345678901234567890, "u":"\u00e9"})");
    const std::string raw = u.call("raw", R"({"x": 1.0e5,"y":"\u00e9","z":[ 1 , 2 ]})");
    BOOST_TEST(raw.find(R"(\"params\":{\"x\": 1.0e5,\"y\":\"\\u00e9\",\"z\":[ 1 , 2 ]})") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_error_of_the_worker_is_passed_on) {
    units u(units::rpc());
    const auto failed = failure_of([&] { u.call("fail"); });
    BOOST_TEST((failed.kind() == error_kind::worker_error));
    BOOST_TEST(failed.what() == "cannot call 'w': the worker answered error 42: no luck");
    BOOST_TEST(failed.detail() == R"({"code": 42, "message": "no luck", "data": [1]})");
}

BOOST_AUTO_TEST_CASE(U11_a_death_in_a_call_reports_the_last_output_and_the_next_call_starts_a_new_process) {
    units u(units::rpc());
    const pid_t first = u.pid();
    pending_call other(u, "never");
    const auto failed = failure_of([&] { u.call("die"); });
    BOOST_TEST((failed.kind() == error_kind::worker_died));
    BOOST_TEST(failed.what() == "cannot call 'w': the worker exited with status 3");
    BOOST_TEST(failed.hint() == "its last words: last words");
    BOOST_TEST(failed.detail() == R"({"exit":"3","stderr":["first line","last words"]})");
    u.loop.until([&] { return other.ended(); });
    BOOST_TEST((other.outcome->failed && other.outcome->failed->kind() == error_kind::worker_died));
    BOOST_TEST(u.pid() != first);
    BOOST_TEST(u.registry.status("w")->restarts == 1);
    BOOST_TEST(*u.registry.status("w")->exit == "3");
}

BOOST_AUTO_TEST_CASE(U11_a_death_by_signal_names_it) {
    units u(units::rpc());
    const auto failed = failure_of([&] { u.call("kill"); });
    BOOST_TEST(failed.what() == "cannot call 'w': the worker was killed by signal 9 (KILL)");
    u.loop.until([&] { return u.state() == "failed"; });
}

BOOST_AUTO_TEST_CASE(U13_a_reply_written_before_the_end_is_delivered) {
    units u(units::rpc());
    for (int i = 0; i < 20; ++i) {
        BOOST_TEST(u.call("die_after_reply") == "\"bye\"");
        u.loop.until([&] { return u.state() == "cold"; });
    }
}

BOOST_AUTO_TEST_CASE(U11_garbage_on_stdout_is_logged_and_ignored) {
    units u(units::rpc());
    BOOST_TEST(u.call("garbage") == "\"after garbage\"");
    const std::string log = text_of(u.dir.path() + "/log/w.log");
    BOOST_TEST(log.find(R"("stream":"stdout","msg":"this is no JSON")") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(U11_a_worker_that_never_answers_is_a_timeout_and_gets_a_cancellation) {
    units u(units::rpc());
    u.pid();
    const auto failed = failure_of([&] { u.call("never", "", 100ms); });
    BOOST_TEST((failed.kind() == error_kind::timeout));
    BOOST_TEST(std::string(failed.what()).starts_with("cannot call 'w': no answer within"));
    BOOST_TEST(u.call("cancelled") == "[2]");
}

BOOST_AUTO_TEST_CASE(the_units_own_call_timeout_holds) {
    units u(units::rpc("w", "call_timeout = \"200ms\""));
    BOOST_TEST((failure_of([&] { u.call("never"); }).kind() == error_kind::timeout));
}

BOOST_AUTO_TEST_CASE(U11_a_second_answer_is_dropped) {
    units u(units::rpc());
    BOOST_TEST(u.call("twice") == "\"one\"");
    BOOST_TEST(u.call("echo", "7") == "7");
    BOOST_TEST(u.call("echo", "8") == "8");
}

BOOST_AUTO_TEST_CASE(U11_answers_with_unknown_ids_are_dropped) {
    units u(units::rpc());
    pending_call waiting(u, "never");
    BOOST_TEST(u.call("unknown_id") == "\"right\"");
    BOOST_TEST(!waiting.ended());
    waiting.cancel();
    u.loop.until([&] { return waiting.ended(); });
}

BOOST_AUTO_TEST_CASE(U11_a_worker_that_floods_stderr_is_drained) {
    units u(units::rpc());
    BOOST_TEST(u.call("flood", "4096") == "\"flooded\"");
}

BOOST_AUTO_TEST_CASE(U11_a_worker_that_ignores_the_end_of_its_input_is_stopped) {
    units u(units::rpc("w", "", "ignore-eof"));
    const pid_t pid = u.pid();
    u.stop();
    BOOST_TEST(units::is_gone(pid));
    BOOST_TEST(*u.registry.status("w")->exit == "signal 15");
}

BOOST_AUTO_TEST_CASE(D02_a_worker_that_ignores_the_stop_signal_is_killed) {
    units u(units::rpc("w", "stop = { timeout = \"200ms\" }", "ignore-term"));
    const pid_t pid = u.pid();
    u.call("spawn", R"(["sleep","1000"])");
    u.call("stop_self");
    u.stop();
    BOOST_TEST(units::is_gone(pid));
}

BOOST_AUTO_TEST_CASE(D02_a_stopped_worker_is_stopped) {
    units u(units::rpc("w", "stop = { timeout = \"5s\" }"));
    const pid_t pid = u.pid();
    u.call("stop_self");
    u.stop();
    BOOST_TEST(units::is_gone(pid));
    BOOST_TEST(*u.registry.status("w")->exit == "signal 15");
}

BOOST_AUTO_TEST_CASE(D02_processes_outside_group_and_session_end_with_kill_all) {
    units u(units::rpc("w", "stop = { timeout = \"300ms\" }"));
    const pid_t near = static_cast<pid_t>(std::stol(u.call("spawn", R"(["sleep","1000"])")));
    const pid_t away = static_cast<pid_t>(std::stol(u.call("spawn_away", R"(["1000"])")));
    const pid_t holds_pipe = static_cast<pid_t>(std::stol(u.call("spawn_away", R"(["1000","keep stdout"])")));
    u.stop();
    BOOST_TEST(units::is_gone(near));
    BOOST_TEST(units::is_gone(away));
    BOOST_TEST(units::is_gone(holds_pipe));
}

BOOST_AUTO_TEST_CASE(D02_kill_group_spares_processes_that_left_the_group) {
    units u(units::rpc("w", "kill = \"group\"\nstop = { timeout = \"300ms\" }"));
    const pid_t near = static_cast<pid_t>(std::stol(u.call("spawn", R"(["sleep","1000"])")));
    const pid_t away = static_cast<pid_t>(std::stol(u.call("spawn_away", R"(["1000"])")));
    u.stop();
    BOOST_TEST(units::is_gone(near));
    BOOST_TEST(!units::is_gone(away));
    ::kill(away, SIGKILL);
}

BOOST_AUTO_TEST_CASE(D02_kill_main_spares_all_but_the_main_process) {
    units u(units::rpc("w", "kill = \"main\"\nstop = { timeout = \"300ms\" }"));
    const pid_t main = u.pid();
    const pid_t near = static_cast<pid_t>(std::stol(u.call("spawn", R"(["sleep","1000"])")));
    u.stop();
    BOOST_TEST(units::is_gone(main));
    BOOST_TEST(!units::is_gone(near));
    ::kill(near, SIGKILL);
}

BOOST_AUTO_TEST_CASE(D02_a_process_marked_for_another_instance_is_spared) {
    units u(units::rpc("w", "stop = { timeout = \"300ms\" }"));
    const pid_t other =
        static_cast<pid_t>(std::stol(u.call("spawn", R"(["env","HOB_INSTANCE=another","sleep","1000"])")));
    const pid_t near = static_cast<pid_t>(std::stol(u.call("spawn", R"(["sleep","1000"])")));
    u.loop.until([&] { return hob::util::read_proc_stat(other)->comm == "sleep"; });
    u.stop();
    BOOST_TEST(units::is_gone(near));
    BOOST_TEST(!units::is_gone(other));
    ::kill(other, SIGKILL);
}

BOOST_AUTO_TEST_CASE(D02_leftovers_of_a_worker_that_died_are_ended) {
    units u(units::rpc());
    const pid_t away = static_cast<pid_t>(std::stol(u.call("spawn_away", R"(["1000","keep stdout"])")));
    failure_of([&] { u.call("die"); });
    u.loop.until([&] { return u.state() == "failed"; });
    BOOST_TEST(units::is_gone(away));
}

BOOST_AUTO_TEST_CASE(D02_a_leftover_in_the_middle_of_starting_a_program_is_ended) {
    for (int round = 0; round < hob::test::scaled(20); ++round) {
        units u(units::rpc());
        // A shell that only replaces itself: its files in /proc are empty again and again.
        const std::string again = "exec sh -c \\\"$0\\\" \\\"$0\\\"";
        const pid_t away = static_cast<pid_t>(
            std::stol(u.call("spawn_away_command", "[\"sh\",\"-c\",\"" + again + "\",\"" + again + "\"]")));
        failure_of([&] { u.call("die"); });
        u.loop.until([&] { return u.state() == "failed"; });
        BOOST_TEST(units::is_gone(away));
        ::kill(away, SIGKILL);
    }
}

BOOST_AUTO_TEST_CASE(D02_a_leftover_whose_first_thread_has_ended_is_ended) {
    units u(units::rpc());
    const std::string program =
        "import ctypes, threading, time; threading.Thread(target=time.sleep, args=(1000,)).start(); "
        "ctypes.CDLL(None).syscall(60, 0)";
    const pid_t away = static_cast<pid_t>(
        std::stol(u.call("spawn_away_command", "[\"python3\",\"-c\",\"" + program + "\"]")));
    u.loop.until([&] { return hob::util::read_proc_stat(away)->state == 'Z'; });
    BOOST_TEST(!units::is_gone(away));
    failure_of([&] { u.call("die"); });
    u.loop.until([&] { return u.state() == "failed"; });
    BOOST_TEST(units::is_gone(away));
}

BOOST_AUTO_TEST_CASE(U12_answers_find_their_callers_in_any_order) {
    units u(units::rpc());
    pending_call held(u, "hold");
    pending_call never(u, "never");
    BOOST_TEST(u.call("echo", "\"mine\"") == "\"mine\"");
    BOOST_TEST(u.call("release") == "\"released\"");
    u.loop.until([&] { return held.ended(); });
    BOOST_TEST(held.outcome->result.value_or("") == "\"late\"");
    BOOST_TEST(!never.ended());
}

BOOST_AUTO_TEST_CASE(U12_cancellation_reaches_the_right_request_and_its_late_answer_is_dropped) {
    units u(units::rpc());
    pending_call held(u, "hold");    // id 1
    pending_call never(u, "never");  // id 2
    u.call("echo", "1");
    held.cancel();
    u.loop.until([&] { return held.ended(); });
    BOOST_TEST(u.call("cancelled") == "[1]");
    BOOST_TEST(u.call("release") == "\"released\"");
    BOOST_TEST(!held.outcome->result.has_value());
    BOOST_TEST(!never.ended());
}

BOOST_AUTO_TEST_CASE(a_request_of_the_worker_is_refused_and_a_notification_published) {
    units u(units::rpc());
    u.call("ask");
    BOOST_TEST(
        u.call("refusal") ==
        R"({"jsonrpc": "2.0", "id": "mine", "error": {"code": -32601, "message": "Method not found"}})");
    u.events.clear();
    u.call("notify");
    BOOST_REQUIRE(u.events.size() == 1u);
    BOOST_TEST(u.events[0].first == "worker.notification");
    BOOST_TEST(u.events[0].second == R"({"unit":"w","method":"progress","params":{"percent": 50}})");
}

BOOST_AUTO_TEST_CASE(its_states_are_published) {
    units u(units::rpc());
    const pid_t pid = u.pid();
    u.stop();
    std::string published;
    for (const auto& [event, params] : u.events)
        published += params + "\n";
    const std::string with = ",\"pid\":" + std::to_string(pid) + "}\n";
    BOOST_TEST(published == R"({"unit":"w","kind":"worker","from":"cold","to":"starting"})"
                            "\n"
                            R"({"unit":"w","kind":"worker","from":"starting","to":"warm")" +
                                with + R"({"unit":"w","kind":"worker","from":"warm","to":"stopping")" + with +
                                R"({"unit":"w","kind":"worker","from":"stopping","to":"cold"})" + "\n");
}

BOOST_AUTO_TEST_CASE(a_worker_that_cannot_start_says_why_every_time) {
    units u("[worker.w]\nrun = [\"no-such-program-anywhere\"]\nprotocol = \"lines\"\n");
    for (int i = 0; i < 3; ++i) {
        const auto failed = failure_of([&] { u.call("x"); });
        BOOST_TEST((failed.kind() == error_kind::unit_failed));
        BOOST_TEST(failed.what() ==
                   "cannot start 'w': its program 'no-such-program-anywhere' is not in PATH");
        BOOST_TEST(u.state() == "failed");
    }
}

BOOST_AUTO_TEST_CASE(a_missing_directory_is_distinguished_from_a_missing_program) {
    units u("[worker.w]\nrun = [\"cat\"]\nprotocol = \"lines\"\ncwd = \"/no/such/dir\"\n");
    BOOST_TEST(failure_of([&] { u.call("x"); }).what() ==
               "cannot start 'w': its directory '/no/such/dir': No such file or directory");
    units v("[worker.w]\nrun = [\"/no/such/program\"]\nprotocol = \"lines\"\n");
    BOOST_TEST(failure_of([&] { v.call("x"); }).what() ==
               "cannot start 'w': its program '/no/such/program': No such file or directory");
}

BOOST_AUTO_TEST_CASE(an_idle_worker_stops_and_starts_again) {
    units u(units::rpc("w", "idle_timeout = \"300ms\""));
    const pid_t first = u.pid();
    pending_call busy(u, "hold");
    u.loop.until([&] { return u.state() == "warm"; });
    u.call("release");
    u.loop.until([&] { return u.state() == "cold"; });
    BOOST_TEST(units::is_gone(first));
    BOOST_TEST(u.pid() != first);
    BOOST_TEST(u.registry.status("w")->restarts == 0);
}

BOOST_AUTO_TEST_CASE(lines_are_answered_as_json_strings) {
    units u(units::lines());
    BOOST_TEST(u.call("hello") == "\"HELLO\"");
    BOOST_TEST(u.call("say", R"(["a","b c"])") == "\"SAY A B C\"");
    BOOST_TEST(u.call("say", R"({"a": 1.0})") == R"("SAY {\"A\":1.0}")");
    BOOST_TEST(u.call("bytes") == R"({"data_b64":"//4="})");
    BOOST_TEST((failure_of([&] { u.call("a\nb"); }).kind() == error_kind::usage));
    BOOST_TEST(u.call("still here") == "\"STILL HERE\"");
}

BOOST_AUTO_TEST_CASE(W10_a_late_line_never_answers_the_next_call) {
    units u(units::lines("call_timeout = \"500ms\""));
    u.call("warm");
    const auto first = failure_of([&] { u.call("hold", "", 100ms); });
    BOOST_TEST(std::string(first.what()).starts_with("cannot call 'w': no answer within"));
    // What the worker still has to say is of the first call: another process answers the next one.
    const auto before = u.registry.status("w")->pid;
    BOOST_TEST(u.call("next") == "\"NEXT\"");
    BOOST_TEST(u.registry.status("w")->pid != before);
    BOOST_TEST(u.call("again") == "\"AGAIN\"");
}

BOOST_AUTO_TEST_CASE(U01_restart_takes_over_the_callers_environment) {
    units u(units::rpc(), {"PATH=/usr/bin:/bin", "COLOUR=red", "TERM=xterm", "HOB_INSTANCE=stale"});
    BOOST_TEST(u.call("env", "\"COLOUR\"") == "\"red\"");
    BOOST_TEST(u.call("env", "\"TERM\"") == "null");
    BOOST_TEST(u.call("env", "\"HOB_UNIT\"") == "\"w\"");
    BOOST_TEST(u.call("env", "\"HOB_INSTANCE\"") == "\"test-" + std::to_string(::getpid()) + "\"");
    u.loop.run(u.registry.restart("w", std::vector<std::string>{"PATH=/usr/bin:/bin", "COLOUR=blue"}));
    BOOST_TEST(u.call("env", "\"COLOUR\"") == "\"blue\"");
}

BOOST_AUTO_TEST_CASE(a_large_reply_and_a_large_request_pass) {
    units u(units::rpc());
    BOOST_TEST(u.call("big", "4000000").size() == 4000002u);
    const std::string big = "\"" + std::string(4000000, 'y') + "\"";
    BOOST_TEST((u.call("echo", big) == big));
}

BOOST_AUTO_TEST_CASE(W01_an_oversized_reply_is_an_error_and_the_worker_goes_on) {
    units u(units::rpc());
    const auto failed = failure_of([&] { u.call("big", "17000000"); });
    BOOST_TEST(failed.what() == "cannot call 'w': its reply is longer than 16 MiB");
    BOOST_TEST(u.call("echo", "1") == "1");
}

BOOST_AUTO_TEST_CASE(nothing_but_standard_descriptors_reaches_a_worker) {
    units u(units::rpc());
    BOOST_TEST(u.call("fds") == "[0, 1, 2]");
}

BOOST_AUTO_TEST_CASE(many_processes_leak_neither_descriptors_nor_zombies) {
    units u("[worker.w]\nrun = [\"cat\"]\nprotocol = \"lines\"\n");
    u.call("x");
    u.loop.run(u.registry.restart("w", std::nullopt));
    u.call("x");
    const auto before = open_descriptors();
    for (int i = 0; i < rounds / 10; ++i) {
        u.loop.run(u.registry.restart("w", std::nullopt));
        BOOST_REQUIRE(u.call("x") == "\"x\"");
    }
    BOOST_TEST(open_descriptors() == before);
    u.stop();
    for (const auto& process : hob::util::all_processes()) {
        BOOST_TEST(!(process.ppid == ::getpid() && process.state == 'Z'));
    }
}

BOOST_AUTO_TEST_SUITE_END()
