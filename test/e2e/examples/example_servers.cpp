// Debug adapters and MCP servers as examples/servers.toml runs them. Its language servers are tried in
// lsp_real_servers.cpp.

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <string>
#include <vector>

#include "fixtures/npm.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

struct with_examples {
    sandbox box;

    with_examples() {
        box.config(slurp(HOB_SOURCE_DIR "/examples/servers.toml"));
        box.set_env("PATH", HOB_NPM "/node_modules/.bin:" + std::string(std::getenv("PATH")));
        box.set_env("GOPROXY", "off");
    }
    outcome call(std::vector<std::string> words) {
        words.insert(words.begin(), {"call", "--timeout", "120s"});
        run_options options;
        options.limit = 150s;
        return box.run(words, options);
    }
    std::string result(const std::vector<std::string>& words, const std::string& pointer) {
        const auto output = call(words);
        BOOST_TEST(output.status == 0, output.text());
        return json_at(output.out, pointer).value_or(output.text());
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(example_servers, with_examples)

BOOST_AUTO_TEST_CASE(delve_debugs_a_program_in_go) {
    if (!require_program("dlv") || !require_program("go")) return;
    box.write("go.mod", "module p\n\ngo 1.19\n");
    box.write("main.go",
              "package main\n\nimport \"fmt\"\n\nfunc add(a, b int) int {\n\tc := a + b\n\treturn c\n}\n\n"
              "func main() {\n\tfmt.Println(\"sum\", add(40, 2))\n}\n");
    call({"delve", "setBreakpoints", "file=main.go", "line=7"});
    const std::vector<std::string> launch = {"delve",   "launch",  "mode=debug", "program=" + box.project(),
                                             "--until", "stopped", "--locals"};
    for (int i = 0; i < 2; ++i) {
        const auto stopped = call(launch);
        BOOST_TEST(json_at(stopped.out, "/until/params/reason").value_or("") == "breakpoint", stopped.text());
        BOOST_TEST(json_at(stopped.out, "/frame/name").value_or("") == "main.add", stopped.text());
        BOOST_TEST(result({"delve", "evaluate", "expression=c * 2"}, "/result") == "84");
        BOOST_TEST(box.run({"status"}).out.find("paused: breakpoint") != std::string::npos);
        const auto ended = call({"delve", "continue", "--until", "terminated"});
        BOOST_TEST(json_at(ended.out, "/until/event").value_or("") == "terminated", ended.text());
    }
    const auto late = call({"delve", "next", "--until", "stopped"});
    BOOST_TEST(late.err.find("the debug session has ended") != std::string::npos, late.text());
}

BOOST_AUTO_TEST_CASE(the_filesystem_server_reads_below_its_directory_only) {
    if (!require_npm(".bin/mcp-server-filesystem")) return;
    box.write("notes.txt", "remember the milk\n");
    BOOST_TEST(box.run({"call", "files", "--list"}).out.find("read_text_file") != std::string::npos);
    BOOST_TEST(result({"files", "read_text_file", "path=notes.txt"}, "/content/0/text") ==
               "remember the milk\n");
    const auto outside = call({"files", "read_text_file", "path=/etc/passwd"});
    BOOST_TEST(outside.status == 1, outside.text());
    BOOST_TEST(outside.err.find("Access denied") != std::string::npos, outside.text());
}

BOOST_AUTO_TEST_CASE(the_memory_server_keeps_what_it_was_told_over_a_restart) {
    if (!require_npm(".bin/mcp-server-memory")) return;
    const std::string entities =
        R"(entities:=[{"name":"kettle","entityType":"thing","observations":["warm"]}])";
    result({"memory", "create_entities", entities}, "/content/0/text");
    BOOST_TEST(box.run({"restart", "memory"}).status == 0);
    const std::string found = result({"memory", "search_nodes", "query=kettle"}, "/content/0/text");
    BOOST_TEST(found.find("warm") != std::string::npos, found);
    BOOST_TEST(exists(box.project() + "/memory.jsonl"));
}

BOOST_AUTO_TEST_SUITE_END()
