// Services with `stdin = "open"`, and `hob attach` to them.

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <string>

#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"
#include "harness/terminal.hpp"

using namespace hob::test;

namespace {

const std::string open_input = "stdin = 'open'\n";

std::string log_of(sandbox& box, const std::string& unit) {
    return box.run({"logs", unit, "--raw", "-n", "all"}).out;
}

outcome send(sandbox& box, const std::string& unit, const std::string& text,
             std::vector<std::string> more = {}) {
    run_options piped;
    piped.input = text;
    std::vector<std::string> words{"attach", unit};
    words.insert(words.end(), more.begin(), more.end());
    return box.run(words, piped);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(service_input)

BOOST_AUTO_TEST_CASE(a_program_that_ends_at_the_end_of_its_input_stays_up_with_an_open_one) {
    sandbox box;
    box.config(service("closed", "exec cat", "restart = 'never'\nready = { delay = '0s' }") +
               service("open", "echo up; exec cat", open_input));
    box.run({"start", "closed"});
    BOOST_TEST(wait_until([&] { return unit_member(box, "closed", "state") == "stopped"; }));
    box.config(slurp(box.project() + "/hob.toml") + service("early", "exec cat", "restart = 'never'"));
    const auto early = box.run({"start", "early"});
    BOOST_TEST(early.err.ends_with(
                   "hint: hob logs early; if it ends when its standard input does: stdin = \"open\"\n"),
               early.err);
    BOOST_TEST(box.run({"start", "open"}).status == 0);
    const auto sent = send(box, "open", "one\ntwo");
    BOOST_TEST(sent.status == 0, sent.text());
    BOOST_TEST(sent.out == "one\ntwo\n");
    BOOST_TEST(sent.err == "");
    // The end of a pipe is not the end of the service's input.
    BOOST_TEST(send(box, "open", "three\n").out == "three\n");
    BOOST_TEST(unit_member(box, "open", "state") == "ready");
    BOOST_TEST(log_of(box, "open") == "up\none\ntwo\nthree\n");
}

BOOST_AUTO_TEST_CASE(lines_of_several_clients_do_not_mix) {
    sandbox box;
    box.config(service("cat", "exec cat", open_input));
    BOOST_TEST(box.run({"start", "cat"}).status == 0);
    const int lines = scaled(2000);
    std::vector<background> clients;
    for (const std::string word :
         {"aaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbb", "cccccccccccccccccccccccc"}) {
        run_options piped;
        piped.input = "";
        for (int i = 0; i < lines; ++i)
            *piped.input += word + "\n";
        clients.push_back(box.start({"attach", "cat", "--linger", "0"}, piped));
    }
    for (auto& client : clients)
        BOOST_TEST(client.wait().status == 0);
    BOOST_TEST(
        wait_until([&] { return count(log_of(box, "cat"), "\n") == static_cast<std::size_t>(3 * lines); }));
    const std::string counted = box.shell("hob logs cat --raw -n all | sort | uniq -c | tr -s ' '").out;
    const std::string each = " " + std::to_string(lines) + " ";
    BOOST_TEST(counted == each + "aaaaaaaaaaaaaaaaaaaaaaaa\n" + each + "bbbbbbbbbbbbbbbbbbbbbbbb\n" + each +
                              "cccccccccccccccccccccccc\n");
}

BOOST_AUTO_TEST_CASE(keys_go_by_whole_lines_and_two_keys_leave) {
    sandbox box;
    box.config(service("cat", "exec cat", open_input));
    BOOST_TEST(box.run({"start", "cat"}).status == 0);
    for (const std::string key : {"\x1d", "\x03"}) {
        terminal_program person(box, {"attach", "cat"});
        person.until("attached to 'cat'; Ctrl-] or Ctrl-C leaves");
        const std::string line = key == "\x03" ? "second\n" : "first\n";
        person.type(line);
        BOOST_TEST(wait_until([&] { return log_of(box, "cat").ends_with(line); }));
        person.type("unfinished" + key);
        BOOST_TEST(person.wait() == 0);
        BOOST_TEST(person.shown().find("[hob] left 'cat'") != std::string::npos, person.shown());
        BOOST_TEST(person.restored());
    }
    terminal_program person(box, {"attach", "cat"});
    person.until("leaves");
    person.type("one \x04half");
    person.type("\n");
    BOOST_TEST(wait_until([&] { return log_of(box, "cat") == "first\nsecond\none half\n"; }));
    person.type("\x04");
    BOOST_TEST(person.wait() == 0);
    terminal_program killed(box, {"attach", "cat"});
    killed.until("leaves");
    killed.signal(SIGTERM);
    BOOST_TEST(killed.wait() == 128 + SIGTERM);
    BOOST_TEST(killed.restored());
}

BOOST_AUTO_TEST_CASE(lines_wait_for_a_service_that_is_being_restarted) {
    sandbox box;
    box.config(service("s", "test -e go || { echo not yet; sleep 0.15; exit 3; }; exec cat",
                       open_input + "backoff = { min = '10s' }\n"));
    box.run({"start", "s"});
    BOOST_TEST(wait_until([&] { return unit_member(box, "s", "state") == "backoff"; }));
    run_options piped;
    piped.input = "kept\n";
    auto sender = box.start({"attach", "s"}, piped);
    box.write("go", "");
    BOOST_TEST(box.run({"start", "s"}).status == 0);
    const auto sent = sender.wait();
    BOOST_TEST(sent.status == 0, sent.text());
    BOOST_TEST(log_of(box, "s").ends_with("kept\n"), log_of(box, "s"));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_delivered_is_an_error) {
    sandbox box;
    box.config(service("closed", "exec </dev/null; echo up; exec sleep 1000", open_input) +
               service("deaf", "exec sleep 1000", open_input) + service("off", "exec cat", open_input) +
               service("bad", "exit 3", open_input + "restart = 'never'"));
    BOOST_TEST(box.run({"start", "closed", "deaf"}).status == 0);
    BOOST_TEST(wait_until([&] { return log_of(box, "closed") == "up\n"; }));
    const auto closed = send(box, "closed", "x\n");
    BOOST_TEST(closed.status == 1);
    BOOST_TEST(closed.err == "hob: cannot send input to 'closed': it has closed its standard input\n");
    // More than a pipe holds.
    const auto deaf =
        box.shell("set -o pipefail; head -c 1000000 /dev/zero | hob --timeout 500ms attach deaf");
    BOOST_TEST(deaf.status == 4, deaf.text());
    BOOST_TEST(deaf.err == "hob: cannot attach 'deaf': the deadline is over\n");
    BOOST_TEST(box.run({"stop", "deaf"}).status == 0);
    const auto off = send(box, "off", "x\n");
    BOOST_TEST(off.status == 1);
    BOOST_TEST(off.err == "hob: cannot attach 'off': it is stopped\nhint: hob start off\n");
    box.run({"start", "bad"});
    const auto bad = send(box, "bad", "x\n");
    BOOST_TEST(bad.status == 1);
    BOOST_TEST(bad.err ==
               "hob: cannot attach 'bad': it has failed: exited with status 3\nhint: hob start bad\n");
}

BOOST_AUTO_TEST_CASE(after_the_end_of_input_it_shows_the_answer_and_leaves) {
    sandbox box;
    box.config(service("slow", "while read -r line; do sleep 0.1; echo \"got $line\"; done", open_input) +
               service("chatty", "while :; do echo tick; sleep 0.05; done", open_input));
    BOOST_TEST(box.run({"start"}).status == 0);
    BOOST_TEST(send(box, "slow", "a\nb\n").out == "got a\ngot b\n");
    const auto chatty = send(box, "chatty", "x\n");
    BOOST_TEST(chatty.status == 0);
    BOOST_TEST(chatty.elapsed < 10s);
    BOOST_TEST(chatty.elapsed >= 2s);
    BOOST_TEST(send(box, "chatty", "x\n", {"--linger", "0"}).elapsed < 2s);
    const auto wrong = send(box, "chatty", "x\n", {"--linger", "soon"});
    BOOST_TEST(wrong.status == 2);
    BOOST_TEST(wrong.err ==
               "hob: cannot use 'soon' for '--linger': not a duration\nhint: as in 500ms, 5s or 0\n");
    // A reader that goes away.
    const auto gone = box.shell("hob attach chatty < <(exec sleep 5) | head -1");
    BOOST_TEST(gone.out == "tick\n");
}

BOOST_AUTO_TEST_CASE(both_streams_come_and_merged_ones_in_their_order) {
    sandbox box;
    box.config(service(
        "m", "while read -r n; do for ((i = 0; i < n; ++i)); do echo out $i; echo err $i >&2; done; done",
        open_input + "output = 'merged'"));
    BOOST_TEST(box.run({"start", "m"}).status == 0);
    std::string expected;
    for (int i = 0; i < 200; ++i)
        expected += "out " + std::to_string(i) + "\nerr " + std::to_string(i) + "\n";
    BOOST_TEST(send(box, "m", "200\n").out == expected);
}

BOOST_AUTO_TEST_SUITE_END()
