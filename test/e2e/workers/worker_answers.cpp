// Answers whose form is not the usual one: they reach the call that they belong to, and say what they are.

#include <boost/test/unit_test.hpp>

#include <string>

#include "fixtures/protocol_project.hpp"
#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

struct with_server {
    sandbox box;
    with_server() {
        box.config(protocol_worker("lsp"));
        BOOST_REQUIRE(call({"t/pid"}).status == 0);
    }
    outcome call(std::vector<std::string> words) {
        words.insert(words.begin(), {"call", "w", "--timeout", "60s"});
        return box.run(words);
    }
    void hold(raw_client& client) {
        client.request("1", "worker.call", R"({"unit":"w","method":"t/hold"})");
        BOOST_REQUIRE(wait_until([&] { return call({"t/held"}).out == "true\n"; }));
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(worker_answers, with_server)

BOOST_AUTO_TEST_CASE(P22_an_id_that_comes_back_in_another_form_is_recognized) {
    for (const char* form : {"\"text\"", "\"number\""}) {
        const auto answered = call({"t/odd_id", form});
        BOOST_TEST(answered.out == "\"answered\"\n", answered.text());
        BOOST_TEST(answered.elapsed < 30s);
    }
}

BOOST_AUTO_TEST_CASE(P22_an_error_that_names_no_request_is_that_of_the_only_call) {
    const auto failed = call({"t/nobody"});
    BOOST_TEST(failed.status == 1);
    BOOST_TEST(failed.err.find("the worker answered error -32700: what was that") != std::string::npos,
               failed.err);
    BOOST_TEST(failed.elapsed < 30s);
}

BOOST_AUTO_TEST_CASE(P22_an_error_that_names_no_request_is_told_to_calls_that_get_no_answer) {
    raw_client other(box.socket());
    hold(other);
    raw_client client(box.socket());
    client.request("1", "worker.call", R"({"unit":"w","method":"t/nobody","timeout_ms":1000})");
    const std::string failed = client.reply();
    BOOST_TEST(failed.find("what was that") != std::string::npos, failed);
    BOOST_TEST(call({"t/release"}).status == 0);
    BOOST_TEST(json_at(other.reply(), "/result").value_or("") == "late");
}

BOOST_AUTO_TEST_CASE(P22_a_batch_is_read_as_its_messages) {
    const auto answered = call({"t/batch", "--collect", "n/one"});
    BOOST_TEST(json_at(answered.out, "/result").value_or("") == "of a batch", answered.text());
    BOOST_TEST(json_at(answered.out, "/events/0/params").value_or("") == "1", answered.out);
}

BOOST_AUTO_TEST_CASE(P21_an_answer_that_is_too_long_is_told_to_its_own_call) {
    raw_client other(box.socket());
    hold(other);
    for (const char* where : {"\"before\"", "\"behind\""}) {
        const auto failed = call({"t/huge", where});
        BOOST_TEST(failed.status == 1);
        BOOST_TEST(failed.err.find("its reply is longer than 16 MiB") != std::string::npos, failed.err);
        BOOST_TEST(failed.elapsed < 30s);
    }
    BOOST_TEST(call({"t/release"}).status == 0);
    BOOST_TEST(json_at(other.reply(), "/result").value_or("") == "late");
}

BOOST_AUTO_TEST_SUITE_END()
