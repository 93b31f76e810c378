// hob import: entries of other programs' files become workers, and the rest of hob.toml is unchanged.

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "harness/free_port.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

const std::string two = R"({"mcpServers":{"a":{"command":"x"},"b c":{"command":"y","args":["z"]}}})";

mode_t mode_of(const std::string& path) {
    struct stat facts {};
    return ::stat(path.c_str(), &facts) == 0 ? facts.st_mode & 07777 : 0;
}

std::string toml(const sandbox& box) { return slurp(box.project() + "/hob.toml"); }

std::size_t files_in(sandbox& box) { return count(box.shell("ls -A").out, "\n"); }

}  // namespace

BOOST_AUTO_TEST_SUITE(import)

BOOST_AUTO_TEST_CASE(it_appends_and_keeps_existing_bytes_and_the_mode) {
    sandbox box;
    const std::string mine = "# mine, \t no newline at the end\r\n[worker.own]\nrun = \"x\"";
    box.config(mine);
    BOOST_REQUIRE(::chmod((box.project() + "/hob.toml").c_str(), 0640) == 0);
    box.write("mcp.json", two, 0644);
    const auto done = box.run({"import", "mcp.json"});
    BOOST_TEST(done.status == 0, done.text());
    BOOST_TEST(done.out == "added worker 'a' (mcp)\nadded worker 'b-c' (mcp)\n");
    BOOST_TEST(done.err == "hob: 'b c': it is called 'b-c'\n");
    BOOST_TEST(toml(box) ==
               mine +
                   "\n\n# a of mcp.json\n[worker.a]\nrun = [\"x\"]\nprotocol = \"mcp\"\n\n# b c of "
                   "mcp.json\n[worker.b-c]\nrun = [\"y\", \"z\"]\nprotocol = \"mcp\"\n");
    BOOST_TEST(mode_of(box.project() + "/hob.toml") == 0640u);
    BOOST_TEST(box.run({"check"}).out.find("ok, 3 units") != std::string::npos);
    BOOST_TEST(files_in(box) == 2u);
    BOOST_TEST(!exists(box.runtime()));
}

BOOST_AUTO_TEST_CASE(an_existing_unit_is_not_changed) {
    sandbox box;
    box.config("[service.a]\nrun = \"x\"\n");
    box.write("mcp.json", two);
    const auto done = box.run({"import", "-q", "mcp.json"});
    BOOST_TEST(done.status == 0, done.text());
    BOOST_TEST(done.out == "");
    BOOST_TEST(done.err == "hob: not imported: 'a': hob.toml has a unit 'a' already\n");
    const std::string after = toml(box);
    const auto again = box.run({"import", "mcp.json"});
    BOOST_TEST(again.status == 2);
    BOOST_TEST(again.err.find("hob: cannot import 'mcp.json': it has nothing that can be added\n") !=
               std::string::npos);
    BOOST_TEST(toml(box) == after);
}

BOOST_AUTO_TEST_CASE(a_dry_run_prints_what_a_run_writes) {
    sandbox box;
    box.config("");
    box.write("mcp.json", two);
    const auto dry = box.run({"import", "--dry-run", "mcp.json"});
    BOOST_TEST(dry.status == 0);
    BOOST_TEST(toml(box) == "");
    const auto part = box.run({"import", "-n", "-q", "mcp.json", "b c", "none"});
    const auto json = box.run({"import", "--json", "mcp.json", "b c", "none"});
    BOOST_TEST(json.status == 0, json.text());
    BOOST_TEST(json_at(json.out, "/written").value_or("") == "true");
    BOOST_TEST(json_at(json.out, "/units/0/name").value_or("") == "b-c");
    BOOST_TEST(!json_at(json.out, "/units/1"));
    BOOST_TEST(json_at(json.out, "/refused/0/text").value_or("") == "the file has no such entry");
    BOOST_TEST(json_at(json.out, "/toml").value_or("") == toml(box));
    BOOST_TEST(part.out == toml(box));
    BOOST_TEST(dry.out.find("[worker.a]") != std::string::npos);
    BOOST_TEST(dry.out.find("[worker.b-c]") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(without_a_project_it_creates_one_here) {
    sandbox box;
    run_options options;
    options.cwd = box.home();
    box.write(box.home() + "/mcp.json", two, 0644);
    BOOST_TEST(box.run({"import", "mcp.json"}, options).status == 0);
    BOOST_TEST(slurp(box.home() + "/hob.toml").starts_with("# a of mcp.json\n[worker.a]\n"));
    BOOST_TEST(mode_of(box.home() + "/hob.toml") == 0644u);
}

BOOST_AUTO_TEST_CASE(a_symlink_is_kept_and_its_target_written) {
    sandbox box;
    BOOST_REQUIRE(
        box.shell("mkdir real && : >real/h.toml && rm hob.toml && ln -s real/h.toml hob.toml").status == 0);
    box.write("mcp.json", two);
    BOOST_TEST(box.run({"import", "mcp.json"}).status == 0);
    BOOST_TEST(box.shell("test -L hob.toml && grep -c worker real/h.toml").out == "2\n");
}

BOOST_AUTO_TEST_CASE(an_error_leaves_the_file_unchanged) {
    sandbox box;
    box.write("mcp.json", two);
    // An inline table, to which no names can be added.
    box.config("worker = { own = { run = \"x\" } }\n");
    BOOST_TEST(box.run({"import", "mcp.json"}).status == 2);
    BOOST_TEST(toml(box) == "worker = { own = { run = \"x\" } }\n");
    box.config("[worker.own]\nrunn = \"x\"\n");
    const auto broken = box.run({"import", "mcp.json"});
    BOOST_TEST(broken.status == 2);
    BOOST_TEST(broken.err.find("hob.toml:2:1") != std::string::npos, broken.err);
    box.config("");
    const auto missing = box.run({"import", "none.json"});
    BOOST_TEST(missing.status == 2);
    BOOST_TEST(missing.err == "hob: cannot read 'none.json': No such file or directory\n");
    box.write("open.json", two, 0666);
    BOOST_REQUIRE(::chmod((box.project() + "/open.json").c_str(), 0666) == 0);
    BOOST_TEST(box.run({"import", "open.json"}).status == 2);
    box.write("huge.json", std::string(5u << 20, ' '));
    BOOST_TEST(box.run({"import", "huge.json"}).err ==
               "hob: cannot read 'huge.json': it is larger than 4 MiB\n");
    BOOST_REQUIRE(box.shell("mkfifo pipe").status == 0);
    BOOST_TEST(box.run({"import", "pipe"}).status == 2);
    BOOST_TEST(toml(box) == "");
    BOOST_TEST(box.run({"import"}).status == 2);
}

BOOST_AUTO_TEST_CASE(an_imported_server_answers) {
    sandbox box;
    box.config("");
    box.write(".mcp.json", R"({"mcpServers":{"fixture":{"command":"python3","args":[")" HOB_SOURCE_DIR
                           R"(/test/fixtures/protocol_worker.py","mcp","${MODE}"]}}})");
    box.set_env("MODE", "modern");
    BOOST_TEST(box.run({"import", ".mcp.json"}).status == 0);
    const auto sum = box.run({"call", "fixture", "add", "a:=2", "b:=3"});
    BOOST_TEST(json_at(sum.out, "/content/0/text").value_or("") == "5", sum.text());
    BOOST_TEST(json_at(sum.out, "/resultType").value_or("") == "complete");
}

BOOST_AUTO_TEST_CASE(the_comment_above_a_debugger_is_a_working_launch_call) {
    if (!require_program("lldb-vscode-14") || !require_program("c++")) return;
    sandbox box;
    box.config("");
    const auto built = box.shell("mkdir .vscode && cp " HOB_SOURCE_DIR
                                 "/test/fixtures/debuggee.cpp . && c++ -g -O0 -o \"d d\" debuggee.cpp");
    BOOST_REQUIRE_MESSAGE(built.status == 0, built.text());
    box.write(".vscode/launch.json",
              "{ // as VS Code writes it\n\"configurations\": [ { \"name\": \"it's d\", \"type\": \"lldb\", "
              "\"request\": "
              "\"launch\", \"program\": \"${workspaceFolder}/d d\", \"args\": [\"crash\"], }, ] }");
    BOOST_TEST(box.run({"import", ".vscode/launch.json"}).status == 0);
    run_options options;
    options.limit = 90s;
    const auto called = box.shell(
        "eval \"$(sed -n 's/^# hob call/hob call --timeout 60s --until stopped,exited/p' hob.toml)\"",
        options);
    BOOST_TEST(called.status == 0, called.text());
    BOOST_TEST(json_at(called.out, "/until/params/reason").value_or("") == "exception", called.out);
}

BOOST_AUTO_TEST_CASE(a_python_program_is_debugged_as_in_its_launch_json) {
    sandbox box;
    if (box.shell("/usr/bin/python3 -c 'import debugpy'").status != 0) {
        BOOST_TEST(number_from_env("HOB_REQUIRE_ALL", 0) == 0, "not installed: debugpy");
        return;
    }
    box.config("");
    box.shell("mkdir .vscode");
    box.write("prog.py",
              "def twice(n):\n    r = n * 2\n    return r\n\nprint(twice(21))\nraise SystemExit(3)\n");
    box.write(".vscode/launch.json",
              R"({"configurations": [{"name": "py", "type": "debugpy", "request": "launch",
                "program": "${workspaceFolder}/prog.py", "python": "/usr/bin/python3"}]})");
    BOOST_TEST(box.run({"import", ".vscode/launch.json"}).status == 0);
    const auto debug = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"call", "py", "--timeout", "60s"});
        run_options options;
        options.limit = 90s;
        return box.run(words, options);
    };
    debug({"setBreakpoints", "file=prog.py", "line=3"});
    run_options patient;
    patient.limit = 90s;
    const auto stopped = box.shell(
        "eval \"$(sed -n 's/^# hob call/hob call --timeout 60s --until stopped,exited --locals/p' "
        "hob.toml)\"",
        patient);
    BOOST_TEST(json_at(stopped.out, "/until/params/reason").value_or("") == "breakpoint", stopped.text());
    BOOST_TEST(json_at(stopped.out, "/frame/name").value_or("") == "twice", stopped.text());
    BOOST_TEST(count(stopped.out, R"("name": "r", "value": "42")") == 1u, stopped.text());
    BOOST_TEST(json_at(debug({"evaluate", "expression=n + r"}).out, "/result").value_or("") == "63");
    const auto ended = debug({"continue", "--until", "exited", "--collect", "output"});
    BOOST_TEST(json_at(ended.out, "/until/params/exitCode").value_or("") == "3", ended.text());
    BOOST_TEST(count(ended.out, R"("output": "42)") == 1u, ended.text());
}

BOOST_AUTO_TEST_CASE(P12_nobody_can_read_keys_who_could_not_read_them_before) {
    for (const bool exists_before : {false, true}) {
        sandbox box;
        if (exists_before) box.write("hob.toml", "", 0644);
        box.write("mcp.json", R"({"mcpServers":{"s":{"command":"true","env":{"KEY":"secret"}}}})", 0600);
        const auto imported = box.shell("umask 022; hob import mcp.json && stat -c %a hob.toml");
        BOOST_TEST(imported.status == 0, imported.text());
        BOOST_TEST(imported.out.find("\n600\n") != std::string::npos, imported.out);
    }
}

BOOST_AUTO_TEST_CASE(from_a_procfile_to_all_up_in_two_commands) {
    sandbox box;
    box.shell("rm hob.toml; mkdir worker");
    box.write("Procfile", "web: echo web on $PORT; exec sleep 100\nworker: cd worker && exec sleep 100\n");
    box.write(".env", "GREETING=hello\n", 0600);
    const auto done = box.run({"import", "Procfile"});
    BOOST_TEST(done.status == 0, done.text());
    BOOST_TEST(done.out == "added service 'web'\nadded service 'worker'\n");
    const auto up = box.run({"start"});
    BOOST_TEST(up.status == 0, up.text());
    BOOST_TEST(box.run({"logs", "--raw", "web"}).out.find("web on 5000") != std::string::npos);
    BOOST_TEST(box.run({"status", "web", "worker"}).status == 0);
    BOOST_TEST(box.run({"shutdown"}).status == 0);
}

BOOST_AUTO_TEST_CASE(from_a_compose_file_to_all_up_in_two_commands) {
    sandbox box;
    const std::string port = std::to_string(free_port());
    box.shell("rm hob.toml; mkdir web");
    box.write("web/Dockerfile",
              "FROM python:3\nCMD [\"python3\", \"-m\", \"http.server\", \"" + port + "\"]\n");
    box.write("compose.yaml",
              "services:\n  seed:\n    image: busybox\n    command: sh -c \"echo seeded > seed\"\n"
              "  web:\n    build: web\n    ports: [\"${WEB_PORT:-1}:" +
                  port +
                  "\"]\n"
                  "    depends_on: {seed: {condition: service_completed_successfully}}\n");
    BOOST_TEST(box.run({"import", "compose.yaml"}).out == "added task 'seed'\nadded service 'web'\n");
    const auto up = box.run({"start"});
    BOOST_TEST(up.status == 0, up.text());
    BOOST_TEST(slurp(box.project() + "/seed") == "seeded\n");
    const auto page =
        box.shell("python3 -c 'import urllib.request as u; print(u.urlopen(\"http://localhost:" + port +
                  "/Dockerfile\").read())'");
    BOOST_TEST(page.out.find("FROM python") != std::string::npos, page.text());
    BOOST_TEST(box.run({"shutdown"}).status == 0);
}

BOOST_AUTO_TEST_CASE(standard_input_is_secret_and_found_out) {
    sandbox box;
    box.shell("rm hob.toml");
    const auto piped = box.shell("printf '*/5 * * * * mbsync -a\\n' | hob import -");
    BOOST_TEST(piped.out == "added task 'mbsync'\n", piped.text());
    BOOST_TEST(mode_of(box.project() + "/hob.toml") == 0600u);
    BOOST_TEST(toml(box).starts_with("# mbsync of standard input\n[task.mbsync]\n"));
    const auto forced = box.shell("echo 'a: b' | hob import --format crontab -");
    BOOST_TEST(forced.status == 2);
    BOOST_TEST(forced.err.find("it has no entry of a crontab") != std::string::npos);
    BOOST_TEST(box.run({"import", "--format", "ini", "x"}).err ==
               "hob: cannot use 'ini' for '--format': it is none of procfile, package, compose, tasks, "
               "launch, mcp, crontab\n");
}

BOOST_AUTO_TEST_CASE(an_entry_that_hob_toml_does_not_allow_is_refused_alone) {
    sandbox box;
    box.shell("rm hob.toml");
    box.write("compose.yaml",
              "services:\n  a: {command: x, stop_signal: SIGFOO}\n  b: {command: y, depends_on: [a]}\n");
    const auto done = box.run({"import", "compose.yaml"});
    BOOST_TEST(done.status == 0, done.text());
    BOOST_TEST(done.out == "added service 'b'\n");
    BOOST_TEST(done.err.find("hob: not imported: 'a': ") != std::string::npos, done.err);
    BOOST_TEST(done.err.find("SIGFOO") != std::string::npos, done.err);
    BOOST_TEST(box.run({"check"}).status == 0);
    BOOST_TEST(box.shell("rm hob.toml; hob init").status == 0);
    BOOST_TEST(toml(box).find("# left out: a: ") != std::string::npos, toml(box));
    BOOST_TEST(box.run({"check"}).status == 0);
}

BOOST_AUTO_TEST_CASE(what_is_left_out_is_in_the_file_and_on_standard_error) {
    sandbox box;
    box.shell("rm hob.toml; mkdir -p deploy");
    box.write(
        "deploy/compose.yaml",
        "services:\n  db: {image: postgres:16}\n  web:\n    command: cat\n    build: ./web\n"
        "    environment: {KEY: sekret}\n    depends_on: [db]\n    cap_drop: [ALL]\nvolumes: {data: }\n",
        0640);
    const auto done = box.run({"import", "deploy/compose.yaml"});
    BOOST_TEST(done.status == 0, done.text());
    for (const char* part : {"its image 'postgres:16' has the command", "no image is built",
                             "without cap_drop", "without 'db' in after", "volumes"}) {
        BOOST_TEST(done.err.find(part) != std::string::npos, part);
        BOOST_TEST(toml(box).find(part) != std::string::npos, part);
    }
    BOOST_TEST(done.err.find("sekret") == std::string::npos);
    BOOST_TEST(toml(box).find("cwd = \"deploy/web\"") != std::string::npos);
    BOOST_TEST((mode_of(box.project() + "/hob.toml") & 0077u) == 0040u);
    BOOST_TEST(box.run({"check"}).status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
