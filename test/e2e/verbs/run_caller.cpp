// What a run gets from its caller: environment, standard input, umask, arguments; and what the caller gets of
// the run.

#include <boost/test/unit_test.hpp>

#include <signal.h>

#include <sstream>

#include "harness/sandbox.hpp"

using namespace hob::test;

BOOST_AUTO_TEST_SUITE(run_caller)

BOOST_AUTO_TEST_CASE(U39_what_belongs_to_the_first_callers_call_reaches_no_later_run) {
    sandbox box;
    box.config(
        "[task.t]\nrun = ['env']\n[service.s]\nrun = 'env > service; exec sleep 1000'\n"
        "ready = { exec = 'test -s service' }\ncwd = '.'\n");
    run_options hook;
    const std::vector<std::string> dropped{"GIT_DIR",
                                           "GIT_INDEX_FILE",
                                           "GIT_WORK_TREE",
                                           "GIT_PREFIX",
                                           "GIT_CONFIG_PARAMETERS",
                                           "NOTIFY_SOCKET",
                                           "LISTEN_FDS",
                                           "LISTEN_PID",
                                           "WATCHDOG_USEC",
                                           "INVOCATION_ID",
                                           "JOURNAL_STREAM",
                                           "npm_command",
                                           "npm_lifecycle_event",
                                           "npm_package_name",
                                           "OLDPWD",
                                           "_STDBUF_O",
                                           "npm_execpath",
                                           "GIT_COMMON_DIR",
                                           "GIT_OBJECT_DIRECTORY"};
    for (const auto& name : dropped)
        hook.env.emplace_back(name, "foreign");
    const std::vector<std::string> kept{"GIT_SSH_COMMAND", "npm_config_registry", "TZ", "GIT_AUTHOR_NAME"};
    for (const auto& name : kept)
        hook.env.emplace_back(name, "mine");
    hook.env.emplace_back("MAKEFLAGS", " -j8 --jobserver-auth=fifo:/tmp/none");
    hook.env.emplace_back("PWD", "/elsewhere");
    const auto expect_clean = [&](const std::string& environment) {
        for (const auto& name : dropped)
            BOOST_TEST(("\n" + environment).find("\n" + name + "=") == std::string::npos, name);
        for (const auto& name : kept)
            BOOST_TEST(environment.find(name + "=mine\n") != std::string::npos, name);
        BOOST_TEST(environment.find("jobserver") == std::string::npos);
        BOOST_TEST(environment.find("MAKEFLAGS= -j8\n") != std::string::npos, environment);
        BOOST_TEST(environment.find("\nPWD=" + box.project() + "\n") != std::string::npos, environment);
    };
    // The first caller starts the daemon, and keeps a service up.
    BOOST_TEST(box.run({"start", "s"}, hook).status == 0);
    expect_clean(box.shell("cat service").out);
    // A trigger starts from the base of the daemon.
    box.config("[task.t]\nrun = 'env > task; mv task done'\non_start = true\n");
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(box.run({"start"}, hook).status == 0);
    BOOST_TEST(wait_until([&] { return box.shell("cat done").status == 0; }));
    expect_clean(box.shell("cat done").out);
    // The call itself sees what is its own, but no descriptor of others.
    const auto own = box.run({"run", "--", "env"}, hook).out;
    BOOST_TEST(own.find("GIT_DIR=foreign\n") != std::string::npos);
    BOOST_TEST(own.find("NOTIFY_SOCKET") == std::string::npos);
    BOOST_TEST(own.find("jobserver") == std::string::npos);
    if (box.shell("git --version").status != 0) return;
    const auto of_git = box.shell("git rev-parse --local-env-vars").out;
    std::istringstream names(of_git);
    run_options all;
    for (std::string name; names >> name;)
        all.env.emplace_back(name, "foreign");
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    box.shell("rm -f done");
    all.env.emplace_back("GIT_CONFIG_COUNT", "0");
    BOOST_TEST(box.run({"start"}, all).status == 0);
    BOOST_TEST(wait_until([&] { return box.shell("cat done").status == 0; }));
    BOOST_TEST(box.shell("cat done").out.find("foreign") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(U46_a_run_takes_no_input_that_it_does_not_read) {
    sandbox box;
    box.config(
        "[task.blind]\nrun = 'echo ran'\n[task.one]\nrun = 'read line; echo one $line'\n"
        "[task.all]\nrun = ['cat']\noverlap = 'queue'\n");
    BOOST_TEST(box.shell("printf 'a\\nb\\nc\\n' | while read l; do hob run blind; done").out ==
               "ran\nran\nran\n");
    BOOST_TEST(box.shell("printf 'a\\nb\\nc\\n' > f; while read l; do hob run blind; done < f").out ==
               "ran\nran\nran\n");
    // Each reads on where the last one stopped: the shell's `read` takes single bytes of a pipe.
    BOOST_TEST(
        box.shell(
               "printf 'a\\nb\\nc\\nd\\n' | { hob run one; hob run one; read l; echo own $l; hob run all; }")
            .out == "one a\none b\nown c\nd\n");
    BOOST_TEST(box.shell("printf 'a\\nb\\nc\\n' > f; { read l; hob run all; } < f").out == "b\nc\n");
    BOOST_TEST(box.shell("head -c 3000000 /dev/zero | hob run all | wc -c").out == "3000000\n");
    BOOST_TEST(box.shell("hob run all < /dev/null; hob run all <&-; echo end").out == "end\n");
    // A run that does not read holds no writer up once it is over, and the daemon keeps no copy of the pipe.
    BOOST_TEST(box.shell("yes | hob run blind").out == "ran\n");
}

BOOST_AUTO_TEST_CASE(U32_a_run_has_the_umask_of_its_caller) {
    sandbox box;
    box.config("[task.t]\nrun = 'umask; : > secret'\n");
    BOOST_TEST(box.shell("umask 077; hob run t; stat -c %a secret").out == "0077\n600\n");
    BOOST_TEST(box.shell("umask 002; hob run t; hob run -- sh -c umask").out == "0002\n0002\n");
}

BOOST_AUTO_TEST_CASE(U32_a_run_has_the_resource_limits_of_its_caller) {
    sandbox box;
    box.config(
        "[task.t]\nrun = 'ulimit -n; ulimit -c'\n[service.s]\nrun = 'ulimit -n > n; exec sleep 1000'\n");
    BOOST_REQUIRE(box.shell("ulimit -n 444; hob ping").status == 0);
    BOOST_TEST(box.shell("ulimit -c 0; ulimit -n 333; hob run t; hob run -- sh -c 'ulimit -Hn'").out ==
               "333\n0\n333\n");
    BOOST_TEST(box.shell("ulimit -n 333; hob start s; cat n").out.find("444\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(U32_a_hard_limit_above_that_of_the_daemon_is_told_and_not_given) {
    if (!require_root()) return;
    sandbox_options other;
    other.uid = 12345;
    sandbox box(other);
    box.config("[task.t]\nrun = 'ulimit -Hn'\n");
    BOOST_REQUIRE(box.shell("ulimit -n 500; hob ping").status == 0);
    BOOST_TEST(box.shell("ulimit -n 600; hob run t").out == "500\n");
    const auto runs = box.run({"runs", "t", "--json"});
    BOOST_TEST(json_at(runs.out, "/0/cause").value_or("") ==
                   "its hard limits cannot be raised to those of the caller: nofile",
               runs.out);
}

BOOST_AUTO_TEST_CASE(U24_merged_output_keeps_the_order_of_both_streams) {
    const std::string script = "for i in {1..300}; do echo out $i; echo err $i >&2; done";
    std::string expected;
    for (int i = 1; i <= 300; ++i)
        expected += "out " + std::to_string(i) + "\nerr " + std::to_string(i) + "\n";
    sandbox box;
    box.config("[task.t]\nrun = [\"/bin/bash\", \"-c\", \"" + script + "\"]\noutput = \"merged\"\n" +
               "[service.s]\nrun = [\"/bin/bash\", \"-c\", \"" + script +
               "; exec sleep 1000\"]\noutput = \"merged\"\nready = { log = \"err 300\" }\n");
    const auto run = box.run({"run", "t"});
    BOOST_TEST(run.out == expected);
    BOOST_TEST(run.err == "");
    BOOST_TEST(box.run({"logs", "t", "--raw", "-n", "1000"}).out == expected);
    BOOST_TEST(box.run({"start", "s"}).status == 0);
    BOOST_TEST(box.run({"logs", "s", "--raw", "-n", "1000"}).out == expected);
}

BOOST_AUTO_TEST_CASE(U30_arguments_that_a_script_ignores_are_refused) {
    sandbox box;
    const std::vector<std::string> ignore{
        "echo a && echo b", "awk '{print $1}' /dev/null; echo", "echo \\$1; true",
        "true # $1",        "for x in a; do echo $x; done",     "echo $$ $? $! ${#HOME} $HOME"};
    const std::vector<std::string> use{"echo a && echo $1",      "echo a; echo \"$@\"",
                                       "echo ${2:-x}; true",     "for x do echo $x; done",
                                       "for x; do echo; done",   "while getopts a: o; do :; done",
                                       "echo \"it's $1\"; true", "eval 'echo $1'",
                                       "echo $#; true",          "shift; echo",
                                       "echo \"${@}\" | cat",    "for x\ndo echo $x; done"};
    const auto status = [&](const std::string& script) {
        box.config("[task.t]\nrun = \"\"\"" + [&] {
            std::string escaped;
            for (const char c : script) {
                if (c == '\\' || c == '"') escaped += '\\';
                escaped += c;
            }
            return escaped;
        }() + "\"\"\"\n");
        return box.run({"run", "t", "--", "a", "b"});
    };
    for (const auto& script : ignore) {
        const auto refused = status(script);
        BOOST_TEST(refused.status == 125, script);
        BOOST_TEST(refused.err ==
                       "hob: cannot run 't': its script ignores arguments\n"
                       "hint: write \"$@\" in its `run` where they belong\n",
                   script);
        BOOST_TEST(box.run({"run", "t"}).status == 0, script);
    }
    for (const auto& script : use)
        BOOST_TEST(status(script).err.find("ignores") == std::string::npos, script);
}

BOOST_AUTO_TEST_CASE(U28_following_a_runs_log_ends_with_the_run_and_wait_has_its_status) {
    sandbox box;
    box.config(
        "[task.t]\nrun = ['sh', '-c', 'echo one; while [ ! -e go ]; do sleep 0.02; done; echo two; exit 7']\n"
        "[task.skip]\nrun = 'exec sleep 1000'\n");
    BOOST_TEST(box.run({"run", "--detach", "t"}).out == "1\n");
    auto log = box.start({"logs", "--run", "1", "-f", "--json"});
    BOOST_TEST(log.read_line(20s).value_or("").find("one") != std::string::npos);
    auto wait = box.start({"wait", "--run", "1"});
    auto json = box.start({"wait", "--run", "1", "--json"});
    BOOST_TEST(box.run({"wait", "--run", "1", "--timeout", "200ms"}).status == 125);
    box.write("go", "");
    BOOST_TEST(wait.wait().status == 7);
    const auto record = json.wait();
    BOOST_TEST(record.status == 7);
    BOOST_TEST(json_at(record.out, "/state").value_or("") == "failed");
    const auto followed = log.wait();
    BOOST_TEST(followed.status == 0);
    BOOST_TEST(count(followed.out, "two") == 1u);
    // One that has ended, with a daemon and without.
    BOOST_TEST(count(box.run({"logs", "--run", "1", "-f"}).out, "two") == 1u);
    BOOST_TEST(box.run({"wait", "--run", "1"}).status == 7);
    BOOST_TEST(box.run({"wait", "--run", "99"}).status == 125);
    BOOST_TEST(box.run({"run", "--detach", "skip"}).out == "2\n");
    auto killed = box.start({"wait", "--run", "2"});
    BOOST_TEST(box.run({"stop", "skip"}).status == 0);
    BOOST_TEST(killed.wait().status == 128 + SIGTERM);
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(box.run({"wait", "--run", "1"}).status == 7);
    BOOST_TEST(count(box.run({"logs", "--run", "1", "-f"}).out, "two") == 1u);
    BOOST_TEST(box.daemon_pid() == 0);
    BOOST_TEST(box.run({"wait"}).status == 2);
    BOOST_TEST(box.run({"wait", "t", "--run", "1"}).status == 2);
}

BOOST_AUTO_TEST_SUITE_END()
