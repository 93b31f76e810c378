// On a real terminal, created by script(1) and by tmux.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <sstream>
#include <string>
#include <vector>

#include "fixtures/rpc_project.hpp"
#include "harness/calc_project.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

struct on_terminal {
    sandbox box;
    on_terminal() {
        make_calc_project(box);
        box.set_env("TERM", "xterm-256color");
        box.set_env("LANG", "C");  // one column is one byte
        box.set_env("SHELL", "/bin/sh");
    }

    background start(const std::string& command, int columns = 80) {
        run_options options;
        options.program = "/usr/bin/script";
        options.keep_stdin = true;
        return box.start(
            {"-qefc", "stty cols " + std::to_string(columns) + " rows 24; exec " + command, "/dev/null"},
            options);
    }
    outcome run(const std::string& command, int columns = 80) {
        run_options options;
        options.program = "/usr/bin/script";
        return box.run(
            {"-qefc", "stty cols " + std::to_string(columns) + " rows 24; exec " + command, "/dev/null"},
            options);
    }
};

// The visible text, without escape sequences and carriage returns.
std::string plain(const std::string& text) {
    std::string seen;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\x1b' && at + 1 < text.size() && text[at + 1] == '[') {
            at = text.find_first_of("ABCDEFGHJKfhlmnrsu", at + 2);
            if (at == std::string::npos) break;
        } else if (text[at] != '\r') {
            seen += text[at];
        }
    }
    return seen;
}

std::size_t widest_line(const std::string& text) {
    std::istringstream lines(plain(text));
    std::size_t widest = 0;
    for (std::string line; std::getline(lines, line);)
        widest = std::max(widest, line.size());
    return widest;
}

// Reads lines of `program` up to one that holds `word`. Returns all of them, with escape sequences.
std::string until(background& program, const std::string& word) {
    std::string all;
    for (;;) {
        const auto line = program.read_line(10s);
        if (!line) throw test_failure("it ended without '" + word + "': " + all);
        all += *line + "\n";
        if (plain(*line).find(word) != std::string::npos) return all;
    }
}

const std::string ctrl_c = "\x03";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(cli_terminal, on_terminal)

BOOST_AUTO_TEST_CASE(L01_the_first_command_releases_the_terminal) {
    if (!require_program("script")) return;
    const auto ping = run("hob ping");
    BOOST_TEST(ping.status == 0, ping.text());
    BOOST_TEST(box.daemon_pid() > 0);
}

BOOST_AUTO_TEST_CASE(C02_on_20_columns_no_line_of_a_table_is_wider) {
    if (!require_program("script")) return;
    box.run({"call", "echo", "hello"});
    for (const int columns : {20, 1, 40, 80, 500}) {
        for (const std::string command : {"hob status", "hob list", "hob status -v", "hob status --all"}) {
            const auto seen = run(command, columns);
            BOOST_TEST_CONTEXT(command << " on " << columns << ": " << seen.out) {
                BOOST_TEST(seen.status == 0);
                if (columns >= 20) BOOST_TEST(widest_line(seen.out) <= static_cast<std::size_t>(columns));
            }
        }
    }
    const auto narrow = plain(run("hob status", 20).out);
    BOOST_TEST(narrow.find("echo") != std::string::npos, narrow);
    BOOST_TEST(narrow.find("warm") != std::string::npos, narrow);
}

BOOST_AUTO_TEST_CASE(C02_a_dumb_terminal_and_no_color_get_no_escapes) {
    if (!require_program("script")) return;
    box.run({"call", "echo", "hello"});
    BOOST_TEST(run("hob status").out.find('\x1b') != std::string::npos);
    for (const std::string plainly :
         {"env NO_COLOR=1 hob", "env TERM=dumb hob", "env -u TERM hob", "hob --color never"}) {
        for (const std::string verb : {"status", "list", "help", "doctor", "call calc add a:=1"}) {
            const auto seen = run(plainly + " " + verb);
            BOOST_TEST(seen.out.find('\x1b') == std::string::npos,
                       plainly << " " << verb << ": " << seen.out);
        }
    }
    auto watch = start("env TERM=dumb hob status --watch");
    const auto frame = until(watch, "calc");
    BOOST_TEST(frame.find('\x1b') == std::string::npos, frame);
    watch.write_line(ctrl_c);
    BOOST_TEST(watch.wait().status == 0);
}

BOOST_AUTO_TEST_CASE(a_result_is_pretty_on_a_terminal_and_one_line_elsewhere) {
    if (!require_program("script")) return;
    box.config(rpc_worker());
    BOOST_TEST(plain(run("hob call w echo '{\"a\":[1,2]}'").out).find("{\n  \"a\": [") != std::string::npos);
    BOOST_TEST(plain(run("hob --json call w echo '{\"a\":[1,2]}'").out).find("{\"a\": [1, 2]}\n") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(C13_no_control_character_of_others_reaches_the_terminal) {
    if (!require_program("script")) return;
    box.set_env("LANG", "C.UTF-8");
    const std::string c1 = "\xc2\x9b", bidi = "\xe2\x80\xae", isolate = "\xe2\x81\xa6";
    const std::string hostile = "$(printf 'a\\302\\2332J\\342\\200\\256b\\342\\201\\246c\\033[2Jd')";
    for (const std::string command :
         {"call echo", "call echo -r", "call nosuch", "status", "logs", "", "call echo --until", "-C"}) {
        const auto shown = run("hob " + command + " \"" + hostile + "\"").out;
        BOOST_TEST_CONTEXT(command << ": " << shown) {
            for (const auto& control : {c1, bidi, isolate, std::string("\x1b[2J")})
                BOOST_TEST(shown.find(control) == std::string::npos);
        }
    }
    BOOST_TEST(
        plain(run("hob call echo \"" + hostile + "\"").out).find("a\\u009b2J\\u202eb\\u2066c\\u001b[2Jd") !=
        std::string::npos);
    BOOST_TEST(plain(run("hob call echo -r \"" + hostile + "\"").out).find("c\\x1b[2Jd\n") !=
               std::string::npos);
    const std::string text = "a" + c1 + "2J" + bidi + "\x1b[2J";
    BOOST_TEST(box.run({"call", "echo", "-r", text}).out == text + "\n");
}

BOOST_AUTO_TEST_CASE(watching_redraws_in_place_fits_20_columns_and_ends_with_ctrl_c) {
    if (!require_program("script")) return;
    box.run({"ping"});
    for (const int columns : {80, 20}) {
        auto watch = start("hob status --watch", columns);
        std::string seen = until(watch, "cold");
        BOOST_TEST(seen.find("\x1b[2J") != std::string::npos);
        box.run({"call", "echo", "hello"});
        seen += until(watch, "warm");
        box.run({"stop", "echo"});
        box.run({"start", "echo"});
        box.run({"restart", "echo"});
        BOOST_TEST(count(seen, "\x1b[2J") == 1u);
        BOOST_TEST(widest_line(seen) <= static_cast<std::size_t>(columns), seen);
        watch.write_line(ctrl_c);
        const auto done = watch.wait();
        BOOST_TEST(done.status == 0, done.text());
        box.run({"shutdown"});
        box.run({"ping"});
    }
}

BOOST_AUTO_TEST_CASE(C11_q_ends_the_watch_and_the_terminal_is_restored) {
    if (!require_program("script")) return;
    box.run({"ping"});
    auto watch = start("sh -c 'hob status --watch; stty -a; echo over'");
    until(watch, "calc");
    watch.write_line("q");
    const std::string rest = until(watch, "over");
    BOOST_TEST(rest.find("-icanon") == std::string::npos, rest);
    BOOST_TEST(rest.find("-echo ") == std::string::npos, rest);
    BOOST_TEST(watch.wait().status == 0);
    auto interrupted = start("sh -c 'trap : INT; hob status --watch; stty -a; echo over'");
    until(interrupted, "calc");
    interrupted.write_line(ctrl_c);
    BOOST_TEST(until(interrupted, "over").find("-icanon") == std::string::npos);
    interrupted.close_stdin();
    interrupted.wait();
}

BOOST_AUTO_TEST_CASE(watching_on_a_terminal_ends_with_the_daemon_and_says_so) {
    if (!require_program("script")) return;
    box.run({"ping"});
    auto watch = start("hob status --watch");
    until(watch, "echo");
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    const auto done = watch.wait();
    BOOST_TEST(done.status == 0);
    BOOST_TEST(plain(done.out).find("the daemon has ended") != std::string::npos, done.text());
}

BOOST_AUTO_TEST_CASE(a_terminal_that_goes_away_ends_watch_and_events) {
    if (!require_program("script")) return;
    box.run({"ping"});
    for (const std::string command : {"hob status --watch", "hob events"}) {
        auto watch = start(command);
        until(watch, command == "hob events" ? "waiting for events" : "echo");
        watch.kill_and_reap();  // script(1), which holds the terminal's other end
        BOOST_TEST(wait_until([&] { return box.processes().size() == 1; }), command);
    }
}

BOOST_AUTO_TEST_CASE(events_on_a_terminal_are_sentences_on_any_width_and_end_with_ctrl_c) {
    if (!require_program("script")) return;
    box.run({"ping"});
    for (const int columns : {80, 20}) {
        auto events = start("hob events", columns);
        until(events, "waiting for events");
        BOOST_TEST(wait_until([&] {
            return json_at(box.run({"status", "--json"}).out, "/daemon/clients").value_or("0") >= "2";
        }));
        box.run({"restart", "echo"});
        const std::string seen = plain(until(events, "echo: starting -> warm"));
        BOOST_TEST(seen.find('{') == std::string::npos, seen);
        events.write_line(ctrl_c);
        const auto done = events.wait();
        BOOST_TEST(done.status == 0, done.text());
    }
}

BOOST_AUTO_TEST_CASE(C02_tmux_shows_one_whole_frame_on_20_columns_after_every_change) {
    if (!require_program("tmux")) return;
    box.run({"call", "echo", "hello"});
    const std::string tmux = "tmux -f /dev/null -S '" + box.root() + "/t/tmux' ";
    const auto screen = [&] { return box.shell(tmux + "capture-pane -p").out; };
    BOOST_REQUIRE(
        box.shell(tmux +
                  "new-session -d -x 20 -y 12 'trap : INT; hob status --watch; echo left $?; exec cat'")
            .status == 0);
    const auto shows = [&](const std::string& word) {
        return wait_until([&] { return count(screen(), word) == 1; });
    };
    BOOST_TEST(shows("warm"), screen());
    BOOST_TEST(box.run({"stop", "echo"}).status == 0);
    BOOST_TEST(wait_until([&] { return count(screen(), "warm") == 0; }), screen());
    box.config("[worker.one]\nrun = [\"cat\"]\nprotocol = \"lines\"\n");
    BOOST_TEST(box.run({"reload"}).status == 0);
    BOOST_TEST(shows("one"), screen());
    BOOST_TEST(count(screen(), "calc") == 0u, screen());  // no rest of the longer frame
    BOOST_TEST(count(screen(), "hob running") == 1u, screen());
    box.shell(tmux + "send-keys C-c");
    BOOST_TEST(shows("left 0"), screen());
    box.shell(tmux + "kill-server");
}

BOOST_AUTO_TEST_SUITE_END()
