// doc/protocol.md 6.7.6 to 6.7.8: clients that are attached to a service.

#include <boost/test/unit_test.hpp>
#include <string>

#include "fixtures/services.hpp"
#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

struct with_services {
    sandbox box;
    with_services() {
        box.config(service("cat", "exec cat", "stdin = 'open'") + service("tty", "exec cat", "tty = true") +
                   service("plain", "exec sleep 1000") + echo_worker());
        const auto started = box.run({"start"});
        BOOST_REQUIRE_MESSAGE(started.status == 0, started.text());
    }
    raw_client greeted() const {
        raw_client client(box.socket());
        BOOST_REQUIRE(client.line().has_value());
        return client;
    }
    // The next notification of this method.
    static std::string notification(raw_client& client, const std::string& method) {
        for (;;) {
            const auto line = client.line();
            if (!line) throw test_failure("no " + method);
            if (json_at(*line, "/method") == method) return *line;
        }
    }
    static std::string attach(raw_client& client, const std::string& params) {
        client.request("\"a\"", "unit.attach", params);
        const std::string attached = notification(client, "service.attached");
        BOOST_TEST(json_at(attached, "/params/id").value_or("") == "a", attached);
        return json_at(attached, "/params/attachment").value_or("");
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(wire_terminal, with_services)

BOOST_AUTO_TEST_CASE(W01_section_6_7_6_output_state_and_end_of_a_service) {
    raw_client client = greeted();
    const std::string number = attach(client, R"({"unit":"cat"})");
    const std::string state = notification(client, "service.state");
    BOOST_TEST(json_at(state, "/params/state").value_or("") == "ready", state);
    BOOST_TEST(json_at(state, "/params/attachment").value_or("") == number);
    client.request("2", "service.input", R"({"attachment":)" + number + R"(,"data":"half"})");
    BOOST_TEST(json_at(client.reply(), "/result/open").value_or("") == "true");
    client.request("3", "service.input", R"({"attachment":)" + number + R"(,"data_b64":"/wo="})");
    const std::string output = notification(client, "service.output");
    BOOST_TEST(json_at(output, "/params/data_b64").value_or("") == "aGFsZv8K", output);
    BOOST_TEST(box.run({"stop", "cat"}).status == 0);
    std::string end;
    while (json_at(end, "/id") != "a")
        end = client.reply();
    BOOST_TEST(json_at(end, "/result/state").value_or("") == "stopped", end);
    client.request("4", "service.input", R"({"attachment":)" + number + R"(,"data":"x\n"})");
    BOOST_TEST(json_at(client.reply(), "/result/open").value_or("") == "false");
}

BOOST_AUTO_TEST_CASE(W01_section_6_7_6_what_cannot_be_attached_to) {
    raw_client client = greeted();
    const auto code = [&](const std::string& params) {
        client.request("1", "unit.attach", params);
        return json_at(client.reply(), "/error/data/code").value_or("");
    };
    BOOST_TEST(code(R"({"unit":"plain"})") == "usage");
    BOOST_TEST(code(R"({"unit":"nosuch"})") == "unit_unknown");
    BOOST_TEST(code(R"({"name":"cat"})") == "usage");
    BOOST_TEST(box.run({"stop", "cat"}).status == 0);
    BOOST_TEST(code(R"({"unit":"cat"})") == "unit_failed");
}

BOOST_AUTO_TEST_CASE(W01_section_6_7_7_one_input_at_a_time_and_params_are_checked) {
    raw_client client = greeted();
    const std::string number = attach(client, R"({"unit":"cat"})");
    const auto code = [&](const std::string& method, const std::string& params) {
        client.request("7", method, params);
        return json_at(client.reply(), "/error/data/code").value_or("");
    };
    BOOST_TEST(code("service.input", R"({"attachment":0,"data":"x"})") == "usage");
    BOOST_TEST(code("service.input", R"({"attachment":)" + number + "}") == "usage");
    BOOST_TEST(code("service.resize", R"({"attachment":)" + number + R"(,"rows":0,"columns":80})") ==
               "usage");
    BOOST_TEST(code("service.resize", R"({"attachment":)" + number + R"(,"rows":70000,"columns":80})") ==
               "usage");
    // The program reads no more: the request waits, and a second one is refused.
    BOOST_TEST(box.shell("kill -STOP " + unit_member(box, "cat", "pid")).status == 0);
    const std::string much(300'000, 'x');
    client.request("8", "service.input", R"({"attachment":)" + number + R"(,"data":")" + much + R"(\n"})");
    client.request("9", "service.input", R"({"attachment":)" + number + R"(,"data":"y\n"})");
    const std::string refused = client.reply();
    BOOST_TEST(json_at(refused, "/id").value_or("") == "9", refused);
    BOOST_TEST(json_at(refused, "/error/data/code").value_or("") == "usage");
    BOOST_TEST(box.shell("kill -CONT " + unit_member(box, "cat", "pid")).status == 0);
    const std::string taken = client.reply();
    BOOST_TEST(json_at(taken, "/id").value_or("") == "8", taken);
    BOOST_TEST(json_at(taken, "/result/open").value_or("") == "true");
}

BOOST_AUTO_TEST_CASE(W01_section_6_7_6_a_client_that_does_not_read_is_told_what_it_missed) {
    raw_client client = greeted();
    const std::string number = attach(client, R"({"unit":"cat"})");
    run_options piped;
    std::string line(99, 'z');
    piped.input = "";
    for (int i = 0; i < 60'000; ++i)
        *piped.input += line + "\n";
    const auto sent = box.run({"attach", "cat", "--linger", "0"}, piped);
    BOOST_TEST(sent.status == 0, sent.text());
    BOOST_TEST(wait_until([&] { return box.run({"logs", "cat", "-n", "1"}).status == 0; }));
    const std::string skipped = notification(client, "service.skipped");
    BOOST_TEST(std::stoll(json_at(skipped, "/params/bytes").value_or("0")) > 1'000'000, skipped);
    // It goes on at the beginning of a line.
    const std::string next = notification(client, "service.output");
    BOOST_TEST(json_at(next, "/params/data").value_or("").substr(0, 100) == line + "\n");
}

BOOST_AUTO_TEST_CASE(W01_section_6_7_8_sizes_of_a_terminal) {
    raw_client client = greeted();
    const std::string number =
        attach(client, R"({"unit":"tty","rows":11,"columns":33,"typed":true,"recent":true})");
    const std::string size = "stty size < /proc/" + unit_member(box, "tty", "pid") + "/fd/0";
    BOOST_TEST(box.shell(size).out == "11 33\n");
    client.request("2", "service.resize", R"({"attachment":)" + number + R"(,"rows":12,"columns":34})");
    BOOST_TEST(json_at(client.reply(), "/result").value_or("") == "{}");
    BOOST_TEST(box.shell(size).out == "12 34\n");
}

BOOST_AUTO_TEST_CASE(W01_section_6_7_6_a_worker_is_attached_to_as_by_worker_attach) {
    raw_client client = greeted();
    client.request("1", "unit.attach", R"({"unit":"echo"})");
    const std::string attached = notification(client, "worker.attached");
    BOOST_TEST(json_at(attached, "/params/id").value_or("") == "1", attached);
}

BOOST_AUTO_TEST_SUITE_END()
