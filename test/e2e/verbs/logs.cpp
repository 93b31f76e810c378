// hob logs: reads without a daemon, follows across rotation and restart, ends when its reader is gone.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <sstream>

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "harness/sandbox.hpp"
#include "util/fd.hpp"
#include "util/log/rotating_file.hpp"

using namespace hob::test;

namespace {

const std::string echo_unit = "[worker.echo]\nrun = [\"cat\"]\nprotocol = \"lines\"\n";

std::string daemon_record(const std::string& time, const std::string& level, const std::string& message) {
    return R"({"ts":"2026-01-02T)" + time + R"(.123Z","level":")" + level + R"(","channel":"unit","msg":")" +
           message + "\",\"pid\":12}\n";
}

std::string unit_record(const std::string& stream, const std::string& message) {
    return R"({"ts":"2026-01-02T03:04:05.678Z","stream":")" + stream + R"(","msg":")" + message + "\"}\n";
}

// Creates the state directory as a daemon leaves it.
void put_log(const sandbox& box, const std::string& name, const std::string& text) {
    ::mkdir(box.state().c_str(), 0700);
    ::mkdir(box.state_dir().c_str(), 0700);
    ::mkdir((box.state_dir() + "/log").c_str(), 0700);
    std::ofstream(box.state_dir() + "/" + name, std::ios::app | std::ios::binary) << text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(logs)

BOOST_AUTO_TEST_CASE(prints_the_daemons_log_for_people_without_starting_it) {
    sandbox box;
    box.set_env("TZ", "UTC0");
    box.config(echo_unit);
    put_log(box, "daemon.log.1", daemon_record("03:04:05", "info", "worker started"));
    put_log(box, "daemon.log", daemon_record("03:04:06", "error", "worker died"));
    const auto out = box.run({"logs"});
    BOOST_TEST(out.status == 0, out.text());
    BOOST_TEST(out.out ==
               "2026-01-02 03:04:05.123 info    unit      worker started pid=12\n"
               "2026-01-02 03:04:06.123 error   unit      worker died pid=12\n");
    BOOST_TEST(out.err == "");
    BOOST_TEST(box.run({"logs", "daemon"}).out == out.out);
    BOOST_TEST(box.daemon_pid() == 0);
    BOOST_TEST(!exists(box.socket()));
}

BOOST_AUTO_TEST_CASE(L28_a_broken_hob_toml_does_not_matter) {
    sandbox box;
    box.config("[worker.echo\nrun = ");
    put_log(box, "daemon.log", daemon_record("03:04:05", "info", "worker started"));
    put_log(box, "log/echo.log", unit_record("stdout", "hello"));
    BOOST_TEST(box.run({"logs"}).status == 0);
    BOOST_TEST(box.run({"logs", "echo"}).out.ends_with(" hello\n"));
}

BOOST_AUTO_TEST_CASE(selects_by_count_time_level_and_text) {
    sandbox box;
    box.set_env("TZ", "UTC0");
    std::string all;
    for (int i = 10; i < 60; ++i) {
        all += daemon_record("03:04:" + std::to_string(i), i % 10 == 0 ? "warning" : "info",
                             "n" + std::to_string(i));
    }
    put_log(box, "daemon.log", all + all);
    BOOST_TEST(count(box.run({"logs"}).out, "\n") == 50u);
    BOOST_TEST(count(box.run({"logs", "-n", "all"}).out, "\n") == 100u);
    BOOST_TEST(count(box.run({"logs", "-n", "0"}).out, "\n") == 0u);
    const auto last = box.run({"logs", "-n", "2", "--level", "warn"}).out;
    BOOST_TEST(last ==
               "2026-01-02 03:04:40.123 warning unit      n40 pid=12\n"
               "2026-01-02 03:04:50.123 warning unit      n50 pid=12\n");
    BOOST_TEST(count(box.run({"logs", "--since", "2026-01-02 03:04:57"}).out, "\n") == 6u);
    BOOST_TEST(count(box.run({"logs", "--until", "2026-01-02T03:04:12Z"}).out, "\n") == 4u);
    BOOST_TEST(count(box.run({"logs", "--since", "1m"}).out, "\n") == 0u);
    BOOST_TEST(count(box.run({"logs", "--grep", "^n3[12] pid"}).out, "\n") == 4u);
}

BOOST_AUTO_TEST_CASE(L29_wrong_options_are_usage_errors) {
    sandbox box;
    box.config(echo_unit);
    for (const std::vector<std::string>& wrong :
         std::vector<std::vector<std::string>>{{"logs", "--since", "yesterdayish"},
                                               {"logs", "--until", "25:00"},
                                               {"logs", "--level", "loud"},
                                               {"logs", "echo", "--level", "info"},
                                               {"logs", "--grep", "("},
                                               {"logs", "-n", "many"},
                                               {"logs", "-n", "-1"},
                                               {"logs", "-f", "--until", "1m"}}) {
        const auto out = box.run(wrong);
        BOOST_TEST(out.status == 2, out.text());
        BOOST_TEST(out.err.starts_with("hob: cannot "), out.text());
        BOOST_TEST(out.out == "");
    }
    BOOST_TEST(box.daemon_pid() == 0);
}

BOOST_AUTO_TEST_CASE(an_unknown_unit_is_an_error_but_a_missing_log_is_not) {
    sandbox box;
    box.config(echo_unit);
    put_log(box, "log/gone.log", unit_record("stdout", "from before"));
    const auto unknown = box.run({"logs", "ecko"});
    BOOST_TEST(unknown.status == 1);
    BOOST_TEST(unknown.err ==
               "hob: cannot read the log of 'ecko': no such unit\nhint: did you mean 'echo'?\n");
    const auto json = box.run({"logs", "ecko", "--json"});
    BOOST_TEST(json_at(json.err, "/error/code").value_or("") == "unit_unknown");
    const auto quiet = box.run({"logs", "echo"});
    BOOST_TEST((quiet.status == 0 && quiet.out.empty()), quiet.text());
    BOOST_TEST(box.run({"logs", "gone"}).out.ends_with(" from before\n"));
    BOOST_TEST(box.run({"logs", "../daemon"}).status == 1);
    BOOST_TEST(box.run({"logs", ""}).status == 2);
}

BOOST_AUTO_TEST_CASE(C07_json_prints_each_record_as_stored) {
    sandbox box;
    box.config(echo_unit);
    const std::string records = unit_record("stdout", "a") + unit_record("stderr", "b");
    put_log(box, "log/echo.log", records);
    BOOST_TEST(box.run({"logs", "echo", "--json"}).out == records);
    put_log(box, "log/echo.log", "half a rec\xff\n\nplain\n");
    const auto out = box.run({"logs", "echo", "--json"});
    BOOST_TEST(out.out == records + "{\"data_b64\":\"aGFsZiBhIHJlY/8=\"}\n{\"msg\":\"plain\"}\n");
}

BOOST_AUTO_TEST_CASE(other_lines_are_shown_unchanged) {
    sandbox box;
    put_log(box, "daemon.log",
            "{\"ts\":\"2026\nplain text\n" + daemon_record("03:04:05", "info", "m") + "half");
    const auto out = box.run({"logs"});
    BOOST_TEST(out.out.starts_with("{\"ts\":\"2026\nplain text\n2026"), out.out);
    BOOST_TEST(out.out.ends_with("m pid=12\nhalf\n"), out.out);
}

BOOST_AUTO_TEST_CASE(colors_only_on_request_in_a_pipe) {
    sandbox box;
    put_log(box, "daemon.log", daemon_record("03:04:05", "error", "m"));
    BOOST_TEST(box.run({"logs"}).out.find('\x1b') == std::string::npos);
    BOOST_TEST(box.run({"logs", "--color", "always"}).out.find("\x1b[31merror") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(C12_only_time_and_text_are_shown_and_more_with_verbose) {
    sandbox box;
    box.set_env("TZ", "UTC0");
    box.config(echo_unit);
    put_log(box, "log/echo.log",
            unit_record("stdout", "one") + unit_record("stderr", "two") +
                unit_record("hob", "the worker exited"));
    const std::string time = "2026-01-02 03:04:05.678 ";
    BOOST_TEST(box.run({"logs", "echo"}).out == time + "one\n" + time + "two\n");
    BOOST_TEST(box.run({"logs", "echo", "-n", "1"}).out == time + "two\n");
    BOOST_TEST(box.run({"logs", "echo", "-v"}).out ==
               time + "stdout one\n" + time + "stderr two\n" + time + "hob    the worker exited\n");
    BOOST_TEST(count(box.run({"logs", "echo", "--json"}).out, "\n") == 3u);
}

BOOST_AUTO_TEST_CASE(C12_raw_prints_what_the_program_wrote) {
    sandbox box;
    box.config(echo_unit + "[service.web]\nrun = ['true']\n[service.db]\nrun = ['true']\n");
    put_log(box, "log/web.log",
            unit_record("stdout", "\\u001b[31mred\\u001b[0m") + unit_record("stderr", "tab\\there") +
                R"({"ts":"2026-01-02T03:04:05.678Z","stream":"stdout","msg":"long ","partial":true})" + "\n" +
                unit_record("stdout", "line\\r") +
                R"({"ts":"2026-01-02T03:04:05.678Z","stream":"stdout","data_b64":"gP8="})" + "\n" +
                unit_record("hob", "the service exited"));
    put_log(box, "log/db.log", unit_record("stdout", "ready"));
    BOOST_TEST(box.run({"logs", "web", "--raw"}).out ==
               "\x1b[31mred\x1b[0m\ntab\there\nlong line\r\n\x80\xff\n");
    BOOST_TEST(box.run({"logs", "web", "--raw", "--color", "never", "-n", "all"})
                   .out.starts_with("red\ntab\there\n"));
    BOOST_TEST(count(box.run({"logs", "web", "db", "--raw"}).out, "|") == 0u);
}

BOOST_AUTO_TEST_CASE(C12_a_line_is_shown_as_a_terminal_leaves_it) {
    sandbox box;
    box.config(echo_unit + "[service.web]\nrun = ['true']\n");
    const std::string drawn = "\\u001b[2J\\u001b[1;1H10%\\r\\u001b[32m100%\\u001b[0m done\\r";
    put_log(box, "log/web.log", unit_record("stdout", drawn));
    const auto shown = box.run({"logs", "web"});
    BOOST_TEST(shown.out.ends_with(" \x1b[32m100%\x1b[0m done\n"), shown.out);
    BOOST_TEST(shown.out.find("10%\r") == std::string::npos, shown.out);
    BOOST_TEST(box.run({"logs", "web", "--color", "never"}).out.ends_with(" 100% done\n"));
    // The bytes are still there.
    BOOST_TEST(box.run({"logs", "web", "--raw"}).out == "\x1b[2J\x1b[1;1H10%\r\x1b[32m100%\x1b[0m done\r\n");
}

BOOST_AUTO_TEST_CASE(C12_color_never_removes_escape_sequences_and_grep_ignores_them) {
    sandbox box;
    box.config(echo_unit);
    put_log(box, "log/echo.log",
            unit_record("stdout", "\\u001b[1;31mERROR\\u001b[0m failed\\r") +
                unit_record("stdout", "\\u001b]0;title\\u0007fine"));
    const auto never = box.run({"logs", "echo", "--color", "never"});
    BOOST_TEST(never.out.find('\x1b') == std::string::npos, never.out);
    BOOST_TEST(never.out.find(" ERROR failed\n") != std::string::npos, never.out);
    BOOST_TEST(never.out.find(" fine\n") != std::string::npos, never.out);
    BOOST_TEST(count(box.run({"logs", "echo", "--grep", "^ERROR failed$"}).out, "\n") == 1u);
    BOOST_TEST(count(box.run({"logs", "echo", "--grep", "title"}).out, "\n") == 0u);
    BOOST_TEST(box.run({"logs", "echo"}).out.find("\x1b[1;31mERROR\x1b[0m") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(C12_without_a_name_starts_and_ends_of_units_are_left_out) {
    sandbox box;
    box.config("[service.web]\nrun = ['true']\n");
    put_log(box, "daemon.log",
            daemon_record("03:04:05", "info", "service started") +
                daemon_record("03:04:06", "warning", "service ended"));
    put_log(box, "log/web.log", unit_record("stdout", "hello"));
    const auto all = box.run({"logs"}).out;
    BOOST_TEST(all.find("service started") == std::string::npos, all);
    BOOST_TEST(all.find("service ended") != std::string::npos, all);
    BOOST_TEST(all.find("hello") != std::string::npos, all);
    BOOST_TEST(box.run({"logs", "-v"}).out.find("service started") != std::string::npos);
    BOOST_TEST(box.run({"logs", "daemon", "web"}).out.find("service started") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(C12_a_failed_start_shows_only_the_lines_of_its_own_life) {
    sandbox box;
    box.config(
        "[service.web]\nrun = 'echo life $(cat n); exit 3'\nrestart = 'never'\nready = { delay = '20s' }\n");
    box.write("n", "one");
    BOOST_TEST(box.run({"start", "web"}).status == 1);
    box.write("n", "two");
    const auto second = box.run({"start", "web"});
    BOOST_TEST(second.err.find("life two") != std::string::npos, second.err);
    BOOST_TEST(second.err.find("life one") == std::string::npos, second.err);
    box.config("[service.web]\nrun = 'exit 3'\nrestart = 'never'\nready = { delay = '20s' }\n");
    BOOST_REQUIRE(box.run({"reload"}).status == 0);
    const auto silent = box.run({"start", "web"});
    BOOST_TEST(silent.status == 1);
    BOOST_TEST(silent.err.find("life") == std::string::npos, silent.err);
}

BOOST_AUTO_TEST_CASE(C01_a_reader_that_leaves_early_is_not_an_error) {
    sandbox box;
    std::string all;
    for (int i = 0; i < 20000; ++i)
        all += daemon_record("03:04:05", "info", "message");
    put_log(box, "daemon.log", all);
    const auto out = box.shell("hob logs -n all | head -1; echo ${PIPESTATUS[0]}");
    BOOST_TEST(out.out.ends_with("pid=12\n0\n"), out.text());
    BOOST_TEST(out.err == "");
    run_options closed;
    closed.close_stdout = true;
    BOOST_TEST(box.run({"logs"}, closed).signal == 0);
}

BOOST_AUTO_TEST_CASE(C04_follows_across_rotation_truncation_and_a_new_file) {
    sandbox box;
    box.config(echo_unit);
    put_log(box, "log/echo.log", unit_record("stdout", "before"));
    const std::string path = box.state_dir() + "/log/echo.log";
    auto follower = box.start({"logs", "-f", "echo"});
    const auto next = [&] {
        const std::string line = follower.read_line(10s).value_or("(end)");
        const auto time = line.find(".678 ");
        return time == std::string::npos ? line : line.substr(time + 5);
    };
    BOOST_TEST(next() == "before");
    hob::util::rotating_file file(path, 400, 3, {});
    for (int i = 0; i < 40; ++i) {
        file.append(unit_record("stdout", std::to_string(i)));
        BOOST_REQUIRE(next() == std::to_string(i));
    }
    BOOST_REQUIRE(exists(path + ".2"));
    std::ofstream(path, std::ios::trunc) << unit_record("stdout", "truncated");
    BOOST_TEST(next() == "truncated");
    ::unlink(path.c_str());
    std::ofstream(path) << unit_record("stdout", "made anew");
    BOOST_TEST(next() == "made anew");
    follower.signal(SIGINT);
    const auto end = follower.wait();
    BOOST_TEST(end.status == 0, end.text());
    BOOST_TEST(end.err == "");
}

BOOST_AUTO_TEST_CASE(C04_follows_across_a_daemons_restart) {
    sandbox box;
    auto follower = box.start({"logs", "-f", "-n", "all"});
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    BOOST_TEST(follower.read_line(10s).has_value());
    BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    const std::string pid = "pid=" + std::to_string(box.daemon_pid());
    for (bool found = false; !found;) {
        const auto line = follower.read_line(10s);
        BOOST_REQUIRE(line.has_value());
        found = line->find(pid) != std::string::npos;
    }
    follower.signal(SIGINT);
    BOOST_TEST(follower.wait().status == 0);
}

BOOST_AUTO_TEST_CASE(C04_following_waits_for_a_log_that_does_not_exist_yet) {
    sandbox box;
    box.config(echo_unit);
    auto follower = box.start({"logs", "-f", "echo"});
    put_log(box, "log/echo.log", unit_record("stdout", "at last"));
    BOOST_TEST(follower.read_line(10s).value_or("").ends_with(" at last"));
    BOOST_TEST(box.daemon_pid() == 0);
}

BOOST_AUTO_TEST_CASE(C04_following_ends_when_its_output_has_no_reader_any_more) {
    sandbox box;
    put_log(box, "daemon.log", daemon_record("03:04:05", "info", "m"));
    const auto out = box.shell("hob logs -f | head -1; echo ${PIPESTATUS[0]}");
    BOOST_TEST(out.out.ends_with("m pid=12\n0\n"), out.text());
    BOOST_TEST(out.err == "");
}

BOOST_AUTO_TEST_CASE(following_ends_at_its_deadline) {
    sandbox box;
    put_log(box, "daemon.log", daemon_record("03:04:05", "info", "m"));
    const auto out = box.run({"logs", "-f", "--timeout", "200ms"});
    BOOST_TEST(out.status == 4, out.text());
    BOOST_TEST(out.out.ends_with("m pid=12\n"));
}

BOOST_AUTO_TEST_CASE(L18_a_locale_that_is_not_installed_does_not_matter) {
    sandbox box;
    box.set_env("LC_ALL", "xx_YY.UTF-8");
    put_log(box, "daemon.log", daemon_record("03:04:05", "info", "grüße"));
    const auto out = box.run({"logs", "--grep", "gr.+e"});
    BOOST_TEST(out.out.ends_with("grüße pid=12\n"), out.text());
    BOOST_TEST(box.run({"ping"}).status == 0);
}

BOOST_AUTO_TEST_CASE(several_logs_are_merged_in_the_order_of_time_with_their_names) {
    sandbox box;
    box.config(
        "[service.a]\nrun = ['sh', '-c', 'for i in 1 2 3; do echo a$i; sleep 0.2; done; exec sleep 1000']\n"
        "[service.bb]\nrun = ['sh', '-c', 'sleep 0.1; for i in 1 2 3; do echo b$i; sleep 0.2; done; echo "
        "done; exec sleep 1000']\nready = { log = 'done' }\n");
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    const auto both = box.run({"logs", "a", "bb", "-n", "all", "--json"});
    BOOST_TEST(both.status == 0);
    std::string last, order;
    std::istringstream lines(both.out);
    for (std::string line; std::getline(lines, line);) {
        const std::string time = json_at(line, "/ts").value_or("");
        BOOST_TEST(last <= time);
        last = time;
        order += json_at(line, "/unit").value_or("?") + " ";
    }
    BOOST_TEST(count(order, "a ") == 3u, order);
    BOOST_TEST(count(order, "bb ") == 4u, order);
    const auto end = box.run({"logs", "a", "bb", "-n", "2"}).out;
    BOOST_TEST(count(end, "\n") == 2u, end);
    BOOST_TEST(end.find("bb | ") != std::string::npos, end);
    // Without a name: the daemon and all services.
    const auto all = box.run({"logs", "-n", "all"}).out;
    BOOST_TEST(all.find("daemon | ") != std::string::npos, all);
    BOOST_TEST(all.find("a      | ") != std::string::npos, all);
    BOOST_TEST(box.run({"logs", "a", "none"}).status == 1);
}

BOOST_AUTO_TEST_CASE(C04_several_logs_are_followed_over_a_restart_and_each_line_comes_once) {
    sandbox box;
    box.config(
        "[service.a]\nrun = ['sh', '-c', 'echo a-$$; exec sleep 1000']\nready = { log = 'a-' }\n"
        "[service.b]\nrun = ['sh', '-c', 'echo b-$$; exec sleep 1000']\nready = { log = 'b-' }\n");
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    auto follower = box.start({"logs", "a", "b", "-f", "-n", "all"});
    int seen = 0;
    while (seen < 2) {
        const auto line = follower.read_line(20s);
        BOOST_REQUIRE(line);
        seen += line->find("-", line->find(" | ")) != std::string::npos ? 1 : 0;
    }
    BOOST_REQUIRE(box.run({"restart", "a"}).status == 0);
    std::string rest;
    while (rest.find(" a-") == std::string::npos)
        rest += follower.read_line(20s).value_or("END\n") + "\n";
    BOOST_TEST(count(rest, "b | ") == 0u, rest);
    follower.signal(SIGINT);
    BOOST_TEST(follower.wait().status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
