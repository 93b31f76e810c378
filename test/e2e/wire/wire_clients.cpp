// doc/protocol.md sections 1, 2.4, 4 and 5 against the real daemon: requests that are too large, and clients
// that are too slow or gone.

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <string>

#include "fixtures/rpc_project.hpp"
#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

constexpr std::size_t line_max = 16u << 20;

struct daemon_with_worker {
    sandbox box;
    daemon_with_worker() {
        box.config(echo_worker());
        const auto ping = box.run({"ping"});
        BOOST_REQUIRE_MESSAGE(ping.status == 0, ping.text());
    }
    raw_client greeted() const {
        raw_client client(box.socket());
        BOOST_REQUIRE(client.line().has_value());
        return client;
    }
    long rss_kib() const { return std::atol(proc_status(box.daemon_pid(), "VmRSS").c_str()); }
    bool serves() const {
        raw_client client(box.socket());
        client.request("1", "hob.ping");
        return json_at(client.reply(), "/result/pid") == std::to_string(box.daemon_pid());
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(wire_clients, daemon_with_worker)

BOOST_AUTO_TEST_CASE(W01_section_2_4_an_oversized_request_is_refused_and_the_connection_goes_on) {
    raw_client client = greeted();
    client.send(R"({"jsonrpc":"2.0","id":1,"method":"hob.ping","params":[")");
    const std::string mebibyte(1u << 20, 'x');
    for (int i = 0; i < 40; ++i)
        client.send(mebibyte);
    client.send("\"]}\n");
    client.request("2", "hob.ping");
    const std::string refused = client.reply();
    BOOST_TEST(json_at(refused, "/id").value_or("") == "null");
    BOOST_TEST(json_at(refused, "/error/code").value_or("") == "-32600");
    BOOST_TEST(json_at(client.reply(), "/id").value_or("") == "2");
}

BOOST_AUTO_TEST_CASE(W01_section_2_4_the_largest_request_passes_and_its_memory_is_given_back) {
    raw_client client = greeted();
    const long before = rss_kib();
    const std::string head = R"({"jsonrpc":"2.0","id":1,"method":"hob.ping","params":[")";
    const std::string tail = "\"]}";
    client.send(head + std::string(line_max - head.size() - tail.size(), 'x') + tail + "\n");
    BOOST_TEST(json_at(client.reply(), "/id").value_or("") == "1");
    client.send(head + std::string(line_max - head.size() - tail.size() + 1, 'x') + tail + "\n");
    BOOST_TEST(json_at(client.reply(), "/error/code").value_or("") == "-32600");
    if (!sanitized()) BOOST_TEST(rss_kib() < before + (8 << 10));
}

BOOST_AUTO_TEST_CASE(W01_section_2_4_an_oversized_reply_is_an_error_on_its_id) {
    raw_client client = greeted();
    // The reply repeats the id: the request has the greatest length, so the reply is longer.
    const std::string frame = R"({"jsonrpc":"2.0","id":"","method":"hob.ping"})";
    client.send(R"({"jsonrpc":"2.0","id":")" + std::string(line_max - frame.size(), 'i') +
                R"(","method":"hob.ping"})" + "\n");
    BOOST_TEST(json_at(client.reply(), "/error/code").value_or("") == "-32603");
    client.request("2", "hob.ping");
    BOOST_TEST(json_at(client.reply(), "/id").value_or("") == "2");
}

BOOST_AUTO_TEST_CASE(W04_section_4_3_clients_killed_anywhere_leave_nothing_behind) {
    raw_client steady = greeted();
    const std::string sleeping = R"({"unit":"echo","method":"sleep","params":{"ms":5}})";
    const auto round = [&](int number) {
        raw_client client(box.socket());
        switch (number % 4) {
            case 0:
                client.request("1", "worker.call", sleeping);
                break;
            case 1:
                client.request("1", "hob.subscribe");
                break;
            case 2:
                client.try_send("{\"jsonrpc\":\"2.0\",\"id\":1,\"meth");
                break;
            default:
                client.request("1", "hob.status");
        }
        if (number % 3 == 0) client.line();
    };
    for (int i = 0; i < 50; ++i)
        round(i);
    steady.request("1", "hob.ping");
    steady.reply();
    const pid_t daemon = box.daemon_pid();
    const auto clients_are = [&](const std::string& expected) {
        return wait_until([&] {
            steady.request("2", "hob.status");
            return json_at(steady.reply(), "/result/daemon/clients") == expected;
        });
    };
    BOOST_TEST(clients_are("1"));
    const int descriptors = open_descriptors(daemon);
    const long memory = rss_kib();
    const int rounds = number_from_env("HOB_TEST_ROUNDS", scaled(1000));
    for (int i = 0; i < rounds; ++i)
        round(i);
    BOOST_TEST(clients_are("1"));
    BOOST_TEST(wait_until([&] { return open_descriptors(daemon) == descriptors; }));
    BOOST_TEST(rss_kib() <= memory + 512);
    BOOST_TEST(box.daemon_pid() == daemon);
}

BOOST_AUTO_TEST_CASE(W05_section_5_3_a_subscriber_that_never_reads_delays_nobody_and_is_told_what_it_lost) {
    box.config(rpc_worker());
    BOOST_REQUIRE(box.run({"reload"}).status == 0);
    raw_client other = greeted();
    const auto notify = [&](int size) {  // one event of that many bytes
        other.request("1", "worker.call",
                      R"({"unit":"w","method":"notify_of","params":)" + std::to_string(size) + "}");
        BOOST_REQUIRE(json_at(other.reply(), "/result").has_value());
    };
    notify(1);
    raw_client slow = greeted();
    slow.request("1", "hob.subscribe");
    BOOST_TEST(json_at(slow.reply(), "/result/status/instance").has_value());
    const long memory = rss_kib();
    const int sent = 200;
    for (int i = 0; i < sent; ++i) {
        notify(64 << 10);
        if (i % 20 == 19 &&
            json_at(box.run({"--json", "ping"}).out, "/pid") != std::to_string(box.daemon_pid())) {
            BOOST_FAIL("not served beside a slow subscriber");
        }
        if (!sanitized() && rss_kib() > memory + (8 << 10)) BOOST_FAIL("memory grows with a slow subscriber");
    }
    slow.request("2", "hob.ping");
    int events = 0;
    int lost = 0;
    bool replied = false;
    while (lost == 0 || !replied) {
        const auto line = slow.line();
        BOOST_REQUIRE(line.has_value());
        const std::string method = json_at(*line, "/method").value_or("");
        if (method == "hob.event") ++events;
        if (method == "hob.lagged") lost = std::atoi(json_at(*line, "/params/lost").value_or("0").c_str());
        if (json_at(*line, "/id").value_or("") == "2") replied = true;
        BOOST_REQUIRE(!(method == "hob.event" && lost != 0));  // the gap is told before what comes after it
    }
    BOOST_TEST(events + lost == sent);
    BOOST_TEST(events > 0);
    BOOST_TEST(events * 64 < 4 << 10);
    notify(2);
    BOOST_TEST(json_at(slow.line().value_or(""), "/params/params").value_or("") == "xx");
}

BOOST_AUTO_TEST_CASE(W08_section_1_2_a_client_of_another_user_is_refused) {
    if (!require_root()) return;
    // Root reaches the socket in spite of its mode, and is still not its owner.
    sandbox_options options;
    options.uid = 12345;
    sandbox theirs(options);
    const auto ping = theirs.run({"ping"});
    BOOST_REQUIRE_MESSAGE(ping.status == 0, ping.text());
    raw_client client(theirs.socket());
    BOOST_TEST(!client.line().has_value());
    BOOST_TEST(theirs.run({"ping"}).status == 0);
    BOOST_TEST(slurp(theirs.daemon_log()).find("client of another user refused") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(L44_the_memory_of_many_connections_is_returned_once_they_are_closed) {
    rlimit most{};
    ::getrlimit(RLIMIT_NOFILE, &most);
    most.rlim_cur = most.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &most);
    raw_client stays = greeted();
    const long before = rss_kib();
    long peak = 0;
    {
        std::vector<raw_client> many;
        for (int i = 0; i < scaled(4000); ++i)
            many.push_back(greeted());
        peak = rss_kib();
    }
    BOOST_TEST(peak > before);
    const auto returned = [&] { return rss_kib() < before + (peak - before) / 4 + 512; };
    if (!sanitized())
        BOOST_TEST(wait_until(returned), before << " KiB, then " << peak << ", now " << rss_kib());
    stays.request("1", "hob.ping");
    BOOST_TEST(json_at(stays.reply(), "/id").value_or("") == "1");
}

BOOST_AUTO_TEST_CASE(W06_section_1_4_out_of_descriptors_it_waits_without_spinning_and_serves_again) {
    sandbox small;
    const auto ping = small.shell("ulimit -n 128; hob ping");
    BOOST_REQUIRE_MESSAGE(ping.status == 0, ping.text());
    const pid_t daemon = small.daemon_pid();
    std::vector<raw_client> held;
    for (int i = 0; i < 300; ++i)
        held.emplace_back(small.socket());
    BOOST_TEST(wait_until([&] { return open_descriptors(daemon) >= 120; }));
    const long before = context_switches(daemon);
    let_pass(1s);
    BOOST_TEST(context_switches(daemon) < before + 50);
    BOOST_TEST(process_lives(daemon));
    held.erase(held.begin(), held.begin() + 250);
    for (auto& client : held)
        BOOST_REQUIRE(client.line().has_value());
    BOOST_TEST(small.run({"ping"}).status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
