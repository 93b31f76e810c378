#include "unit/protocol/message_codec.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include "error.hpp"
#include "unit/protocol/framing.hpp"
#include "unit/spec/worker_protocol.hpp"

using hob::unit::worker_message;

BOOST_AUTO_TEST_SUITE(message_codec)

BOOST_AUTO_TEST_CASE(W10_only_ids_in_our_own_form_are_ours) {
    const auto codec = hob::unit::make_jsonrpc_codec();
    for (const char* id :
         {"-1", "1.0", "1e0", "\"1\"", "null", "01", "18446744073709551616", "[1]", "true"}) {
        const auto message = codec->decode("{\"id\":" + std::string(id) + ",\"result\":1}");
        BOOST_TEST_CONTEXT(id) { BOOST_TEST(!message.id.has_value()); }
    }
    BOOST_TEST(codec->decode(R"({"id":18446744073709551615,"result":1})").id.value() ==
               18446744073709551615u);
}

BOOST_AUTO_TEST_CASE(replies_errors_requests_and_notifications_are_recognized) {
    const auto codec = hob::unit::make_jsonrpc_codec();
    BOOST_TEST((codec->decode(R"({"id":1,"result":null})").type == worker_message::kind::result));
    BOOST_TEST((codec->decode(R"({"id":1,"result":5,"error":null})").type == worker_message::kind::result));
    BOOST_TEST((codec->decode(R"({"id":1,"error":{"code":1}})").type == worker_message::kind::error));
    BOOST_TEST((codec->decode(R"({"id":1,"method":"m"})").type == worker_message::kind::request));
    BOOST_TEST((codec->decode(R"({"method":"m"})").type == worker_message::kind::notification));
    const auto bare = codec->decode(R"({"jsonrpc":"2.0","id":1})");
    BOOST_TEST((bare.type == worker_message::kind::result && bare.id == 1u && bare.payload == "null"));
    for (const char* line :
         {"", "x", "[]", "1", "{}", R"({"id":1})", R"({"result":1})", R"({"method":5})", "{\"id\":1,"}) {
        BOOST_TEST_CONTEXT(line) { BOOST_TEST((codec->decode(line).type == worker_message::kind::noise)); }
    }
}

BOOST_AUTO_TEST_CASE(an_error_text_is_one_line) {
    const auto codec = hob::unit::make_jsonrpc_codec();
    BOOST_TEST(codec->decode(R"({"id":1,"error":{"code":-5,"message":"a\nb"}})").text ==
               "the worker answered error -5: a b");
    BOOST_TEST(codec->decode(R"({"id":1,"error":"no"})").text == "the worker answered error \"no\"");
}

BOOST_AUTO_TEST_CASE(lines_join_words_with_blanks) {
    const auto codec = hob::unit::find_protocol("lines")->make_codec();
    BOOST_TEST(codec->request(1, "w", "GET", "") == "GET");
    BOOST_TEST(codec->request(1, "w", "GET", R"(["a",1.50,{"k": true}])") == R"(GET a 1.50 {"k":true})");
    BOOST_TEST(codec->request(1, "w", "GET", R"("a b")") == "GET a b");
    BOOST_CHECK_THROW(codec->request(1, "w", "GET", R"("a\nb")"), hob::failure);
}

BOOST_AUTO_TEST_CASE(headers_frame_messages_however_they_are_cut) {
    const std::string stream =
        "Content-Length: 2\r\n\r\n{}noise in between\ncontent-length:3\r\nContent-Type: x\r\n\r\n[1]"
        "glued Content-Length: 4\n\ntrue";
    for (std::size_t step = 1; step <= stream.size(); ++step) {
        hob::unit::header_framing framing;
        std::vector<std::string> frames;
        for (std::size_t at = 0; at < stream.size(); at += step) {
            framing.feed(std::string_view(stream).substr(at, step));
            while (const auto next = framing.next())
                frames.emplace_back(next->line);
        }
        const std::vector<std::string> expected = {"{}", "noise in between", "[1]", "glued ", "true"};
        BOOST_TEST_CONTEXT(step) { BOOST_TEST(frames == expected, boost::test_tools::per_element()); }
        BOOST_TEST(!framing.last().has_value());
    }
}

BOOST_AUTO_TEST_CASE(a_header_behind_a_long_print_is_found_however_it_is_cut) {
    for (const std::size_t length : {4070u, 4082u, 4090u, 4096u, 4097u, 9000u}) {
        const std::string print(length, 'x');
        const std::string stream = print + "Content-Length: 2\r\n\r\n{}";
        for (std::size_t cut = length > 5000 ? length - 10 : 4000; cut <= stream.size(); ++cut) {
            hob::unit::header_framing framing;
            std::string printed;
            std::string message;
            const auto take = [&] {
                while (const auto next = framing.next())
                    (next->line.starts_with('x') ? printed : message) += next->line;
            };
            framing.feed(std::string_view(stream).substr(0, cut));
            take();
            framing.feed(std::string_view(stream).substr(cut));
            take();
            BOOST_TEST_CONTEXT(length << ", cut at " << cut) {
                BOOST_TEST(printed.size() == length);
                BOOST_TEST(message == "{}");
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(W01_an_oversized_body_is_reported_once_and_skipped) {
    hob::unit::header_framing framing;
    framing.feed("Content-Length: 16777217\r\n\r\n");
    BOOST_TEST(framing.next().value().oversized);
    const std::string part(1 << 20, 'x');
    for (int i = 0; i < 16; ++i) {
        framing.feed(part);
        BOOST_TEST(!framing.next().has_value());
    }
    framing.feed("xContent-Length: 1\r\n\r\n5");
    BOOST_TEST(framing.next().value().line == "5");
}

BOOST_AUTO_TEST_CASE(messages_of_a_debug_adapter_are_recognized) {
    const auto codec = hob::unit::find_protocol("dap")->make_codec();
    BOOST_TEST(codec->request(7, "w", "next", R"({"threadId": 1.0})") ==
               R"({"seq":7,"type":"request","command":"next","arguments":{"threadId": 1.0}})");
    const auto result =
        codec->decode(R"({"seq":1,"type":"response","request_seq":7,"success":true,"command":"next"})");
    BOOST_TEST((result.type == worker_message::kind::result));
    BOOST_TEST(result.id.value() == 7u);
    BOOST_TEST(result.payload == "null");
    const auto error = codec->decode(
        R"({"seq":1,"type":"response","request_seq":7,"success":false,"body":{"error":{"id":1,"format":"no {x}","variables":{"x":"luck"}}}})");
    BOOST_TEST((error.type == worker_message::kind::error));
    BOOST_TEST(error.text == "the worker answered an error: no luck");
    BOOST_TEST((codec->decode(R"({"seq":1,"type":"event","event":"e"})").type ==
                worker_message::kind::notification));
    BOOST_TEST((codec->decode(R"({"jsonrpc":"2.0","id":1,"result":1})").type == worker_message::kind::noise));
    BOOST_TEST(codec->cancellation(7, 8).empty());
    codec->set_capabilities(R"({"supportsCancelRequest":true})");
    BOOST_TEST(codec->cancellation(7, 8) ==
               R"({"seq":8,"type":"request","command":"cancel","arguments":{"requestId":7}})");
}

BOOST_AUTO_TEST_SUITE_END()
