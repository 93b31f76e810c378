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
         {"-1", "1.5", "1.", "1e0", "\"x\"", "\"\"", "null", "01", "18446744073709551616", "[1]", "true"}) {
        const auto message = codec->decode("{\"id\":" + std::string(id) + ",\"result\":1}");
        BOOST_TEST_CONTEXT(id) { BOOST_TEST(!message.id.has_value()); }
    }
    BOOST_TEST(codec->decode(R"({"id":18446744073709551615,"result":1})").id.value() ==
               18446744073709551615u);
}

BOOST_AUTO_TEST_CASE(P22_ids_of_ours_are_recognized_as_strings_and_with_a_fraction) {
    const auto codec = hob::unit::make_jsonrpc_codec();
    for (const char* id : {"7", "7.0", "7.00", "\"7\""}) {
        const auto message = codec->decode("{\"id\":" + std::string(id) + ",\"result\":1}");
        BOOST_TEST_CONTEXT(id) { BOOST_TEST((message.id == 7u)); }
    }
}

BOOST_AUTO_TEST_CASE(P22_a_batch_is_several_messages) {
    const auto codec = hob::unit::make_jsonrpc_codec();
    BOOST_TEST(codec->messages(R"( [{"id":1}, {"id":2}])") ==
                   (std::vector<std::string_view>{R"({"id":1})", R"({"id":2})"}),
               boost::test_tools::per_element());
    for (const std::string_view whole : {"{}", "[]", "[1", "", "x"})
        BOOST_TEST(codec->messages(whole) == std::vector<std::string_view>{whole},
                   boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(P21_an_oversized_message_is_known_by_its_ends) {
    const auto codec = hob::unit::make_jsonrpc_codec();
    const auto read = [&](std::string_view head, std::string_view tail) {
        return codec->decode_oversized(head, tail);
    };
    BOOST_TEST((read(R"({"jsonrpc":"2.0","id":7,"result":[1,2)", "3]}").id == 7u));
    BOOST_TEST(
        (read(R"({"result":{"id":1,"x":[1,2)", R"(3],"id":2},"jsonrpc":"2.0", "id" : 7 } )").id == 7u));
    BOOST_TEST((read(R"({"result":"text)", R"( with \" a quote","id":7})").id == 7u));
    for (const auto& [head, tail] :
         {std::pair(R"({"id":7)", "8"), std::pair(R"({"result":{"id":7,)", R"(,"id":8}})"), std::pair("", ""),
          std::pair("[1,2", R"("id":7}])")})
        BOOST_TEST_CONTEXT(head) { BOOST_TEST((read(head, tail).type == worker_message::kind::noise)); }
    BOOST_TEST((read(R"({"method":"m","params":[)", "]}").type == worker_message::kind::notification));
    const auto dap = hob::unit::find_protocol("dap")->make_codec();
    BOOST_TEST(
        (dap->decode_oversized(R"({"seq":1,"type":"response","request_seq":7,"body":[)", "]}").id == 7u));
    BOOST_TEST(
        (dap->decode_oversized(R"({"body":[)", R"(],"request_seq":7,"success":true,"command":"x"})").id ==
         7u));
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

std::vector<std::string> frames_of(std::vector<std::string> parts) {
    hob::unit::header_framing framing;
    std::vector<std::string> frames;
    for (const auto& part : parts) {
        framing.feed(part);
        while (const auto next = framing.next())
            frames.emplace_back(next->line);
        if (const auto early = framing.early()) frames.emplace_back(early->line);
    }
    return frames;
}

BOOST_AUTO_TEST_CASE(a_body_that_is_shorter_than_its_header_says_ends_where_its_json_ends) {
    const std::string long_header = "Content-Length: 9\r\n\r\n";
    const std::string next = "content-length: 3\r\n\r\n[1]";
    const std::vector<std::string> both = {"{\"a\":1}", "[1]"};
    BOOST_TEST(frames_of({long_header + "{\"a\":1}", next}) == both, boost::test_tools::per_element());
    BOOST_TEST(frames_of({long_header + "{\"a\":1}" + next}) == both, boost::test_tools::per_element());
    for (const char* blank : {" ", "\n"})
        BOOST_TEST(frames_of({long_header + "{\"a\":1}", blank + next}) == both,
                   boost::test_tools::per_element());
    // Not all of it has come.
    BOOST_TEST(frames_of({"Content-Length: 8\r\n\r\n", "{\"a\":{}", "}"}).back() == "{\"a\":{}}");
    BOOST_TEST(frames_of({"Content-Length: 90\r\n\r\n{}"}).empty());
    hob::unit::header_framing framing;
    framing.feed("Content-Length: 90\r\n\r\n{}");
    BOOST_TEST(!framing.next().has_value());
    BOOST_TEST(framing.unfinished() == "of a message of 90 bytes, 2 came");
}

BOOST_AUTO_TEST_CASE(W01_P21_an_oversized_message_is_reported_once_at_its_end_with_its_ends) {
    const auto check = [](hob::unit::framing& framing, const std::string& end) {
        const std::string part(1 << 20, 'x');
        framing.feed("head");
        for (int i = 0; i < 16; ++i) {
            framing.feed(part);
            BOOST_TEST(!framing.next().has_value());
        }
        framing.feed("tail" + end);
        const auto frame = framing.next().value();
        BOOST_TEST(frame.oversized);
        BOOST_TEST(frame.line.substr(0, 5) == "headx");
        BOOST_TEST(frame.tail.substr(frame.tail.size() - 5) == "xtail");
        BOOST_TEST(framing.next().value().line == "5");
    };
    hob::unit::header_framing headers;
    headers.feed("Content-Length: 16777224\r\n\r\n");
    check(headers, "Content-Length: 1\r\n\r\n5");
    hob::unit::line_framing lines;
    check(lines, "\n5\n");
}

BOOST_AUTO_TEST_CASE(P16_variables_of_an_error_do_not_make_it_endless) {
    std::string marks;
    for (int i = 0; i < 5000; ++i)
        marks += "{a}";
    const auto error = hob::unit::find_protocol("dap")->make_codec()->decode(
        R"({"type":"response","request_seq":7,"success":false,"body":{"error":{"format":")" + marks +
        R"(","variables":{"a":")" + std::string(1'000, 'x') + "\"}}}}");
    BOOST_TEST((error.type == worker_message::kind::error));
    BOOST_TEST(error.text.size() < 20'000u);
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
