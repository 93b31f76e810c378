// LSP with real servers, on a part of the source of this project.

#include <boost/test/unit_test.hpp>

#include <string>

#include "fixtures/clangd_project.hpp"
#include "fixtures/protocol_project.hpp"
#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

// A copy of a part of src/ with its compile commands, and clangd.
struct with_clangd {
    sandbox box;
    bool there = require_program("clangd-14");
    with_clangd() {
        const auto copied = box.shell("mkdir -p src/util/json && cp " HOB_SOURCE_DIR
                                      "/src/limits.hpp src/ && cp " HOB_SOURCE_DIR
                                      "/src/util/{suggest,utf8,base64}.* src/util && cp " HOB_SOURCE_DIR
                                      "/src/util/json/json_{text,scan,edit}.* " HOB_SOURCE_DIR
                                      "/src/util/json/json_pretty.hpp src/util/json");
        BOOST_REQUIRE_MESSAGE(copied.status == 0, copied.text());
        std::vector<std::string> files;
        for (const char* stem :
             {"suggest", "utf8", "json/json_text", "json/json_scan", "json/json_edit", "base64"})
            files.push_back(std::string("src/util/") + stem + ".cpp");
        make_clangd_project(box, files, "-std=c++20 -Isrc");
    }
    std::string call(std::vector<std::string> words) { return call_clangd(box, std::move(words)); }
    // Line and column, from 1, of the first `word` after the first `line`.
    std::vector<std::string> at(const std::string& file, const std::string& line, const std::string& word) {
        const std::string text = slurp(box.project() + "/" + file);
        const auto begin = text.find(line);
        BOOST_REQUIRE_MESSAGE(begin != std::string::npos, line);
        const auto where = text.find(word, begin);
        const auto row = text.rfind('\n', where) + 1;
        return {"file=" + file, "line=" + std::to_string(count(text.substr(0, where), "\n") + 1),
                "col=" + std::to_string(where - row + 1)};
    }
    std::string ask(const std::string& method, std::vector<std::string> where,
                    const std::vector<std::string>& more = {}) {
        where.insert(where.begin(), method);
        where.insert(where.end(), more.begin(), more.end());
        return call(where);
    }
};

std::string line_in(const std::string& output, const std::string& pointer) {
    return json_at(output, pointer + "/range/start/line").value_or("none");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(worker_lsp)

BOOST_FIXTURE_TEST_CASE(definitions_references_symbols_and_renames_are_those_of_the_project, with_clangd) {
    if (!there) return;
    const auto use = at("src/util/json/json_edit.cpp", "std::string_view json_find(", "json_member_of");
    const std::string defined = ask("textDocument/definition", use);
    BOOST_TEST(json_at(defined, "/0/uri").value_or("").ends_with("/src/util/json/json_edit.cpp"), defined);
    const auto other =
        at("src/util/json/json_edit.cpp", "const auto members = json_object_members", "json_object");
    const std::string elsewhere = ask("textDocument/definition", other);
    BOOST_TEST(json_at(elsewhere, "/0/uri").value_or("").ends_with("/src/util/json/json_text.cpp"),
               elsewhere);
    const std::string used = ask("textDocument/references", other);
    BOOST_TEST(used.find("json_text.hpp") != std::string::npos, used);
    BOOST_TEST(used.find("json_edit.cpp") != std::string::npos);
    const std::string found = call({"workspace/symbol", "query=utf8_sequence"});
    BOOST_TEST(json_at(found, "/0/name").value_or("") == "utf8_sequence", found);
    const std::string renamed = ask("textDocument/rename", other, {"newName=members_of_object"});
    BOOST_TEST(count(renamed, "members_of_object") >= 4u, renamed);
    BOOST_TEST(json_at(call({"--capabilities"}), "/serverInfo/name").value_or("") == "clangd");
}

BOOST_FIXTURE_TEST_CASE(diagnostics_are_those_of_the_current_file, with_clangd) {
    if (!there) return;
    const std::vector<std::string> ask_for = {"textDocument/diagnostic", "file=src/util/utf8.cpp"};
    BOOST_TEST(call(ask_for) == "{\"kind\":\"full\",\"items\":[]}\n");
    box.shell("echo 'int broken() { return missing; }' >> src/util/utf8.cpp");
    const std::string wrong = call(ask_for);
    BOOST_TEST(json_at(wrong, "/items/0/message").value_or("").find("missing") != std::string::npos, wrong);
    box.shell("sed -i '$d' src/util/utf8.cpp");
    BOOST_TEST(call(ask_for) == "{\"kind\":\"full\",\"items\":[]}\n");
}

BOOST_FIXTURE_TEST_CASE(answers_match_the_disk_after_every_edit, with_clangd) {
    if (!there) return;
    box.shell(
        "printf 'int twice(int x);\\n' > t.hpp; printf '#include \"t.hpp\"\\nint twice(int x) { return x; "
        "}\\n' > "
        "t.cpp; printf '#include \"t.hpp\"\\nint use() { return twice(4); }\\n' > u.cpp");
    int right = 0;
    const int rounds = scaled(100);
    std::string home = "t.cpp";
    int line = 1;
    call({"textDocument/documentSymbol", "file=u.cpp"});
    for (int round = 0; round < rounds; ++round) {
        if (round % 10 == 9) {
            const std::string next = home == "t.cpp" ? "moved.cpp" : "t.cpp";
            box.shell("mv " + home + " " + next);
            home = next;
        } else {
            box.shell("sed -i '1i // " + std::to_string(round) + "' " + home);
            ++line;
        }
        const std::string output = call({"textDocument/definition", "file=u.cpp", "line=2", "col=20"});
        const bool here = json_at(output, "/0/uri").value_or("").ends_with("/" + home) &&
                          line_in(output, "/0") == std::to_string(line);
        BOOST_TEST(here, "round " << round << ", " << home << " line " << line << ": " << output);
        if (here) ++right;
    }
    BOOST_TEST(right == rounds);
}

BOOST_FIXTURE_TEST_CASE(columns_count_characters_of_any_size, with_clangd) {
    if (!there) return;
    box.write("w.cpp", "int f() { return 1; }\nint g() { /* \xC3\xA4\xF0\x9F\x98\x80 */ return f(); }\n");
    const std::string output = call({"textDocument/definition", "file=w.cpp", "line=2", "col=28"});
    BOOST_TEST(line_in(output, "/0") == "0", output);
}

BOOST_FIXTURE_TEST_CASE(a_wrong_shorthand_is_an_error, with_clangd) {
    if (!there) return;
    const auto zero = box.run({"call", "clangd", "textDocument/hover", "file=src/util/utf8.cpp", "line=0"});
    BOOST_TEST(zero.status == 2);
    BOOST_TEST(zero.err.find("'line' is a number from 1 on") != std::string::npos, zero.err);
    const auto missing =
        box.run({"call", "clangd", "textDocument/hover", "file=none.cpp", "line=1", "col=1"});
    BOOST_TEST(missing.err.find("cannot read '") != std::string::npos, missing.err);
    BOOST_TEST(box.run({"call", "clangd", "textDocument/hover", "line=1"}).status == 2);
    const auto behind =
        box.run({"call", "clangd", "textDocument/hover", "file=src/util/utf8.cpp", "line=99999"});
    BOOST_TEST(behind.status == 2);
    BOOST_TEST(behind.err.find("line 99999 is behind the end of '") != std::string::npos, behind.err);
    const auto other =
        box.run({"call", "clangd", "textDocument/hover", "file=src/util/utf8.cpp", "line=1", "column=3"});
    BOOST_TEST(other.status == 2);
    BOOST_TEST(other.err.find("has no member 'column'\nhint: say col=N\n") != std::string::npos, other.err);
}

BOOST_FIXTURE_TEST_CASE(it_is_ended_by_shutdown_and_exit, with_clangd) {
    if (!there) return;
    call({"textDocument/documentSymbol", "file=src/util/utf8.cpp"});
    BOOST_TEST(box.run({"stop", "clangd"}).status == 0);
    const auto status = box.run({"status", "--json"});
    BOOST_TEST(json_at(status.out, "/units/0/exit").value_or("") == "0", status.out);
}

BOOST_AUTO_TEST_CASE(a_server_of_shell_scripts_answers_too) {
    sandbox box;
    if (!make_bash_project(box)) return;
    const std::vector<std::string> ask = {"call",      "sh",     "textDocument/definition",
                                          "file=a.sh", "line=2", "col=2"};
    const auto first = box.run(ask);
    BOOST_TEST(line_in(first.out, "/0") == "0", first.text());
    box.write("a.sh", "# one more line\ngreet() { echo hi; }\ngreet\n");
    const auto moved = box.run({"call", "sh", "textDocument/definition", "file=a.sh", "line=3", "col=2"});
    BOOST_TEST(line_in(moved.out, "/0") == "1", moved.text());
}

BOOST_AUTO_TEST_SUITE_END()
