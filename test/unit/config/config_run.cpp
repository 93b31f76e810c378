#include "unit/config/run_command.hpp"

#include <sys/wait.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>

#include <string>

#include "harness/command_output.hpp"
#include "util/shell_quote.hpp"

using namespace hob::unit;

namespace util = hob::util;

namespace {

std::string script(std::string_view text) { return shell_command(text, "x").argv[2]; }

// The output of `command` with `args` appended.
std::string output(run_spec command, const std::vector<std::string>& args = {}) {
    command.argv.insert(command.argv.end(), args.begin(), args.end());
    return hob::test::run_command(util::shell_quoted(command.argv)).out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_run)

BOOST_AUTO_TEST_CASE(plain_words_are_executed_without_a_shell_staying) {
    for (const auto* text :
         {"postgres -D data", "./server", "/usr/bin/env python3", "mbsync -a", "ninja -C build",
          "a_b.c/d:f,g+h@i%j-k x=y", "prog A=B", "  spaced\tout  ", "cat", "echoes", "x y=z"}) {
        BOOST_TEST(is_plain_command(text), text);
        BOOST_TEST(script(text) == "exec " + std::string(text) + " \"$@\"");
    }
}

BOOST_AUTO_TEST_CASE(anything_else_is_a_script) {
    for (const auto* text :
         {"a | b",   "a && b", "a; b", "a > b", "a < b", "a &",     "a $B",      "a `b`", "a 'b'",
          "a \"b\"", "a \\b",  "a *",  "a ?",   "a [b]", "a {b,c}", "~/a",       "a #b",  "a\nb",
          "a (b)",   "a!",     "a^b",  "A=B c", "A=B",   "=a",      "a \xC3\xA9"}) {
        BOOST_TEST(!is_plain_command(text), text);
        BOOST_TEST(script(text) == text);
    }
    BOOST_TEST(!is_plain_command(""));
    BOOST_TEST(!is_plain_command(" \t"));
}

BOOST_AUTO_TEST_CASE(builtins_and_keywords_are_left_to_the_shell) {
    for (const auto* word :
         {".",       ":",     "break", "continue", "eval", "exec",    "exit",   "export", "readonly",
          "return",  "set",   "shift", "times",    "trap", "unset",   "alias",  "bg",     "cd",
          "command", "echo",  "false", "fc",       "fg",   "getopts", "hash",   "jobs",   "kill",
          "printf",  "pwd",   "read",  "test",     "true", "type",    "ulimit", "umask",  "unalias",
          "wait",    "local", "chdir", "case",     "do",   "done",    "elif",   "else",   "esac",
          "fi",      "for",   "if",    "in",       "then", "until",   "while"}) {
        BOOST_TEST(!is_plain_command(word), word);
        BOOST_TEST(!is_plain_command(std::string(" ") + word + " x"), word);
        BOOST_TEST(is_plain_command(std::string("./") + word), word);
        BOOST_TEST(is_plain_command(std::string("a ") + word), word);
    }
}

BOOST_AUTO_TEST_CASE(the_name_is_argument_zero_and_further_arguments_are_appended) {
    const run_spec plain = shell_command("printenv PWD", "unit");
    BOOST_TEST((plain.argv == std::vector<std::string>{"/bin/sh", "-c", "exec printenv PWD \"$@\"", "unit"}));
    BOOST_TEST(plain.text == "printenv PWD");
    BOOST_TEST(output(shell_command("/bin/echo a", "unit"), {"b c", "", "d'e"}) == "a b c  d'e\n");
    BOOST_TEST(output(shell_command("echo \"$0:$1:$#\"", "unit"), {"b c", ""}) == "unit:b c:2\n");
    BOOST_TEST(output(direct_command({"/bin/echo", "$HOME", "a  b"}), {"*"}) == "$HOME a  b *\n");
}

BOOST_AUTO_TEST_CASE(the_pid_of_a_plain_command_is_the_programs) {
    const run_spec plain = shell_command("/bin/sleep 0", "x");
    std::vector<char*> argv;
    std::vector<std::string> words = plain.argv;
    words.push_back("30");
    for (auto& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::execv(argv[0], argv.data());
        ::_exit(127);
    }
    std::string comm;
    for (int i = 0; i < 2000 && comm != "sleep\n"; ++i) {
        comm = output(direct_command({"cat", "/proc/" + std::to_string(pid) + "/comm"}));
    }
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    BOOST_TEST(comm == "sleep\n");
}

BOOST_AUTO_TEST_CASE(words_are_quoted_where_a_shell_would_touch_them) {
    BOOST_TEST(util::shell_quoted({"a", "b c", "", "it's", "$x", "é", "a=b"}) ==
               "a 'b c' '' 'it'\\''s' '$x' 'é' a=b");
}

BOOST_AUTO_TEST_SUITE_END()
