#include "unit/dialect.hpp"

#include <boost/test/unit_test.hpp>

#include "error.hpp"

using hob::unit::answer;

BOOST_AUTO_TEST_SUITE(dialect)

BOOST_AUTO_TEST_CASE(W10_only_ids_in_our_own_form_are_ours) {
    const auto speaks = hob::unit::make_jsonrpc_dialect();
    for (const char* id :
         {"-1", "1.0", "1e0", "\"1\"", "null", "01", "18446744073709551616", "[1]", "true"}) {
        const auto got = speaks->understand("{\"id\":" + std::string(id) + ",\"result\":1}");
        BOOST_TEST_CONTEXT(id) { BOOST_TEST(!got.id.has_value()); }
    }
    BOOST_TEST(speaks->understand(R"({"id":18446744073709551615,"result":1})").id.value() ==
               18446744073709551615u);
}

BOOST_AUTO_TEST_CASE(replies_errors_requests_and_notifications_are_told_apart) {
    const auto speaks = hob::unit::make_jsonrpc_dialect();
    BOOST_TEST((speaks->understand(R"({"id":1,"result":null})").what == answer::kind::result));
    BOOST_TEST((speaks->understand(R"({"id":1,"result":5,"error":null})").what == answer::kind::result));
    BOOST_TEST((speaks->understand(R"({"id":1,"error":{"code":1}})").what == answer::kind::error));
    BOOST_TEST((speaks->understand(R"({"id":1,"method":"m"})").what == answer::kind::request));
    BOOST_TEST((speaks->understand(R"({"method":"m"})").what == answer::kind::notification));
    for (const char* line :
         {"", "x", "[]", "1", "{}", R"({"id":1})", R"({"result":1})", R"({"method":5})", "{\"id\":1,"}) {
        BOOST_TEST_CONTEXT(line) { BOOST_TEST((speaks->understand(line).what == answer::kind::noise)); }
    }
}

BOOST_AUTO_TEST_CASE(an_error_is_told_in_one_line) {
    const auto speaks = hob::unit::make_jsonrpc_dialect();
    BOOST_TEST(speaks->understand(R"({"id":1,"error":{"code":-5,"message":"a\nb"}})").text ==
               "the worker answered error -5: a b");
    BOOST_TEST(speaks->understand(R"({"id":1,"error":"no"})").text == "the worker answered error \"no\"");
}

BOOST_AUTO_TEST_CASE(lines_join_words_with_blanks) {
    const auto speaks = hob::unit::make_lines_dialect();
    BOOST_TEST(speaks->request(1, "w", "GET", "") == "GET");
    BOOST_TEST(speaks->request(1, "w", "GET", R"(["a",1.50,{"k": true}])") == R"(GET a 1.50 {"k":true})");
    BOOST_TEST(speaks->request(1, "w", "GET", R"("a b")") == "GET a b");
    BOOST_CHECK_THROW(speaks->request(1, "w", "GET", R"("a\nb")"), hob::failure);
}

BOOST_AUTO_TEST_CASE(protocols_of_later_versions_are_not_spoken) {
    BOOST_TEST(!hob::unit::make_protocol(hob::unit::worker_protocol::lsp).has_value());
    BOOST_TEST(hob::unit::make_protocol(hob::unit::worker_protocol::lines).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
