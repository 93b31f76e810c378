// doc/protocol.md sections 2 and 3 against the real daemon: lines and their answers.

#include <boost/test/unit_test.hpp>
#include <string>

#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

struct daemon_with_worker {
    sandbox box;
    daemon_with_worker() {
        box.config(echo_worker());
        const auto ping = box.run({"ping"});
        BOOST_REQUIRE_MESSAGE(ping.status == 0, ping.text());
    }
    raw_client greeted() const {
        raw_client client(box.socket());
        const auto hello = client.line();
        BOOST_REQUIRE(hello.has_value());
        BOOST_TEST(json_at(*hello, "/method").value_or("") == "hob.hello");
        return client;
    }
};

std::string request_text(const std::string& id, const std::string& method, const std::string& params = "{}") {
    return R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":")" + method + R"(","params":)" + params + "}\n";
}

// "1 ok" or "null -32700".
std::string verdict(const std::string& reply) {
    return json_at(reply, "/id").value_or("none") + " " + json_at(reply, "/error/code").value_or("ok");
}

std::string sleep_params(int ms) {
    return R"({"unit":"echo","method":"sleep","params":{"ms":)" + std::to_string(ms) + "}}";
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(wire_requests, daemon_with_worker)

BOOST_AUTO_TEST_CASE(W02_section_2_1_a_frame_split_at_every_byte_is_one_request) {
    const std::string text = request_text("1", "hob.ping");
    raw_client client = greeted();
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
        client.send(text.substr(0, cut));
        client.send(text.substr(cut));
        BOOST_REQUIRE(verdict(client.reply()) == "1 ok");
    }
    for (const char byte : text)
        client.send(std::string_view(&byte, 1));
    BOOST_TEST(verdict(client.reply()) == "1 ok");
}

BOOST_AUTO_TEST_CASE(W02_section_2_1_many_frames_in_one_write_are_answered_in_order) {
    raw_client client = greeted();
    std::string many = "\n\r\n";
    const int count = 500;
    for (int i = 0; i < count; ++i)
        many += request_text(std::to_string(i), "hob.ping");
    client.send(many);
    for (int i = 0; i < count; ++i)
        BOOST_REQUIRE(verdict(client.reply()) == std::to_string(i) + " ok");
}

BOOST_AUTO_TEST_CASE(
    W02_section_3_2_what_is_no_json_or_no_request_gets_its_error_and_the_connection_goes_on) {
    raw_client client = greeted();
    const std::string deep(10000, '[');
    const std::string nul("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hob.\0ping\"}", 46);
    const std::pair<std::string, std::string> lines[] = {
        {"nonsense", "null -32700"},
        {deep, "null -32700"},
        {deep + std::string(10000, ']'), "null -32700"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\xfe\"}", "null -32700"},
        {nul, "null -32700"},
        {"\xEF\xBB\xBF{}", "null -32700"},
        {"[]", "null -32600"},
        {R"([{"jsonrpc":"2.0","id":1,"method":"hob.ping"}])", "null -32600"},
        {R"({"jsonrpc":"2.0","id":1,"id":2,"method":"hob.ping"})", "null -32600"},
        {R"({"jsonrpc":"2.0","id":1,"method":"hob.ping","method":"hob.ping"})", "1 -32600"},
        {R"({"jsonrpc":"2.0","id":{},"method":"hob.ping"})", "null -32600"},
        {R"({"jsonrpc":"1.0","id":1,"method":"hob.ping"})", "1 -32600"},
        {R"({"jsonrpc":"2.0","id":1,"method":"hob.ping","params":7})", "1 -32600"},
        {R"({"jsonrpc":"2.0","id":1,"method":"hob.no_such_method"})", "1 -32601"},
    };
    for (const auto& [line, expected] : lines) {
        client.send(line + "\n");
        BOOST_TEST(verdict(client.reply()) == expected, line.substr(0, 80));
    }
    client.send(request_text("9", "hob.ping"));
    BOOST_TEST(verdict(client.reply()) == "9 ok");
}

BOOST_AUTO_TEST_CASE(W02_section_3_1_huge_numbers_pass_as_ids) {
    const std::string long_number(5000, '7');
    raw_client client = greeted();
    for (const std::string id :
         {"123456789012345678901234567890", "1.50e+3", "-0", "1e-400", long_number.c_str()}) {
        client.send(request_text(id, "hob.ping"));
        BOOST_TEST(client.reply().starts_with(R"({"jsonrpc":"2.0","id":)" + id + ",\"result\":"));
    }
}

BOOST_AUTO_TEST_CASE(W03_section_3_2_an_undecodable_line_behind_a_slow_request_leaves_both_answered) {
    raw_client client = greeted();
    client.send(request_text("1", "worker.call", sleep_params(300)) + "}{\n" + request_text("2", "hob.ping"));
    BOOST_TEST(verdict(client.reply()) == "null -32700");
    BOOST_TEST(verdict(client.reply()) == "2 ok");
    const std::string slow = client.reply();
    BOOST_TEST(verdict(slow) == "1 ok");
    BOOST_TEST(json_at(slow, "/result").value_or("") == "slept");
}

BOOST_AUTO_TEST_CASE(W10_section_3_1_ids_of_every_kind_come_back_as_they_were) {
    raw_client client = greeted();
    for (const std::string id : {"0", "-1", "1.5", "\"text\"", "\"\\u00e9\"", "null", "\"\""}) {
        client.send(request_text(id, "hob.ping"));
        BOOST_TEST(client.reply().starts_with(R"({"jsonrpc":"2.0","id":)" + id + ",\"result\":"), id);
    }
}

BOOST_AUTO_TEST_CASE(W10_section_3_1_equal_ids_of_two_clients_get_their_own_replies) {
    raw_client first = greeted();
    raw_client second = greeted();
    for (int round = 0; round < 20; ++round) {
        const std::string mine =
            R"({"unit":"echo","method":"echo","params":["one",)" + std::to_string(round) + "]}";
        const std::string other =
            R"({"unit":"echo","method":"echo","params":["two",)" + std::to_string(round) + "]}";
        first.send(request_text("1", "worker.call", mine));
        second.send(request_text("1", "worker.call", other));
        BOOST_TEST(json_at(first.reply(), "/result/0").value_or("") == "one");
        BOOST_TEST(json_at(second.reply(), "/result/0").value_or("") == "two");
    }
}

BOOST_AUTO_TEST_CASE(W10_a_late_reply_never_answers_the_next_request) {
    raw_client client = greeted();
    const std::string hasty = R"({"unit":"echo","method":"sleep","params":{"ms":300},"timeout_ms":50})";
    client.send(request_text("1", "worker.call", hasty));
    BOOST_TEST(json_at(client.reply(), "/error/data/code").value_or("") == "timeout");
    client.send(request_text("1", "worker.call", R"({"unit":"echo","method":"echo","params":["second"]})"));
    BOOST_TEST(json_at(client.reply(), "/result/0").value_or("") == "second");
}

BOOST_AUTO_TEST_CASE(section_4_2_half_close_is_answered_and_then_closed) {
    raw_client client = greeted();
    client.send(request_text("1", "worker.call", sleep_params(100)) + request_text("2", "hob.ping"));
    client.half_close();
    BOOST_TEST(verdict(client.reply()) == "2 ok");
    BOOST_TEST(verdict(client.reply()) == "1 ok");
    BOOST_TEST(!client.line().has_value());
}

BOOST_AUTO_TEST_CASE(section_2_2_socat_is_a_usable_client) {
    if (!require_program("socat")) return;
    const auto got = box.shell(
        "echo '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hob.ping\"}' | socat -t5 - UNIX-CONNECT:" +
        box.socket());
    BOOST_TEST(got.status == 0);
    BOOST_TEST(count(got.out, "\n") == 2u);
    BOOST_TEST(got.out.find("\"id\":1,\"result\":{\"pid\":") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
