#include "ipc/frame.hpp"

#include <boost/test/unit_test.hpp>
#include <random>
#include <string>
#include <vector>

using hob::ipc::line_reader;

namespace {

constexpr std::string_view oversized = "<oversized>";

std::vector<std::string> drain(line_reader& reader) {
    std::vector<std::string> lines;
    while (const auto frame = reader.next())
        lines.emplace_back(frame->oversized ? oversized : frame->line);
    return lines;
}

void append(std::vector<std::string>& to, const std::vector<std::string>& more) {
    to.insert(to.end(), more.begin(), more.end());
}

using lines = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_SUITE(frame)

BOOST_AUTO_TEST_CASE(W02_section_2_1_a_frame_split_at_every_byte_is_one_frame) {
    const std::string text = "{\"id\":1}\n";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        line_reader reader;
        lines got;
        reader.feed(text.substr(0, cut));
        append(got, drain(reader));
        reader.feed(text.substr(cut));
        append(got, drain(reader));
        BOOST_TEST(got == lines{"{\"id\":1}"}, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(W02_section_2_1_many_frames_in_one_write_are_many) {
    line_reader reader;
    std::string text;
    for (int i = 0; i < 5000; ++i)
        text += std::to_string(i) + "\n";
    reader.feed(text + "rest");
    const auto got = drain(reader);
    BOOST_TEST(got.size() == 5000u);
    BOOST_TEST(got.back() == "4999");
    BOOST_TEST(std::string(reader.last()->line) == "rest");
    BOOST_TEST(!reader.last().has_value());
}

BOOST_AUTO_TEST_CASE(W01_section_2_4_an_oversized_line_is_said_once_and_skipped) {
    line_reader reader(10);
    reader.feed("0123456789\n");
    BOOST_TEST(drain(reader) == lines{"0123456789"}, boost::test_tools::per_element());
    reader.feed("0123456789a");
    BOOST_TEST(drain(reader) == lines{std::string(oversized)}, boost::test_tools::per_element());
    reader.feed("more and more");
    BOOST_TEST(drain(reader).empty());
    reader.feed("of it\nnext\n");
    BOOST_TEST(drain(reader) == lines{"next"}, boost::test_tools::per_element());
    reader.feed("0123456789abc\nafter\n");
    BOOST_TEST(drain(reader) == (lines{std::string(oversized), "after"}), boost::test_tools::per_element());
    reader.feed("0123456789abc");
    BOOST_TEST(drain(reader).size() == 1u);
    BOOST_TEST(!reader.last().has_value());
}

BOOST_AUTO_TEST_CASE(W01_section_2_4_memory_is_given_back_after_a_large_line) {
    line_reader reader;
    reader.feed(std::string(3u << 20, 'x') + "\n");
    BOOST_TEST(drain(reader).size() == 1u);
    BOOST_TEST(reader.capacity() > (3u << 20));
    reader.trim();
    BOOST_TEST(reader.capacity() == 0u);
    reader.feed(std::string(1u << 20, 'x') + "\nshort");
    BOOST_TEST(drain(reader).size() == 1u);
    reader.feed(" one\n");
    BOOST_TEST(drain(reader) == lines{"short one"}, boost::test_tools::per_element());
    BOOST_TEST(reader.capacity() <= 8192u);
}

BOOST_AUTO_TEST_CASE(W01_section_2_4_a_skipped_line_of_any_length_takes_no_memory) {
    line_reader reader(1000);
    int reported = 0;
    for (int i = 0; i < 2000; ++i) {
        reader.feed(std::string(4096, 'y'));
        reported += static_cast<int>(drain(reader).size());
    }
    BOOST_TEST(reported == 1);
    BOOST_TEST(reader.capacity() <= (64u << 10));
}

BOOST_AUTO_TEST_CASE(S04_random_pieces_come_out_as_the_same_lines) {
    std::mt19937 random(11);
    for (int round = 0; round < 200; ++round) {
        lines expected;
        std::string text;
        for (int i = 0; i < 40; ++i) {
            const std::size_t length = random() % 8 == 0 ? random() % 9000 : random() % 40;
            const std::string line(length, static_cast<char>('a' + i % 26));
            text += line + "\n";
            expected.push_back(length > 5000 ? std::string(oversized) : line);
        }
        line_reader reader(5000);
        lines got;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t count = std::min<std::size_t>(1 + random() % 700, text.size() - at);
            if (random() % 2 == 0) {
                reader.feed(std::string_view(text).substr(at, count));
                at += count;
            } else {
                const auto room = reader.prepare();
                const std::size_t fitting = std::min(count, room.size());
                text.copy(room.data(), fitting, at);
                reader.commit(fitting);
                at += fitting;
            }
            append(got, drain(reader));
        }
        BOOST_REQUIRE(got == expected);
    }
}

BOOST_AUTO_TEST_SUITE_END()
