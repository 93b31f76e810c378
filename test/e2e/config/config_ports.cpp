// [env], [ports], and what is expanded from them, with real servers.

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>

#include <string>

#include "fixtures/services.hpp"
#include "harness/free_port.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

// A web server on the port of WEB_PORT, which prefers `port`.
std::string web_project(int port) {
    return fmt::format(
        "[env]\nURL = \"http://127.0.0.1:${{WEB_PORT}}/\"\nN = 4\n"
        "[ports]\nWEB_PORT = {}\n"
        "[task.t]\nrun = \"echo $URL $N\"\n"
        "[service.web]\nrun = \"exec python3 -m http.server --bind 127.0.0.1 $WEB_PORT\"\n"
        "ready = {{ http = \"${{URL}}\" }}\n",
        port);
}

int port_in_status(sandbox& box, const run_options& where = {}) {
    return std::stoi(json_at(box.run({"status", "--json"}, where).out, "/ports/WEB_PORT").value_or("0"));
}

run_options in_directory(const std::string& path) {
    run_options options;
    options.cwd = path;
    return options;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_ports)

BOOST_AUTO_TEST_CASE(two_checkouts_of_one_project_run_side_by_side) {
    if (!require_program("python3")) return;
    sandbox box;
    box.config(web_project(free_port()));
    const std::string other = box.root() + "/other";
    BOOST_REQUIRE(box.shell("cp -r . " + other).status == 0);
    const auto first = box.run({"start"});
    const auto second = box.run({"start"}, in_directory(other));
    BOOST_TEST(first.status == 0, first.text());
    BOOST_TEST(second.status == 0, second.text());
    const int port = port_in_status(box), other_port = port_in_status(box, in_directory(other));
    BOOST_TEST(port > 0);
    BOOST_TEST(other_port > port);
    BOOST_TEST(box.run({"run", "t"}).out == fmt::format("http://127.0.0.1:{}/ 4\n", port));
    BOOST_TEST(box.run({"run", "t"}, in_directory(other)).out ==
               fmt::format("http://127.0.0.1:{}/ 4\n", other_port));
    for (const auto& where : {box.project(), other}) {
        const auto said = box.shell("eval \"$(hob env)\"; echo $URL $N", in_directory(where));
        BOOST_TEST(said.out == box.run({"run", "t"}, in_directory(where)).out);
        BOOST_TEST(box.run({"run", "--", "sh", "-c", "echo $URL $N"}, in_directory(where)).out == said.out);
    }
    BOOST_TEST(box.run({"status"}).out.find(fmt::format("WEB_PORT={}", port)) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_port_that_somebody_listens_on_is_not_chosen) {
    if (!require_program("python3")) return;
    sandbox box;
    const int port = free_port();
    box.config(web_project(port));
    run_options options;
    options.program = "/usr/bin/python3";
    auto holder = box.start({"-m", "http.server", "--bind", "127.0.0.1", std::to_string(port)}, options);
    BOOST_REQUIRE(wait_until(
        [&] { return box.shell(fmt::format("exec 3<>/dev/tcp/127.0.0.1/{}", port)).status == 0; }));
    BOOST_TEST(box.run({"env"}).out.find(fmt::format("export WEB_PORT={}\n", port)) == std::string::npos);
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    BOOST_TEST(port_in_status(box) > port);
    holder.kill_and_reap();
    // Kept while a unit is up, chosen anew after that.
    BOOST_REQUIRE(box.run({"restart"}).status == 0);
    BOOST_TEST(port_in_status(box) > port);
    BOOST_REQUIRE(box.run({"stop"}).status == 0);
    BOOST_TEST(port_in_status(box) == 0);
    BOOST_TEST(slurp(box.state() + "/.ports") == "");
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    BOOST_TEST(port_in_status(box) == port);
}

BOOST_AUTO_TEST_CASE(a_port_that_is_taken_after_the_choice_is_told_with_its_program) {
    if (!require_program("python3")) return;
    sandbox box;
    const int port = free_port();
    box.config(web_project(port) + "restart = \"never\"\n[service.other]\nrun = \"exec sleep 1000\"\n");
    BOOST_REQUIRE(box.run({"start", "other"}).status == 0);
    BOOST_REQUIRE(port_in_status(box) == port);
    run_options options;
    options.program = "/usr/bin/python3";
    auto holder = box.start({"-m", "http.server", "--bind", "127.0.0.1", std::to_string(port)}, options);
    BOOST_REQUIRE(wait_until(
        [&] { return box.shell(fmt::format("exec 3<>/dev/tcp/127.0.0.1/{}", port)).status == 0; }));
    const auto started = box.run({"start", "web"});
    BOOST_TEST(started.status == 1);
    BOOST_TEST(started.err.find(fmt::format("pid {} (python3)", holder.pid())) != std::string::npos,
               started.err);
    holder.kill_and_reap();
}

BOOST_AUTO_TEST_CASE(env_looks_and_starts_nothing) {
    sandbox box;
    box.config("[env]\nA = \"it's ${HOME_OF:-none}\"\nB = true\n\"no.name\" = \"x\"\n[ports]\nP = 39999\n");
    const auto printed = box.run({"env"});
    BOOST_TEST(printed.status == 0);
    BOOST_TEST(box.shell("eval \"$(hob env 2>/dev/null)\"; printf '%s|' \"$A\" $B; test $P -ge 39999").out ==
               "it's none|true|");
    BOOST_TEST(printed.err.find("'no.name' is left out") != std::string::npos);
    BOOST_TEST(box.run({"env", "--shell", "fish"}).out.find("set -gx A 'it\\'s none';\n") !=
               std::string::npos);
    BOOST_TEST(json_at(box.run({"env", "--json"}).out, "/A").value_or("") == "it's none");
    BOOST_TEST(box.run({"env", "--shell", "tcsh"}).status == 2);
    BOOST_TEST(box.daemon_pid() == 0);
    BOOST_TEST(!exists(box.state()));
    box.config("[env]\nA = \"${MISSING_ONE}\"\nB = \"x\"\n");
    const auto broken = box.run({"env"});
    BOOST_TEST(broken.status == 1);
    BOOST_TEST(broken.out == "");
    BOOST_TEST(broken.err.find("'MISSING_ONE', which is not set") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_expanded_fails_the_start_of_its_unit_alone) {
    sandbox box;
    box.config(
        "[service.good]\nrun = \"exec sleep 1000\"\n"
        "[service.bad]\nrun = \"exec sleep 1000\"\nready = { tcp = \"${NO_SUCH_PORT}\" }\n"
        "[service.odd]\nrun = \"exec sleep 1000\"\nready = { tcp = \"${HOME}\" }\n"
        "[service.turn]\nrun = \"exec sleep 1000\"\nenv = { A = \"${B}\", B = \"${A}\" }\n");
    BOOST_TEST(box.run({"check"}).status == 0);
    BOOST_TEST(box.run({"start", "good"}).status == 0);
    for (const auto& [unit, reason] :
         {std::pair("bad", "its ready.tcp needs 'NO_SUCH_PORT', which is not set"),
          std::pair("odd", "and that is no port or ADDRESS:PORT"),
          std::pair("turn", "needs itself: A -> B -> A")}) {
        const auto started = box.run({"start", unit});
        BOOST_TEST(started.status == 1);
        BOOST_TEST(started.err.find(reason) != std::string::npos, started.err);
    }
}

BOOST_AUTO_TEST_CASE(later_layers_of_the_environment_win) {
    sandbox box;
    box.write(".env", "B=file\nC=file\nD=file-${A}\nP=1\n");
    box.config(
        "[env]\nA = \"env\"\nB = \"env\"\nPATH = \"/first:${PATH}\"\n[ports]\nP = 39990\n"
        "[task.t]\nrun = \"echo $A $B $C $D ${#P}; case $PATH in /first:/*) echo path;; esac\"\n"
        "env = { C = \"own\" }\nenv_file = [\".env\", { path = \".missing\", required = false }]\n"
        "[task.m]\nrun = \"true\"\nenv_file = \".missing\"\n");
    const auto run = box.run({"run", "t"});
    BOOST_TEST(run.out == "env file own file-env 5\npath\n", run.text());
    const auto missing = box.run({"run", "m"});
    BOOST_TEST(missing.status == 125);
    BOOST_TEST(missing.err.find("/.missing': No such file or directory") != std::string::npos, missing.err);
}

BOOST_AUTO_TEST_CASE(a_command_does_not_run_with_an_environment_that_was_not_accepted) {
    sandbox box;
    box.config("[env]\nGREETING = \"hello\"\n");
    BOOST_TEST(box.run({"run", "--", "printenv", "GREETING"}).out == "hello\n");
    box.config("[env]\nPATH = \"${PWD}/bin:${PATH}\"\n[task.t]\nrun = \"true\"\n");
    BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
    BOOST_REQUIRE(
        box.shell("mkdir bin; printf '#!/bin/sh\\necho caught\\n' > bin/true; chmod 755 bin/true").status ==
        0);
    const auto refused = box.run({"run", "--json", "--", "true"});
    BOOST_TEST(refused.status == 125);
    BOOST_TEST(json_at(refused.err, "/error/code").value_or("") == "consent_needed");
    BOOST_REQUIRE(box.run({"reload"}).status == 0);
    BOOST_TEST(box.run({"run", "--", "true"}).status == 0);
    box.config("[env]\nPATH = \"${PWD}/bin2:${PATH}\"\n[task.t]\nrun = \"true\"\n");
    BOOST_REQUIRE(box.run({"run", "t"}).status == 0);  // names a unit
    BOOST_TEST(box.run({"run", "--", "true"}).status == 0);
}

BOOST_AUTO_TEST_CASE(ready_when_a_unix_socket_of_its_own_accepts) {
    if (!require_program("python3")) return;
    sandbox box;
    const std::string listens =
        "import os,socket,time\n"
        "if os.path.exists('run.sock'): os.unlink('run.sock')\n"
        "s=socket.socket(socket.AF_UNIX); s.bind('run.sock'); s.listen(); time.sleep(1000)";
    box.config("[service.a]\nrun = [\"python3\", \"-c\", '''" + listens +
               "''']\nready = { unix = \"run.sock\" }\n" +
               "[service.b]\nrun = \"exec sleep 1000\"\nrestart = \"never\"\n"
               "ready = { unix = \"${PWD}/run.sock\", timeout = \"500ms\" }\n"
               "[service.c]\nrun = \"exec sleep 1000\"\nready = { unix = \"run.sock\", owner = \"any\" }\n");
    BOOST_TEST(box.run({"start", "a"}).status == 0);
    BOOST_TEST(box.run({"start", "c"}).status == 0);
    const auto foreign = box.run({"start", "b"});
    BOOST_TEST(foreign.status == 1);
    BOOST_TEST(foreign.err.find("/run.sock' is answered by pid") != std::string::npos, foreign.err);
}

BOOST_AUTO_TEST_SUITE_END()
