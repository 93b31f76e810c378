// Workers that speak lines: where an answer ends, and that nobody gets the words of another call.

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <string>
#include <vector>

#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

struct with_lines {
    sandbox box;

    // `program`: lines of hob.toml.
    bool begun = false;
    void given(const std::string& program) {
        box.config("[worker.w]\nprotocol = \"lines\"\n" + program + "\n");
        if (std::exchange(begun, true)) BOOST_TEST(box.run({"reload"}).status == 0);
        BOOST_TEST(box.run({"restart", "w"}).status == 0);
    }
    void given_shell(const std::string& script, const std::string& more = {}) {
        box.write("worker.sh", script);
        given("run = [\"bash\", \"worker.sh\"]\n" + more);
    }
    void given_python(const std::string& script, const std::string& more = {}) {
        box.write("worker.py", script);
        given("run = [\"python3\", \"-u\", \"worker.py\"]\n" + more);
    }
    outcome call(std::vector<std::string> words) {
        words.insert(words.begin(), {"call", "w"});
        return box.run(words);
    }
    void answers(const std::string& text, const std::string& expected) {
        const auto output = call({text});
        BOOST_TEST(output.out == expected + "\n", text << ": " << output.text());
    }
    // A failure whose hint or reason has this.
    void fails(const std::string& text, const std::string& said) {
        const auto output = call({"--timeout", "700ms", text});
        BOOST_TEST(output.status != 0, output.text());
        BOOST_TEST(output.err.find(said) != std::string::npos, text << ": " << output.text());
    }
    // Also an unfinished line, which is written after a pause.
    bool logs(const std::string& text) {
        return wait_until([&] { return log().find(text) != std::string::npos; });
    }
    std::string log() { return box.run({"logs", "w"}).out; }
    std::string pid() { return json_at(box.run({"status", "--json", "w"}).out, "/units/0/pid").value_or(""); }
};

const std::string two_lines = "while read -r l; do echo \"$l 1\"; sleep 0.05; echo \"$l 2\"; done\n";
const std::string late_lines =
    "while read -r l; do echo \"$l 1\"; sleep 0.4; echo \"$l 2\"; sleep 0.4; echo \"$l 3\"; done\n";
const std::string rows = "while read -r l; do printf '%s\\n' \"$l 1\" \"$l 2\" END; done\n";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(worker_lines, with_lines)

BOOST_AUTO_TEST_CASE(P17_a_second_line_that_is_late_is_given_to_nobody) {
    for (const std::string& script : {two_lines, late_lines}) {
        given_shell(script);
        for (const std::string text : {"one", "two", "three", "four"})
            answers(text, "\"" + text + " 1\"");
        BOOST_TEST(log().find("three 2") != std::string::npos, log());
        const auto next = call({"five"});
        BOOST_TEST(next.err.find("it was restarted before this call: it said more than was asked for") !=
                   std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(P17_what_was_said_between_two_calls_is_logged_and_the_worker_restarted) {
    given_shell(
        "read -r l; echo \"$l\"; (sleep 0.2; echo chatter) & while read -r l; do echo \"$l\"; done\n");
    answers("one", "\"one\"");
    BOOST_REQUIRE(logs("chatter"));
    const std::string before = pid();
    answers("two", "\"two\"");
    BOOST_TEST(pid() != before);
}

BOOST_AUTO_TEST_CASE(P17_several_lines_come_whole_with_until_and_a_remark_without) {
    given_shell(rows, "answer = { until = \"^END$\" }");
    answers("x", R"("x 1\nx 2")");
    answers("y", R"("y 1\ny 2")");
    const std::string before = pid();
    answers("z", R"("z 1\nz 2")");
    BOOST_TEST(pid() == before);
    given_python(
        "import sys\nfor l in sys.stdin:\n  sys.stdout.write('{0} 1\\n{0} 2\\n'.format(l.strip()))\n");
    const auto first = call({"x"});
    BOOST_TEST(first.out == "\"x 1\"\n");
    BOOST_TEST(first.err.find("more than this answer") != std::string::npos, first.text());
    answers("y", "\"y 1\"");
}

BOOST_AUTO_TEST_CASE(P17_a_line_without_an_answer_costs_its_own_call_only) {
    given_shell("while read -r l; do [ \"$l\" = silent ] || echo \"$l\"; done\n");
    answers("one", "\"one\"");
    fails("silent", "no answer within 700ms");
    answers("two", "\"two\"");
    fails("silent", "no answer within 700ms");
    answers("three", "\"three\"");
}

BOOST_AUTO_TEST_CASE(P17_a_late_answer_is_nobodys) {
    given_python(
        "import sys, time\nfor l in sys.stdin:\n  time.sleep(1.2 if l[0] == 's' else 0)\n  print(l, "
        "end='')\n");
    answers("one", "\"one\"");
    fails("slow", "no answer within 700ms");
    answers("two", "\"two\"");
    fails("slow", "no answer within 700ms");
    let_pass(800ms);
    answers("three", "\"three\"");
}

BOOST_AUTO_TEST_CASE(P17_a_first_answer_that_never_comes_names_the_buffer) {
    given("run = [\"tr\", \"a-z\", \"A-Z\"]");
    fails("abc", "set tty = true, or run it by `stdbuf -oL`");
    given("run = [\"tr\", \"a-z\", \"A-Z\"]\ntty = true");
    answers("abc", "\"ABC\"");
    answers("tab\there", "\"TAB\\tHERE\"");
    // Every byte, however long the line.
    const std::string text(50'000, 'x');
    const auto whole = call({text});
    BOOST_TEST(whole.out == "\"" + std::string(50'000, 'X') + "\"\n");
    given_python(
        "import os, sys\nfor l in sys.stdin: print(sys.stdin.isatty(), sys.stdout.isatty(), "
        "os.environ['TERM'])",
        "tty = true");
    answers("x", "\"False True dumb\"");
    given("run = [\"stdbuf\", \"-oL\", \"tr\", \"a-z\", \"A-Z\"]");
    answers("abc", "\"ABC\"");
    answers("def", "\"DEF\"");
}

BOOST_AUTO_TEST_CASE(P17_what_does_not_end_as_it_should_is_named) {
    given_shell(rows, "answer = { until = \"^never$\" }");
    fails("x", "matches 'until'");
    BOOST_TEST(log().find("x 2") != std::string::npos);
    given_shell("while read -r l; do printf half; done\n");
    fails("x", "no whole line");
    BOOST_TEST(logs("half"));
    given_shell("while read -r l; do while sleep 0.01; do echo drop; done; done\n",
                "answer = { quiet = \"400ms\" }");
    fails("x", "never silent for 400ms");
}

BOOST_AUTO_TEST_CASE(P17_what_a_program_says_before_its_first_request_is_no_answer) {
    const std::string script =
        "import sys, time\nprint('hello')\ntime.sleep(0.3)\nprint('> ', end='')\n"
        "for l in sys.stdin:\n  print(l, end='> ')\n";
    given_python(script, "answer = { until = \"> $\" }");
    answers("one", "\"one\"");
    answers("two", "\"two\"");
    given_python(script, "answer = { quiet = \"50ms\" }");
    answers("one", "\"one\\n> \"");
    given_shell("echo welcome; while read -r l; do echo \"$l\"; done\n");
    answers("one", "\"one\"");
    BOOST_TEST(log().find("welcome") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(P17_a_program_that_dies_within_its_answer_has_not_answered) {
    for (const std::string how : {"line", "until", "quiet"}) {
        const std::string answer = how == "line"    ? "\"line\""
                                   : how == "until" ? "{ until = \"^END$\" }"
                                                    : "{ quiet = \"200ms\" }";
        given_shell("read -r l; printf 'half an'; kill -9 $$\n", "answer = " + answer);
        fails("x", "killed by signal 9");
        BOOST_TEST(logs("half an"), how);
    }
}

BOOST_AUTO_TEST_CASE(P17_callers_at_once_get_their_own_words_also_beside_one_that_leaves) {
    given_python(
        "import sys, time\nfor l in sys.stdin:\n  time.sleep(0.3 if l[0] == 's' else 0.01)\n  print(l, l, "
        "'END')\n",
        "answer = { until = \"^ END$\" }");
    answers("warm", R"("warm\n warm")");
    for (int round = 0; round < 3; ++round) {
        std::vector<background> all;
        for (int i = 0; i < 6; ++i)
            all.push_back(box.start({"call", "w", "c" + std::to_string(i)}));
        auto leaves = box.start({"call", "w", "--timeout", "100ms", "slow"});
        for (int i = 6; i < 10; ++i)
            all.push_back(box.start({"call", "w", "c" + std::to_string(i)}));
        for (std::size_t i = 0; i < all.size(); ++i) {
            const std::string text = "c" + std::to_string(i);
            const auto output = all[i].wait();
            BOOST_TEST(output.out == "\"" + text + "\\n " + text + "\"\n", output.text());
        }
        leaves.wait();
    }
}

BOOST_AUTO_TEST_CASE(P17_a_caller_that_hangs_up_leaves_nothing_behind) {
    given_shell("while read -r l; do echo \"$l 1\"; [ $l != slow ] || sleep 0.5; echo END; done\n",
                "answer = { until = \"^END$\" }");
    answers("one", "\"one 1\"");
    auto leaving = box.start({"call", "w", "slow"});
    BOOST_REQUIRE(wait_until([&] {
        return box.run({"wait", "w", "--for", "idle", "--timeout", "50ms"}).status == 4;
    }));
    leaving.signal(SIGINT);
    leaving.wait();
    answers("two", "\"two 1\"");
    answers("three", "\"three 1\"");
}

BOOST_AUTO_TEST_CASE(answers_keep_their_bytes_and_their_limit) {
    given_python(
        "import sys\nfor l in sys.stdin:\n  l = l.strip()\n"
        "  sys.stdout.buffer.write({'nul': b'a\\0b', 'raw': b'\\xff\\xfe', 'crlf': b'a\\r', 'none': b'',"
        " 'big': b'x' * (17 << 20)}.get(l, l.encode()) + b'\\n')\n");
    answers("nul", R"("a\u0000b")");
    answers("raw", R"({"data_b64":"//4="})");
    answers("crlf", "\"a\"");
    answers("none", "\"\"");
    const auto big = call({"big"});
    BOOST_TEST(big.err.find("longer than 16 MiB") != std::string::npos, big.text());
    const std::string before = pid();
    answers("after", "\"after\"");
    BOOST_TEST(pid() == before);
}

BOOST_AUTO_TEST_CASE(bc_and_sqlite3_say_nothing_where_there_is_nothing_to_say) {
    if (!require_program("bc") || !require_program("sqlite3")) return;
    given("run = [\"bc\", \"-q\"]\nanswer = { quiet = \"50ms\" }");
    answers("x = 20", "\"\"");
    answers("x + 1", "\"21\"");
    answers("for (i = 0; i < 3; ++i) i", "\"0\\n1\\n2\"");
    given("run = [\"sqlite3\"]\nanswer = { quiet = \"50ms\" }");
    answers("create table t(a);", "\"\"");
    answers("insert into t values(1),(2);", "\"\"");
    answers("select a from t;", "\"1\\n2\"");
}

BOOST_AUTO_TEST_CASE(a_python_prompt_and_filters_are_workers) {
    given("run = \"exec python3 -i -q -u 2>&1\"\nanswer = { until = \">>> $\" }");
    answers("6 * 7", "\"42\"");
    answers("x = 1", "\"\"");
    answers("print(x, end='')", "\"1\"");
    answers("import time", "\"\"");
    answers("[print(i) or time.sleep(0.1) for i in range(2)]", "\"0\\n1\\n[None, None]\"");
    for (const std::string run :
         {"[\"cat\"]", "[\"sed\", \"-u\", \"s/a/a/\"]", "[\"stdbuf\", \"-oL\", \"tr\", \"b\", \"b\"]"}) {
        given("run = " + run);
        for (const std::string text : {"abc", "", "a  b"})
            answers(text, "\"" + text + "\"");
    }
}

BOOST_AUTO_TEST_SUITE_END()
