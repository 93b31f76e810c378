// Edits of a language server, and requests that need more than a position.

#include <boost/test/unit_test.hpp>

#include <signal.h>

#include <filesystem>
#include <string>
#include <vector>

#include "fixtures/editor.hpp"
#include "fixtures/protocol_project.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

struct with_server {
    sandbox box;
    with_server() { box.config(protocol_worker("lsp")); }

    std::string uri(const std::string& name) { return "file://" + box.project() + "/" + name; }
    outcome call(std::vector<std::string> words) {
        words.insert(words.begin(), {"call", "w"});
        return box.run(words);
    }
    // The params that the server gets for a request.
    std::string echoed(std::vector<std::string> words) {
        const auto output = call(std::move(words));
        BOOST_TEST(output.status == 0, output.text());
        return output.out;
    }
    void answer(const std::string& method, const std::string& result) {
        BOOST_TEST(call({"t/answers", "{\"" + method + "\":" + result + "}"}).status == 0);
    }
    // An edit that replaces the first three characters of a file.
    std::string edit(const std::string& name, const std::string& text) {
        return R"({"changes":{")" + uri(name) +
               R"(":[{"range":{"start":{"line":0,"character":0},"end":{"line":0,"character":3}},"newText":")" +
               text + "\"}]}}";
    }
    // The server asks for an edit while the call waits.
    outcome ask_for(const std::string& edit, std::vector<std::string> more = {}) {
        more.insert(more.begin(),
                    {"t/ask", R"({"method":"workspace/applyEdit","params":{"edit":)" + edit + "}}"});
        return call(more);
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(worker_lsp_edits)

BOOST_FIXTURE_TEST_CASE(P09_an_edit_of_a_command_is_an_event_and_is_written_with_apply, with_server) {
    box.write("a.txt", "one\n");
    const auto shown = ask_for(edit("a.txt", "1"), {"-c", "workspace/applyEdit"});
    BOOST_TEST(shown.status == 0, shown.text());
    BOOST_TEST(json_at(shown.out, "/result/result/applied").value_or("") == "false", shown.out);
    BOOST_TEST(json_at(shown.out, "/events/0/event").value_or("") == "workspace/applyEdit", shown.out);
    BOOST_TEST(shown.out.find("\"newText\": \"1\"") != std::string::npos, shown.out);
    BOOST_TEST(slurp(box.project() + "/a.txt") == "one\n");
    const auto written = ask_for(edit("a.txt", "1"), {"--apply"});
    BOOST_TEST(written.status == 0, written.text());
    BOOST_TEST(json_at(written.out, "/result/applied").value_or("") == "true", written.out);
    BOOST_TEST(slurp(box.project() + "/a.txt") == "1\n");
    BOOST_TEST(written.err.find("changed a.txt") != std::string::npos, written.err);
}

BOOST_FIXTURE_TEST_CASE(P09_an_edit_outside_of_the_root_is_refused_and_said_to_the_server, with_server) {
    box.write("../outside.txt", "one\n");
    const auto refused = ask_for(edit("../outside.txt", "1"), {"--apply"});
    BOOST_TEST(refused.status == 1, refused.text());
    BOOST_TEST(refused.err.find("is not below") != std::string::npos, refused.err);
    BOOST_TEST(slurp(box.project() + "/../outside.txt") == "one\n");
}

BOOST_FIXTURE_TEST_CASE(P09_edits_in_an_answer_are_written_with_apply, with_server) {
    box.write("a.txt", "one\n");
    answer("textDocument/rename", edit("a.txt", "two"));
    answer("textDocument/formatting",
           R"([{"range":{"start":{"line":0,"character":3},"end":{"line":0,"character":3}},"newText":"!"}])");
    answer("textDocument/codeAction", R"([{"title":"x","edit":)" + edit("a.txt", "xxx") +
                                          "},{\"title\":\"y\",\"edit\":" + edit("a.txt", "yyy") + "}]");
    BOOST_TEST(call({"textDocument/rename", "file=a.txt", "line=1", "newName=n"}).status == 0);
    BOOST_TEST(slurp(box.project() + "/a.txt") == "one\n");
    BOOST_TEST(call({"textDocument/rename", "file=a.txt", "line=1", "newName=n", "--apply"}).status == 0);
    BOOST_TEST(slurp(box.project() + "/a.txt") == "two\n");
    BOOST_TEST(call({"textDocument/formatting", "file=a.txt", "--apply"}).status == 0);
    BOOST_TEST(slurp(box.project() + "/a.txt") == "two!\n");
    const auto unclear = call({"textDocument/codeAction", "file=a.txt", "--apply"});
    BOOST_TEST(unclear.status == 1, unclear.text());
    BOOST_TEST(unclear.err.find("title=TITLE, one of 'x', 'y'") != std::string::npos, unclear.err);
    BOOST_TEST(call({"textDocument/codeAction", "file=a.txt", "title=y", "--apply"}).status == 0);
    BOOST_TEST(slurp(box.project() + "/a.txt") == "yyy!\n");
    // The server knows the text that was written.
    BOOST_TEST(echoed({"t/documents"}).find("yyy!") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(P09_unsaved_text_of_an_editor_is_not_overwritten, with_server) {
    box.write("a.txt", "one\n");
    answer("textDocument/rename", edit("a.txt", "two"));
    editor ed(box, "w");
    ed.initialize();
    ed.open(uri("a.txt"), "unsaved\\n");
    ed.result("1", "t/documents");
    const auto refused = call({"textDocument/rename", "file=a.txt", "line=1", "newName=n", "--apply"});
    BOOST_TEST(refused.status == 1, refused.text());
    BOOST_TEST(refused.err.find("has changed since") != std::string::npos, refused.err);
    BOOST_TEST(slurp(box.project() + "/a.txt") == "one\n");
}

BOOST_FIXTURE_TEST_CASE(P09_edits_of_a_caller_do_not_go_to_an_editor, with_server) {
    box.write("a.txt", "one\n");
    editor ed(box, "w");
    ed.initialize(R"({"workspace":{"applyEdit":true}})");
    const auto written = ask_for(edit("a.txt", "1"), {"--apply"});
    BOOST_TEST(json_at(written.out, "/result/applied").value_or("") == "true", written.text());
    BOOST_TEST(slurp(box.project() + "/a.txt") == "1\n");
}

BOOST_FIXTURE_TEST_CASE(P09_apply_needs_a_protocol_with_edits, with_server) {
    box.config(protocol_worker("mcp"));
    const auto refused = call({"t/pid", "--apply"});
    BOOST_TEST(refused.status == 2, refused.text());
    BOOST_TEST(refused.err.find("protocol mcp has no edits to apply") != std::string::npos, refused.err);
}

BOOST_FIXTURE_TEST_CASE(P26_settings_that_are_missing_are_named_when_the_call_fails, with_server) {
    const std::string ask =
        R"({"method":"workspace/configuration","params":{"items":[{"section":"eslint.nodePath"}]}})";
    const auto fine = call({"t/ask", ask});
    BOOST_TEST(json_at(fine.out, "/result/0").value_or("none") == "null", fine.text());
    BOOST_TEST(fine.err.find("settings") == std::string::npos, fine.err);
    const auto failed = call({"t/fail"});
    BOOST_TEST(failed.status == 1, failed.text());
    BOOST_TEST(failed.err.find("w asked for settings that hob.toml does not give: 'eslint.nodePath'") !=
                   std::string::npos,
               failed.err);
}

BOOST_FIXTURE_TEST_CASE(P26_requests_that_nobody_answers_are_named_when_a_call_fails, with_server) {
    call({"t/ask", R"({"method":"workspace/configuration","params":{"items":[{"section":"a"}]}})"});
    call({"t/ask", R"({"method":"markdown/parse","params":{}})"});
    const std::string named = "w asked for markdown/parse, which nobody answers; `answers` in hob.toml can";
    const auto failed = call({"t/fail"});
    BOOST_TEST(failed.err.find(named) != std::string::npos, failed.err);
    BOOST_TEST(failed.err.find("does not give: 'a'") != std::string::npos, failed.err);
    // No setting would add a method to the server.
    const auto unknown = call({"t/none"});
    BOOST_TEST(unknown.err.find("-32601") != std::string::npos, unknown.err);
    BOOST_TEST(unknown.err.find(named) != std::string::npos, unknown.err);
    BOOST_TEST(unknown.err.find("settings") == std::string::npos, unknown.err);
}

BOOST_FIXTURE_TEST_CASE(P15_a_mistyped_method_gets_a_suggestion, with_server) {
    const auto failed = call({"hovr"});
    BOOST_TEST(failed.status == 1, failed.text());
    BOOST_TEST(failed.err.find("did you mean textDocument/hover?") != std::string::npos, failed.err);
}

BOOST_FIXTURE_TEST_CASE(P14_a_file_that_is_too_large_is_named_with_its_size, with_server) {
    box.write("large.txt", std::string(13u << 20, 'x'));
    const auto large = call({"textDocument/hover", "file=large.txt", "line=1"});
    BOOST_TEST(large.status == 2, large.text());
    BOOST_TEST(large.err.find("too large: it has 13.0 MiB, and at most 8.0 MiB") != std::string::npos,
               large.err);
    const auto missing = call({"textDocument/hover", "file=none.txt", "line=1"});
    BOOST_TEST(missing.err.find("No such file") != std::string::npos, missing.err);
    const auto folder = call({"textDocument/hover", "file=.", "line=1"});
    BOOST_TEST(folder.err.find("it is no file") != std::string::npos, folder.err);
}

BOOST_FIXTURE_TEST_CASE(P10_a_symlinked_root_and_the_real_one_have_the_same_documents, with_server) {
    box.write("a.txt", "\xEF\xBB\xBFone\n");
    const std::string link = box.project() + "/../link";
    std::filesystem::create_directory_symlink(box.project(), link);
    const std::string their_uri = "file://" + link + "/a.txt";
    editor ed(box, "w");
    ed.initialize();
    ed.open(their_uri, "unsaved\\n");
    const std::string documents = ed.result("1", "t/documents");
    BOOST_TEST(documents.find("unsaved") != std::string::npos, documents);
    answer("textDocument/hover", "\"answered\"");
    for (const std::string& file : {link + "/a.txt", box.project() + "/a.txt", std::string("./a.txt")})
        BOOST_TEST(echoed({"textDocument/hover", "file=" + file, "line=1"}).find("answered") !=
                   std::string::npos);
    // One document, with the editor's text; the file was not opened beside it.
    const std::string known = echoed({"t/documents"});
    BOOST_TEST(count(known, "a.txt") == 1u, known);
    BOOST_TEST(known.find("unsaved") != std::string::npos, known);
    BOOST_TEST(known.find("/link/") == std::string::npos, known);
    // The editor sees its own names.
    ed.request("2", "t/echo", R"({"uri":")" + their_uri + "\"}");
    BOOST_TEST(json_at(ed.reply("2"), "/result/uri").value_or("") == their_uri);
    ed.close(their_uri);
    ed.result("3", "t/pid");
    // Without the mark.
    BOOST_TEST(echoed({"t/documents"}).find("\"one\\n\"") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(P25_registrations_and_refreshes_reach_editors_and_the_server_gets_one_answer,
                        with_server) {
    const std::string able =
        R"({"textDocument":{"formatting":{"dynamicRegistration":true}},"workspace":{"codeLens":{"refreshSupport":true}}})";
    const auto ask = [&](const std::string& method, const std::string& params) {
        const auto output = call({"t/ask", R"({"method":")" + method + R"(","params":)" + params + "}"});
        BOOST_TEST(json_at(output.out, "/result").value_or("none") == "null", output.text());
    };
    editor one(box, "w"), other(box, "w");
    one.initialize(able);
    other.initialize();
    one.result("1", "t/pid");
    other.result("1", "t/pid");
    ask("client/registerCapability",
        R"({"registrations":[{"id":"f","method":"textDocument/formatting"},{"id":"h","method":"textDocument/hover"}]})");
    const std::string registered = one.notification("client/registerCapability");
    BOOST_TEST(json_at(registered, "/params/registrations/0/id").value_or("") == "f", registered);
    BOOST_TEST(!json_at(registered, "/params/registrations/1"), registered);
    one.send(R"({"jsonrpc":"2.0","id":)" + json_at(registered, "/id").value_or("") + R"(,"result":null})");
    ask("workspace/codeLens/refresh", "null");
    const std::string refreshed = one.notification("workspace/codeLens/refresh");
    one.send(R"({"jsonrpc":"2.0","id":)" + json_at(refreshed, "/id").value_or("") + R"(,"result":null})");
    // An editor that comes later gets what is registered.
    editor late(box, "w");
    late.initialize(able);
    BOOST_TEST(
        json_at(late.notification("client/registerCapability"), "/params/registrations/0/id").value_or("") ==
        "f");
    ask("client/unregisterCapability",
        R"({"unregisterations":[{"id":"f","method":"textDocument/formatting"}]})");
    one.notification("client/unregisterCapability");
    // The other editor can do none of this: the answer is the next thing that it gets.
    const std::string next = other.ask("2", "t/pid");
    BOOST_TEST(other.log().find("Capability") == std::string::npos, next);
    BOOST_TEST(other.log().find("refresh") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(P11_snippets_go_to_the_editors_that_know_them, with_server) {
    const std::string given = echoed({"--capabilities"});
    BOOST_TEST(json_at(given, "/given/capabilities/textDocument/completion/completionItem/snippetSupport")
                   .value_or("") == "true");
    BOOST_TEST(given.find("snippetTextEdit") == std::string::npos);
    answer("textDocument/completion",
           R"json([{"label":"f","insertTextFormat":2,"insertText":"f(${1:a})"}])json");
    const auto inserted = [](const std::string& result) {
        return json_at(result, "/0/insertText").value_or("");
    };
    editor knows(box, "w"), plain(box, "w");
    knows.initialize(R"({"textDocument":{"completion":{"completionItem":{"snippetSupport":true}}}})");
    plain.initialize();
    BOOST_TEST(inserted(knows.result("1", "textDocument/completion", "{}")) == "f(${1:a})");
    BOOST_TEST(inserted(plain.result("1", "textDocument/completion", "{}")) == "f(a)");
    BOOST_TEST(inserted(echoed({"textDocument/completion"})) == "f(a)");
}

BOOST_FIXTURE_TEST_CASE(P24_a_document_is_opened_with_its_language, with_server) {
    box.config(protocol_worker("lsp", "legacy", "language_ids = { \"*.mts\" = \"mine\" }"));
    answer("textDocument/hover", "1");
    for (const char* name : {"a.mts", "a.cts", "Dockerfile"}) {
        box.write(name, "x\n");
        BOOST_TEST(call({"textDocument/hover", std::string("file=") + name, "line=1"}).status == 0);
    }
    const std::string languages = echoed({"t/languages"});
    BOOST_TEST(json_at(languages, "/0").value_or("") == "mine", languages);
    BOOST_TEST(json_at(languages, "/1").value_or("") == "typescript", languages);
    BOOST_TEST(json_at(languages, "/2").value_or("") == "dockerfile", languages);
}

BOOST_FIXTURE_TEST_CASE(P27_stopping_a_language_server_leaves_what_it_shares_with_others, with_server) {
    // The server starts a helper in a session of its own, as biome does.
    box.config(
        "[worker.w]\nrun = [\"sh\", \"-c\", \"setsid sh -c 'echo $$ > helper.pid; exec sleep 1000' & exec "
        "python3 " HOB_SOURCE_DIR "/test/fixtures/protocol_worker.py lsp\"]\nprotocol = \"lsp\"\n");
    BOOST_TEST(call({"t/pid"}).status == 0);
    BOOST_TEST(wait_until([&] { return !slurp(box.project() + "/helper.pid").empty(); }));
    const pid_t helper = std::stoi(slurp(box.project() + "/helper.pid"));
    const pid_t server = std::stoi(echoed({"t/pid"}));
    BOOST_TEST(box.run({"stop", "w"}).status == 0);
    BOOST_TEST(!process_lives(server));
    BOOST_TEST(process_lives(helper));
    ::kill(helper, SIGKILL);
}

BOOST_AUTO_TEST_SUITE_END()
