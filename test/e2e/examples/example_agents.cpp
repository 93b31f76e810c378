// examples/agents: two language servers, a debugger and MCP servers, used as an agent uses them.

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "fixtures/npm.hpp"
#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

struct with_agents {
    sandbox box;

    with_agents() {
        box.shell("cp -r " HOB_SOURCE_DIR
                  "/examples/agents/. . && mkdir .bin && ln -s /usr/bin/clangd-14 .bin/clangd && "
                  "ln -s /usr/bin/python3 .bin/python3");
        box.set_env("PATH", box.project() +
                                "/.bin:" HOB_NPM "/node_modules/.bin:" + std::string(std::getenv("PATH")));
        box.shell("sed -i 's|/tmp/hob-example-memory|" + box.root() + "/memory|' hob.toml mcp.json");
    }
    std::string call(std::vector<std::string> words) {
        words.insert(words.begin(), {"call", "--timeout", "100s"});
        run_options patient;
        patient.limit = 120s;
        const auto output = box.run(words, patient);
        BOOST_TEST(output.status == 0, output.text());
        return output.out;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(example_agents, with_agents)

BOOST_AUTO_TEST_CASE(a_mistake_is_found_mended_and_the_server_may_die_meanwhile) {
    if (!require_npm(".bin/pyright-langserver")) return;
    const std::vector<std::string> check = {"pyright", "textDocument/diagnostic", "file=app/main.py"};
    BOOST_TEST(count(call(check), "\"message\"") == 0u);
    box.write("app/stats.py",
              "def mean(values: list[float]) -> str:\n    return str(sum(values) / len(values))\n");
    BOOST_TEST(count(call(check), "\"message\"") == 1u);
    ::kill(static_cast<pid_t>(std::stol(unit_member(box, "pyright", "pid"))), SIGKILL);
    BOOST_TEST(wait_until([&] { return unit_member(box, "pyright", "state") == "failed"; }));
    BOOST_TEST(count(call(check), "\"message\"") == 1u);
    box.shell("cp " HOB_SOURCE_DIR "/examples/agents/app/stats.py app/");
    BOOST_TEST(count(call(check), "\"message\"") == 0u);
}

BOOST_AUTO_TEST_CASE(a_definition_in_another_file_is_found) {
    if (!require_program("clangd-14")) return;
    const std::vector<std::string> define = {"clangd", "textDocument/definition", "file=src/main.cpp",
                                             "line=3", "col=21"};
    BOOST_TEST(json_at(call(define), "/0/uri").value_or("").find("/src/area.") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_program_stops_at_a_breakpoint_and_tells_its_variables) {
    if (box.shell("/usr/bin/python3 -c 'import debugpy'").status != 0) {
        BOOST_TEST(number_from_env("HOB_REQUIRE_ALL", 0) == 0, "not installed: debugpy");
        return;
    }
    call({"debugger", "setBreakpoints", "file=app/main.py", "line=7"});
    const std::string stopped =
        call({"debugger", "launch", "program=app/main.py", "--until", "stopped,terminated", "--locals"});
    BOOST_TEST(json_at(stopped, "/until/params/reason").value_or("") == "breakpoint", stopped);
    BOOST_TEST(count(stopped, R"("name": "middle", "value": "3.0")") == 1u, stopped);
    const std::string ended = call({"debugger", "continue", "--until", "terminated", "--collect", "output"});
    BOOST_TEST(ended.find("1 of 3 are above 3.0") != std::string::npos, ended);
}

BOOST_AUTO_TEST_CASE(the_mcp_servers_are_those_that_mcp_json_names) {
    if (!require_npm(".bin/mcp-server-memory")) return;
    call({"memory", "create_entities",
          R"(entities:=[{"name":"kettle","entityType":"thing","observations":["warm"]}])"});
    BOOST_TEST(call({"files", "read_text_file", "path=app/stats.py"}).find("def mean") != std::string::npos);
    BOOST_TEST(exists(box.root() + "/memory.jsonl"));
    box.shell("mkdir other && cp mcp.json other/ && touch other/hob.toml");
    run_options there;
    there.cwd = box.project() + "/other";
    BOOST_TEST(box.run({"import", "mcp.json"}, there).status == 0);
    const std::string tables = slurp(box.project() + "/hob.toml"),
                      imported = slurp(box.project() + "/other/hob.toml");
    for (const char* line : {"[worker.files]", "[worker.memory]", "run = [\"mcp-server-filesystem\", \".\"]",
                             "run = [\"mcp-server-memory\"]"}) {
        BOOST_TEST(tables.find(line) != std::string::npos, line);
        BOOST_TEST(imported.find(line) != std::string::npos, line << " is not in\n" << imported);
    }
}

BOOST_AUTO_TEST_SUITE_END()
