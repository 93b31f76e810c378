// What goes on in another program: each part tells its state, and another one goes on with it.

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "fixtures/quiet_host.hpp"
#include "limits.hpp"
#include "unit/protocol/carried.hpp"
#include "unit/protocol/protocols.hpp"

using namespace hob::unit;
using hob::test::quiet_host;
using hob::test::scratch;
namespace data = boost::unit_test::data;

namespace {

std::shared_ptr<protocol_session> session_of(const std::string& protocol) {
    return instantiate(*find_protocol(protocol)).session;
}

// The messages that come out of two framings, of which the second goes on at `cut`.
std::vector<std::string> read_in_two(framing& first, framing& second, const std::string& bytes,
                                     std::size_t cut) {
    std::vector<std::string> messages;
    const auto drain = [&](framing& from) {
        while (const auto message = from.next())
            messages.emplace_back(message->line);
        if (const auto message = from.early()) messages.emplace_back(message->line);
    };
    first.feed(bytes.substr(0, cut));
    drain(first);
    const auto state = first.take_state();
    BOOST_REQUIRE(state.has_value());
    BOOST_REQUIRE(second.restore(*state));
    second.feed(bytes.substr(cut));
    drain(second);
    return messages;
}

// Another session goes on, and tells the same state.
std::shared_ptr<protocol_session> gone_on(protocol_session& session, const std::string& protocol,
                                          quiet_host& host) {
    auto told = session.state_for_successor();
    BOOST_REQUIRE(told.has_value());
    const std::string json = told->json;
    const auto next = session_of(protocol);
    BOOST_REQUIRE(next->resume(host, std::move(*told)));
    const auto again = next->state_for_successor();
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(again->json == json);
    return next;
}

void tell(protocol_session& session, quiet_host& host, const std::string& name, std::string params) {
    session.on_notification(host, name, params);
}

void call(protocol_session& session, quiet_host& host, const std::string& method, const std::string& params) {
    call_request request;
    request.method = method;
    request.params = params;
    const auto limit = hob::util::deadline::in(std::chrono::seconds(30));
    host.loop.run(session.handle_call(host, std::move(request), nullptr, limit));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(carried_state)

BOOST_AUTO_TEST_CASE(a_stream_that_is_cut_anywhere_has_the_same_messages) {
    const std::vector<std::string> messages = {R"({"a":1})", "[]", R"({"caf\u00e9":"é"})"};
    for (const char* protocol : {"jsonrpc", "lsp"}) {
        const auto writer = instantiate(*find_protocol(protocol)).framing;
        std::string bytes;
        for (const auto& message : messages)
            bytes += writer->encode(message);
        for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
            const auto first = instantiate(*find_protocol(protocol)).framing;
            const auto second = instantiate(*find_protocol(protocol)).framing;
            BOOST_TEST((read_in_two(*first, *second, bytes, cut) == messages), protocol << " at " << cut);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_middle_of_a_message_that_is_too_long_cannot_be_told) {
    const std::string much(hob::limits::line_max + 1, 'x');
    const auto lines = make_line_framing();
    lines->feed(much);
    BOOST_TEST(!lines->next().has_value());
    BOOST_TEST(!lines->take_state().has_value());
    const auto headers = make_header_framing();
    headers->feed("Content-Length: " + std::to_string(much.size() + 9) + "\r\n\r\n" + much);
    BOOST_TEST(!headers->next().has_value());
    BOOST_TEST(!headers->take_state().has_value());
}

BOOST_AUTO_TEST_CASE(events_keep_their_numbers_and_whether_they_were_seen) {
    hob::test::run_loop loop;
    event_ring ring;
    ring.push("a", R"({"n":1})", 0);
    event_filter seen;
    seen.collect.push_back(parse_event_pattern("a").value());
    { event_watch(loop.executor(), ring, seen).arm(); }
    for (std::size_t i = 0; i < hob::limits::ring_events_max; ++i)
        ring.push("b", {}, 0);
    ring.push("b", {}, 0);
    ring.push("a", R"({"n":2})", 0);
    event_ring next;
    BOOST_REQUIRE(next.restore(ring.state().value()));
    BOOST_TEST(next.state().value() == ring.state().value());
    BOOST_TEST(next.last() == ring.last());
    event_filter both = seen;
    both.collect.push_back(parse_event_pattern("b").value());
    event_watch first(loop.executor(), ring, both), second(loop.executor(), next, both);
    first.arm();
    second.arm();
    BOOST_TEST(first.lost() == 2u);
    BOOST_TEST(second.lost() == 2u);
    BOOST_TEST(first.collected().text() == second.collected().text());
    event_ring wrong;
    BOOST_TEST(!wrong.restore("[]"));
}

BOOST_AUTO_TEST_CASE(a_text_that_is_not_utf8_is_told_exactly_or_not_at_all) {
    event_ring ring;
    ring.push("a", "\"\xff\"", 0);
    BOOST_TEST(!ring.state().has_value());
    const std::vector<std::string> names = {"a\xff\nb", "", "c d"};
    BOOST_TEST((unpack(pack(names)) == names));
    BOOST_TEST(unpack("")->empty());
    BOOST_TEST(!unpack("YQ==").has_value());
}

BOOST_DATA_TEST_CASE(what_is_no_state_is_refused, data::make({"lines", "mcp", "dap", "lsp"}), protocol) {
    quiet_host host(protocol);
    for (const char* wrong : {"", "[]", "{", "7"})
        BOOST_TEST(!session_of(protocol)->resume(host, {wrong, {}}), wrong);
}

BOOST_AUTO_TEST_CASE(a_program_that_stopped_stays_stopped) {
    quiet_host host("dap");
    const auto session = session_of("dap");
    host.answers["initialize"] = R"({"supportsConfigurationDoneRequest":true})";
    host.set_capabilities(host.loop.run(session->start(host)));
    tell(*session, host, "initialized", "");
    call(*session, host, "launch", R"({"program":"/p"})");
    tell(*session, host, "output", R"({"output":"some words\n"})");
    tell(*session, host, "progressStart", R"({"progressId":"1","title":"reading","percentage":5})");
    tell(*session, host, "stopped", R"({"reason":"breakpoint","threadId":7})");
    const auto next = gone_on(*session, "dap", host);
    BOOST_TEST(next->generation() == session->generation());
    BOOST_TEST(!next->end_of_events(host).has_value());
    tell(*next, host, "terminated", "{}");
    BOOST_TEST(next->generation() == session->generation() + 1);
    BOOST_TEST(next->end_of_events(host)->reason() == "the debug session has ended: the program has terminated");
    BOOST_TEST(next->is_spent_for("launch"));
    gone_on(*next, "dap", host);
}

BOOST_AUTO_TEST_CASE(an_exit_that_ends_no_session_ends_it_later_all_the_same) {
    quiet_host host("dap");
    const auto session = session_of("dap");
    host.set_capabilities(host.loop.run(session->start(host)));
    tell(*session, host, "initialized", "");
    call(*session, host, "launch", R"({"program":"/p"})");
    tell(*session, host, "exited", R"({"exitCode":3})");
    const auto next = gone_on(*session, "dap", host);
    host.loop.until([&] { return next->is_spent_for("launch"); });
    BOOST_TEST(host.activity == "exited with status 3");
}

BOOST_AUTO_TEST_CASE(a_session_that_says_goodbye_cannot_go_on) {
    quiet_host host("dap");
    const auto session = session_of("dap");
    host.loop.run(session->start(host));
    BOOST_TEST(session->state_for_successor().has_value());
    host.loop.run(session->stop(host));
    BOOST_TEST(!session->state_for_successor().has_value());
}

BOOST_AUTO_TEST_CASE(a_server_keeps_its_generation_and_its_tools) {
    quiet_host host("mcp");
    const auto session = session_of("mcp");
    host.answers["server/discover"] = R"({"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}})";
    host.answers["tools/list"] =
        R"({"tools":[{"name":"t","inputSchema":{"type":"object","required":["a"]}}]})";
    host.set_capabilities(host.loop.run(session->start(host)));
    call(*session, host, "t", R"({"a":1})");
    const auto next = gone_on(*session, "mcp", host);
    host.sent.clear();
    call(*next, host, "t", R"({"a":1})");
    BOOST_TEST((host.sent == std::vector<std::string>{"tools/call"}));
    tell(*next, host, "notifications/tools/list_changed", "{}");
    call(*next, host, "t", R"({"a":1})");
    BOOST_TEST((host.sent == std::vector<std::string>{"tools/call", "tools/list", "tools/call"}));
}

BOOST_AUTO_TEST_CASE(documents_words_and_known_files_go_on) {
    const scratch directory;
    const std::string file = directory.path() + "/a.py";
    std::ofstream(file) << "x = 1\n";
    quiet_host host("lsp", directory.path());
    const auto session = session_of("lsp");
    host.answers["initialize"] = R"({"capabilities":{"textDocumentSync":2,"hoverProvider":true}})";
    host.answers["textDocument/hover"] = R"({"contents":"x"})";
    host.set_capabilities(host.loop.run(session->start(host)));
    worker_message registration;
    registration.type = worker_message::kind::request;
    registration.method = "client/registerCapability";
    registration.payload = R"({"registrations":[{"id":"1","method":"workspace/didChangeWatchedFiles",)"
                           R"("registerOptions":{"watchers":[{"globPattern":"**/*.py"}]}}]})";
    session->on_server_request(host, registration);
    tell(*session, host, "textDocument/publishDiagnostics",
         R"({"uri":"file://)" + file + R"(","version":1,"diagnostics":[]})");
    const std::string hover = R"({"textDocument":{"uri":"file://)" + file +
                              R"("},"position":{"line":0,"character":0}})";
    call(*session, host, "textDocument/hover", hover);
    tell(*session, host, "textDocument/publishDiagnostics",
         R"({"uri":"file://)" + file + R"(","version":1,"diagnostics":[{"message":"é"}]})");
    tell(*session, host, "$/progress", R"({"token":1,"value":{"kind":"begin","title":"indexing"}})");

    // What changes before another session looks is told to the server once, by that one.
    auto told = session->state_for_successor();
    BOOST_REQUIRE(told.has_value());
    std::ofstream(directory.path() + "/new.py") << "y = 2\n";
    std::ofstream(directory.path() + "/new.txt") << "no\n";
    const auto next = session_of("lsp");
    BOOST_REQUIRE(next->resume(host, std::move(*told)));
    tell(*next, host, "$/progress", R"({"token":1,"value":{"kind":"end"}})");
    host.sent.clear();
    call(*next, host, "textDocument/hover", hover);
    const auto times = [&](const std::string& method) {
        return std::count(host.sent.begin(), host.sent.end(), method);
    };
    BOOST_TEST(times("workspace/didChangeWatchedFiles") == 1);
    BOOST_TEST(times("textDocument/hover") == 1);
    host.sent.clear();
    call(*next, host, "textDocument/hover", hover);
    BOOST_TEST((host.sent == std::vector<std::string>{"textDocument/hover"}));
    std::ofstream(file) << "x = 3\n";
    host.sent.clear();
    call(*next, host, "textDocument/hover", hover);
    BOOST_TEST(times("textDocument/didChange") == 1);
    BOOST_TEST(times("textDocument/didOpen") == 0);
    gone_on(*next, "lsp", host);
}

BOOST_AUTO_TEST_CASE(lines_go_on_unless_an_answer_is_awaited) {
    quiet_host host("lines");
    const auto session = session_of("lines");
    session->on_output(host, "hello\n");
    BOOST_TEST(session->out_of_step().empty());
    host.loop.run(session->settle(host, hob::util::deadline::in(std::chrono::seconds(5))));
    const auto next = gone_on(*session, "lines", host);
    next->on_output(host, "unasked\n");
    BOOST_TEST(!next->out_of_step().empty());
    BOOST_TEST(!next->state_for_successor().has_value());
}

BOOST_AUTO_TEST_SUITE_END()
