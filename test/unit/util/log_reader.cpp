#include "util/log/log_reader.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "error.hpp"
#include "harness/sandbox.hpp"
#include "unit/process/unit_log.hpp"
#include "util/clock.hpp"
#include "util/log/log_reader_filter.hpp"
#include "util/log/log_reader_follow.hpp"
#include "util/log/log_reader_record.hpp"
#include "util/log/rotating_file.hpp"

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using namespace hob;

namespace {

struct place {
    place() {
        char name[] = "/tmp/hob-reader-XXXXXX";
        root = ::mkdtemp(name);
        path = root + "/x.log";
    }
    ~place() { fs::remove_all(root); }

    void put(const std::string& suffix, const std::string& text) const {
        std::ofstream(path + suffix, std::ios::binary) << text;
    }

    std::string root;
    std::string path;
};

using lines = std::vector<std::string>;

std::string joined(const lines& all) {
    std::string text;
    for (const auto& line : all)
        text += line + "|";
    return text;
}

lines forward(const std::string& path) {
    lines all;
    for (const auto& file : util::open_log_files(path)) {
        util::read_lines(file, 0, [&](std::string_view line) {
            all.emplace_back(line);
            return true;
        });
    }
    return all;
}

lines backward(const std::string& path, std::size_t count) {
    lines all;
    auto files = util::open_log_files(path);
    for (auto file = files.rbegin(); file != files.rend() && all.size() < count; ++file) {
        util::read_lines_backward(*file, file->size, [&](std::string_view line) {
            all.emplace_back(line);
            return all.size() < count;
        });
    }
    std::reverse(all.begin(), all.end());
    return all;
}

util::log_follower from_start(const std::string& path) {
    auto files = util::open_log_files(path);
    util::open_log current;
    if (!files.empty() && files.back().path == path) current = std::move(files.back());
    return util::log_follower(path, std::move(current), 0);
}

// The lines that the follower yields up to `last`, for at most ten seconds.
lines follow_until(util::log_follower& log, const std::string& last) {
    lines all;
    const auto limit = util::deadline::in(10s);
    while ((all.empty() || all.back() != last) && !limit.expired()) {
        log.drain([&](std::string_view line) {
            all.emplace_back(line);
            return true;
        });
        if (!all.empty() && all.back() == last) break;
        log.wait(STDOUT_FILENO, limit);
    }
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(log_reader)

BOOST_AUTO_TEST_CASE(reads_over_all_rotations_oldest_first) {
    const place here;
    here.put(".10", "a\n");
    here.put(".2", "b\nc\n");
    here.put(".1", "d\n");
    here.put("", "e\nunfinished");
    here.put(".old", "no\n");
    here.put(".01", "no\n");
    here.put(".1x", "no\n");
    fs::create_directory(here.path + ".3");
    BOOST_TEST(joined(forward(here.path)) == "a|b|c|d|e|unfinished|");
    BOOST_TEST(joined(backward(here.path, 100)) == "a|b|c|d|e|unfinished|");
    BOOST_TEST(joined(backward(here.path, 3)) == "d|e|unfinished|");
    BOOST_TEST(joined(backward(here.path, 1)) == "unfinished|");
    BOOST_TEST(forward(here.root + "/none/x.log").empty());
}

BOOST_AUTO_TEST_CASE(forward_and_backward_agree_on_any_bytes) {
    std::mt19937 random(5);
    for (int round = 0; round < 30; ++round) {
        const place here;
        std::string text;
        for (auto size = random() % 300000; text.size() < size;) {
            text += std::string(random() % (random() % 20 == 0 ? 150000 : 90),
                                static_cast<char>('a' + random() % 26));
            text += random() % 9 == 0 ? "\n\n" : "\n";
        }
        if (random() % 2 == 0) text += "end";
        here.put("", text);
        const auto all = forward(here.path);
        BOOST_TEST((backward(here.path, SIZE_MAX) == all));
        lines expected;
        for (std::size_t at = 0; at < text.size();) {
            const auto end = std::min(text.find('\n', at), text.size());
            if (end > at) expected.push_back(text.substr(at, end - at));
            at = end + 1;
        }
        BOOST_TEST((all == expected));
    }
}

BOOST_AUTO_TEST_CASE(a_file_without_newlines_takes_bounded_memory) {
    const place here;
    here.put("", "");
    fs::resize_file(here.path, 64 << 20);
    std::size_t bytes = 0;
    std::size_t longest = 0;
    const auto count = [&](std::string_view line) {
        bytes += line.size();
        longest = std::max(longest, line.size());
        return true;
    };
    const auto files = util::open_log_files(here.path);
    util::read_lines(files.at(0), 0, count);
    BOOST_TEST(bytes == 64u << 20);
    util::read_lines_backward(files.at(0), files.at(0).size, count);
    BOOST_TEST(bytes == 128u << 20);
    BOOST_TEST(longest < util::log_line_cap + (128u << 10));
}

BOOST_AUTO_TEST_CASE(an_unfinished_line_begins_after_the_last_newline) {
    const place here;
    for (const auto& [text, end] : std::vector<std::pair<std::string, off_t>>{
             {"", 0}, {"abc", 0}, {"abc\n", 4}, {"abc\nde", 4}, {"\n" + std::string(200000, 'x'), 1}}) {
        here.put("", text);
        BOOST_TEST(util::end_of_last_line(util::open_log_files(here.path).at(0)) == end);
    }
}

BOOST_AUTO_TEST_CASE(an_unreadable_log_is_an_error_with_its_path) {
    if (::geteuid() == 0) {
        BOOST_TEST_MESSAGE("skipped: root may read everything");
        return;
    }
    const place here;
    here.put("", "x\n");
    fs::permissions(here.path, fs::perms::none);
    BOOST_CHECK_THROW(util::open_log_files(here.path), failure);
}

BOOST_AUTO_TEST_CASE(records_of_all_kinds_are_parsed) {
    auto record = util::parse_log_record(
        R"({"ts":"2026-01-02T03:04:05.678Z","level":"warning","channel":"ipc","msg":"a \"b\"","pid":12,"name":"c d"})");
    BOOST_TEST((record.understood && record.json));
    BOOST_TEST((record.severity == util::level::warning));
    BOOST_TEST(util::message_and_fields(record) == R"(a "b" pid=12 name="c d")");
    record = util::parse_log_record(
        R"({"ts":"2026-01-02T03:04:05.678Z","stream":"stderr","data_b64":"gP8=","partial":true})");
    BOOST_TEST((record.understood && record.partial));
    BOOST_TEST(record.message == "\x80\xff");
    record = util::parse_log_record("2026-01-02T03:04:05.678Z error   unit      worker died pid=12");
    BOOST_TEST((record.understood && !record.json && record.severity == util::level::error));
    BOOST_TEST(record.message == "worker died pid=12", record.message);
}

BOOST_AUTO_TEST_CASE(other_lines_are_kept_unchanged) {
    for (const std::string line :
         {"", "plain", "{", "{}", R"({"ts":1})", R"({"ts":"x","level":"info","msg":"m"})", "\xff\xfe",
          R"({"ts":"2026-01-02T03:04:05Z","msg":"no kind"})", "[1]", "null"}) {
        const auto record = util::parse_log_record(line);
        BOOST_TEST(!record.understood, line);
        BOOST_TEST(record.message == line);
    }
}

BOOST_AUTO_TEST_CASE(S04_bytes_changed_at_random_are_read_without_fault) {
    std::mt19937 random(9);
    const std::string good =
        R"({"ts":"2026-01-02T03:04:05.678Z","level":"warning","channel":"ipc","msg":"a \u00e9 \"b\"","data_b64":"gP8=","n":[1,{}]})";
    for (int i = 0; i < 20000; ++i) {
        std::string line = good;
        for (auto changes = 1 + random() % 4; changes > 0; --changes) {
            const auto at = random() % line.size();
            if (random() % 2 == 0)
                line[at] = static_cast<char>(random() % 256);
            else
                line.erase(at, random() % 5);
            if (line.empty()) line = "x";
        }
        const auto record = util::parse_log_record(line);
        BOOST_REQUIRE((record.understood || record.message == line));
    }
}

BOOST_AUTO_TEST_CASE(times_are_parsed_as_people_write_them) {
    ::setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    ::tzset();
    const auto time = [](std::string_view text) { return *util::parse_rfc3339(text); };
    const auto now = time("2026-07-01T12:30:00+02:00");
    const auto when = [&](std::string_view text) { return util::parse_when(text, now); };
    BOOST_TEST((when("10m") == now - 10min));
    BOOST_TEST((when("1h30m") == now - 90min));
    BOOST_TEST((when("0") == now));
    BOOST_TEST((when("09:05") == time("2026-07-01T09:05:00+02:00")));
    BOOST_TEST((when("09:05:07") == time("2026-07-01T09:05:07+02:00")));
    BOOST_TEST((when("2026-01-02") == time("2026-01-02T00:00:00+01:00")));
    BOOST_TEST((when("2026-01-02 13:02") == time("2026-01-02T13:02:00+01:00")));
    BOOST_TEST((when("2026-01-02T13:02:11") == time("2026-01-02T13:02:11+01:00")));
    BOOST_TEST((when("2026-01-02T13:02:11Z") == time("2026-01-02T13:02:11Z")));
    for (const char* bad : {"", "now-ish", "25:00", "9:5", "2026-02-30", "2026-01-02 ", "2026-01-02T",
                            "2026-01-02x10:00", "-5m", "2026-1-2", "12:60"}) {
        BOOST_TEST(!when(bad).has_value(), bad);
    }
    ::unsetenv("TZ");
    ::tzset();
}

BOOST_AUTO_TEST_CASE(a_filter_keeps_matching_records) {
    const auto record = [](const char* at, const char* severity, const char* text) {
        return util::parse_log_record(std::string(R"({"ts":"2026-01-02T)") + at + R"(Z","level":")" +
                                      severity + R"(","channel":"x","msg":")" + text + R"(","pid":12})");
    };
    util::log_filter filter;
    BOOST_TEST(filter.matches(record("03:00:00", "info", "m")));
    filter.since = util::parse_rfc3339("2026-01-02T03:00:00Z");
    filter.until = util::parse_rfc3339("2026-01-02T04:00:00Z");
    BOOST_TEST(filter.matches(record("03:00:00", "info", "m")));
    BOOST_TEST(!filter.matches(record("02:59:59", "info", "m")));
    BOOST_TEST(!filter.matches(record("04:00:00", "info", "m")));
    BOOST_TEST(!filter.matches(util::parse_log_record("no record")));
    filter = {};
    filter.lowest = util::level::warning;
    BOOST_TEST(filter.matches(record("03:00:00", "error", "m")));
    BOOST_TEST(!filter.matches(record("03:00:00", "info", "m")));
    filter = {};
    filter.search_for("^wor(k|d) .*pid=1[23]$");
    BOOST_TEST(filter.matches(record("03:00:00", "info", "work x")));
    BOOST_TEST(!filter.matches(record("03:00:00", "info", "wort x")));
    BOOST_TEST(!filter.matches(util::parse_log_record("no record")));
}

BOOST_AUTO_TEST_CASE(U29_an_invalid_expression_is_an_error_and_no_valid_one_is_too_costly) {
    util::log_filter filter;
    for (const char* bad : {"(", "[", "*", "\\", "\\<a", "(a)\\1", "(((a{1,200}){1,200}){1,200})"}) {
        BOOST_CHECK_THROW(filter.search_for(bad), failure);
    }
    try {
        filter.search_for("(");
    } catch (const failure& why) {
        BOOST_TEST((why.kind() == error_kind::usage));
        BOOST_TEST(std::string(why.what()) == "cannot use '(' as a regular expression: missing ): (");
    }
    util::log_record record;
    record.message = std::string(60000, 'a');
    filter.search_for("^a*$");
    BOOST_TEST(filter.matches(record));
    filter.search_for("(a+)+b$");
    BOOST_TEST(!filter.matches(record));
    record.message = "10%\r\x1b[32m100.0%\x1b[0m\r";
    filter.search_for("^[\\d.]+%$");
    BOOST_TEST(filter.matches(record));
}

BOOST_AUTO_TEST_CASE(C04_following_sees_every_line_once_across_rotations) {
    const place here;
    util::rotating_file file(here.path, 4000, 50, {});
    auto log = from_start(here.path);
    constexpr int count = 3000;
    std::thread writer([&] {
        for (int i = 0; i < count; ++i) {
            file.append("line " + std::to_string(i) + " of the log\n");
            if (i % 50 == 0) hob::test::let_pass(2ms);  // otherwise the reader would see only the end
        }
        file.append("last\n");
    });
    const auto all = follow_until(log, "last");
    writer.join();
    BOOST_REQUIRE(all.size() == count + 1u);
    for (int i = 0; i < count; ++i) {
        if (all[i] != "line " + std::to_string(i) + " of the log") BOOST_FAIL("at " << i << ": " << all[i]);
    }
}

BOOST_AUTO_TEST_CASE(following_catches_up_over_several_rotations_at_once) {
    const place here;
    util::rotating_file file(here.path, 20, 10, {});
    file.append("first\n");
    auto log = from_start(here.path);
    BOOST_TEST(joined(follow_until(log, "first")) == "first|");
    for (int i = 0; i < 12; ++i)
        file.append("record " + std::to_string(i) + "\n");
    BOOST_TEST(
        joined(follow_until(log, "record 11")) ==
        "record 0|record 1|record 2|record 3|record 4|record 5|record 6|record 7|record 8|record 9|record "
        "10|record 11|");
}

BOOST_AUTO_TEST_CASE(following_continues_after_more_rotations_than_files_are_kept) {
    const place here;
    util::rotating_file file(here.path, 20, 2, {});
    file.append("first\n");
    auto log = from_start(here.path);
    follow_until(log, "first");
    for (int i = 0; i < 12; ++i)
        file.append("record " + std::to_string(i) + "\n");
    const auto all = follow_until(log, "record 11");
    BOOST_TEST(all.back() == "record 11");
    BOOST_TEST(std::count(all.begin(), all.end(), "first") == 0);
}

BOOST_AUTO_TEST_CASE(following_survives_truncation_removal_and_a_missing_directory) {
    const place here;
    const std::string path = here.root + "/a/b/x.log";
    auto log = from_start(path);
    BOOST_TEST(log.drain([](std::string_view) { return true; }));
    fs::create_directories(here.root + "/a/b");
    std::ofstream(path) << "one\n";
    BOOST_TEST(joined(follow_until(log, "one")) == "one|");
    std::ofstream(path) << "two, longer than before\n";  // truncates
    BOOST_TEST(joined(follow_until(log, "two, longer than before")) == "two, longer than before|");
    std::ofstream(path) << "3\n";
    BOOST_TEST(joined(follow_until(log, "3")) == "3|");
    fs::remove(path);
    std::ofstream(path) << "four\n";
    BOOST_TEST(joined(follow_until(log, "four")) == "four|");
    fs::remove_all(here.root + "/a");
    log.drain([](std::string_view) { return true; });
    fs::create_directories(here.root + "/a/b");
    std::ofstream(path) << "five\n";
    BOOST_TEST(joined(follow_until(log, "five")) == "five|");
}

BOOST_AUTO_TEST_CASE(following_waits_for_the_end_of_a_line) {
    const place here;
    here.put("", "");
    auto log = from_start(here.path);
    std::ofstream file(here.path, std::ios::app);
    file << "half" << std::flush;
    lines all;
    log.drain([&](std::string_view line) {
        all.emplace_back(line);
        return true;
    });
    BOOST_TEST(all.empty());
    file << " and half\n" << std::flush;
    BOOST_TEST(joined(follow_until(log, "half and half")) == "half and half|");
}

BOOST_AUTO_TEST_CASE(C04_following_ends_when_its_output_has_no_reader_any_more) {
    const place here;
    here.put("", "");
    auto log = from_start(here.path);
    log.drain([](std::string_view) { return true; });
    auto ends = util::make_pipe();
    std::thread reader([&] {
        hob::test::let_pass(50ms);  // usually the follower waits by then; it must end in either case
        ends.read.reset();
    });
    const auto limit = util::deadline::in(10s);
    auto reason = util::log_follower::wake_reason::readable;
    while (reason == util::log_follower::wake_reason::readable)
        reason = log.wait(ends.write.get(), limit);
    reader.join();
    BOOST_TEST((reason == util::log_follower::wake_reason::reader_gone));
}

BOOST_AUTO_TEST_SUITE_END()
