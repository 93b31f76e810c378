#include "unit/protocol/lsp/apply.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "util/file_uri.hpp"

using namespace hob::unit;
namespace fs = std::filesystem;
namespace util = hob::util;

namespace {

struct project {
    fs::path root;
    lsp_documents documents;
    project() {
        std::string pattern = (fs::temp_directory_path() / "lsp-edits-XXXXXX").string();
        root = fs::canonical(::mkdtemp(pattern.data()));
        documents.set_root(root.string());
    }
    ~project() { fs::remove_all(root); }

    std::string path(const std::string& name) const { return (root / name).string(); }
    std::string uri(const std::string& name) const { return util::uri_of_path(path(name)); }
    void write(const std::string& name, const std::string& text) const { std::ofstream(root / name) << text; }
    std::string read(const std::string& name) const {
        std::ifstream from(root / name);
        return {std::istreambuf_iterator<char>(from), {}};
    }
    // Empty: it was written.
    std::string apply(const std::string& edit) const {
        edit_applier applier(documents, false, true);
        return applier.take_edit(edit);
    }
    std::string changes(const std::string& name, const std::string& edits) const {
        return R"({"changes":{")" + uri(name) + "\":[" + edits + "]}}";
    }
    std::size_t files() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(root), fs::directory_iterator()));
    }
};

std::string edit(int line, int from, int to_line, int to, const std::string& text) {
    return R"({"range":{"start":{"line":)" + std::to_string(line) + R"(,"character":)" +
           std::to_string(from) + R"(},"end":{"line":)" + std::to_string(to_line) + R"(,"character":)" +
           std::to_string(to) + R"(}},"newText":")" + text + "\"}";
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lsp_edits)

BOOST_FIXTURE_TEST_CASE(P09_edits_are_written_with_the_mode_the_mark_and_the_line_ends_of_the_file, project) {
    write("a", "\xEF\xBB\xBFone\r\ntwo\r\n");
    fs::permissions(root / "a", fs::perms(0751));
    BOOST_TEST(apply(changes("a", edit(1, 0, 1, 3, "TWO") + "," + edit(0, 0, 0, 0, "x") + "," +
                                      edit(0, 0, 0, 0, "y"))) == "");
    BOOST_TEST(read("a") == "\xEF\xBB\xBFxyone\r\nTWO\r\n");
    BOOST_TEST(static_cast<unsigned>(fs::status(root / "a").permissions()) == 0751u);
    BOOST_TEST(files() == 1u);
}

BOOST_FIXTURE_TEST_CASE(P09_files_are_created_renamed_and_deleted_in_order, project) {
    write("old", "text\n");
    write("gone", "");
    const std::string all =
        R"({"documentChanges":[{"kind":"rename","oldUri":")" + uri("old") + R"(","newUri":")" +
        uri("sub/new") + R"("},{"textDocument":{"uri":")" + uri("sub/new") +
        R"(","version":null},"edits":[)" + edit(0, 0, 0, 4, "TEXT") + R"(]},{"kind":"delete","uri":")" +
        uri("gone") + R"("},{"kind":"create","uri":")" + uri("made") + R"("},{"textDocument":{"uri":")" +
        uri("made") + R"(","version":null},"edits":[)" + edit(0, 0, 0, 0, "new") + "]}]}";
    BOOST_TEST(apply(all) == "");
    BOOST_TEST(read("sub/new") == "TEXT\n");
    BOOST_TEST(read("made") == "new");
    BOOST_TEST(!fs::exists(root / "old"));
    BOOST_TEST(!fs::exists(root / "gone"));
}

BOOST_FIXTURE_TEST_CASE(P09_nothing_is_written_when_one_part_is_refused, project) {
    write("a", "one\n");
    write("b", "two\n");
    fs::create_directory(root / ".git");
    write(".git/config", "[core]\n");
    fs::create_symlink("/etc", root / "out");
    fs::create_symlink("/etc/passwd", root / "link");
    const std::string good = R"({"textDocument":{"uri":")" + uri("a") + R"(","version":null},"edits":[)" +
                             edit(0, 0, 0, 3, "1") + "]}";
    const auto both = [&](const std::string& second) {
        return apply(R"({"documentChanges":[)" + good + "," + second + "]}");
    };
    const auto text_edit = [&](const std::string& at, const std::string& edits) {
        return R"({"textDocument":{"uri":")" + at + R"(","version":null},"edits":[)" + edits + "]}";
    };
    const std::string any = edit(0, 0, 0, 0, "x");
    BOOST_TEST(contains(both(text_edit("file:///etc/passwd", any)), "is not below"));
    BOOST_TEST(contains(both(text_edit(uri("link"), any)), "is not below"));
    BOOST_TEST(contains(both(text_edit(uri("out/passwd"), any)), "is not below"));
    BOOST_TEST(contains(both(text_edit(uri("b") + "/../../x", any)), "is not below"));
    BOOST_TEST(contains(both(text_edit(uri(".git/config"), any)), "belongs to git"));
    BOOST_TEST(contains(both(text_edit(uri("none"), any)), "does not exist"));
    BOOST_TEST(contains(both(text_edit("untitled:x", any)), "is no file"));
    BOOST_TEST(
        contains(both(text_edit(uri("b"), edit(0, 0, 0, 2, "x") + "," + edit(0, 1, 0, 3, "y"))), "overlap"));
    BOOST_TEST(contains(both(text_edit(uri("b"), edit(0, 2, 0, 1, "x"))), "malformed"));
    BOOST_TEST(contains(both(text_edit(uri("b"), R"({"range":{},"newText":"x"})")), "malformed"));
    std::string snippet = any;
    snippet.insert(snippet.size() - 1, R"(,"insertTextFormat":2)");
    BOOST_TEST(contains(both(text_edit(uri("b"), snippet)), "snippet"));
    BOOST_TEST(contains(both(R"({"kind":"create","uri":")" + uri("b") + "\"}"), "exists already"));
    BOOST_TEST(contains(both(R"({"kind":"move","uri":")" + uri("b") + "\"}"), "unknown kind"));
    BOOST_TEST(read("a") == "one\n");
    BOOST_TEST(read("b") == "two\n");
    BOOST_TEST(files() == 5u);  // no temporary file is left
}

BOOST_FIXTURE_TEST_CASE(P09_a_file_that_has_changed_since_is_refused, project) {
    write("a", "one\n");
    timespec later[2]{{::time(nullptr) + 60, 0}, {::time(nullptr) + 60, 0}};
    const std::string change = changes("a", edit(0, 0, 0, 3, "1"));
    edit_applier applier(documents, false, true);
    ::utimensat(AT_FDCWD, path("a").c_str(), later, 0);
    BOOST_TEST(contains(applier.take_edit(change), "has changed since"));
    BOOST_TEST(applier.refusal() != "");
    BOOST_TEST(read("a") == "one\n");
}

BOOST_FIXTURE_TEST_CASE(P09_what_cannot_be_written_puts_back_what_was, project) {
    write("a", "one\n");
    fs::create_directory(root / "closed");
    write("closed/b", "two\n");
    file_plan plan(root.string(), {::time(nullptr) + 60, 0}, [](const auto&) { return std::nullopt; });
    plan.set_text(path("a"), "1\n");
    plan.set_text(path("closed/b"), "2\n");
    write("closed/b", "another text\n");
    BOOST_CHECK_EXCEPTION(plan.write(), change_refused,
                          [](const auto& why) { return contains(why.what(), "has changed since"); });
    BOOST_TEST(read("a") == "one\n");
    BOOST_TEST(files() == 2u);
}

BOOST_AUTO_TEST_CASE(P09_a_result_says_which_edits_it_has) {
    const auto chosen = [](const std::string& result, const std::string& title = {}) {
        try {
            const auto found = find_edits(result, title);
            return found.workspace_edit + "|" + found.text_edits + "|" + found.command + "|" +
                   found.unresolved_action;
        } catch (const change_refused& why) {
            return std::string(why.what());
        }
    };
    BOOST_TEST(chosen("null") == "|||");
    BOOST_TEST(chosen("[]") == "|||");
    BOOST_TEST(chosen(R"({"changes":{}})") == R"({"changes":{}}|||)");
    BOOST_TEST(chosen("[" + edit(0, 0, 0, 0, "") + "]") == "|[" + edit(0, 0, 0, 0, "") + "]||");
    const std::string one = R"({"title":"one","edit":{"changes":{}}})";
    const std::string two = R"({"title":"two","command":{"title":"t","command":"c","arguments":[1]}})";
    const std::string old = R"({"title":"old","command":"c"})";
    BOOST_TEST(chosen("[" + one + "]") == R"({"changes":{}}|||)");
    BOOST_TEST(chosen("[" + one + "," + two + "]") ==
               "say which code action: title=TITLE, one of 'one', 'two'");
    BOOST_TEST(chosen("[" + one + "," + two + "]", "two") == R"(||{"command":"c","arguments":[1]}|)");
    BOOST_TEST(chosen("[" + old + "]") == R"(||{"command":"c"}|)");
    BOOST_TEST(contains(chosen("[" + one + "]", "nine"), "no code action is called 'nine'"));
    BOOST_TEST(chosen("[" + two + R"(,{"title":"p","isPreferred":true,"edit":{"changes":{}}}])") ==
               R"({"changes":{}}|||)");
    BOOST_TEST(chosen(R"([{"title":"d","disabled":{"reason":"r"}},)" + one + "]") == R"({"changes":{}}|||)");
    BOOST_TEST(chosen(R"([{"title":"l","data":7}])") == R"(|||{"title":"l","data":7})");
}

BOOST_AUTO_TEST_SUITE_END()
