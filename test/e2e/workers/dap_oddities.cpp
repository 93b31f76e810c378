// What callers and `hob status` see of debug adapters that answer late, twice, in another order or never,
// that leave out events or members, refuse, write broken messages, ask, and die. Whatever an adapter does,
// everybody else is served.

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "fixtures/dap_project.hpp"
#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

// Each step is over long before the limit of a call, on a machine that is busy, too.
constexpr milliseconds soon = 10s;

// The status of a command, and a part of its output.
struct seen {
    int status = 0;
    std::string text{};
};

struct row {
    std::string oddities{};
    seen breakpoints{0, "at the next launch"};
    seen launched{0, "\"event\":\"stopped\""};
    std::string state{"paused: breakpoint"};
    seen evaluated{0, "42"};
    seen threads{0, "main"};  // a second caller, behind that
    seen continued{0, "\"event\":\"exited\""};
    std::string after{"exited with status 3"};
    seen waited{1, "the debug session has ended"};  // for another stop
    seen again{0, "\"event\":\"stopped\""};         // a second launch
    std::string timeout{"20s"};
};
const seen too_late{4, "cannot call 'w': "};
const seen nothing_came{4, "cannot call 'w': "};
const seen no_session{1, "it has no debug session"};
const seen died{1, "the worker exited with status"};
const seen starting{4, "its handshake is not over"};
const seen no_details{0, "\"details_error\":"};
seen refused(const std::string& what) { return {1, "no " + what + " today"}; }

const std::vector<row> rows = {
    {.oddities = ""},
    {.oddities = "late=100"},
    {.oddities = "twice"},
    {.oddities = "swapped"},
    {.oddities = "unknown-seq"},
    {.oddities = "seq=string"},
    {.oddities = "seq=float"},
    {.oddities = "command=x"},
    {.oddities = "bodyless", .evaluated = {0, "null"}, .threads = {0, "null"}},
    {.oddities = "initialized=never"},
    {.oddities = "initialized=before"},
    {.oddities = "initialized=early"},
    {.oddities = "initialized=twice"},
    {.oddities = "initialized=late"},
    {.oddities = "launched=first"},
    {.oddities = "launched=first initialized=twice"},
    {.oddities = "stopped=early"},
    {.oddities = "stopped=threadless"},
    {.oddities = "stopped=bodyless", .state = "paused"},
    {.oddities = "stopped=nameless", .state = "paused"},
    {.oddities = "stopped=unknown", .state = "paused: full moon"},
    {.oddities = "stopped=twice"},
    {.oddities = "stopped=text"},
    {.oddities = "continued"},
    {.oddities = "terminated=never"},
    {.oddities = "terminated=twice"},
    {.oddities = "terminated=restart"},
    {.oddities = "exited=never", .continued = {0, "\"event\":\"terminated\""}, .after = "terminated"},
    {.oddities = "refuses=initialize",
     .breakpoints = refused("initialize"),
     .launched = refused("initialize"),
     .state = "null",
     .evaluated = refused("initialize"),
     .threads = refused("initialize")},
    {.oddities = "refuses=launch", .launched = refused("launch"), .state = "null"},
    {.oddities = "refuses=configurationDone", .launched = refused("configurationDone"), .state = "null"},
    {.oddities = "refuses=setBreakpoints"},
    {.oddities = "refuses=disconnect"},
    {.oddities = "refuses=continue",
     .continued = refused("continue"),
     .after = "paused: breakpoint",
     .waited = nothing_came},
    {.oddities = "refuses=stackTrace", .launched = no_details, .again = no_details},
    {.oddities = "refuses=variables", .launched = no_details, .again = no_details},
    {.oddities = "silent=disconnect"},
    {.oddities = "silent=launch", .launched = too_late, .timeout = "2s"},
    {.oddities = "silent=initialize",
     .breakpoints = too_late,
     .launched = too_late,
     .state = "its handshake is not over",
     .evaluated = starting,
     .threads = starting,
     .timeout = "2s"},
    {.oddities = "silent=configurationDone", .launched = too_late, .timeout = "2s"},
    {.oddities = "silent=setBreakpoints", .launched = too_late, .state = "running", .timeout = "2s"},
    {.oddities = "silent=stackTrace", .launched = no_details, .again = no_details, .timeout = "2s"},
    {.oddities = "silent=threads", .threads = too_late, .waited = too_late, .timeout = "2s"},
    {.oddities = "silent=continue", .continued = too_late, .timeout = "2s"},
    {.oddities = "dies=initialize",
     .breakpoints = died,
     .launched = died,
     .state = "null",
     .evaluated = died,
     .threads = died},
    {.oddities = "dies=launch", .launched = died, .state = "null"},
    {.oddities = "dies=setBreakpoints", .launched = died, .state = "null"},
    {.oddities = "dies=configurationDone", .launched = died, .state = "null"},
    {.oddities = "dies=continue", .continued = died, .after = "null", .waited = no_session},
    {.oddities = "dies=disconnect"},
    {.oddities = "leaves", .after = "null", .waited = no_session},
    {.oddities = "leaves terminated=never", .after = "null", .waited = no_session},
    {.oddities = "leaves terminated=never exited=never",
     .continued = died,
     .after = "null",
     .waited = no_session},
    {.oddities = "flood=20000"},
    {.oddities = "progress=5000",
     .state = "paused: breakpoint, thinking: 4999",
     .after = "exited with status 3, thinking: 4999"},
    {.oddities = "pieces"},
    {.oddities = "huge=4000000"},
    {.oddities = "huge=20000000", .launched = no_details, .again = no_details},
    {.oddities = "headers=lower"},
    {.oddities = "headers=more"},
    {.oddities = "headers=noise"},
    {.oddities = "length=short"},
    {.oddities = "length=long"},
    {.oddities = "length=longer",
     .launched = {4, "of a message of 1000"},
     .state = "running",
     .evaluated = too_late,
     .threads = too_late,
     .timeout = "2s"},
    {.oddities = "length=none"},
    {.oddities = "length=word"},
    {.oddities = "asks=runInTerminal"},
    {.oddities = "asks=startDebugging"},
    {.oddities = "asks=noSuchThing"},
    {.oddities = "capabilities=none"},
    {.oddities = "capabilities=word"},
    {.oddities = "capabilities=changed"},
};

std::string words_of(const std::string& oddities) {
    std::string words;
    for (std::size_t at = 0; at < oddities.size();) {
        const std::size_t end = std::min(oddities.find(' ', at), oddities.size());
        words += ", \"" + oddities.substr(at, end - at) + "\"";
        at = end + 1;
    }
    return words;
}

// Another client of the same daemon, which sends a ping each millisecond.
class pinging {
public:
    explicit pinging(const sandbox& box) : client_(box.socket()), thread_([this] { run(); }) {}
    ~pinging() {
        ended_ = true;
        thread_.join();
    }
    pinging(const pinging&) = delete;
    pinging& operator=(const pinging&) = delete;
    milliseconds worst() const { return milliseconds(worst_); }
    bool answered() const { return answered_; }

private:
    void run() {
        while (!ended_ && answered_) {
            const auto began = std::chrono::steady_clock::now();
            answered_ = client_.try_send(R"({"id":1,"method":"ping","params":{}})"
                                         "\n") &&
                        reply_came();
            const auto took = std::chrono::steady_clock::now() - began;
            worst_ = std::max<long>(worst_, std::chrono::duration_cast<milliseconds>(took).count());
            let_pass(1ms);
        }
    }
    bool reply_came() {
        try {
            return !client_.reply(30s).empty();
        } catch (const test_failure&) {
            return false;
        }
    }

    raw_client client_;
    std::atomic<bool> ended_ = false;
    std::atomic<bool> answered_ = true;
    std::atomic<long> worst_ = 0;
    std::thread thread_;
};

struct odd_adapter {
    sandbox box;
    explicit odd_adapter(const std::string& oddities) {
        box.config("[worker.w]\nrun = [\"python3\", \"" HOB_SOURCE_DIR "/test/fixtures/odd_dap.py\"" +
                   words_of(oddities) +
                   "]\nprotocol = \"dap\"\ncall_timeout = \"20s\"\nstop = { timeout = \"4s\" }\n");
        BOOST_TEST(box.run({"ping"}).status == 0);
    }
    void check(const outcome& output, const seen& expected, const char* step) {
        BOOST_TEST(output.status == expected.status, step << ": " << output.text());
        BOOST_TEST(output.text().find(expected.text) != std::string::npos,
                   step << " lacks " << expected.text << ": " << output.text());
        BOOST_TEST(output.elapsed < soon, step << " took " << output.elapsed.count() << " ms");
    }
    void call(std::vector<std::string> words, const std::string& timeout, const seen& expected,
              const char* step) {
        words.insert(words.begin(), {"call", "w", "--timeout", timeout});
        outcome output = box.run(words);
        if (output.out.size() > 4000) output.out.erase(2000, output.out.size() - 4000);
        check(output, expected, step);
    }
    void launch(const row& each, const seen& expected, const char* step) {
        call({"--until", "stopped", "--collect", "output", "--locals", "launch", "program=p"}, each.timeout,
             expected, step);
    }
    std::string detail() {
        return json_at(box.run({"status", "--json", "w"}).out, "/units/0/detail").value_or("none");
    }
    void is(const std::string& state, const char* step) {
        const std::string detail = this->detail();
        BOOST_TEST(detail == state, step << ": " << detail);
    }
    // Of two callers, the first whose request may be answered behind that of the second.
    void ask(const row& each) {
        const seen first = each.evaluated;
        const seen second = each.threads;
        raw_client client(box.socket());
        const std::string options = R"(,"timeout_ms":)" + std::to_string(each.timeout == "2s" ? 2000 : 20000);
        client.request(
            "1", "worker.call",
            R"({"unit":"w","method":"evaluate","params":{"frameId":7,"expression":"n"})" + options + "}");
        client.request("2", "worker.call", R"({"unit":"w","method":"threads","params":{})" + options + "}");
        std::string replies[2] = {client.reply(soon), client.reply(soon)};
        if (json_at(replies[0], "/id") == "2") std::swap(replies[0], replies[1]);
        for (int i = 0; i < 2; ++i) {
            const seen& expected = i == 0 ? first : second;
            BOOST_TEST(json_at(replies[i], "/error").has_value() == (expected.status != 0), replies[i]);
            BOOST_TEST(replies[i].find(expected.text) != std::string::npos,
                       expected.text << " in " << replies[i]);
        }
    }
    void end() {
        const auto stopped = box.run({"stop", "w"});
        BOOST_TEST(stopped.status == 0, stopped.text());
        BOOST_TEST(stopped.elapsed < soon, stopped.elapsed.count());
    }
};

milliseconds walk(const row& each) {
    odd_adapter adapter(each.oddities);
    const pinging others(adapter.box);
    adapter.call({"setBreakpoints", "file=/a", "line=3"}, each.timeout, each.breakpoints, "breakpoints");
    adapter.launch(each, each.launched, "launch");
    adapter.is(each.state, "after the launch");
    adapter.ask(each);
    if (each.launched.status == 0) {
        adapter.call({"--until", "exited,terminated", "continue"}, each.timeout, each.continued, "continue");
        BOOST_TEST(wait_until([&] { return adapter.detail() == each.after; }), adapter.detail());
        // An adapter that is new has no program.
        const std::string patience = each.waited.status == 4 ? "1s" : each.timeout;
        adapter.call({"threads", "--until", "stopped"}, patience, each.waited, "wait");
        adapter.launch(each, each.again, "second launch");
    }
    adapter.end();
    BOOST_TEST(others.answered());
    BOOST_TEST(others.worst() < 2s, others.worst().count());
    return others.worst();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(dap_oddities)

BOOST_AUTO_TEST_CASE(P05_callers_of_odd_debug_adapters_get_an_answer_or_the_reason) {
    if (!require_program("python3")) return;
    milliseconds worst{0};
    for (const auto& each : rows) {
        BOOST_TEST_CONTEXT("an adapter with: " << each.oddities) worst = std::max(worst, walk(each));
    }
    BOOST_TEST_MESSAGE("the slowest ping of others took " << worst.count() << " ms");
}

BOOST_AUTO_TEST_SUITE_END()
