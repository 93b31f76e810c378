// What callers, attached clients and `hob status` are told about JSON-RPC and MCP servers that misbehave, one
// row for each way; and that nobody else notices.

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

enum class told {
    answer,    // the caller's own words
    failure,   // an error with `said`
    deadline,  // an error with `said`, at the time limit and not before
    once,      // the first caller's own words; later callers have an answer or an error, soon
};

struct row {
    std::string protocols;  // that can do it
    std::string oddities;
    told outcome;
    std::string said;   // part of the error, or of the answer where that is not the caller's words
    std::string state;  // in `hob status`, afterwards
};
const std::vector<row> rows = {
    {"jsonrpc mcp", "", told::answer, "", "warm"},
    {"jsonrpc mcp", "late=300", told::answer, "", "warm"},
    {"jsonrpc mcp", "twice", told::answer, "", "warm"},
    {"jsonrpc mcp", "reversed", told::answer, "", "warm"},
    {"jsonrpc mcp", "batch", told::answer, "", "warm"},
    {"jsonrpc mcp", "id=string", told::answer, "", "warm"},
    {"jsonrpc mcp", "id=float", told::answer, "", "warm"},
    {"jsonrpc mcp", "id=float batch twice", told::answer, "", "warm"},
    {"jsonrpc mcp", "null-error", told::failure, "it was not understood", "warm"},
    {"jsonrpc mcp", "nobody", told::answer, "", "warm"},
    {"jsonrpc mcp", "never", told::deadline, "no answer within 1s", "warm"},
    {"jsonrpc mcp", "half", told::deadline, "no answer within 1s", "warm"},
    {"jsonrpc mcp", "long", told::failure, "longer than 16 MiB", "warm"},
    {"jsonrpc mcp", "utf8", told::failure, "its reply is not UTF-8", "warm"},
    {"jsonrpc mcp", "bom", told::answer, "", "warm"},
    {"jsonrpc mcp", "headers", told::answer, "", "warm"},
    {"jsonrpc mcp", "crlf", told::answer, "", "warm"},
    {"jsonrpc", "pretty", told::deadline, "no answer within 1s", "warm"},
    {"jsonrpc mcp", "prints", told::answer, "", "warm"},
    {"jsonrpc mcp", "flood", told::answer, "", "warm"},
    {"jsonrpc mcp", "changed", told::answer, "", "warm"},
    {"jsonrpc mcp", "endless", told::deadline, "no answer within", "warm"},
    {"jsonrpc mcp", "progress", told::answer, "", "warm"},
    {"jsonrpc mcp", "asks=ping", told::answer, "", "warm"},
    {"jsonrpc mcp", "asks=roots/list", told::answer, "", "warm"},
    {"jsonrpc mcp", "asks=sampling/createMessage", told::answer, "", "warm"},
    {"jsonrpc mcp", "asks=elicitation/create", told::answer, "", "warm"},
    {"mcp", "explodes", told::answer, "", "warm"},
    {"mcp", "enum", told::answer, "", "warm"},
    {"mcp", "cursor", told::answer, "", "warm"},
    {"mcp", "refused", told::answer, "", "warm"},
    {"mcp", "slash", told::answer, "", "warm"},
    {"jsonrpc mcp", "ends=before", told::failure, "exited with status 3", "failed"},
    {"mcp", "ends=handshake", told::failure, "exited with status 3", "failed"},
    {"jsonrpc mcp", "ends=middle", told::failure, "exited with status 3", "failed"},
    {"jsonrpc mcp", "ends=after", told::once, "", "failed"},
    {"jsonrpc mcp", "closes=stdout", told::deadline, "no answer within 1s", "warm"},
    {"jsonrpc mcp", "closes=stdin", told::once, "", ""},
};

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// Asks the daemon something all the time, and notes how long the slowest answer took.
class watcher {
public:
    explicit watcher(const std::string& socket) : client_(socket), thread_([this] { watch(); }) {}
    ~watcher() {
        over_ = true;
        thread_.join();
    }
    milliseconds slowest() const { return slowest_; }

private:
    void watch() {
        for (int i = 0; !over_; ++i) {
            const auto began = std::chrono::steady_clock::now();
            client_.request(std::to_string(i), "hob.ping");
            client_.reply(60s);
            const auto took =
                std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began);
            slowest_ = std::max(slowest_.load(), took);
            let_pass(2ms);
        }
    }

    raw_client client_;
    std::atomic<bool> over_ = false;
    std::atomic<milliseconds> slowest_ = 0ms;
    std::thread thread_;
};

struct odd_server {
    const row& expected;
    bool mcp;
    sandbox box;

    odd_server(const row& each, const std::string& protocol) : expected(each), mcp(protocol == "mcp") {
        std::string words = ", \"" + protocol + "\"";
        for (std::size_t at = 0; at < each.oddities.size();) {
            const std::size_t end = std::min(each.oddities.find(' ', at), each.oddities.size());
            words += ", \"" + each.oddities.substr(at, end - at) + "\"";
            at = end + 1;
        }
        const std::string limits = each.outcome == told::deadline
                                       ? "call_timeout = \"1s\"\ncall_limit = \"1500ms\"\n"
                                       : "call_timeout = \"30s\"\n";
        box.config("[worker.w]\nrun = [\"python3\", \"" HOB_SOURCE_DIR "/test/fixtures/odd_rpc.py\"" + words +
                   "]\nprotocol = \"" + protocol + "\"\n" + limits +
                   "stop = { timeout = \"300ms\" }\n[worker.other]\nrun = [\"cat\"]\nprotocol = \"lines\"\n");
    }
    std::vector<std::string> words(const std::string& text) const {
        return {"call", "w", mcp && contains(expected.oddities, "slash") ? "a/echo" : "echo", "text=" + text};
    }
    void check(const outcome& output, const std::string& text) const {
        BOOST_TEST_CONTEXT(output.text()) {
            if (expected.outcome == told::once) {
                BOOST_TEST((output.status == 0 || (output.status == 1 && text != "hi")));
                BOOST_TEST(output.elapsed < 20s);
                return;
            }
            BOOST_TEST(output.status == (expected.outcome == told::answer    ? 0
                                         : expected.outcome == told::failure ? 1
                                                                             : 4));
            if (expected.outcome == told::answer) {
                const bool own =
                    contains(expected.oddities, "asks=") || contains(output.out, "\"" + text + "\"");
                BOOST_TEST(own);
            } else {
                BOOST_TEST(contains(output.err, expected.said));
            }
            if (expected.outcome == told::failure) BOOST_TEST(output.elapsed < 20s);
            if (expected.outcome == told::deadline) BOOST_TEST(output.elapsed >= 900ms);
        }
    }
    void calls_one_after_the_other() {
        for (const std::string text : {"hi", "a"})
            check(box.run(words(text)), text);
    }
    void calls_at_once() {
        std::vector<background> all;
        const std::vector<std::string> texts = {"a", "b", "c"};
        for (const auto& text : texts)
            all.push_back(box.start(words(text)));
        // An error without an id belongs to the only call in flight: of three, none fails before its limit.
        const bool nobodys = contains(expected.oddities, "null-error");
        for (std::size_t i = 0; i < all.size() && !nobodys; ++i)
            check(all[i].wait(90s), texts[i]);
        for (std::size_t i = 0; i < all.size() && nobodys; ++i)
            all[i].signal(SIGINT);
        for (std::size_t i = 0; i < all.size() && nobodys; ++i)
            all[i].wait();
    }
    // Protocol jsonrpc: what `hob attach` prints for one request.
    void attached() {
        run_options options;
        options.input = R"({"jsonrpc":"2.0","id":"mine","method":"echo","params":{"text":"b"}})"
                        "\n";
        options.limit = 60s;
        if (expected.outcome == told::deadline) return;  // a client has its own limits
        const auto output = box.run({"attach", "w"}, options);
        if (expected.outcome == told::answer || expected.outcome == told::once) {
            BOOST_TEST(contains(output.out, R"("id":"mine")"), output.text().substr(0, 2000));
            // After its one answer the process may be gone: then the reply is an error.
            BOOST_TEST((contains(output.out, R"("b")") || expected.outcome == told::once ||
                        contains(expected.oddities, "asks=")));
        } else {
            BOOST_TEST(contains(output.out + output.err, expected.said), output.text());
        }
    }
};

// Returns how long the slowest answer to somebody else took.
milliseconds walk(const row& each, const std::string& protocol) {
    odd_server server(each, protocol);
    BOOST_TEST(server.box.run({"call", "other", "x"}).out == "\"x\"\n");
    const watcher others(server.box.socket());
    server.calls_one_after_the_other();
    if (!each.state.empty()) {
        const auto state = [&] {
            return json_at(server.box.run({"status", "--json", "w"}).out, "/units/0/state").value_or("");
        };
        BOOST_TEST(wait_until([&] { return state() == each.state; }), state());
    }
    server.calls_at_once();
    if (protocol == "jsonrpc") server.attached();
    const bool lists = server.mcp && each.outcome == told::answer && !contains(each.oddities, "ends");
    if (lists) {
        const auto list = server.box.run({"call", "w", "--list"});
        BOOST_TEST(count(list.out, "echo") == 1u, list.text().substr(0, 2000));
    }
    BOOST_TEST(server.box.run({"call", "other", "y"}).out == "\"y\"\n");
    BOOST_TEST_MESSAGE("a ping took " << others.slowest().count() << " ms at most");
    BOOST_TEST(others.slowest() < 2s, "somebody else waited for " << others.slowest().count() << " ms");
    return others.slowest();
}

void walk_all(const std::string& protocol) {
    if (!require_program("python3")) return;
    milliseconds slowest = 0ms;
    for (const auto& each : rows) {
        if (!contains(each.protocols, protocol)) continue;
        BOOST_TEST_CONTEXT(protocol << " with: " << each.oddities) {
            const milliseconds took = walk(each, protocol);
            slowest = std::max(slowest, took);
        }
    }
    BOOST_TEST_MESSAGE(protocol << ": the slowest ping took " << slowest.count() << " ms");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(odd_servers)

BOOST_AUTO_TEST_CASE(P16_P22_P23_odd_mcp_servers_harm_their_own_callers_at_most) { walk_all("mcp"); }

BOOST_AUTO_TEST_CASE(P21_P22_odd_jsonrpc_servers_harm_their_own_callers_at_most) { walk_all("jsonrpc"); }

BOOST_AUTO_TEST_SUITE_END()
