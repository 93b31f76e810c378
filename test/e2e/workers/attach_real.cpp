// `hob attach` with real servers.

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <string>

#include "fixtures/clangd_project.hpp"
#include "fixtures/editor.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

struct with_clangd {
    sandbox box;
    bool there = require_program("clangd-14");
    with_clangd() {
        make_clangd_project(box, {"t.cpp", "u.cpp", "v.cpp"});
        box.write("t.hpp", "int twice(int x);\n");
        box.write("t.cpp", "#include \"t.hpp\"\nint twice(int x) { return 2 * x; }\n");
        box.write("u.cpp", "#include \"t.hpp\"\nint use() { return twice(4); }\n");
        box.write("v.cpp", "#include \"t.hpp\"\nint other() { return twice(5); }\n");
    }
    std::string uri(const std::string& file) const { return "file://" + box.project() + "/" + file; }
    // From 1, as editors show them.
    std::string defined(const std::string& file, int line, int column) {
        return call_clangd(box, {"textDocument/definition", "file=" + file, "line=" + std::to_string(line),
                                 "col=" + std::to_string(column)});
    }
    std::string position(const std::string& file, int line, int character) const {
        return R"({"textDocument":{"uri":")" + uri(file) + R"("},"position":{"line":)" +
               std::to_string(line) + R"(,"character":)" + std::to_string(character) + "}}";
    }
};

std::string location(const std::string& output, const std::string& pointer) {
    const std::string uri = json_at(output, pointer + "/uri").value_or("none");
    return uri.substr(uri.rfind('/') + 1) + ":" +
           json_at(output, pointer + "/range/start/line").value_or("?");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attach_real)

BOOST_FIXTURE_TEST_CASE(two_editors_and_a_call_share_one_clangd, with_clangd) {
    if (!there) return;
    BOOST_TEST(location(defined("u.cpp", 2, 21), "/0") == "t.cpp:1");
    editor first(box, "clangd");
    editor second(box, "clangd");
    BOOST_TEST(json_at(first.initialize(), "/result/serverInfo/name").value_or("") == "clangd");
    second.initialize();
    // Unsaved changes: the first editor moves the definition down, the second breaks its file.
    first.open(uri("t.cpp"), R"(#include \"t.hpp\"\n\n\n\nint twice(int x) { return 2 * x; }\n)", 3);
    second.open(uri("u.cpp"), R"(#include \"t.hpp\"\nint use() { return missing(4) + twice(1); }\n)", 9);
    const std::string wrong = second.next_matching([](const std::string& output) {
        return json_at(output, "/params/diagnostics/0/message").has_value();
    });
    BOOST_TEST(json_at(wrong, "/params/uri").value_or("") == uri("u.cpp"));
    BOOST_TEST(
        json_at(wrong, "/params/diagnostics/0/message").value_or("").find("missing") != std::string::npos,
        wrong);
    const std::string fine = first.notification("textDocument/publishDiagnostics");
    BOOST_TEST(json_at(fine, "/params/uri").value_or("") == uri("t.cpp"), fine);
    BOOST_TEST(json_at(fine, "/params/version").value_or("") == "3");
    const int rounds = scaled(20);
    for (int round = 0; round < rounds; ++round) {
        first.request("1", "textDocument/definition", position("t.cpp", 4, 5));
        second.request("1", "textDocument/definition", position("u.cpp", 1, 34));
        const std::string declared = first.reply("1");
        BOOST_REQUIRE_MESSAGE(location(declared, "/result/0").starts_with("t.hpp:0"), declared);
        const std::string moved = second.reply("1");
        BOOST_REQUIRE_MESSAGE(location(moved, "/result/0") == "t.cpp:4", moved);
    }
    // A call sees what the editors see, and columns are those of the unsaved text.
    BOOST_TEST(location(defined("v.cpp", 2, 23), "/0") == "t.cpp:4");
    BOOST_TEST(location(defined("u.cpp", 2, 35), "/0") == "t.cpp:4");
    first.notify(
        "textDocument/didChange",
        R"({"textDocument":{"uri":")" + uri("t.cpp") +
            R"(","version":4},"contentChanges":[{"range":{"start":{"line":1,"character":0},"end":{"line":3,"character":0}},"text":""}]})");
    second.ask("2", "textDocument/definition", position("u.cpp", 1, 34));
    BOOST_TEST(location(defined("v.cpp", 2, 23), "/0") == "t.cpp:2");
    // When they end, cleanly or not, the server gets the text on the disk again.
    first.process().signal(SIGKILL);
    BOOST_TEST(wait_until([&] { return location(defined("v.cpp", 2, 23), "/0") == "t.cpp:1"; }, 60s));
    BOOST_TEST(second.result("3", "shutdown") == "null");
    second.notify("exit", "null");
    BOOST_TEST(second.end().status == 0);
    BOOST_TEST(call_clangd(box, {"textDocument/diagnostic", "file=u.cpp"}) ==
               "{\"kind\":\"full\",\"items\":[]}\n");
    BOOST_TEST(count(first.log(), "\"uri\":\"" + uri("u.cpp")) == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_save_by_one_editor_is_seen_in_the_answers_to_another, with_clangd) {
    if (!there) return;
    editor first(box, "clangd");
    editor second(box, "clangd");
    first.initialize();
    second.initialize();
    second.open(uri("u.cpp"), R"(#include \"t.hpp\"\nint use() { return thrice(4); }\n)");
    const std::string wrong = second.notification("textDocument/publishDiagnostics");
    BOOST_TEST(
        json_at(wrong, "/params/diagnostics/0/message").value_or("").find("thrice") != std::string::npos,
        wrong);
    const std::string header = "int twice(int x);\nint thrice(int x);\n";
    first.open(uri("t.hpp"), R"(int twice(int x);\nint thrice(int x);\n)");
    box.write("t.hpp", header);
    first.notify("textDocument/didSave", R"({"textDocument":{"uri":")" + uri("t.hpp") + "\"}}");
    const std::string right = second.notification("textDocument/publishDiagnostics");
    BOOST_TEST(json_at(right, "/params/diagnostics").value_or("") == "[]", right);
}

BOOST_FIXTURE_TEST_CASE(an_edit_that_the_server_requests_is_made_by_the_editor_that_asked_for_the_command,
                        with_clangd) {
    if (!there) return;
    editor first(box, "clangd");
    editor second(box, "clangd");
    first.initialize(R"({"workspace":{"applyEdit":true}})");
    second.initialize(R"({"workspace":{"applyEdit":true}})");
    box.write("w.cpp", "int f() { int y = 1; return y; }\n");
    first.open(uri("w.cpp"), R"(int f() { int y = 1; return y; }\n)");
    first.notification("textDocument/publishDiagnostics");
    const std::string actions = first.ask(
        "1", "textDocument/codeAction",
        R"({"textDocument":{"uri":")" + uri("w.cpp") +
            R"("},"range":{"start":{"line":0,"character":18},"end":{"line":0,"character":19}},"context":{"diagnostics":[]}})");
    // A refactoring is a command of the server, or contains one.
    std::string command, arguments;
    for (int i = 0; i < 8 && command.empty(); ++i) {
        const std::string at = "/result/" + std::to_string(i);
        for (const std::string& inner : {at, at + "/command"}) {
            if (!json_at(actions, inner + "/arguments")) continue;
            command = json_at(actions, inner + "/command").value_or("");
            arguments = json_at(actions, inner + "/arguments").value_or("");
        }
    }
    BOOST_REQUIRE_MESSAGE(!command.empty(), actions);
    first.request("2", "workspace/executeCommand",
                  R"({"command":")" + command + R"(","arguments":)" + arguments + "}");
    const std::string sent_request = first.notification("workspace/applyEdit");
    BOOST_TEST(sent_request.find("w.cpp") != std::string::npos, sent_request);
    first.send(R"({"jsonrpc":"2.0","id":)" + json_at(sent_request, "/id").value_or("") +
               R"(,"result":{"applied":true}})");
    first.reply("2");
    BOOST_TEST(count(second.log(), "workspace/applyEdit") == 0u);
}

BOOST_AUTO_TEST_CASE(a_server_of_shell_scripts_is_shared_too) {
    sandbox box;
    if (!make_bash_project(box)) return;
    editor first(box, "sh");
    first.initialize();
    const std::string uri = "file://" + box.project() + "/a.sh";
    first.open(uri, R"(greet() { echo hi; }\ngreet\n)");
    // Once after its start this server reads all files of the project and then takes the text on the disk for
    // the open document, until the next change.
    int version = 1;
    std::string sent_request;
    BOOST_TEST(wait_until([&] {
                   first.change(uri, R"(# unsaved\n\ngreet() { echo hi; }\ngreet\n)", ++version);
                   first.notification("textDocument/publishDiagnostics");
                   sent_request = first.ask(
                       "\"d\"", "textDocument/definition",
                       R"({"textDocument":{"uri":")" + uri + R"("},"position":{"line":3,"character":1}})");
                   return location(sent_request, "/result/0") == "a.sh:2";
               }),
               sent_request);
    const auto called = box.run({"call", "sh", "textDocument/definition", "file=a.sh", "line=4", "col=2"});
    BOOST_TEST(location(called.out, "/0") == "a.sh:2", called.text());
    first.process().signal(SIGKILL);
    BOOST_TEST(wait_until([&] {
        return location(
                   box.run({"call", "sh", "textDocument/definition", "file=a.sh", "line=2", "col=2"}).out,
                   "/0") == "a.sh:0";
    }));
}

BOOST_AUTO_TEST_SUITE_END()
