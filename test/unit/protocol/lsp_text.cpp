#include "unit/protocol/lsp/buffer.hpp"
#include "unit/protocol/lsp/client_paths.hpp"
#include "unit/protocol/lsp/text.hpp"
#include "util/file_uri.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>

#include <chrono>
#include <string>

using namespace hob::unit;
namespace util = hob::util;

BOOST_AUTO_TEST_SUITE(lsp_text)

BOOST_AUTO_TEST_CASE(paths_and_uris_convert_both_ways) {
    for (const char* path : {"/a/b.cpp", "/with blank/ü#?%.c", "/a+b"}) {
        BOOST_TEST(util::path_of_uri(util::uri_of_path(path)).value() == path);
    }
    BOOST_TEST(util::uri_of_path("/a b") == "file:///a%20b");
    for (const char* form : {"file:/a b", "file://localhost/a%20b", "file:///%61%20%62"})
        BOOST_TEST(util::path_of_uri(form).value_or("") == "/a b", form);
    for (const char* wrong : {"http://x/y", "file://host/x", "file:///%0", "file:///%zz", "file:///a%00b"})
        BOOST_TEST(!util::path_of_uri(wrong).has_value(), wrong);
}

BOOST_AUTO_TEST_CASE(columns_count_characters) {
    const char* text = "one\n\xC3\xA4\xF0\x9F\x98\x80x\r\n";
    BOOST_TEST(lsp_character(text, 2, 1, false) == 0u);
    BOOST_TEST(lsp_character(text, 2, 2, false) == 1u);
    BOOST_TEST(lsp_character(text, 2, 3, false) == 3u);
    BOOST_TEST(lsp_character(text, 2, 3, true) == 6u);
    BOOST_TEST(lsp_character(text, 2, 99, false) == 4u);
    BOOST_TEST(lsp_character(text, 9, 5, false) == 0u);
}

BOOST_AUTO_TEST_CASE(P10_columns_do_not_count_a_byte_order_mark) {
    const char* text =
        "\xEF\xBB\xBF"
        "\xF0\x9F\x98\x80x\rtwo\r\nthree";
    BOOST_TEST(lsp_character(text, 1, 1, false) == 1u);
    BOOST_TEST(lsp_character(text, 1, 2, false) == 3u);
    BOOST_TEST(lsp_character(text, 1, 2, true) == 7u);
    BOOST_TEST(lsp_character(text, 2, 9, false) == 3u);  // a carriage return ends a line, too
    BOOST_TEST(lsp_character(text, 3, 9, false) == 5u);
    BOOST_TEST(without_byte_order_mark(text).substr(0, 4) == "\xF0\x9F\x98\x80");
    BOOST_TEST(lsp_end_position("a\r\nb\xC3\xA4", true) == R"({"line":1,"character":3})");
    BOOST_TEST(lsp_line_range("a\r\nb\xC3\xA4\n", 2, false) ==
               R"({"start":{"line":1,"character":0},"end":{"line":1,"character":2}})");
}

BOOST_AUTO_TEST_CASE(lines_are_plain_when_all_readers_count_them_alike) {
    for (const std::string text : {"", "a", "a\nb\n", "a\r\nb\r\n", "\t\xC3\xA4\xE2\x82\xAC\n"})
        BOOST_TEST(has_plain_lines(text), text);
    for (const std::string text : {"a\rb", "a\r", "a\n\rb", "a\fb", "a\vb", "a\x1C", "a\x1E\n", "a\xC2\x85",
                                   "a\xE2\x80\xA8", "\xE2\x80\xA9z"})
        BOOST_TEST(!has_plain_lines(text), text);
}

BOOST_AUTO_TEST_CASE(P10_a_file_has_one_path) {
    std::string pattern = (std::filesystem::temp_directory_path() / "lsp-text-XXXXXX").string();
    const std::string base = std::filesystem::canonical(::mkdtemp(pattern.data())).string();
    const std::string root = base + "/real";
    std::filesystem::create_directories(root + "/src");
    std::filesystem::create_directory_symlink(root, base + "/link");
    std::filesystem::create_symlink("/etc/passwd", root + "/outside");
    BOOST_TEST(document_path(root, base + "/link/src/../new.c") == root + "/new.c");
    BOOST_TEST(document_path(root, root + "//src/./a.c") == root + "/src/a.c");
    BOOST_TEST(document_path(root, base + "/link/outside") == "/etc/passwd");
    BOOST_TEST(document_path(root, root + "/outside") == root + "/outside");
    BOOST_TEST(document_key(root, "file://" + base + "/link/a%20b") == root + "/a b");
    client_paths paths;
    paths.learn_document(root, "file://" + base + "/link/src/a.c");
    std::string json = "[\"file://" + base + "/link/b.c\",\"file://" + base + "/linked\",\"see file://" +
                       base + "/link/b.c\"]";
    const std::string theirs = json;
    paths.to_server(json);
    BOOST_TEST(json == "[\"file://" + root + "/b.c\",\"file://" + base + "/linked\",\"see file://" + base +
                           "/link/b.c\"]");
    paths.to_client(json);
    BOOST_TEST(json == theirs);
    std::filesystem::remove_all(base);
}

BOOST_AUTO_TEST_CASE(P16_the_names_of_many_files_are_replaced_in_one_pass) {
    client_paths paths;
    std::string pattern = (std::filesystem::temp_directory_path() / "lsp-text-XXXXXX").string();
    const std::string base = std::filesystem::canonical(::mkdtemp(pattern.data())).string();
    std::filesystem::create_directories(base + "/real");
    std::filesystem::create_directory_symlink(base + "/real", base + "/longer-link");
    paths.learn_root(base + "/real", "file://" + base + "/longer-link");
    std::string json = "[0";
    for (int i = 0; i < 200'000; ++i)
        json += ",\"file://" + base + "/longer-link/a.c\"";
    const auto began = std::chrono::steady_clock::now();
    paths.to_server(json);
    BOOST_TEST((std::chrono::steady_clock::now() - began < std::chrono::seconds(3)));
    const std::string replaced = ",\"file://" + base + "/real/a.c\"";
    BOOST_TEST(json.size() == 2 + 200'000 * replaced.size());
    BOOST_TEST(json.ends_with(replaced));
    BOOST_TEST(json.find("/longer-link") == std::string::npos);
    std::filesystem::remove_all(base);
}

namespace {

bool lsp_glob_matches(std::string_view pattern, std::string_view path) {
    return lsp_glob(pattern).matches(path);
}

}  // namespace

BOOST_AUTO_TEST_CASE(patterns_match_as_the_protocol_defines_them) {
    BOOST_TEST(lsp_glob_matches("**/*.{c,h}", "a.c"));
    BOOST_TEST(lsp_glob_matches("**/*.{c,h}", "x/y/a.h"));
    BOOST_TEST(!lsp_glob_matches("**/*.{c,h}", "x/y/a.cc"));
    BOOST_TEST(lsp_glob_matches("src/**", "src/x/y"));
    BOOST_TEST(!lsp_glob_matches("src/**", "lib/x/y"));
    BOOST_TEST(!lsp_glob_matches("*.c", "x/a.c"));
    BOOST_TEST(lsp_glob_matches("/root/**/Cargo.toml", "/root/a/Cargo.toml"));
    BOOST_TEST(lsp_glob_matches("**/{a,b}/*.{ts,}", "x/b/m.ts"));
    BOOST_TEST(lsp_glob_matches("{one}.c", "one.c"));
    BOOST_TEST(lsp_glob_matches("**", "a/b"));
    BOOST_TEST(!lsp_glob_matches("{a,b", "a"));
}

BOOST_AUTO_TEST_CASE(U29_no_pattern_of_a_server_takes_long) {
    std::string path, depth, braces;
    for (int i = 0; i < 60; ++i)
        path += "a/";
    for (int i = 0; i < 40; ++i)
        depth += "**/a/";
    for (int i = 0; i < 40; ++i)
        braces += "{a,b}";
    const auto begin = std::chrono::steady_clock::now();
    BOOST_TEST(!lsp_glob_matches(depth + "b", path + "c"));
    BOOST_TEST(lsp_glob_matches(depth + "*", path + "c"));
    BOOST_TEST(!lsp_glob_matches("*a*a*a*a*a*a*a*a*a*a*a*b", std::string(255, 'a')));
    // What is too much to expand is announced too often, not too seldom.
    BOOST_TEST(lsp_glob_matches(braces, "anything"));
    BOOST_TEST(lsp_glob_matches(std::string(100'000, '{'), "anything"));
    BOOST_TEST(lsp_glob_matches("{a,b}{c,d}{e,f}{g,h}{i,j}{k,l}{m,n}{o,p}", "acegikmo"));
    BOOST_TEST(!lsp_glob_matches("{a,b}{c,d}{e,f}{g,h}{i,j}{k,l}{m,n}{o,p}", "acegikmq"));
    BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(2)));
}

BOOST_AUTO_TEST_CASE(changes_of_a_document_are_applied_at_their_position) {
    const auto applied = [](std::string text, const std::string& change, bool utf8 = false) {
        lsp_buffer whole(std::move(text));
        const bool done = whole.apply(change, utf8);
        return (done ? "" : "refused: ") + whole.text();
    };
    const auto range = [](int line, int from, int to_line, int to, const std::string& text) {
        return R"({"range":{"start":{"line":)" + std::to_string(line) + R"(,"character":)" +
               std::to_string(from) + R"(},"end":{"line":)" + std::to_string(to_line) + R"(,"character":)" +
               std::to_string(to) + R"(}},"text":")" + text + "\"}";
    };
    BOOST_TEST(applied("old", R"({"text":"new"})") == "new");
    BOOST_TEST(applied("one\ntwo\n", range(1, 0, 1, 3, "TWO")) == "one\nTWO\n");
    BOOST_TEST(applied("one\r\ntwo\rthree", range(1, 3, 2, 2, "-")) == "one\r\ntwo-ree");
    BOOST_TEST(applied("a\nb\n", range(0, 1, 1, 0, "")) == "ab\n");
    BOOST_TEST(applied("", range(0, 0, 0, 0, "x")) == "x");
    // In UTF-16 the second character has two units, in UTF-8 four.
    BOOST_TEST(applied("\xC3\xA4\xF0\x9F\x98\x80x", range(0, 1, 0, 3, "")) == "\xC3\xA4x");
    BOOST_TEST(applied("\xC3\xA4\xF0\x9F\x98\x80x", range(0, 2, 0, 6, ""), true) == "\xC3\xA4x");
    // Positions behind an end are that end.
    BOOST_TEST(applied("ab\ncd", range(0, 99, 9, 0, "!")) == "ab!");
    for (const char* wrong : {R"({})", R"({"text":1})", R"({"range":{},"text":"x"})", R"([])", "x"})
        BOOST_TEST(applied("t", wrong) == "refused: t", wrong);
    BOOST_TEST(applied("abc", range(0, 2, 0, 1, "x")) == "refused: abc");
    BOOST_TEST(document_key("/", "file:///a%20b") == "/a b");
    BOOST_TEST(document_key("/", "untitled:1") == "untitled:1");
}

BOOST_AUTO_TEST_SUITE_END()
