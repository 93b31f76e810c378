// What callers are told about diagnostics by language servers that publish late, twice, for others, for other
// versions or never: the truth as of now, or that it is incomplete. And no wait is paid twice.

#include <boost/test/unit_test.hpp>

#include <sys/types.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include "fixtures/editor.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

// Shorter than every wait that was once paid by each call, and long enough for a machine that is busy.
constexpr milliseconds soon = 2500ms;

enum class told {
    truth,       // as it is now, and not marked
    incomplete,  // marked, whatever it shows
    honest,      // one of the two
};

struct row {
    std::string oddities;
    told first;  // of the first question
    told later;  // after a change of another document, and of the document itself
};
const std::vector<row> rows = {
    {"", told::truth, told::truth},
    {"late=300", told::truth, told::truth},
    {"late=2500", told::incomplete, told::honest},
    {"busy=1500", told::truth, told::truth},
    {"empty-first", told::truth, told::truth},
    {"empty-first no-version", told::truth, told::truth},
    {"changes", told::truth, told::truth},
    {"changes no-version", told::truth, told::truth},
    {"deep", told::truth, told::truth},
    {"keeps", told::truth, told::truth},
    {"twice", told::truth, told::truth},
    {"twice no-version", told::truth, told::truth},
    {"dependants", told::incomplete, told::honest},
    {"never", told::incomplete, told::incomplete},
    {"never=b.py", told::incomplete, told::incomplete},
    {"never=a.py", told::truth, told::truth},
    {"unchanged", told::truth, told::truth},
    {"unchanged no-version clears", told::truth, told::truth},
    {"clears", told::truth, told::truth},
    {"ranges", told::truth, told::truth},
    {"clears stops", told::truth, told::truth},
    {"clears stops no-version unchanged", told::truth, told::honest},
    {"no-version", told::truth, told::truth},
    {"constant", told::truth, told::truth},
    {"constant unchanged", told::truth, told::honest},
    {"uri=escaped", told::truth, told::truth},
    {"uri=localhost", told::truth, told::truth},
    {"uri=short", told::truth, told::truth},
    {"pull", told::truth, told::truth},
    {"fails", told::incomplete, told::incomplete},
    {"fails pull", told::incomplete, told::incomplete},
    {"none", told::incomplete, told::incomplete},
    {"endless", told::truth, told::truth},
    {"stops", told::truth, told::truth},
};

struct with_odd_server {
    sandbox box;

    explicit with_odd_server(const std::string& oddities = {}) {
        std::string words;
        for (std::size_t at = 0; at < oddities.size();) {
            const std::size_t end = std::min(oddities.find(' ', at), oddities.size());
            words += ", \"" + oddities.substr(at, end - at) + "\"";
            at = end + 1;
        }
        box.config("[worker.w]\nrun = [\"python3\", \"" HOB_SOURCE_DIR "/test/fixtures/odd_lsp.py\"" + words +
                   "]\nprotocol = \"lsp\"\ncall_timeout = \"40s\"\n");
        box.write("a.py", "fine\n");
        box.write("b.py", "uses a.py\n");
        box.write("c.py", "fine\n");
    }
    outcome call(const std::string& method, const std::string& file) {
        const auto output = box.run({"call", "w", method, "file=" + file});
        BOOST_TEST(output.status == 0, output.text());
        return output;
    }
    // `errors`: how many there are.
    void ask(const std::string& file, int errors, told expected, const std::string& when) {
        const auto output = call("textDocument/diagnostic", file);
        BOOST_TEST_CONTEXT(when << " of " << file << ": " << output.text()) {
            const bool marked = json_at(output.out, "/incomplete").value_or("") == "true";
            BOOST_TEST(marked == (output.err.find("hob: incomplete: ") != std::string::npos));
            if (expected != told::honest) BOOST_TEST(marked == (expected == told::incomplete));
            if (!marked) BOOST_TEST(static_cast<int>(count(output.out, "message")) == errors);
        }
    }
    // The second of two calls has nothing to wait for.
    void is_soon(const std::string& method, const std::string& file) {
        const auto output = call(method, file);
        BOOST_TEST(output.elapsed < soon,
                   method << " of " << file << " took " << output.elapsed.count() << " ms");
    }
    std::string opened() { return call("t/opened", "a.py").out; }
};

void walk(const row& each) {
    with_odd_server server(each.oddities);
    if (each.oddities == "endless") server.box.run({"call", "w", "--timeout", "1s", "t/opened", "file=c.py"});
    server.ask("b.py", 0, each.first, "the first");
    server.is_soon("textDocument/diagnostic", "b.py");
    server.call("textDocument/hover", "a.py");
    server.box.write("a.py", "error\n");
    server.ask("b.py", 1, each.later, "after an error elsewhere");
    server.is_soon("textDocument/diagnostic", "b.py");
    server.is_soon("textDocument/hover", "a.py");
    server.box.write("a.py", "fine again\n");
    server.ask("b.py", 0, each.later, "after its end");
    server.box.write("c.py", "error\n");
    server.ask("b.py", 0, each.later, "after a change that concerns nothing");
    server.box.write("b.py", "error\n");
    server.ask("b.py", 1, each.later, "after an error of its own");
    server.box.write("b.py", "uses a.py, again\n");
    server.ask("b.py", 0, each.later, "after the end of that");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lsp_diagnostics)

BOOST_AUTO_TEST_CASE(P01_diagnostics_are_of_now_or_say_that_they_are_not) {
    if (!require_program("python3")) return;
    for (const auto& each : rows)
        BOOST_TEST_CONTEXT("a server with: " << each.oddities) walk(each);
}

BOOST_AUTO_TEST_CASE(an_error_that_the_server_tells_is_shown_and_logged) {
    for (const char* oddities : {"fails", "fails pull"}) {
        with_odd_server server(oddities);
        const auto output = server.call("textDocument/diagnostic", "a.py");
        BOOST_TEST(
            output.err.find("incomplete: it found nothing, but told an error: Error while computing") !=
            std::string::npos);
        BOOST_TEST(output.err.find("at line 1") == std::string::npos);
        BOOST_TEST(server.box.run({"logs", "w"}).out.find("at line 1") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(P02_diagnostics_are_of_the_disk_once_an_editor_has_left) {
    for (const char* oddities :
         {"clears", "clears no-version late=200", "clears no-version unchanged late=200"}) {
        for (const bool politely : {true, false}) {
            with_odd_server server(oddities);
            server.box.write("a.py", "error\n");
            server.ask("a.py", 1, told::truth, "the first");
            server.ask("b.py", 1, told::truth, "the first");
            const std::string uri = "file://" + server.box.project() + "/a.py";
            editor one(server.box, "w");
            one.request("1", "initialize", R"({"capabilities":{}})");
            one.reply("1");
            one.notify("initialized", "{}");
            one.notify("textDocument/didOpen", R"({"textDocument":{"uri":")" + uri +
                                                   R"(","languageId":"python","version":1,"text":"fine"}})");
            one.request("2", "$/nothing");
            one.reply("2");
            server.ask("b.py", 0, told::truth, "with an editor");
            if (politely) one.notify("textDocument/didClose", R"({"textDocument":{"uri":")" + uri + R"("}})");
            one.notify("exit", "{}");
            one.end();
            server.ask("b.py", 1, told::truth, "without an editor");
            server.ask("a.py", 1, told::truth, "without an editor");
        }
    }
}

BOOST_AUTO_TEST_CASE(P02_a_server_that_starts_anew_is_not_taken_at_its_first_word) {
    with_odd_server server("empty-first no-version");
    server.box.write("b.py", "error\n");
    for (int i = 0; i < 2; ++i) {
        server.ask("b.py", 1, told::truth, "the first");
        BOOST_TEST(server.box.run({"restart", "w"}).status == 0);
    }
}

BOOST_AUTO_TEST_CASE(the_end_of_the_server_ends_the_wait_for_its_diagnostics) {
    for (const bool killed : {true, false}) {
        with_odd_server server("busy=60000");
        auto waiting =
            server.box.start({"call", "w", "--timeout", "120s", "textDocument/diagnostic", "file=a.py"});
        BOOST_REQUIRE(wait_until([&] {
            return server.box.run({"wait", "w", "--for", "idle", "--timeout", "100ms"}).status == 4;
        }));
        if (killed) {
            const auto status = server.box.run({"status", "--json", "w"});
            const pid_t pid =
                static_cast<pid_t>(std::stol(json_at(status.out, "/units/0/pid").value_or("0")));
            BOOST_REQUIRE(pid > 0);
            ::kill(pid, SIGKILL);
        } else {
            BOOST_TEST(server.box.run({"stop", "--timeout", "30s", "w"}).status == 0);
        }
        const auto ended = waiting.wait();
        BOOST_TEST(ended.status == 1, ended.text());
        BOOST_TEST(ended.elapsed < 60s);
    }
}

BOOST_AUTO_TEST_CASE(P03_a_document_that_is_never_published_about_is_waited_for_once) {
    with_odd_server server("never=b.py");
    server.call("textDocument/hover", "a.py");
    server.call("textDocument/hover", "b.py");
    for (const char* file : {"a.py", "b.py", "c.py"}) {
        server.is_soon("textDocument/hover", file);
        server.box.write("c.py", std::string("changed for ") + file);
    }
    server.ask("b.py", 0, told::incomplete, "the first");
    server.is_soon("textDocument/diagnostic", "b.py");
    server.box.write("c.py", "error");
    server.is_soon("textDocument/diagnostic", "b.py");
}

BOOST_AUTO_TEST_CASE(P18_only_documents_of_the_servers_own_languages_are_opened_in_it) {
    for (const char* oddities : {"", "selector"}) {
        with_odd_server server(oddities);
        server.call("textDocument/hover", "a.py");
        server.box.write("README.md", "error");
        server.box.write("tool.rs", "error");
        server.box.write("new.py", "fine");
        server.box.write("c.py", "changed");
        const auto output = server.call("textDocument/hover", "a.py");
        BOOST_TEST(output.elapsed < soon);
        BOOST_TEST(server.opened() == "[\"a.py\", \"c.py\", \"new.py\"]\n", server.opened());
    }
}

BOOST_AUTO_TEST_CASE(P18_files_names_the_documents_of_a_server) {
    with_odd_server server("selector");
    server.box.config(slurp(server.box.project() + "/hob.toml") + "files = [\"*.rs\", \"docs/*.md\"]\n");
    server.box.shell("mkdir docs");
    server.call("textDocument/hover", "a.py");
    for (const char* name : {"README.md", "docs/one.md", "tool.rs", "new.py", "c.py"})
        server.box.write(name, "fine, too\n");
    server.call("textDocument/hover", "a.py");
    BOOST_TEST(server.opened() == "[\"a.py\", \"one.md\", \"tool.rs\"]\n", server.opened());
}

BOOST_AUTO_TEST_CASE(P19_a_server_that_publishes_nothing_is_not_waited_for) {
    for (const char* oddities : {"pull", "none", "never"}) {
        BOOST_TEST_CONTEXT(oddities) {
            with_odd_server server(oddities);
            server.is_soon("textDocument/hover", "a.py");
            for (int i = 0; i < 100; ++i)
                server.box.write("new" + std::to_string(i) + ".py", "fine");
            const auto output = server.call("textDocument/hover", "a.py");
            BOOST_TEST(output.elapsed < 5s, output.elapsed.count());
            server.is_soon("textDocument/hover", "c.py");
        }
    }
}

BOOST_AUTO_TEST_CASE(P20_a_progress_that_never_ends_is_waited_for_once) {
    with_odd_server server("endless");
    const auto first = server.box.run({"call", "w", "--timeout", "2s", "textDocument/hover", "file=a.py"});
    BOOST_TEST(first.err.find("incomplete: it is still thinking") != std::string::npos, first.text());
    for (int i = 0; i < 2; ++i) {
        server.is_soon("textDocument/hover", "a.py");
        server.box.write("a.py", std::to_string(i));
    }
}

BOOST_AUTO_TEST_CASE(
    P01_what_a_server_found_before_is_not_taken_for_what_it_finds_in_a_document_opened_anew) {
    for (const char* oddities : {"keeps", "keeps no-version", "keeps ranges clears"}) {
        with_odd_server server(oddities);
        server.ask("b.py", 0, told::truth, "the first");
        // For files that come or go, a document is opened anew.
        server.box.write("d.py", "fine\n");
        server.box.write("a.py", "error\n");
        server.ask("b.py", 1, told::truth, "after a new file and an error elsewhere");
        server.box.shell("rm d.py");
        server.box.write("a.py", "fine\n");
        server.ask("b.py", 0, told::truth, "after a deleted file and the end of the error");
    }
}

BOOST_AUTO_TEST_CASE(P04_a_file_that_was_missing_is_found_once_it_is_there) {
    for (const char* oddities : {"remembers", "remembers clears no-version late=100"}) {
        with_odd_server server(oddities);
        server.box.shell("rm a.py");
        server.ask("b.py", 1, told::truth, "while a file is missing");
        server.box.write("a.py", "fine");
        server.ask("b.py", 0, told::truth, "once it is there");
        server.box.shell("mv a.py d.py");
        server.ask("b.py", 1, told::truth, "after a move");
        server.box.shell("mv d.py a.py");
        server.ask("b.py", 0, told::truth, "after it was moved back");
    }
}

BOOST_AUTO_TEST_SUITE_END()
