#include <boost/test/unit_test.hpp>

#include "harness/sandbox.hpp"
#include "paths.hpp"

using hob::test::json_at;
using hob::test::sandbox;
using namespace std::chrono_literals;

namespace {

const std::string config =
    "[worker.w]\nrun = [\"python3\", \"" + std::string(HOB_SOURCE_DIR) +
    "/test/fixtures/rpc_worker.py\"]\nprotocol = \"jsonrpc\"\n[service.s]\nrun = \"true\"\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(start)

BOOST_AUTO_TEST_CASE(a_started_worker_is_warm) {
    sandbox box;
    box.config(config);
    const auto ran = box.run({"start", "w"});
    BOOST_TEST_CONTEXT(ran.text()) {
        BOOST_TEST(ran.status == 0);
        BOOST_TEST(ran.out.starts_with("w  warm (pid "));
    }
}

BOOST_AUTO_TEST_CASE(a_unit_that_is_not_there_says_so) {
    sandbox box;
    box.config(config);
    const auto unknown = box.run({"start", "v"});
    BOOST_TEST(unknown.status == 1);
    BOOST_TEST(unknown.err.starts_with("hob: cannot start 'v': there is no such unit"));
}

BOOST_AUTO_TEST_CASE(C10_a_deadline_says_which_units_were_waited_for) {
    sandbox box;
    box.config(
        "[service.db]\nrun = 'echo booting; exec sleep 1000'\nready = { log = 'never' }\n"
        "[service.web]\nrun = ['sleep', '1000']\nafter = ['db']\n[worker.slow]\nrun = ['sleep', '1000']\n"
        "protocol = 'lsp'\n");
    const auto late = box.run({"--timeout", "2s", "start", "web"});
    BOOST_TEST_CONTEXT(late.text()) {
        BOOST_TEST(late.status == 4);
        BOOST_TEST(late.err.find("hob: cannot start 'web': the deadline is over; ") != std::string::npos);
        BOOST_TEST(late.err.find("'db' is starting for ") != std::string::npos);
        BOOST_TEST(late.err.find("'web' is waiting for ") != std::string::npos);
        BOOST_TEST(late.err.find("booting") != std::string::npos);
        BOOST_TEST(late.err.find("unit.start") == std::string::npos);
    }
    const auto json = box.run({"--json", "--timeout", "2s", "start", "web"});
    BOOST_TEST_CONTEXT(json.text()) {
        BOOST_TEST(json_at(json.err, "/error/code").value_or("") == "timeout");
        BOOST_TEST(json_at(json.err, "/error/detail/units/0/name").value_or("") == "db");
        BOOST_TEST(json_at(json.err, "/error/detail/units/0/state").value_or("") == "starting");
        BOOST_TEST(json_at(json.err, "/error/detail/units/0/lines/0").value_or("") == "booting");
        BOOST_TEST(json_at(json.err, "/error/detail/units/1/name").value_or("") == "web");
    }
    const auto waited = box.run({"--timeout", "1s", "wait", "db"});
    BOOST_TEST(
        waited.err.find("cannot wait for 'db': the deadline is over; 'db' is starting") != std::string::npos,
        waited.err);
    const auto capable = box.run({"--timeout", "1s", "call", "slow", "--capabilities"});
    BOOST_TEST(capable.status == 4);
    BOOST_TEST(capable.err.find("worker.") == std::string::npos, capable.err);
}

BOOST_AUTO_TEST_CASE(C10_a_deadline_says_what_each_unit_is_probed_by_and_what_failed_last) {
    sandbox box;
    box.config(
        "[service.tcp]\nrun = ['sleep', '1000']\nready = { tcp = 1 }\n"
        "[service.exec]\nrun = ['sleep', '1000']\nready = { exec = 'exit 7' }\n"
        "[service.log]\nrun = ['sleep', '1000']\nready = { log = '^up' }\n"
        "[service.other]\nrun = ['sleep', '1000']\nready = { notify = true }\n"
        "[service.web]\nrun = ['sleep', '1000']\nafter = ['tcp']\n");
    const auto late = box.run({"--timeout", "2s", "start"});
    BOOST_TEST_CONTEXT(late.text()) {
        BOOST_TEST(late.status == 4);
        for (const char* part :
             {": not ready: port 1: Connection refused (tcp = 1)",
              ": not ready: 'exit 7' exited with status 7 (exec = 'exit 7')",
              ": not ready: no line of its output matched (log = '^up')",
              ": not ready: it did not say READY=1 (notify = true)", "it waits for 'tcp', which is starting"})
            BOOST_TEST_CONTEXT(part) { BOOST_TEST(late.err.find(part) != std::string::npos); }
    }
    const auto json = box.run({"--json", "--timeout", "1s", "wait", "web"});
    const auto member = [&](const std::string& path) {
        return json_at(json.err, "/error/detail/units" + path).value_or("-");
    };
    BOOST_TEST_CONTEXT(json.text()) {
        BOOST_TEST(member("/0/name") == "tcp");
        BOOST_TEST(member("/0/probe") == "tcp = 1");
        BOOST_TEST(member("/0/probe_failure") == "port 1: Connection refused");
        BOOST_TEST(member("/1/name") == "web");
        BOOST_TEST(member("/1/waiting_for") == "tcp");
        // What it does not wait for is not listed.
        BOOST_TEST(member("/2/name") == "-");
    }
}

BOOST_AUTO_TEST_CASE(C10_a_port_that_is_taken_says_by_which_process) {
    sandbox box;
    // Each of them prints its port, or leaves it to `ready`.
    const std::string listen =
        "import socket, sys, time\ns = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
        "print(s.getsockname()[1], flush=True)\ntime.sleep(1000)\n";
    box.write("listen.py", listen);
    hob::test::run_options python;
    python.program = box.shell("command -v python3").out;
    python.program.pop_back();
    auto owner = box.start({"listen.py", "0"}, python);
    const std::string port = owner.read_line(10s).value_or("");
    box.config("[service.says]\nrun = \"echo 'listen EADDRINUSE: address already in use :::" + port +
               "'; exit 1\"\nrestart = 'never'\n[service.silent]\nrun = ['python3', 'listen.py', '" + port +
               "']\nready = { tcp = " + port +
               " }\nrestart = 'never'\n[service.deaf]\nrun = ['sleep', '1000']\n" +
               "ready = { http = 'http://127.0.0.1:" + port + "/', timeout = '1s' }\nrestart = 'never'\n" +
               "[worker.w]\nrun = ['python3', 'listen.py', '" + port +
               "']\nprotocol = 'jsonrpc'\nconnect = { tcp = " + port + " }\n");
    const std::string pid = std::to_string(owner.pid());
    for (const std::string unit : {"says", "silent", "deaf", "w"}) {
        const auto failed = box.run({"--json", "start", unit});
        BOOST_TEST_CONTEXT(failed.text()) {
            BOOST_TEST(failed.status == 1);
            const auto message = json_at(failed.err, "/error/message").value_or("");
            BOOST_TEST(message.find("port " + port + " is ") != std::string::npos);
            BOOST_TEST(message.find("by pid " + pid + " (python3)") != std::string::npos);
        }
        const std::string status = box.run({"status", "--json", unit}).out;
        BOOST_TEST_CONTEXT(status) {
            BOOST_TEST(json_at(status, "/units/0/port_taken/port").value_or("-") == port);
            BOOST_TEST(json_at(status, "/units/0/port_taken/pid").value_or("-") == pid);
            BOOST_TEST(json_at(status, "/units/0/port_taken/name").value_or("-") == "python3");
        }
    }
}

BOOST_AUTO_TEST_CASE(C10_every_unit_that_failed_is_named_with_its_lines) {
    sandbox box;
    box.config(
        "[service.a]\nrun = 'echo alpha; exit 3'\nrestart = 'never'\n"
        "[service.b]\nrun = 'echo beta; exit 4'\nrestart = 'never'\n[service.c]\nrun = ['sleep', '1000']\n");
    const auto failed = box.run({"start"});
    BOOST_TEST_CONTEXT(failed.text()) {
        BOOST_TEST(failed.status == 1);
        for (const char* part : {"'a'", "status 3", "'b'", "status 4", "alpha", "beta"})
            BOOST_TEST_CONTEXT(part) { BOOST_TEST(failed.err.find(part) != std::string::npos); }
        BOOST_TEST(failed.err.find("'c'") == std::string::npos);
    }
    const auto json = box.run({"--json", "start", "a", "b"});
    BOOST_TEST_CONTEXT(json.text()) {
        BOOST_TEST(json_at(json.err, "/error/code").value_or("") == "unit_failed");
        BOOST_TEST(json_at(json.err, "/error/detail/units/0/name").value_or("") == "a");
        BOOST_TEST(json_at(json.err, "/error/detail/units/0/lines/0").value_or("") == "alpha");
        BOOST_TEST(json_at(json.err, "/error/detail/units/1/name").value_or("") == "b");
        BOOST_TEST(json_at(json.err, "/error/detail/units/1/lines/0").value_or("") == "beta");
    }
}

BOOST_AUTO_TEST_CASE(U01_restart_gives_a_worker_its_callers_environment) {
    sandbox box;
    box.config(config);
    hob::test::run_options red, blue;
    red.env = {{"COLOUR", "red"}};
    blue.env = {{"COLOUR", "blue"}};
    BOOST_TEST(box.run({"call", "w", "env", "\"COLOUR\""}, red).out == "\"red\"\n");
    BOOST_TEST(box.run({"call", "w", "env", "\"COLOUR\""}, blue).out == "\"red\"\n");
    BOOST_TEST(box.run({"restart", "w"}, blue).status == 0);
    BOOST_TEST(box.run({"call", "w", "env", "\"COLOUR\""}).out == "\"blue\"\n");
}

// A service that shows its definition in its environment.
std::string shown(hob::test::sandbox& box) { return box.shell("cat out").out; }

std::string defined(const std::string& value, const std::string& more = {}) {
    return "[service.web]\nrun = 'echo $V > out; exec sleep 1000'\nready = { exec = 'grep -qx $V out' }\nenv "
           "= { V = '" +
           value + "' }\n" + more;
}

BOOST_AUTO_TEST_CASE(U20_start_restart_and_run_take_the_whole_file_in_and_no_running_process_is_touched) {
    sandbox box;
    box.config(defined("1", "[service.db]\nrun = 'exec sleep 1000'\n"));
    BOOST_TEST(box.run({"start"}).status == 0);
    BOOST_TEST(shown(box) == "1\n");
    const auto unit = [&](const std::string& member) {
        return json_at(box.run({"status", "--json"}).out, "/units/0/" + member).value_or("-");
    };
    const auto pid = unit("pid");
    // A new unit is known at once, a changed one goes on as it is, and a removed one that runs is not ended.
    box.config(defined("2", "[task.new]\nrun = 'echo new'\n"));
    const auto ran = box.run({"run", "new"});
    BOOST_TEST(ran.out == "new\n", ran.text());
    BOOST_TEST(unit("pid") == pid);
    BOOST_TEST(unit("changed") == "true");
    BOOST_TEST(shown(box) == "1\n");
    BOOST_TEST(box.run({"status"}).out.find("db") != std::string::npos);
    // Naming it restarts it with the new definition.
    BOOST_TEST(box.run({"start", "web"}).status == 0);
    BOOST_TEST(shown(box) == "2\n");
    BOOST_TEST(unit("changed") == "-");
    box.config(defined("3"));
    BOOST_TEST(box.run({"restart", "web"}).status == 0);
    BOOST_TEST(shown(box) == "3\n");
}

BOOST_AUTO_TEST_CASE(U20_a_broken_file_fails_what_names_a_unit_with_its_place_and_lets_all_else_go_on) {
    sandbox box;
    box.config(defined("1", "[task.t]\nrun = 'echo ran'\n"));
    BOOST_TEST(box.run({"start", "web"}).status == 0);
    const auto pid = json_at(box.run({"status", "--json"}).out, "/units/0/pid").value_or("-");
    box.config(defined("2", "[task.t]\nrun = 1\n"));
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"start"}, {"start", "web"}, {"restart", "web"}, {"run", "t"}}) {
        const auto failed = box.run(words);
        BOOST_TEST(failed.status == 2, failed.text());
        BOOST_TEST(failed.err.find("hob.toml:6:7': 'run' in [task.t]") != std::string::npos, failed.err);
    }
    BOOST_TEST(json_at(box.run({"status", "--json"}).out, "/units/0/pid").value_or("?") == pid);
    BOOST_TEST(box.run({"run", "--", "echo", "on"}).out == "on\n");
    const auto stopped = box.run({"stop", "web"});
    BOOST_TEST(stopped.status == 0);
    BOOST_TEST(stopped.err == "hob.toml has changed and cannot be used, see: hob check\n");
}

BOOST_AUTO_TEST_CASE(U20_verbs_that_do_not_take_the_file_say_once_that_it_has_changed) {
    sandbox box;
    const std::string worker = "[worker.w]\nrun = \"cat\"\nprotocol = \"lines\"\n";
    box.config(defined("1", worker));
    BOOST_TEST(box.run({"start", "web"}).status == 0);
    BOOST_TEST(box.run({"call", "w", "x"}).err == "");
    BOOST_TEST(box.run({"run", "--", "true"}).status == 0);
    const std::vector<std::vector<std::string>> verbs{
        {"ping"},        {"call", "w", "x"}, {"logs", "web"},      {"runs"},
        {"wait", "web"}, {"stop", "web"},    {"run", "--", "true"}};
    const auto all_say = [&](const std::string& note) {
        for (const auto& words : verbs) {
            const auto told = box.run(words);
            BOOST_TEST(told.status == 0, told.text());
            BOOST_TEST(told.err == note, words.front() << ": " << told.err);
        }
        BOOST_TEST(box.run({"-q", "ping"}).err == "");
        BOOST_TEST(box.run({"--json", "ping"}).err == "");
        BOOST_TEST(box.run({"start", "web", "--json"}).err.find("has changed") == std::string::npos);
    };
    box.config(defined("2", worker));
    BOOST_TEST(box.run({"ping"}).err == "hob.toml has changed, apply it with: hob reload\n");
    BOOST_TEST(box.run({"reload"}).err == "");
    BOOST_TEST(box.run({"ping"}).err == "");
    box.config(defined("3", worker + "run = 1\n"));
    all_say("hob.toml has changed and cannot be used, see: hob check\n");
}

BOOST_AUTO_TEST_CASE(U20_reload_returns_when_what_it_restarts_is_ready_or_has_failed) {
    sandbox box;
    box.config(defined("1"));
    BOOST_TEST(box.run({"start", "web"}).status == 0);
    box.config(defined("2"));
    BOOST_TEST(box.run({"reload"}).status == 0);
    BOOST_TEST(shown(box) == "2\n");
    BOOST_TEST(json_at(box.run({"status", "--json"}).out, "/units/0/state").value_or("-") == "ready");
    box.config("[service.web]\nrun = \"exit 3\"\n");
    const auto failed = box.run({"reload"});
    BOOST_TEST(failed.status == 1, failed.text());
    BOOST_TEST(failed.err.find("cannot start 'web': exited with status 3") != std::string::npos, failed.err);
}

BOOST_AUTO_TEST_CASE(U20_an_empty_file_while_units_run_is_a_save_in_progress) {
    sandbox box;
    box.config(defined("1"));
    BOOST_TEST(box.run({"start", "web"}).status == 0);
    box.config("");
    auto restart = box.start({"restart", "web"});
    BOOST_TEST(hob::test::wait_until([&] { return restart.running(); }));
    box.config(defined("2"));
    BOOST_TEST(restart.wait().status == 0);
    BOOST_TEST(shown(box) == "2\n");
    box.config("");
    const auto failed = box.run({"restart", "web"});
    BOOST_TEST(failed.status == 2, failed.text());
    BOOST_TEST(failed.err.find("it is empty, and units are running") != std::string::npos, failed.err);
}

BOOST_AUTO_TEST_CASE(U47_an_environment_that_is_not_utf8_reaches_services_and_triggered_runs) {
    sandbox box;
    box.config(
        "[service.s]\nrun = 'printf %s \"$ODD\" > s.tmp; mv s.tmp s; exec sleep 1000'\nready = { exec = "
        "'test -e s' }\n"
        "[task.t]\nrun = 'printf %s \"$ODD\" > t'\n"
        "[task.later]\nrun = 'printf %s \"$ODD\" > l.tmp; mv l.tmp l'\nwatch = ['go']\ndebounce = '10ms'\n");
    hob::test::run_options odd;
    odd.env = {{"ODD", "a\xff\xe9z"}};
    BOOST_TEST(box.run({"run", "t"}, odd).status == 0);
    BOOST_TEST(box.shell("cat t").out == "a\xff\xe9z");
    BOOST_TEST(box.run({"start", "s", "later"}, odd).status == 0);
    BOOST_TEST(box.shell("cat s").out == "a\xff\xe9z");
    BOOST_TEST(hob::test::wait_until([&] {
        return hob::test::slurp(box.daemon_log()).find("\"msg\":\"watching\"") != std::string::npos;
    }));
    box.write("go", "");
    BOOST_TEST(hob::test::wait_until([&] { return box.shell("cat l").status == 0; }));
    BOOST_TEST(box.shell("cat l").out == "a\xff\xe9z");
    // Over a restart of the daemon.
    box.shell("rm s");
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(box.run({"start", "s"}, odd).status == 0);
    BOOST_TEST(box.shell("cat s").out == "a\xff\xe9z");
}

BOOST_AUTO_TEST_CASE(U36_restart_without_names_means_services_that_are_up_and_touches_nothing_else) {
    sandbox box;
    box.config(config + defined("1") +
               "[service.down]\nrun = 'exec sleep 1000'\n[task.long]\nrun = 'exec sleep 1000'\n");
    const auto member = [&](const std::string& path) {
        return json_at(box.run({"status", "--json"}).out, path).value_or("-");
    };
    BOOST_TEST(box.run({"start", "web", "w"}).status == 0);
    BOOST_TEST(box.run({"run", "--detach", "long"}).status == 0);
    const pid_t daemon = box.daemon_pid();
    const auto worker = member("/units/0/pid"), web = member("/units/2/pid"), task = member("/units/4/pid");
    const auto restarted = box.run({"restart"});
    BOOST_TEST(restarted.status == 0, restarted.text());
    BOOST_TEST(restarted.out.starts_with("web  ready (pid "));
    BOOST_TEST(box.daemon_pid() == daemon);
    BOOST_TEST(member("/units/0/pid") == worker);
    BOOST_TEST(member("/units/2/pid") != web);
    BOOST_TEST(member("/units/3/state") == "stopped");
    BOOST_TEST(member("/units/4/pid") == task);
    BOOST_TEST(box.run({"stop"}).status == 0);
    BOOST_TEST(box.run({"restart"}).out == "");
    BOOST_TEST(member("/units/2/state") == "stopped");
    BOOST_TEST(box.run({"restart", "--daemon", "web"}).status == 2);
}

BOOST_AUTO_TEST_CASE(U33_after_a_restart_of_the_daemon_services_workers_and_tasks_have_one_environment) {
    sandbox box;
    box.config(
        config +
        defined("1",
                "[service.agent]\nrun = 'printf %s \"$SSH_AUTH_SOCK\" > a.tmp; mv a.tmp a; exec sleep 1000'\n"
                "ready = { exec = 'test -e a' }\n"));
    hob::test::run_options before, now;
    before.env = {{"SSH_AUTH_SOCK", "before"}};
    now.env = {{"SSH_AUTH_SOCK", "now"}};
    BOOST_TEST(box.run({"start", "agent"}, before).status == 0);
    BOOST_TEST(box.shell("cat a; rm a").out == "before");
    BOOST_TEST(box.run({"restart", "--daemon"}, now).status == 0);
    BOOST_TEST(box.run({"signal", "agent", "KILL"}).status == 0);  // its process went on
    BOOST_TEST(hob::test::wait_until([&] { return box.shell("cat a").out == "now"; }));
    box.shell("rm a");
    BOOST_TEST(box.run({"call", "w", "env", "\"SSH_AUTH_SOCK\""}, before).out == "\"now\"\n");
    BOOST_TEST(box.run({"restart"}, before).status == 0);
    BOOST_TEST(box.shell("cat a").out == "before");
}

BOOST_AUTO_TEST_CASE(U31_variables_are_expanded_and_what_cannot_be_fails_the_start_of_its_unit_alone) {
    sandbox box;
    box.write(".env",
              "\xEF\xBB\xBF# secrets\r\nexport\tHOST = 'db' # c\r\nPASSWORD=pa$$w#rd\r\nKEY=\"-----BEGIN "
              "KEY-----\r\nabc==\r\n-----END KEY-----\"\r\n");
    box.config(
        "[task.t]\nrun = ['env']\nenv_file = '.env'\nenv = { URL = 'http://${HOST}:${P:-80}/$${x}', "
        "HOST = '${HOST}.local' }\n"
        "[service.bad]\nrun = 'exec sleep 1000'\nenv = { A = '${B}', B = '${NOWHERE}' }\n"
        "[service.good]\nrun = 'exec sleep 1000'\n");
    BOOST_TEST(box.run({"check"}).status == 0);
    const auto ran = box.run({"run", "t"});
    for (const char* line : {"URL=http://db.local:80/${x}\n", "HOST=db.local\n", "PASSWORD=pa$$w#rd\n",
                             "KEY=-----BEGIN KEY-----\nabc==\n-----END KEY-----\n"})
        BOOST_TEST(("\n" + ran.out).find(std::string("\n") + line) != std::string::npos, ran.text());
    const auto started = box.run({"start"});
    BOOST_TEST(started.status == 1);
    BOOST_TEST(
        started.err.find("cannot start 'bad': its variable 'B' in env needs 'NOWHERE', which is not set") !=
            std::string::npos,
        started.text());
    BOOST_TEST(box.run({"wait", "good"}).status == 0);
    box.write(".env", "HOST='db\nPASSWORD=secret\n");
    const auto broken = box.run({"run", "t"});
    BOOST_TEST(broken.status == 125);
    BOOST_TEST(broken.err.find("/.env:1': the quote ' is not closed") != std::string::npos, broken.text());
    BOOST_TEST(broken.text().find("secret") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(U19_a_changed_env_file_is_a_changed_configuration) {
    sandbox box;
    box.write("env", "V=1\n");
    box.config(
        "[service.web]\nrun = 'echo $V >> out; exec sleep 1000'\nready = { exec = 'test -e out' }\nenv_file "
        "= 'env'\n"
        "backoff = { min = '10ms' }\n[service.other]\nrun = 'exec sleep 1000'\n");
    BOOST_TEST(box.run({"start"}).status == 0);
    const auto status = [&](const std::string& path) {
        return json_at(box.run({"status", "--json"}).out, path).value_or("-");
    };
    const auto other = status("/units/1/pid");
    BOOST_TEST(status("/daemon/config_state") == "current");
    box.write("env", "V=2\n");
    BOOST_TEST(status("/daemon/config_state") == "changed");
    // A restart after a crash takes no new environment.
    box.shell("kill -9 " + status("/units/0/pid"));
    BOOST_TEST(hob::test::wait_until([&] { return shown(box) == "1\n1\n"; }));
    BOOST_TEST(box.run({"reload"}).out == "changed web\n");
    BOOST_TEST(hob::test::wait_until([&] { return shown(box) == "1\n1\n2\n"; }));
    BOOST_TEST(status("/daemon/config_state") == "current");
    BOOST_TEST(status("/units/1/pid") == other);
    box.write("env", "V=3\n");
    BOOST_TEST(box.run({"restart", "web"}).status == 0);
    BOOST_TEST(shown(box) == "1\n1\n2\n3\n");
}

BOOST_AUTO_TEST_SUITE_END()
