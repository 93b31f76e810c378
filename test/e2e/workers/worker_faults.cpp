// What callers see of workers that misbehave.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "fixtures/rpc_project.hpp"
#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

struct with_worker {
    sandbox box;
    void given(const std::string& toml) { box.config(toml); }
    outcome call(std::vector<std::string> words) {
        words.insert(words.begin(), {"call", "w"});
        return box.run(words);
    }
    pid_t pid() { return std::atoi(call({"pid"}).out.c_str()); }
    bool still_answers() { return call({"echo", "\"still here\""}).out == "\"still here\"\n"; }
    std::string state() {
        return json_at(box.run({"status", "--json", "w"}).out, "/units/0/state").value_or("");
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(worker_faults, with_worker)

BOOST_AUTO_TEST_CASE(
    U11_a_death_in_a_call_fails_every_caller_with_the_last_output_and_the_next_call_starts_a_new_process) {
    given(rpc_worker());
    const pid_t first = pid();
    raw_client other(box.socket());
    other.request("1", "worker.call", R"({"unit":"w","method":"never"})");
    other.request("2", "worker.call", R"({"unit":"w","method":"pid"})");
    BOOST_TEST(json_at(other.reply(), "/id").value_or("") == "2");  // so the first one was sent
    const auto died = box.run({"--json", "call", "w", "die"});
    BOOST_TEST_CONTEXT(died.text()) {
        BOOST_TEST(died.status == 1);
        BOOST_TEST(json_at(died.err, "/error/code").value_or("") == "worker_died");
        BOOST_TEST(json_at(died.err, "/error/message").value_or("").find("exited with status 3") !=
                   std::string::npos);
        BOOST_TEST(json_at(died.err, "/error/detail/stderr/0").value_or("") == "first line");
        BOOST_TEST(json_at(died.err, "/error/detail/stderr/1").value_or("") == "last words");
    }
    const std::string reply = other.reply();
    BOOST_TEST(json_at(reply, "/id").value_or("") == "1");
    BOOST_TEST(json_at(reply, "/error/data/code").value_or("") == "worker_died", reply);
    BOOST_TEST(json_at(reply, "/error/data/detail/stderr/1").value_or("") == "last words", reply);
    const pid_t second = pid();
    BOOST_TEST(second > 0);
    BOOST_TEST(second != first);
}

BOOST_AUTO_TEST_CASE(U11_a_death_by_signal_names_the_signal) {
    given(rpc_worker());
    const auto died = call({"kill"});
    BOOST_TEST(died.status == 1);
    BOOST_TEST(died.err.find("killed by signal 9 (KILL)") != std::string::npos, died.text());
    BOOST_TEST(still_answers());
}

BOOST_AUTO_TEST_CASE(U11_a_worker_that_dies_at_its_start_fails_each_call_with_its_output) {
    given("[worker.w]\nrun = \"echo no licence >&2; exit 7\"\nprotocol = \"lines\"\n");
    for (int i = 0; i < 3; ++i) {
        const auto died = call({"anything"});
        BOOST_TEST_CONTEXT(died.text()) {
            BOOST_TEST(died.status == 1);
            BOOST_TEST(died.err.find("exited with status 7") != std::string::npos);
            BOOST_TEST(died.err.find("no licence") != std::string::npos);
            BOOST_TEST(died.elapsed < 5s);
        }
    }
}

BOOST_AUTO_TEST_CASE(U11_garbage_on_stdout_harms_no_call_and_is_logged) {
    given(rpc_worker());
    BOOST_TEST(call({"garbage"}).out == "\"after garbage\"\n");
    BOOST_TEST(still_answers());
    const auto log = box.run({"logs", "w"});
    BOOST_TEST(log.out.find("this is no JSON") != std::string::npos, log.text());
    BOOST_TEST(slurp(box.daemon_log()).find("what is no message") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(U11_a_worker_that_never_answers_is_given_up_after_its_call_timeout) {
    given(rpc_worker("w", "call_timeout = \"300ms\""));
    const pid_t before = pid();
    const auto late = box.run({"--json", "call", "w", "never"});
    BOOST_TEST_CONTEXT(late.text()) {
        BOOST_TEST(late.status == 4);
        BOOST_TEST(json_at(late.err, "/error/code").value_or("") == "timeout");
        BOOST_TEST(json_at(late.err, "/error/message").value_or("").find("300ms") != std::string::npos);
        BOOST_TEST(late.elapsed >= 300ms);
        BOOST_TEST(late.elapsed < 5s);
    }
    BOOST_TEST(still_answers());
    BOOST_TEST(pid() == before);
}

BOOST_AUTO_TEST_CASE(U11_a_worker_that_is_stopped_or_reads_nothing_is_a_timeout_and_restart_ends_it) {
    given(rpc_worker("w", "call_timeout = \"300ms\"\nstop = { timeout = \"300ms\" }", "ignore-term"));
    const pid_t before = pid();
    BOOST_TEST(call({"stop_self"}).status == 0);
    BOOST_TEST(call({"echo", "1"}).status == 4);
    const auto restarted = box.run({"restart", "w"});
    BOOST_TEST(restarted.status == 0, restarted.text());
    BOOST_TEST(!process_lives(before));
    BOOST_TEST(still_answers());
}

BOOST_AUTO_TEST_CASE(U11_duplicate_and_unknown_answers_are_dropped) {
    given(rpc_worker());
    for (int i = 0; i < 5; ++i) {
        BOOST_TEST(call({"twice"}).out == "\"one\"\n");
        BOOST_TEST(call({"echo", std::to_string(i)}).out == std::to_string(i) + "\n");
        BOOST_TEST(call({"unknown_id"}).out == "\"right\"\n");
        BOOST_TEST(call({"echo", std::to_string(i + 100)}).out == std::to_string(i + 100) + "\n");
    }
}

BOOST_AUTO_TEST_CASE(U11_a_worker_that_ignores_the_end_of_its_input_is_ended_by_every_way_to_stop) {
    given(rpc_worker("w", "stop = { timeout = \"300ms\" }", "ignore-eof"));
    for (const std::vector<std::string>& how :
         {std::vector<std::string>{"stop", "w"}, {"restart", "w"}, {"shutdown"}, {"shutdown", "--now"}}) {
        box.run({"start", "w"});
        const pid_t worker = pid();
        BOOST_REQUIRE(worker > 1);
        const auto done = box.run(how);
        BOOST_TEST(done.status == 0, done.text());
        BOOST_TEST(done.elapsed < 5s);
        BOOST_TEST(!process_lives(worker), how.back());
    }
    box.run({"start", "w"});
    const pid_t worker = pid();
    ::kill(box.daemon_pid(), SIGKILL);
    BOOST_TEST(wait_until([&] { return !process_lives(worker); }, 5s));
    BOOST_TEST(still_answers());
}

BOOST_AUTO_TEST_CASE(U11_a_worker_that_closes_its_input_is_replaced) {
    given(rpc_worker("w", "stop = { timeout = \"300ms\" }"));
    const pid_t before = pid();
    BOOST_TEST(call({"close_stdin"}).status == 0);
    const auto lost = call({"echo", "1"});
    BOOST_TEST(lost.status != 0, lost.text());
    BOOST_TEST(lost.elapsed < 10s);
    BOOST_TEST(wait_until([&] { return still_answers(); }));
    BOOST_TEST(!process_lives(before));
}

BOOST_AUTO_TEST_CASE(U11_a_worker_that_floods_stderr_is_drained_and_its_log_stays_bounded) {
    given("[log]\nmax_size = \"256KiB\"\nmax_files = 2\n" + rpc_worker());
    for (int i = 0; i < 4; ++i)
        BOOST_TEST(call({"flood", "2048"}).out == "\"flooded\"\n");  // 2 MiB each
    BOOST_TEST(still_answers());
    std::uintmax_t log_bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(box.state_dir() + "/log"))
        log_bytes += entry.file_size();
    BOOST_TEST(log_bytes > 0u);
    BOOST_TEST(log_bytes <= (512u << 10));
}

BOOST_AUTO_TEST_CASE(U11_the_error_of_a_death_after_a_flood_has_only_the_last_lines) {
    given(rpc_worker());
    BOOST_REQUIRE(call({"flood", "1000"}).status == 0);
    const auto died = box.run({"--json", "call", "w", "die"});
    BOOST_TEST(died.err.size() < 16u << 10);
    BOOST_TEST(died.err.find("\"last words\"]") != std::string::npos, died.err);
}

BOOST_AUTO_TEST_CASE(U11_a_lines_worker_that_dies_or_is_silent_is_reported_and_replaced) {
    given(lines_worker("call_timeout = \"300ms\""));
    BOOST_TEST(box.run({"call", "l", "hello"}).out == "\"HELLO\"\n");
    const auto died = box.run({"call", "l", "die"});
    BOOST_TEST(died.status == 1);
    BOOST_TEST(died.err.find("exited with status 3") != std::string::npos, died.text());
    BOOST_TEST(box.run({"call", "l", "hello"}).out == "\"HELLO\"\n");
    BOOST_TEST(box.run({"call", "l", "hold"}).status == 4);
    // Its late line would answer the next call, so another process answers that.
    const auto next = box.run({"call", "l", "hello"});
    BOOST_TEST(next.out == "\"HELLO\"\n");
    BOOST_TEST(next.err.find("it was restarted before this call") != std::string::npos, next.text());
}

BOOST_AUTO_TEST_SUITE_END()
