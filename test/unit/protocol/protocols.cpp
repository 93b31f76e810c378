#include "unit/protocol/protocols.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

#include "paths.hpp"

using hob::unit::all_protocols;
using hob::unit::find_protocol;
using hob::unit::worker_protocol;

BOOST_AUTO_TEST_SUITE(protocols)

BOOST_AUTO_TEST_CASE(the_table_is_sorted_and_finds_each_record) {
    const auto all = all_protocols();
    const auto earlier = [](const worker_protocol* a, const worker_protocol* b) { return a->name < b->name; };
    BOOST_TEST(std::is_sorted(all.begin(), all.end(), earlier));
    for (const auto* protocol : all)
        BOOST_TEST(find_protocol(protocol->name) == protocol, protocol->name);
    for (const char* name : {"", "a", "ls", "lspx", "zzz"})
        BOOST_TEST(find_protocol(name) == nullptr, name);
}

BOOST_AUTO_TEST_CASE(every_record_makes_parts_that_read_what_they_write) {
    for (const auto* protocol : all_protocols()) {
        const auto parts = hob::unit::instantiate(*protocol);
        BOOST_TEST_CONTEXT(protocol->name) {
            BOOST_REQUIRE((parts.framing && parts.codec && parts.session));
            const std::string request = parts.codec->request(7, "w", "m", R"(["x"])");
            parts.framing->feed(parts.framing->encode(request));
            const auto frame = parts.framing->next();
            BOOST_REQUIRE(frame.has_value());
            BOOST_TEST(frame->line == request);
        }
    }
}

BOOST_AUTO_TEST_CASE(every_protocol_has_a_row_in_its_page) {
    std::ifstream page(HOB_SOURCE_DIR "/doc/workers.md");
    const std::string text{std::istreambuf_iterator<char>(page), {}};
    for (const auto* protocol : all_protocols())
        BOOST_TEST(text.find("\n| `" + std::string(protocol->name) + "` |") != std::string::npos,
                   protocol->name);
}

BOOST_AUTO_TEST_SUITE_END()
