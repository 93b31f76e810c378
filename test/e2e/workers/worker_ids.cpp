// Many clients of one worker: each gets its own replies and cancels its own requests.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <set>
#include <string>
#include <vector>

#include "fixtures/rpc_project.hpp"
#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

struct with_worker {
    sandbox box;
    with_worker() {
        box.config(rpc_worker());
        BOOST_REQUIRE(box.run({"call", "w", "echo", "1"}).status == 0);
    }
    static void ask(raw_client& client, const std::string& id, const std::string& method,
                    const std::string& params = "null") {
        client.request(id, "worker.call",
                       R"({"unit":"w","method":")" + method + R"(","params":)" + params + "}");
    }
    static std::string result_of(raw_client& client) {
        const std::string reply = client.reply();
        return json_at(reply, "/result").value_or(reply);
    }
    // The id that the worker sees for a request that is sent now.
    static int current_id(raw_client& client) {
        ask(client, "\"which\"", "id");
        return std::atoi(result_of(client).c_str());
    }
    // Waits until another client has sent a call, and returns the id that the worker sees for it. `last`: the
    // id of our own last call.
    static int next_of_others(raw_client& client, int& last) {
        int found = 0;
        BOOST_REQUIRE(wait_until([&] {
            const int now = current_id(client);
            if (now == last + 2) found = last + 1;
            last = now;
            return found != 0;
        }));
        return found;
    }
    static std::string cancelled(raw_client& client) {
        ask(client, "\"cancelled\"", "cancelled");
        return result_of(client);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(worker_ids, with_worker)

BOOST_AUTO_TEST_CASE(U12_W10_clients_with_equal_ids_get_their_own_replies) {
    std::vector<raw_client> clients;
    for (int i = 0; i < 8; ++i)
        clients.emplace_back(box.socket());
    const int rounds = scaled(200);
    for (int round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < clients.size(); ++i)
            ask(clients[i], "1", "echo", std::to_string(round * 100 + static_cast<int>(i)));
        for (std::size_t i = 0; i < clients.size(); ++i) {
            const std::string reply = clients[i].reply();
            BOOST_REQUIRE(json_at(reply, "/id").value_or("") == "1");
            BOOST_REQUIRE(json_at(reply, "/result").value_or("") ==
                          std::to_string(round * 100 + static_cast<int>(i)));
        }
    }
}

BOOST_AUTO_TEST_CASE(U12_equal_ids_of_one_client_get_one_reply_each) {
    raw_client client(box.socket());
    std::multiset<std::string> seen;
    for (int i = 0; i < 20; ++i)
        ask(client, "7", "echo", std::to_string(i));
    for (int i = 0; i < 20; ++i)
        seen.insert(result_of(client));
    for (int i = 0; i < 20; ++i)
        BOOST_TEST(seen.count(std::to_string(i)) == 1u);
}

BOOST_AUTO_TEST_CASE(U12_a_late_answer_goes_to_its_caller_past_an_equal_id) {
    raw_client first(box.socket());
    raw_client second(box.socket());
    ask(first, "1", "hold");
    current_id(second);  // the worker has read the earlier requests
    ask(second, "1", "release");
    BOOST_TEST(result_of(second) == "released");
    BOOST_TEST(result_of(first) == "late");
}

BOOST_AUTO_TEST_CASE(U12_a_hang_up_cancels_its_own_request_and_the_late_answer_is_dropped) {
    raw_client gone(box.socket());
    raw_client stays(box.socket());
    raw_client watcher(box.socket());
    ask(gone, "1", "hold");
    const int held = current_id(gone) - 1;
    ask(stays, "1", "never");
    current_id(stays);
    gone.close();
    BOOST_TEST(wait_until([&] { return cancelled(watcher) != "[]"; }));
    BOOST_TEST(cancelled(watcher) == "[" + std::to_string(held) + "]");
    ask(watcher, "1", "release");  // answers the held request, too
    BOOST_TEST(result_of(watcher) == "released");
    ask(stays, "2", "echo", "5");
    const std::string next = stays.reply();
    BOOST_TEST(json_at(next, "/id").value_or("") == "2", next);
    BOOST_TEST(json_at(next, "/result").value_or("") == "5", next);
    BOOST_TEST(cancelled(watcher) == "[" + std::to_string(held) + "]");
}

BOOST_AUTO_TEST_CASE(U12_W07_a_killed_or_interrupted_caller_cancels_its_own_request) {
    raw_client watcher(box.socket());
    std::string expected = "[";
    for (const int how : {SIGKILL, SIGINT, SIGTERM}) {
        int last = current_id(watcher);
        auto doomed = box.start({"call", "w", "never"});
        const int doomed_id = next_of_others(watcher, last);
        auto stays = box.start({"call", "w", "never"});
        const int stays_id = next_of_others(watcher, last);
        doomed.signal(how);
        doomed.wait();
        expected += std::to_string(doomed_id);
        BOOST_TEST(wait_until([&] { return count(cancelled(watcher), std::to_string(doomed_id)) == 1; }));
        BOOST_TEST(cancelled(watcher) == expected + "]");
        BOOST_TEST(stays.running());
        stays.kill_and_reap();
        expected += "," + std::to_string(stays_id);
        BOOST_TEST(wait_until([&] { return cancelled(watcher) == expected + "]"; }));
        expected += ",";
    }
    const auto still = box.run({"call", "w", "echo", "\"there\""});
    BOOST_TEST(still.out == "\"there\"\n", still.text());
}

BOOST_AUTO_TEST_CASE(U12_a_call_is_cancelled_once_and_alone_at_its_timeout) {
    raw_client watcher(box.socket());
    const int before = current_id(watcher);
    BOOST_TEST(box.run({"--timeout", "300ms", "call", "w", "never"}).status == 4);
    BOOST_TEST(wait_until([&] { return cancelled(watcher) != "[]"; }));
    BOOST_TEST(cancelled(watcher) == "[" + std::to_string(before + 1) + "]");
}

BOOST_AUTO_TEST_SUITE_END()
