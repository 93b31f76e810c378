#include "unit/task/run_output.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "unit/process/unit_log.hpp"

using namespace hob::unit;

namespace {

struct logged_run {
    explicit logged_run(std::uint64_t max_size = 10u << 20)
        : root(::mkdtemp(std::string("/tmp/hob-output-XXXXXX").data())),
          log(root + "/log/t.log", max_size, 1) {
        record.id = 7;
        record.started_at = std::chrono::system_clock::now();
    }
    ~logged_run() { std::filesystem::remove_all(root); }

    void write(std::string_view stream, std::string_view bytes) {
        log.write(stream, bytes, record.id);
        record.output_bytes = record.output_bytes.value_or(0) + static_cast<std::int64_t>(bytes.size());
    }
    void end() {
        for (const auto stream : output_streams_of_run)
            log.end(stream, record.id);
    }

    std::string root;
    unit_log log;
    run_record record;
};

std::string bytes_of(const logged_output& found, std::size_t stream) {
    std::string bytes;
    for (const auto& piece : found.pieces) {
        if (piece.stream == stream) bytes += piece.bytes;
    }
    return bytes;
}

const std::string binary("\xff\xfe\0\x01 half\n", 10);

}  // namespace

BOOST_AUTO_TEST_SUITE(run_output)

BOOST_AUTO_TEST_CASE(every_part_of_the_output_is_found_byte_for_byte) {
    logged_run run;
    const std::string out = "one\n\n" + binary + std::string(3u << 20, 'x') + "\n\xc3\xa9\n";
    const std::string errors = "e1\ne2\n";
    run.log.write("stdout", "of another run\n", 6);
    run.write("stdout", out.substr(0, 11));
    run.write("stderr", errors);
    run.write("stdout", out.substr(11));
    run.log.write("stdout", "of another run\n", 8);
    run.log.write("hob", "not its output\n", 7);
    BOOST_TEST(run.log.unfinished("stdout", 7) == "");
    for (const std::uint64_t from : {0u, 1u, 3u, 4u, 5u, 6u, 14u, 15u, 70'000u, 3'145'743u}) {
        const auto found = read_run_output(run.log.path(), 7, {from, from % 7}, {out.size(), errors.size()});
        BOOST_TEST((bytes_of(found, 0) == out.substr(from)), from);
        BOOST_TEST(bytes_of(found, 1) == errors.substr(std::min<std::size_t>(from % 7, errors.size())));
        BOOST_TEST((found.missing == run_offsets{}));
    }
    const auto none = read_run_output(run.log.path(), 7, {out.size(), errors.size()}, {out.size(), errors.size()});
    BOOST_TEST(none.pieces.empty());
    BOOST_TEST((logged_size(run.log.path(), run.record) == run_offsets{out.size(), errors.size()}));
}

BOOST_AUTO_TEST_CASE(the_order_of_both_streams_is_that_of_the_log) {
    logged_run run;
    for (const char* line : {"a", "b", "c"}) {
        run.write("stdout", std::string(line) + "\n");
        run.write("stderr", std::string(line) + "!\n");
    }
    std::string shown;
    for (const auto& piece : read_run_output(run.log.path(), 7, {2, 0}, {6, 9}).pieces)
        shown += piece.bytes;
    BOOST_TEST(shown == "a!\nb\nb!\nc\nc!\n");
}

BOOST_AUTO_TEST_CASE(the_last_line_has_a_newline_only_if_the_run_wrote_one) {
    for (const std::string out : {"x\nend", "x\nend\n"}) {
        for (const std::string errors : {"", "e", "e\n"}) {
            logged_run run;
            run.write("stdout", out);
            if (!errors.empty()) run.write("stderr", errors);
            run.end();
            const auto found = read_ended_output(run.log.path(), run.record, {1, 0});
            BOOST_TEST(bytes_of(found, 0) == out.substr(1));
            BOOST_TEST(bytes_of(found, 1) == errors);
            run.record.output_bytes.reset();  // as of one that was lost
            BOOST_TEST(bytes_of(read_ended_output(run.log.path(), run.record, {0, 0}), 0) == out);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_was_rotated_away_is_missing) {
    logged_run run(4096);
    std::string out;
    for (int i = 0; i < 500; ++i) {
        const std::string line = "line " + std::to_string(i) + "\n";
        out += line;
        run.write("stdout", line);
    }
    run.end();
    for (const std::uint64_t from : {std::uint64_t(0), std::uint64_t(100), out.size() - 20}) {
        const auto live = read_run_output(run.log.path(), 7, {from, 0}, {out.size(), 0});
        const auto ended = read_ended_output(run.log.path(), run.record, {from, 0});
        for (const auto* found : {&live, &ended}) {
            const std::string rest = bytes_of(*found, 0);
            BOOST_TEST(out.ends_with(rest));
            BOOST_TEST(rest.size() + found->missing[0] == out.size() - from);
        }
        BOOST_TEST((live.missing[0] > 0) == (from < 1000));
    }
}

BOOST_AUTO_TEST_CASE(a_log_that_is_not_there_has_nothing) {
    const auto found = read_run_output("/nowhere/t.log", 1, {2, 0}, {10, 0});
    BOOST_TEST(found.pieces.empty());
    BOOST_TEST(found.missing[0] == 8u);
}

BOOST_AUTO_TEST_SUITE_END()
