// `hob attach` with a server that the test controls: ids, cancellation, progress, requests of the server,
// documents, ends.

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <string>

#include "fixtures/editor.hpp"
#include "fixtures/protocol_project.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

struct with_server {
    sandbox box;
    explicit with_server(const std::string& mode = "publishes", const std::string& more = {}) {
        box.config(protocol_worker("lsp", mode, more));
    }
    std::string call(std::vector<std::string> words) { return call_worker(box, std::move(words)); }
    std::string uri(const std::string& file) const { return "file://" + box.project() + "/" + file; }
    // The text of a document at the server; "none": it is not open there.
    std::string text_of(const std::string& file) {
        const std::string key = uri(file);
        const std::string all = call({"t/documents"});
        const auto at = all.find("\"" + key + "\": \"");
        if (at == std::string::npos) return "none";
        const auto begin = at + key.size() + 5;
        return all.substr(begin, all.find('"', begin) - begin);
    }
};

std::string code_of(const std::string& reply) { return json_at(reply, "/error/code").value_or(reply); }

const std::string can_edit = R"({"workspace":{"applyEdit":true}})";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(attach, with_server)

BOOST_AUTO_TEST_CASE(the_handshake_is_answered_with_the_result_of_the_first) {
    const std::string pid = call({"t/pid"});
    for (int round = 0; round < 2; ++round) {
        editor first(box, "w");
        BOOST_TEST(code_of(first.ask("1", "t/echo", "1")) == "-32002");
        const std::string greeted = first.initialize();
        BOOST_TEST(json_at(greeted, "/result/capabilities/textDocumentSync").value_or("") == "1", greeted);
        BOOST_TEST(code_of(first.ask("2", "initialize", "{}")) == "-32600");
        BOOST_TEST(first.result("3", "t/pid") + "\n" == pid);
        BOOST_TEST(first.result("4", "shutdown") == "null");
        BOOST_TEST(code_of(first.ask("5", "t/echo", "1")) == "-32600");
        first.notify("exit", "null");
        const auto ended = first.end();
        BOOST_TEST(ended.status == 0, ended.text());
        BOOST_TEST(ended.err == "");
    }
    const std::string seen = call({"t/seen"});
    BOOST_TEST(count(seen, "\"initialize\"") == 1u, seen);
    BOOST_TEST(count(seen, "\"initialized\"") == 1u);
    BOOST_TEST(count(seen, "shutdown") + count(seen, "exit") == 0u);
    BOOST_TEST(call({"t/pid"}) == pid);
}

BOOST_AUTO_TEST_CASE(a_goodbye_without_shutdown_and_the_end_of_input_have_their_status) {
    editor rude(box, "w");
    rude.initialize();
    rude.notify("exit", "null");
    BOOST_TEST(rude.end().status == 1);
    editor quiet(box, "w");
    quiet.initialize();
    quiet.request("7", "t/echo", "7");
    quiet.end_input();
    BOOST_TEST(json_at(quiet.reply("7"), "/result").value_or("") == "7");
    BOOST_TEST(quiet.end().status == 0);
}

BOOST_AUTO_TEST_CASE(U12_W10_equal_ids_of_editors_and_calls_get_their_own_replies) {
    editor first(box, "w");
    editor second(box, "w");
    first.initialize();
    second.initialize();
    const int rounds = scaled(50);
    for (int round = 0; round < rounds; ++round) {
        for (const std::string id : {"1", "\"a\"", "1.50", "-3"}) {
            first.request(id, "t/echo", std::to_string(2 * round));
            second.request(id, "t/echo", std::to_string(2 * round + 1));
        }
        for (int i = 0; i < 4; ++i) {
            BOOST_REQUIRE(json_at(first.next().value(), "/result").value_or("") == std::to_string(2 * round));
            BOOST_REQUIRE(json_at(second.next().value(), "/result").value_or("") ==
                          std::to_string(2 * round + 1));
        }
    }
    BOOST_TEST(first.log().find(R"("id":1.50,)") != std::string::npos);
    BOOST_TEST(first.log().find(R"("id":"a",)") != std::string::npos);
    // Held for the first editor, answered while the second and a call are answered.
    first.request("1", "t/hold");
    BOOST_TEST(second.result("1", "t/echo", "9") == "9");
    BOOST_TEST(call({"t/release"}) == "\"released\"\n");
    BOOST_TEST(json_at(first.reply("1"), "/result").value_or("") == "late");
    first.request("2", "t/hold");
    BOOST_TEST(code_of(first.ask("2", "t/echo", "1")) == "-32600");
    BOOST_TEST(code_of(first.ask("3", "t/fail")) == "42");
}

BOOST_AUTO_TEST_CASE(a_cancelled_request_is_cancelled_by_the_id_that_the_server_knows) {
    editor first(box, "w");
    editor second(box, "w");
    first.initialize();
    second.initialize();
    first.request("5", "t/never");
    second.request("5", "t/never");
    BOOST_TEST(second.result("6", "t/cancelled") == "[]");
    first.notify("$/cancelRequest", R"({"id":5})");
    BOOST_TEST(code_of(first.reply("5")) == "-32800");
    const std::string cancelled = second.result("7", "t/cancelled");
    BOOST_TEST(count(cancelled, ",") == 0u, cancelled);
    BOOST_TEST(cancelled != "[]");
    // The end of an editor cancels its open requests.
    second.process().signal(SIGKILL);
    BOOST_TEST(wait_until([&] { return count(call({"t/cancelled"}), ",") == 1u; }));
}

BOOST_AUTO_TEST_CASE(a_request_that_a_server_may_ignore_is_answered_in_the_end) {
    editor mine(box, "w");
    mine.initialize();
    mine.request("1", "$/ignored");
    BOOST_TEST(mine.result("2", "$/known") == "known");
    const std::string answer = mine.reply("1");
    BOOST_TEST(json_at(answer, "/error/code").value_or("") == "-32601", answer);
    BOOST_TEST(mine.result("1", "$/known") == "known");
    mine.end();
}

BOOST_AUTO_TEST_CASE(progress_reaches_only_the_editor_that_chose_its_token) {
    editor first(box, "w");
    editor second(box, "w");
    first.initialize();
    second.initialize();
    first.request("1", "t/progress", R"({"workDoneToken":"t","value":11})");
    second.request("1", "t/progress", R"({"workDoneToken":"t","value":22})");
    for (auto* each : {&first, &second}) {
        const std::string notification = each->notification("$/progress");
        BOOST_TEST(json_at(notification, "/params/token").value_or("") == "t", notification);
        BOOST_TEST(json_at(notification, "/params/value/percentage").value_or("") ==
                   (each == &first ? "11" : "22"));
        const std::string wire = json_at(each->reply("1"), "/result").value_or("");
        BOOST_TEST(wire.starts_with("hob-"), wire);
    }
    first.result("2", "t/echo", "1");
    BOOST_TEST(count(first.log(), "$/progress") == 1u);
}

BOOST_AUTO_TEST_CASE(requests_of_the_server_go_to_one_editor_that_can_answer_them_or_to_the_daemon) {
    const std::vector<std::string> edit = {"t/ask", "method=workspace/applyEdit"};
    BOOST_TEST(json_at(call(edit), "/result/applied").value_or("") == "false");
    editor can(box, "w");
    editor cannot(box, "w");
    can.initialize(can_edit);
    cannot.initialize();
    const std::string configured =
        can.result("1", "t/ask", R"({"method":"workspace/configuration","params":{"items":[{}]}})");
    BOOST_TEST(json_at(configured, "/result/0").value_or("") == "{}", configured);
    cannot.request("1", "t/ask", R"({"method":"workspace/applyEdit","params":{"label":"L"}})");
    const std::string sent_request = can.notification("workspace/applyEdit");
    BOOST_TEST(json_at(sent_request, "/params/label").value_or("") == "L");
    can.send(R"({"jsonrpc":"2.0","id":)" + json_at(sent_request, "/id").value_or("") +
             R"(,"result":{"applied":true,"mark":1.50}})");
    BOOST_TEST(json_at(cannot.reply("1"), "/result/result/applied").value_or("") == "true");
    // The daemon answers if the editor refuses, or dies.
    cannot.request("2", "t/ask", R"({"method":"workspace/applyEdit"})");
    const std::string again = can.notification("workspace/applyEdit");
    can.send(R"({"jsonrpc":"2.0","id":)" + json_at(again, "/id").value_or("") +
             R"(,"error":{"code":1,"message":"no"}})");
    BOOST_TEST(json_at(cannot.reply("2"), "/result/result/applied").value_or("") == "false");
    cannot.request("3", "t/ask", R"({"method":"workspace/applyEdit"})");
    can.notification("workspace/applyEdit");
    can.process().signal(SIGKILL);
    BOOST_TEST(json_at(cannot.reply("3"), "/result/result/applied").value_or("") == "false");
}

BOOST_AUTO_TEST_CASE(diagnostics_go_to_the_editors_that_have_the_document_open) {
    editor first(box, "w");
    editor second(box, "w");
    first.initialize();
    second.initialize();
    first.open(uri("a.cpp"), "of a");
    second.open(uri("b.cpp"), "of b", 7);
    const std::string of_a = first.notification("textDocument/publishDiagnostics");
    BOOST_TEST(json_at(of_a, "/params/diagnostics/0/message").value_or("") == "of a", of_a);
    const std::string of_b = second.notification("textDocument/publishDiagnostics");
    BOOST_TEST(json_at(of_b, "/params/diagnostics/0/message").value_or("") == "of b", of_b);
    BOOST_TEST(json_at(of_b, "/params/version").value_or("") == "7");
    // An editor that opens the document later gets the last diagnostics, without the version of the other.
    first.open(uri("b.cpp"), "of b", 30);
    const std::string late = first.notification("textDocument/publishDiagnostics");
    BOOST_TEST(json_at(late, "/params/uri").value_or("") == uri("b.cpp"), late);
    BOOST_TEST(json_at(late, "/params/diagnostics/0/message").value_or("") == "of b");
    BOOST_TEST(!json_at(late, "/params/version"));
    first.close(uri("b.cpp"));
    first.result("8", "t/echo", "1");
    second.change(uri("b.cpp"), "changed", 8);
    second.notification("textDocument/publishDiagnostics");
    first.result("9", "t/echo", "1");
    BOOST_TEST(count(first.log(), "changed") == 0u);
    // Notifications that are not about a document go to all.
    call({"t/events", R"({"before":[["window/showMessage",{"type":3,"message":"m"}]]})"});
    first.notification("window/showMessage");
    second.notification("window/showMessage");
}

BOOST_AUTO_TEST_CASE(the_server_sees_an_editors_unsaved_text_until_it_closes_the_document) {
    box.write("a.cpp", "disk");
    call({"t/echo", "file=a.cpp"});
    editor first(box, "w");
    first.initialize();
    first.open(uri("a.cpp"), "unsaved 1");
    BOOST_TEST(first.result("1", "t/echo", "1") == "1");
    BOOST_TEST(text_of("a.cpp") == "unsaved 1");
    box.write("a.cpp", "disk again");
    BOOST_TEST(text_of("a.cpp") == "unsaved 1");
    first.change(uri("a.cpp"), "unsaved 2", 2);
    first.result("2", "t/echo", "1");
    box.run({"call", "w", "t/echo", "file=a.cpp", "line=1", "col=1"});
    BOOST_TEST(text_of("a.cpp") == "unsaved 2");
    first.close(uri("a.cpp"));
    first.result("3", "t/echo", "1");
    BOOST_TEST(text_of("a.cpp") == "disk again");
}

BOOST_AUTO_TEST_CASE(the_first_editor_of_a_document_writes_it_until_it_closes_it) {
    box.write("a.cpp", "same");
    editor first(box, "w");
    editor second(box, "w");
    first.initialize();
    second.initialize();
    first.open(uri("a.cpp"), "same");
    first.result("1", "t/echo", "1");
    second.open(uri("a.cpp"), "same", 40);
    second.result("1", "t/echo", "1");
    BOOST_TEST(count(second.log(), "window/showMessage") == 0u);
    second.change(uri("a.cpp"), "of two", 41);
    second.change(uri("a.cpp"), "of two!", 42);
    const std::string notification = second.notification("window/showMessage");
    BOOST_TEST(notification.find("is open in another editor, whose text counts") != std::string::npos,
               notification);
    second.result("2", "t/echo", "1");
    BOOST_TEST(count(second.log(), "window/showMessage") == 1u);
    BOOST_TEST(text_of("a.cpp") == "same");
    first.change(uri("a.cpp"), "of one", 2);
    first.result("2", "t/echo", "1");
    BOOST_TEST(text_of("a.cpp") == "of one");
    first.close(uri("a.cpp"));
    first.result("3", "t/echo", "1");
    BOOST_TEST(text_of("a.cpp") == "of two!");
    const std::string now_its_own = second.next_matching([](const std::string& message) {
        return json_at(message, "/params/diagnostics/0/message").value_or("") == "of two!";
    });
    BOOST_TEST(json_at(now_its_own, "/params/version").value_or("") == "42", now_its_own);
    second.process().signal(SIGKILL);
    BOOST_TEST(wait_until([&] { return text_of("a.cpp") == "same"; }));
}

BOOST_AUTO_TEST_CASE(W04_a_killed_editor_leaves_nothing_open) {
    const int rounds = scaled(20);
    call({"t/echo", "1"});
    const int descriptors = open_descriptors(box.daemon_pid());
    for (int round = 0; round < rounds; ++round) {
        editor first(box, "w");
        first.initialize();
        first.open(uri("never-saved.cpp"), "text");
        first.open("untitled:" + std::to_string(round), "text");
        first.request("1", "t/never");
        if (round % 2 == 0) first.result("2", "t/echo", "1");
        first.process().signal(SIGKILL);
    }
    BOOST_TEST(wait_until([&] { return open_descriptors(box.daemon_pid()) <= descriptors; }));
    BOOST_TEST(wait_until([&] { return count(call({"t/documents"}), "text") == 0u; }));
    BOOST_TEST(count(call({"t/documents"}), "untitled") == 0u);
    BOOST_TEST(box.run({"wait", "w", "--for", "idle", "--timeout", "20s"}).status == 0);
}

BOOST_AUTO_TEST_CASE(U11_the_servers_death_fails_open_requests_and_ends_the_editors) {
    editor first(box, "w");
    editor second(box, "w");
    first.initialize();
    second.initialize();
    first.request("1", "t/never");
    first.result("2", "t/echo", "1");
    second.request("1", "t/die");
    BOOST_TEST(first.reply("1").find("exited with status 3") != std::string::npos);
    for (auto* each : {&first, &second}) {
        const auto ended = each->end();
        BOOST_TEST(ended.status == 1);
        BOOST_TEST(ended.err ==
                   "hob: cannot attach 'w': the worker exited with status 3\nhint: its last words: last "
                   "words\n");
    }
    editor next(box, "w");
    next.initialize();
    BOOST_TEST(next.result("1", "t/echo", "5") == "5");
    BOOST_TEST(box.run({"stop", "w"}).status == 0);
    const auto stopped = next.end();
    BOOST_TEST(stopped.status == 1);
    BOOST_TEST(stopped.err == "hob: cannot attach 'w': it was stopped meanwhile\n");
}

BOOST_AUTO_TEST_CASE(editors_do_not_delay_a_shutdown) {
    editor first(box, "w");
    first.initialize();
    first.request("1", "t/never");
    first.result("2", "t/echo", "1");
    const auto down = box.run({"shutdown"});
    BOOST_TEST(down.status == 0, down.text());
    BOOST_TEST(down.elapsed < 4s, down.elapsed.count());
    BOOST_TEST(first.reply("1").find("the daemon is shutting down") != std::string::npos);
    const auto ended = first.end();
    BOOST_TEST(ended.status == 1);
    BOOST_TEST(ended.err == "hob: cannot attach 'w': the daemon is shutting down\n");
}

BOOST_AUTO_TEST_CASE(malformed_messages_are_answered_and_hide_nothing) {
    editor first(box, "w");
    first.initialize();
    first.raw("this is garbage\n\x01\xff\n");
    BOOST_TEST(code_of(first.next().value()) == "-32700");
    BOOST_TEST(code_of(first.next().value()) == "-32700");
    first.raw("Content-Length: 5\r\n\r\n{\"a\":");
    BOOST_TEST(code_of(first.next().value()) == "-32700");
    first.raw("Content-Length: 30000000\r\n\r\n");
    for (int i = 0; i < 30; ++i)
        first.raw(std::string(1'000'000, 'x'));
    BOOST_TEST(code_of(first.next().value()) == "-32600");
    BOOST_TEST(first.result("1", "t/echo", "1") == "1");
    first.send(R"({"jsonrpc":"2.0","id":99,"result":1})");  // to a request that was never made
    first.raw("Content-Length: 1000\r\n\r\n{\"half\":");
    const auto ended = first.end();
    BOOST_TEST(ended.status == 0, ended.text());
    BOOST_TEST(call({"t/echo", "1"}) == "1\n");
}

BOOST_AUTO_TEST_CASE(W05_an_editor_that_does_not_read_stalls_nobody_and_learns_what_it_lost) {
    editor slow(box, "w");
    slow.initialize();
    slow.open(uri("a.cpp"), "first");
    slow.notification("textDocument/publishDiagnostics");
    // Much more than may wait for it; the daemon drops the rest.
    const long before = std::stol(proc_status(box.daemon_pid(), "VmRSS"));
    const std::string many = R"({"count":50000})";
    for (int i = 0; i < 10; ++i)
        call({"t/flood_events", many});
    const long after = std::stol(proc_status(box.daemon_pid(), "VmRSS"));
    BOOST_TEST((sanitized() || after < before + 16 * 1024), before << " kB, then " << after << " kB");
    call({"t/events", R"({"before":[["textDocument/publishDiagnostics",{"uri":")" + uri("a.cpp") +
                          R"(","version":1,"diagnostics":[{"message":"last"}]}]]})"});
    // It gets the diagnostics as soon as it reads.
    slow.next_matching([](const std::string& message) {
        return json_at(message, "/params/diagnostics/0/message").value_or("") == "last";
    });
    const std::string notification = slow.notification("window/logMessage");
    BOOST_TEST(notification.find("messages were left out") != std::string::npos, notification);
    BOOST_TEST(slow.result("5", "t/echo", "5") == "5");
}

BOOST_AUTO_TEST_CASE(W05_an_editor_that_does_not_read_its_answers_is_cut_off) {
    editor slow(box, "w");
    slow.initialize();
    const int requests = 20;
    for (int i = 1; i <= requests; ++i)
        slow.request(std::to_string(i), "t/gather");
    BOOST_TEST(slow.result("100", "t/echo", "5") == "5");
    call({"t/spill", "bytes:=4000000"});
    const auto ended = slow.end();
    BOOST_TEST(ended.status == 1);
    BOOST_TEST(ended.err == "hob: cannot attach 'w': its client does not read its output\n");
    BOOST_TEST(call({"t/echo", "1"}) == "1\n");
}

BOOST_AUTO_TEST_CASE(an_option_for_services_is_refused) {
    const auto refused = box.run({"attach", "w", "--linger", "1s"});
    BOOST_TEST(refused.status == 2);
    BOOST_TEST(refused.err ==
               "hob: cannot use '--linger' for 'w': it is a worker: its editor ends the attachment\n");
}

BOOST_AUTO_TEST_CASE(protocols_that_cannot_be_shared_are_refused) {
    box.config(protocol_worker("dap") + "[worker.l]\nrun = [\"cat\"]\nprotocol = \"lines\"\n");
    BOOST_TEST(box.run({"attach"}).status == 2);
    for (const char* unit : {"w", "l"}) {
        const auto refused = box.run({"attach", unit});
        BOOST_TEST(refused.status == 2, refused.text());
        BOOST_TEST(refused.err.find("which is not shared") != std::string::npos, refused.err);
    }
    const auto unknown = box.run({"attach", "none"});
    BOOST_TEST(unknown.status == 1);
    BOOST_TEST(unknown.err.find("cannot attach 'none': there is no such unit") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_attached_editor_keeps_its_server_from_being_idle) {
    box.config(protocol_worker("lsp", "publishes", "idle_timeout = \"300ms\""));
    editor first(box, "w");
    first.initialize();
    const std::string pid = first.result("1", "t/pid");
    let_pass(900ms);
    BOOST_TEST(first.result("2", "t/pid") == pid);
    first.end();
    BOOST_TEST(box.run({"wait", "w", "--for", "stopped", "--timeout", "20s"}).status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
