// MCP: its generations, its tools, and a real server.

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <string>

#include "fixtures/protocol_project.hpp"
#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

const std::string everything = HOB_NPM "/node_modules/.bin/mcp-server-everything";

bool have_everything() {
    if (exists(everything)) return require_program("node");
    const bool required = number_from_env("HOB_REQUIRE_ALL", 0) != 0;
    BOOST_TEST(!required, "not installed: " << everything << "; ./dev test installs it");
    return false;
}

struct in_mode {
    sandbox box;
    explicit in_mode(const std::string& mode, const std::string& more = {}) {
        box.config(protocol_worker("mcp", mode, more));
    }
    outcome call(std::vector<std::string> words) {
        words.insert(words.begin(), {"call", "w"});
        return box.run(words);
    }
    std::string seen() { return call({"t/seen"}).out; }
};

struct with_everything {
    sandbox box;
    bool there = have_everything();
    with_everything() {
        box.config("[worker.w]\nrun = [\"node\", \"" + everything + "\"]\nprotocol = \"mcp\"\n");
    }
    std::string call(std::vector<std::string> words) {
        words.insert(words.begin(), {"call", "w"});
        const auto output = box.run(words);
        BOOST_TEST(output.status == 0, output.text());
        return output.out;
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(worker_mcp)

BOOST_AUTO_TEST_CASE(an_error_to_the_probe_means_the_legacy_generation) {
    for (const char* mode : {"legacy", "params"}) {
        BOOST_TEST_CONTEXT(mode) {
            in_mode server(mode);
            BOOST_TEST(server.seen() ==
                       "[\"server/discover\", \"initialize\", \"notifications/initialized\"]\n");
        }
    }
}

BOOST_AUTO_TEST_CASE(silence_to_the_probe_means_the_legacy_generation) {
    in_mode server("silent");
    BOOST_TEST(server.seen() == "[\"server/discover\", \"initialize\", \"notifications/initialized\"]\n");
}

BOOST_AUTO_TEST_CASE(a_server_that_dies_of_the_probe_is_restarted_once_and_not_probed) {
    for (const char* mode : {"exit", "hasty"}) {
        in_mode server(mode);
        BOOST_TEST(server.seen() == "[\"initialize\", \"notifications/initialized\"]\n");
        const auto status = server.box.run({"status", "--json"});
        BOOST_TEST(json_at(status.out, "/units/0/restarts").value_or("") == "0", status.out);
    }
}

BOOST_AUTO_TEST_CASE(the_generation_is_remembered_over_restarts_of_the_server) {
    in_mode server("exit");
    BOOST_TEST(server.call({"t/pid"}).status == 0);
    BOOST_TEST(server.box.run({"restart", "w"}).status == 0);
    BOOST_TEST(server.seen() == "[\"initialize\", \"notifications/initialized\"]\n");
    BOOST_TEST(count(slurp(server.box.daemon_log()), "handshake of a worker failed") == 1u);
}

BOOST_AUTO_TEST_CASE(D03_the_generation_is_remembered_over_daemons_and_kills) {
    in_mode server("exit");
    BOOST_TEST(server.call({"t/pid"}).status == 0);
    for (int round = 0; round < 3; ++round) {
        ::kill(server.box.daemon_pid(), SIGKILL);
        BOOST_TEST(server.seen() == "[\"initialize\", \"notifications/initialized\"]\n");
    }
    BOOST_TEST(count(slurp(server.box.daemon_log()), "handshake of a worker failed") == 1u);
}

BOOST_AUTO_TEST_CASE(the_generation_is_probed_again_when_command_directory_or_environment_change) {
    in_mode server("exit");
    const std::string probed = "handshake of a worker failed";
    BOOST_TEST(server.call({"t/pid"}).status == 0);
    std::size_t probes = 1;
    for (const char* more :
         {"env = { A = \"1\" }", "env = { A = \"2\" }", "cwd = \"/\"", "env_file = \"e\""}) {
        server.box.write("e", "B=1\n");
        server.box.config(protocol_worker("mcp", "exit", more));
        BOOST_TEST(server.box.run({"reload"}).status == 0);
        BOOST_TEST(server.call({"t/pid"}).status == 0, more);
        BOOST_TEST(count(slurp(server.box.daemon_log()), probed) == ++probes, more);
    }
    server.box.config(protocol_worker("mcp", "exit", "env_file = \"e\"\ncall_timeout = \"20s\""));
    BOOST_TEST(server.box.run({"reload"}).status == 0);
    BOOST_TEST(server.call({"t/pid"}).status == 0);
    BOOST_TEST(count(slurp(server.box.daemon_log()), probed) == probes);
    // Also by a daemon that never saw the earlier configuration.
    BOOST_TEST(server.box.run({"shutdown"}).status == 0);
    server.box.config(protocol_worker("mcp", "exit", "env = { A = \"3\" }"));
    BOOST_TEST(server.call({"t/pid"}).status == 0);
    BOOST_TEST(count(slurp(server.box.daemon_log()), probed) == probes + 1);
}

BOOST_AUTO_TEST_CASE(a_generation_that_is_out_of_date_is_probed_again) {
    for (const char* later : {"modern", "brittle"}) {
        BOOST_TEST_CONTEXT(later) {
            in_mode server("@mode");
            server.box.write("mode", "exit");
            BOOST_TEST(server.call({"t/pid"}).status == 0);
            BOOST_TEST(server.box.run({"restart", "w"}).status == 0);
            server.box.write("mode", later);
            ::kill(server.box.daemon_pid(), SIGKILL);
            BOOST_TEST(json_at(server.call({"--capabilities"}).out, "/version_seen").value_or("") ==
                       "2026-07-28");
            server.box.write("mode", "legacy");
            BOOST_TEST(server.box.run({"restart", "w"}).status == 0);
            BOOST_TEST(server.seen() ==
                       "[\"server/discover\", \"initialize\", \"notifications/initialized\"]\n");
        }
    }
}

BOOST_AUTO_TEST_CASE(a_server_that_always_dies_is_not_restarted_for_ever) {
    in_mode server("@mode");
    server.box.write("mode", "exit");
    BOOST_TEST(server.call({"t/pid"}).status == 0);
    server.box.write("mode", "dies");
    BOOST_TEST(server.box.run({"restart", "w"}).status == 1);
    const auto failed = server.call({"t/pid"});
    BOOST_TEST(failed.status == 1, failed.text());
    BOOST_TEST(failed.err.find("cannot call 'w': the worker exited with status 9") != std::string::npos,
               failed.err);
    BOOST_TEST(count(slurp(server.box.daemon_log()), "handshake of a worker failed") == 6u);
}

BOOST_AUTO_TEST_CASE(a_server_that_dies_of_the_probe_and_refuses_the_handshake_is_not_restarted_for_ever) {
    in_mode server("keyless");
    const auto failed = server.call({"--timeout", "60s", "t/pid"});
    BOOST_TEST(failed.status == 1, failed.text());
    BOOST_TEST(failed.err.find("no key") != std::string::npos, failed.err);
    BOOST_TEST(failed.elapsed < 25s);
    BOOST_TEST(count(slurp(server.box.daemon_log()), "handshake of a worker failed") == 2u);
}

BOOST_AUTO_TEST_CASE(its_root_is_a_uri) {
    in_mode server("legacy", "cwd = \"a b\xC3\xA9%\"");
    server.box.shell("mkdir 'a b\xC3\xA9%'");
    const auto roots = server.call({"t/ask", "method=roots/list"});
    const std::string uri = json_at(roots.out, "/result/roots/0/uri").value_or("none");
    BOOST_TEST(uri.starts_with("file:///"), roots.text());
    BOOST_TEST(uri.ends_with("/a%20b%C3%A9%25"), uri);
}

BOOST_AUTO_TEST_CASE(D06_the_generation_is_remembered_while_the_database_cannot_be_used) {
    in_mode server("exit");
    BOOST_TEST(server.box.shell("mkdir -p '" + server.box.state_dir() + "/hob.db'").status == 0);
    BOOST_TEST(server.call({"t/pid"}).status == 0);
    BOOST_TEST(server.box.run({"restart", "w"}).status == 0);
    BOOST_TEST(server.seen() == "[\"initialize\", \"notifications/initialized\"]\n");
    BOOST_TEST(count(slurp(server.box.daemon_log()), "handshake of a worker failed") == 1u);
}

BOOST_AUTO_TEST_CASE(in_the_modern_generation_every_request_names_the_client) {
    in_mode server("modern");
    const auto known = server.call({"--capabilities"});
    BOOST_TEST(json_at(known.out, "/version_seen").value_or("") == "2026-07-28", known.text());
    const auto sum = server.call({"add", "a:=2", "b:=3"});
    BOOST_TEST(json_at(sum.out, "/content/0/text").value_or("") == "5", sum.text());
    BOOST_TEST(json_at(sum.out, "/got/_meta/io.modelcontextprotocol~1protocolVersion").value_or("") ==
               "2026-07-28");
    BOOST_TEST(json_at(sum.out, "/got/_meta/io.modelcontextprotocol~1clientInfo/name").value_or("") == "hob");
    BOOST_TEST(server.seen().find("initialize") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_unsupported_revision_means_the_modern_generation) {
    in_mode server("newer");
    const auto known = server.call({"--capabilities"});
    BOOST_TEST(json_at(known.out, "/supportedVersions/0").value_or("") == "2027-01-01", known.text());
    BOOST_TEST(server.seen() == "[\"server/discover\", \"server/discover\"]\n");
}

BOOST_AUTO_TEST_CASE(arguments_of_a_tool_are_checked_before_the_call) {
    in_mode server("legacy");
    const auto wrong = server.call({"add", "a=2", "b:=3"});
    BOOST_TEST(wrong.status == 2);
    BOOST_TEST(wrong.err ==
               "hob: cannot call 'w': 'add' refuses its arguments: 'a' must be an integer, not a string\n"
               "hint: KEY:=JSON gives a number, a boolean or a list, KEY=TEXT a text\n");
    BOOST_TEST(server.call({"add", "a:=2"}).err.find("'b' is missing") != std::string::npos);
    BOOST_TEST(server.call({"add", "a:=2", "b:=-1"}).err.find("'b' must be at least 0") != std::string::npos);
    BOOST_TEST(server.call({"add", "a:=2", "b:=1", "c:=1"}).err.find("'c' is not known") !=
               std::string::npos);
    const auto unknown = server.call({"ad"});
    BOOST_TEST(unknown.err == "hob: cannot call 'w': it has no tool 'ad'\nhint: did you mean 'add'?\n");
    BOOST_TEST(server.seen().find("tools/call") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_tool_that_wants_input_or_fails_is_reported) {
    in_mode server("modern");
    const auto wants = server.call({"wants"});
    BOOST_TEST(wants.status == 1);
    BOOST_TEST(wants.err.find("cannot call 'w': it wants input first") != std::string::npos, wants.err);
    raw_client client(server.box.socket());
    client.request("1", "worker.call", R"({"unit":"w","method":"wants"})");
    BOOST_TEST(json_at(client.reply(), "/error/data/detail/requestState").value_or("") == "s1");
    const auto broken = server.call({"breaks"});
    BOOST_TEST(broken.status == 1);
    BOOST_TEST(broken.err == "hob: cannot call 'w': the tool failed: it broke\n");
}

BOOST_AUTO_TEST_CASE(P23_lists_that_are_refused_or_never_end_do_not_spoil_the_others) {
    in_mode server("lists");
    const auto listed = server.call({"--list", "--json"});
    BOOST_TEST(json_at(listed.out, "/tools/0/name").value_or("") == "add", listed.text());
    BOOST_TEST(!json_at(listed.out, "/tools/6"), listed.out);
    BOOST_TEST(!json_at(listed.out, "/resources"), listed.out);
    BOOST_TEST(!json_at(listed.out, "/prompts"), listed.out);
}

BOOST_AUTO_TEST_CASE(P23_a_tool_may_have_a_slash_in_its_name) {
    in_mode server("legacy");
    for (int round = 0; round < 2; ++round)
        BOOST_TEST(json_at(server.call({"a/slash"}).out, "/content/0/text").value_or("") == "a tool");
    const auto unknown = server.call({"b/slash"});
    BOOST_TEST(unknown.status == 1);
    BOOST_TEST(unknown.err.find("-32601") != std::string::npos, unknown.err);
}

BOOST_AUTO_TEST_CASE(P13_progress_renews_the_limit_of_a_call) {
    in_mode server("legacy", "call_timeout = \"2s\"");
    BOOST_REQUIRE(server.call({"t/pid"}).status == 0);
    const auto done = server.call({"slow", "for:=4"});
    BOOST_TEST(json_at(done.out, "/content/0/text").value_or("") == "done", done.text());
    const auto silent = server.call({"slow", "for:=1", "ends:=false"});
    BOOST_TEST(silent.status == 4);
    BOOST_TEST(silent.err.find("no progress and no answer for 2s") != std::string::npos, silent.err);
    const auto own_limit = server.call({"--timeout", "1s", "slow", "for:=4"});
    BOOST_TEST(own_limit.status == 4, own_limit.text());
}

BOOST_AUTO_TEST_CASE(P13_progress_does_not_renew_the_limit_for_ever) {
    in_mode server("legacy", "call_timeout = \"2s\"\ncall_limit = \"3s\"");
    BOOST_REQUIRE(server.call({"t/pid"}).status == 0);
    const auto ended = server.call({"slow", "for:=30"});
    BOOST_TEST(ended.status == 4);
    BOOST_TEST(ended.err.find("no answer within 3s, although it reported progress") != std::string::npos,
               ended.err);
}

BOOST_AUTO_TEST_CASE(P15_raw_prints_the_texts_of_a_tool_and_writes_its_images) {
    in_mode server("legacy");
    BOOST_TEST(server.call({"--raw", "add", "a:=2", "b:=3"}).out == "5\n");
    BOOST_TEST(server.call({"--raw", "shows"}).out == "a picture:\nimage-1.png\n");
    BOOST_TEST(server.call({"--raw", "shows"}).out == "a picture:\nimage-2.png\n");
    BOOST_TEST(server.box.shell("od -An -tx1 image-1.png").out == " 89 50 4e 47\n");
}

BOOST_AUTO_TEST_CASE(U12_progress_reaches_its_own_caller) {
    in_mode server("legacy");
    BOOST_REQUIRE(server.call({"t/pid"}).status == 0);
    const std::string more = R"(,"collect":["notifications/progress"])";
    raw_client first(server.box.socket());
    raw_client other(server.box.socket());
    const auto ask = [&](raw_client& client, int value) {
        client.request("1", "worker.call",
                       R"({"unit":"w","method":"t/progress","params":{"value":)" + std::to_string(value) +
                           R"(,"_meta":{"progressToken":"mine"}})" + more + "}");
    };
    for (int round = 0; round < scaled(50); ++round) {
        ask(first, 2 * round);
        ask(other, 2 * round + 1);
        for (const int mine : {0, 1}) {
            const std::string got = (mine == 0 ? first : other).reply();
            BOOST_REQUIRE_MESSAGE(json_at(got, "/result/events/0/params/progress").value_or("") ==
                                      std::to_string(2 * round + mine),
                                  got);
            BOOST_REQUIRE(json_at(got, "/result/events/0/params/progressToken").value_or("") == "mine");
            BOOST_REQUIRE(!json_at(got, "/result/events/1"));
        }
    }
}

BOOST_FIXTURE_TEST_CASE(a_real_server_is_listed_and_its_tools_work, with_everything) {
    if (!there) return;
    const std::string listed = call({"--list"});
    for (const char* word : {"TOOL", "echo", "message=", "RESOURCE", "demo://", "PROMPT", "simple-prompt"})
        BOOST_TEST(listed.find(word) != std::string::npos, word);
    BOOST_TEST(json_at(call({"--list", "--json"}), "/tools/0/name").value_or("") == "echo");
    BOOST_TEST(json_at(call({"echo", "message=hi"}), "/content/0/text").value_or("") == "Echo: hi");
    BOOST_TEST(json_at(call({"get-sum", "a:=1", "b:=2"}), "/content/0/text").value_or("") ==
               "The sum of 1 and 2 is 3.");
    BOOST_TEST(json_at(call({"resources/read", "uri=demo://resource/static/document/features.md"}),
                       "/contents/0/mimeType")
                   .value_or("") == "text/markdown");
    BOOST_TEST(json_at(call({"prompts/get", "name=simple-prompt"}), "/messages/0/role").value_or("") ==
               "user");
    BOOST_TEST(call({"ping"}) == "{}\n");
}

BOOST_FIXTURE_TEST_CASE(a_real_server_reports_progress_and_can_be_cancelled, with_everything) {
    if (!there) return;
    const std::vector<std::string> work = {"trigger-long-running-operation", "duration:=1", "steps:=4",
                                           "--collect", "notifications/progress"};
    const std::string done = call(work);
    BOOST_TEST(count(done, "\"event\":\"notifications/progress\"") == 4u, done);
    const auto cut = box.run(
        {"call", "w", "--timeout", "300ms", "trigger-long-running-operation", "duration:=60", "steps:=2"});
    BOOST_TEST(cut.status == 4);
    BOOST_TEST(json_at(call({"echo", "message=still"}), "/content/0/text").value_or("") == "Echo: still");
}

BOOST_AUTO_TEST_SUITE_END()
