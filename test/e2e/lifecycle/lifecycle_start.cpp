// A daemon that a client has started: every client finds it, and it keeps nothing of its caller.

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

std::string pid_in(const outcome& ping) {
    return json_at(ping.out, "/pid").value_or("none in " + ping.text());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lifecycle_start)

// run() itself waits for the end of file of both pipes, as a CI runner does.
BOOST_AUTO_TEST_CASE(L01_the_first_ping_returns_though_the_daemon_lives_on) {
    sandbox box;
    const auto ping = box.run({"ping"});
    BOOST_TEST(ping.status == 0, ping.text());
    BOOST_TEST(ping.err == "");
    BOOST_TEST(box.daemon_pid() > 0);
}

BOOST_AUTO_TEST_CASE(L01_command_substitution_returns) {
    sandbox box;
    const auto result = box.shell("out=$(hob ping --json) && echo \"got $out\"");
    BOOST_TEST(result.status == 0, result.text());
    BOOST_TEST(result.out.starts_with("got {"));
}

BOOST_AUTO_TEST_CASE(L01_a_pipe_ends) {
    sandbox box;
    const auto result = box.shell("set -o pipefail; hob ping | cat");
    BOOST_TEST(result.status == 0, result.text());
}

BOOST_AUTO_TEST_CASE(L01_extra_descriptors_are_not_kept) {
    sandbox box;
    const auto result = box.shell("exec 8>&1 9>&2 77>&1; hob ping >/dev/null 2>&1");
    BOOST_TEST(result.status == 0, result.text());
    BOOST_TEST(box.daemon_pid() > 0);
}

BOOST_AUTO_TEST_CASE(L01_under_timeout_it_returns) {
    sandbox box;
    const auto result = box.shell("timeout 20 hob ping; echo $?");
    BOOST_TEST(result.out.ends_with("0\n"), result.text());
    BOOST_TEST(box.shell("timeout --foreground 20 hob ping").status == 0);
}

BOOST_AUTO_TEST_CASE(L01_with_closed_standard_descriptors_it_returns) {
    sandbox box;
    const auto result = box.shell("hob ping <&- >&- 2>&-; echo $?");
    BOOST_TEST(result.out == "0\n", result.text());
    BOOST_TEST(box.shell("hob status >/dev/null && echo up").out == "up\n");
}

BOOST_AUTO_TEST_CASE(L02_a_callers_flock_is_free_once_the_caller_is_gone) {
    sandbox box;
    const auto result = box.shell("exec 9>lock; flock 9; hob ping >/dev/null");
    BOOST_TEST(result.status == 0, result.text());
    BOOST_TEST(box.daemon_pid() > 0);
    BOOST_TEST(box.shell("flock -n lock true").status == 0);
}

BOOST_AUTO_TEST_CASE(L17_other_homes_and_temporary_directories_meet_the_same_daemon) {
    sandbox box;
    const auto first = box.run({"ping", "--json"});
    run_options other;
    other.env = {{"TMPDIR", "/nonexistent"},
                 {"XDG_RUNTIME_DIR", box.root() + "/other"},
                 {"XDG_CONFIG_HOME", box.root() + "/other"},
                 {"XDG_STATE_HOME", box.root() + "/other"},
                 {"HOME", "/"}};
    BOOST_TEST(pid_in(box.run({"ping", "--json"}, other)) == pid_in(first));
}

BOOST_AUTO_TEST_CASE(L17_another_runtime_directory_is_a_stated_reason) {
    if (!require_root()) return;
    sandbox_options nobody;
    nobody.uid = 54321;  // no /run/user/54321: XDG_RUNTIME_DIR decides
    sandbox box(nobody);
    box.set_env("HOB_RUNTIME_DIR", std::nullopt);
    box.set_env("HOB_STATE_DIR", std::nullopt);
    run_options here;
    run_options there;
    for (auto* side : {&here, &there}) {
        const std::string dir = box.root() + (side == &here ? "/x1" : "/x2");
        ::mkdir(dir.c_str(), 0700);
        BOOST_REQUIRE(::chown(dir.c_str(), 54321, 54321) == 0);
        side->env = {{"XDG_RUNTIME_DIR", dir}};
    }
    const auto first = box.run({"ping", "--json"}, here);
    BOOST_REQUIRE_MESSAGE(first.status == 0, first.text());
    const auto second = box.run({"ping", "--json"}, there);
    BOOST_TEST(second.status == 3, second.text());
    BOOST_TEST(json_at(second.err, "/error/code").value_or("") == "instance_elsewhere", second.text());
    BOOST_TEST(second.err.find(pid_in(first)) != std::string::npos, second.text());
    BOOST_TEST(second.err.find(box.root() + "/x1/hob/") != std::string::npos, second.text());
}

BOOST_AUTO_TEST_CASE(L18_an_empty_environment_works_where_the_directories_are_named) {
    sandbox box;
    run_options bare;
    bare.empty_env = true;
    bare.env = {{"HOB_RUNTIME_DIR", box.runtime()}, {"HOB_STATE_DIR", box.state()}};
    const auto ping = box.run({"ping", "--json"}, bare);
    BOOST_TEST(ping.status == 0, ping.text());
    BOOST_TEST(pid_in(box.run({"ping", "--json"})) == pid_in(ping));
}

BOOST_AUTO_TEST_CASE(L18_an_unknown_user_without_a_home_is_told_so) {
    if (!require_root()) return;
    sandbox_options nobody;
    nobody.uid = 54321;
    sandbox box(nobody);
    run_options bare;
    bare.empty_env = true;
    bare.env = {{"HOB_RUNTIME_DIR", box.runtime()}};
    const auto ping = box.run({"ping"}, bare);
    BOOST_TEST(ping.status != 0);
    BOOST_TEST(ping.err.starts_with("hob: cannot "), ping.text());
    BOOST_TEST(ping.err.find("HOME") != std::string::npos, ping.text());
    bare.env.emplace_back("HOB_STATE_DIR", box.state());
    BOOST_TEST(box.run({"ping"}, bare).status == 0);
}

BOOST_AUTO_TEST_CASE(L18_a_home_that_cannot_be_written_is_named) {
    if (!require_root()) return;
    sandbox_options nobody;
    nobody.uid = 54321;
    sandbox box(nobody);
    BOOST_REQUIRE(::chmod(box.home().c_str(), 0500) == 0);
    run_options options;
    options.env = {{"HOB_STATE_DIR", std::nullopt}, {"XDG_STATE_HOME", std::nullopt}};
    const auto ping = box.run({"ping"}, options);
    BOOST_TEST(ping.status != 0);
    BOOST_TEST(ping.err.find(box.home()) != std::string::npos, ping.text());
    BOOST_TEST(ping.elapsed < 5s);
}

BOOST_AUTO_TEST_CASE(L18_a_locale_that_is_not_installed_does_not_matter) {
    sandbox box;
    run_options options;
    options.env = {{"LC_ALL", "xx_YY.UTF-8"}, {"LANG", "xx_YY.UTF-8"}};
    const auto ping = box.run({"ping"}, options);
    BOOST_TEST(ping.status == 0, ping.text());
    BOOST_TEST(box.run({"logs"}, options).status == 0);
}

BOOST_AUTO_TEST_CASE(L27_spellings_of_one_path_are_one_instance_and_a_copy_is_another) {
    sandbox box;
    const std::string pid = pid_in(box.run({"ping", "--json"}));
    BOOST_REQUIRE(::symlink(box.project().c_str(), (box.root() + "/alias").c_str()) == 0);
    box.shell("mkdir -p sub/deeper");
    run_options from;
    for (const std::string& cwd :
         {box.root() + "/alias", box.project() + "/sub/deeper", box.root() + "/alias/sub/.."}) {
        from.cwd = cwd;
        from.env = {{"PWD", cwd}};
        BOOST_TEST(pid_in(box.run({"ping", "--json"}, from)) == pid, cwd);
    }
    from.cwd = "/";
    for (const std::string& dir :
         {box.project() + "/", box.root() + "/alias/", box.project() + "//sub/../."}) {
        BOOST_TEST(pid_in(box.run({"-C", dir, "ping", "--json"}, from)) == pid, dir);
    }
    box.shell("cp -r . ../copy");
    from.cwd = box.root() + "/copy";
    const auto copy = box.run({"ping", "--json"}, from);
    BOOST_TEST(copy.status == 0, copy.text());
    BOOST_TEST(pid_in(copy) != pid);
}

BOOST_AUTO_TEST_CASE(L29_a_usage_error_is_found_before_any_daemon_is_started) {
    sandbox box;
    box.config(echo_worker());
    const std::vector<std::vector<std::string>> wrong{
        {"ping", "--bogus"},
        {"ping", "operand"},
        {"call"},
        {"call", "echo"},
        {"call", "echo", "m", "{bad"},
        {"--timeout", "soon", "ping"},
        {"--color", "pink", "ping"},
        {"--instance", "a/b", "ping"},
        {"start", "--bogus", "echo"},
        {"frobnicate"},
        {"events", "--bogus"},
        {"daemon", "operand"},
    };
    for (const auto& args : wrong) {
        const auto result = box.run(args);
        BOOST_TEST(result.status == 2, args[0] << " " << args.back() << ": " << result.text());
        BOOST_TEST(result.err.starts_with("hob: "), result.text());
    }
    BOOST_TEST(!exists(box.pid_file()));
    BOOST_TEST(!exists(box.socket()));
    BOOST_TEST(box.processes().empty());
}

BOOST_AUTO_TEST_CASE(L28_a_broken_configuration_fails_at_once_and_leaves_nothing) {
    sandbox box;
    box.config("[daemon]\nshutdwn_timeout = \"1s\"\n");
    for (const std::vector<std::string>& args :
         {std::vector<std::string>{"ping"}, {"call", "echo", "x"}, {"daemon"}}) {
        const auto result = box.run(args);
        BOOST_TEST(result.status == 2, result.text());
        BOOST_TEST(result.err.find("hob.toml:2:1") != std::string::npos, result.text());
        BOOST_TEST(result.err.find("shutdown_timeout") != std::string::npos, result.text());
        BOOST_TEST(result.elapsed < 1s);
    }
    BOOST_TEST(!exists(box.socket()));
    BOOST_TEST(slurp(box.pid_file()) == "");
    BOOST_TEST(box.run({"status"}).status == 3);
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(box.run({"logs"}).status == 0);
    BOOST_TEST(box.run({"list"}).status == 0);
}

BOOST_AUTO_TEST_CASE(L30_hob_inside_a_unit_finds_the_same_daemon) {
    // The key of the second begins with a character that --instance does not accept.
    for (const std::string project : {"p", "\xc3\xa4\xc3\xb6"}) {
        sandbox_options options;
        options.project = project;
        sandbox box(options);
        box.write("inside.sh", "while read -r line; do $line 2>&1 | tr '\\n' ' '; echo; done\n");
        box.config("[worker.inside]\nrun = [\"/bin/bash\", \"inside.sh\"]\nprotocol = \"lines\"\n");
        const std::string pid = pid_in(box.run({"ping", "--json"}));
        const auto inner = box.run({"call", "inside", box.binary() + " ping --json"});
        BOOST_TEST(inner.status == 0, inner.text());
        BOOST_TEST(inner.out.find("\\\"pid\\\":" + pid) != std::string::npos, inner.text());
    }
}

BOOST_AUTO_TEST_CASE(L30_shutdown_from_inside_a_unit_completes) {
    sandbox box;
    box.write("inside.sh", "while read -r line; do $line 2>&1 | tr '\\n' ' '; echo; done\n");
    box.config("[worker.inside]\nrun = [\"/bin/bash\", \"inside.sh\"]\nprotocol = \"lines\"\n");
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    const pid_t daemon = box.daemon_pid();
    const auto inner =
        box.run({"call", "inside", box.binary() + " shutdown"});  // it may or may not be answered
    BOOST_TEST(inner.elapsed < 15s);
    BOOST_TEST(wait_until([&] { return !process_lives(daemon); }, 12s));
    BOOST_TEST(wait_until([&] { return box.processes().empty(); }));
    BOOST_TEST(box.run({"ping"}).status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
