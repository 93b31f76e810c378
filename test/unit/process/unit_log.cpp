#include "unit/process/unit_log.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "fixtures/run_loop.hpp"
#include "harness/private_tmpfs.hpp"
#include "harness/sandbox.hpp"
#include "limits.hpp"
#include "util/clock.hpp"
#include "util/fd.hpp"
#include "util/json/json_text.hpp"

namespace fs = std::filesystem;

namespace {

struct place {
    place() {
        char name[] = "/tmp/hob-unitlog-XXXXXX";
        root = ::mkdtemp(name);
        path = root + "/log/db.log";
    }
    ~place() { fs::remove_all(root); }

    std::string root;
    std::string path;
};

struct record {
    std::string stream;
    std::string bytes;
    bool partial = false;
    bool base64 = false;
};

std::vector<record> records_of(const std::string& path) {
    std::vector<record> records;
    std::ifstream file(path, std::ios::binary);
    for (std::string line; std::getline(file, line);) {
        const auto members = hob::util::json_object_members(line);
        BOOST_REQUIRE_MESSAGE(members.has_value(), "not JSON: " << line.substr(0, 200));
        record one;
        for (const auto& member : *members) {
            if (member.key == "stream") one.stream = *hob::util::json_unquote(member.value);
            if (member.key == "msg") one.bytes = *hob::util::json_unquote(member.value);
            if (member.key == "partial") one.partial = member.value == "true";
            if (member.key == "data_b64") {
                one.base64 = true;
                one.bytes = *hob::util::base64_decode(*hob::util::json_unquote(member.value));
            }
            if (member.key == "ts") {
                BOOST_REQUIRE(hob::util::parse_rfc3339(*hob::util::json_unquote(member.value)).has_value());
            }
        }
        records.push_back(one);
    }
    return records;
}

std::string text_of(const std::vector<record>& records) {
    std::string text;
    for (const auto& one : records)
        text += one.stream + (one.partial ? "+:" : ":") + one.bytes + "|";
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(unit_log)

using unit_log_file = hob::unit::unit_log;

BOOST_AUTO_TEST_CASE(a_line_is_a_record_with_time_and_stream) {
    const place here;
    unit_log_file log(here.path, 1 << 20, 3);
    log.write("stdout", "one\ntwo\n");
    log.write("stderr", "three\n");
    log.write("hob", "exited with 0\n");
    BOOST_TEST(text_of(records_of(here.path)) == "stdout:one|stdout:two|stderr:three|hob:exited with 0|");
}

BOOST_AUTO_TEST_CASE(lines_come_out_whole_in_any_chunking_and_streams_do_not_mix) {
    std::mt19937 random(3);
    for (int round = 0; round < 40; ++round) {
        const place here;
        unit_log_file log(here.path, 1 << 20, 3);
        std::map<std::string, std::string> sent;
        for (int i = 0; i < 60; ++i) {
            const std::string stream = random() % 2 == 0 ? "stdout" : "stderr";
            std::string chunk;
            for (auto size = random() % 12; size > 0; --size) {
                chunk += random() % 5 == 0 ? '\n' : static_cast<char>(random() % 256);
            }
            sent[stream] += chunk;
            log.write(stream, chunk);
        }
        log.end("stdout");
        log.end("stderr");
        std::map<std::string, std::string> got;
        for (const auto& one : records_of(here.path))
            got[one.stream] += one.bytes + '\n';
        for (auto& [stream, bytes] : sent) {
            if (!bytes.empty() && bytes.back() != '\n') bytes += '\n';
            BOOST_TEST((got[stream] == bytes));
        }
    }
}

BOOST_AUTO_TEST_CASE(the_last_line_before_an_exit_is_kept_without_its_newline) {
    const place here;
    unit_log_file log(here.path, 1 << 20, 3);
    log.write("stdout", "first\nlast wor");
    log.write("stdout", "ds");
    BOOST_TEST(text_of(records_of(here.path)) == "stdout:first|");
    log.end("stdout");
    log.end("stdout");
    log.end("stderr");
    BOOST_TEST(text_of(records_of(here.path)) == "stdout:first|stdout:last words|");
}

BOOST_AUTO_TEST_CASE(empty_lines_and_carriage_returns_and_nul_survive) {
    const place here;
    unit_log_file log(here.path, 1 << 20, 3);
    log.write("stdout", std::string_view("\n\r\na\0b\n", 7));
    const auto records = records_of(here.path);
    BOOST_REQUIRE(records.size() == 3u);
    BOOST_TEST(records[0].bytes == "");
    BOOST_TEST(records[1].bytes == "\r");
    BOOST_TEST(records[2].bytes == std::string("a\0b", 3));
}

BOOST_AUTO_TEST_CASE(U07_bytes_that_are_not_utf8_survive) {
    const place here;
    unit_log_file log(here.path, 1 << 20, 3);
    std::string all;
    for (int byte = 0; byte < 256; ++byte) {
        if (byte != '\n') all.push_back(static_cast<char>(byte));
    }
    log.write("stdout", all + "\nplain\n");
    const auto records = records_of(here.path);
    BOOST_REQUIRE(records.size() == 2u);
    BOOST_TEST(records[0].base64);
    BOOST_TEST((records[0].bytes == all));
    BOOST_TEST(!records[1].base64);
}

BOOST_AUTO_TEST_CASE(a_long_line_is_kept_in_pieces_that_say_so) {
    const place here;
    unit_log_file log(here.path, 10 << 20, 3);
    const std::size_t max = hob::limits::log_line_max;
    std::string line(max, 'a');
    log.write("stdout", line + "\n");  // just fits
    line.assign(3 * max + 17, 'b');
    for (std::size_t at = 0; at < line.size(); at += 4000)
        log.write("stdout", line.substr(at, 4000));
    log.write("stdout", "\nshort\n");
    const auto records = records_of(here.path);
    BOOST_REQUIRE(records.size() == 6u);
    BOOST_TEST(!records[0].partial);
    std::string joined;
    for (std::size_t i = 1; i < 5; ++i) {
        joined += records[i].bytes;
        BOOST_TEST(records[i].partial == (i < 4));
        BOOST_TEST(records[i].bytes.size() <= max);
    }
    BOOST_TEST((joined == line));
    BOOST_TEST(records[5].bytes == "short");
}

BOOST_AUTO_TEST_CASE(a_long_line_is_cut_between_characters) {
    const place here;
    unit_log_file log(here.path, 10 << 20, 3);
    for (const std::string character : {"ä", "€", "😀"}) {
        std::string line = "x";
        while (line.size() < 3 * hob::limits::log_line_max)
            line += character;
        fs::remove(here.path);
        unit_log_file fresh(here.path, 10 << 20, 3);
        fresh.write("stdout", line + "\n");
        std::string joined;
        for (const auto& one : records_of(here.path)) {
            BOOST_TEST(!one.base64);
            joined += one.bytes;
        }
        BOOST_TEST((joined == line));
    }
}

BOOST_AUTO_TEST_CASE(U07_endless_output_without_a_newline_takes_bounded_memory_and_disk) {
    const place here;
    unit_log_file log(here.path, 256 << 10, 3);
    const std::string chunk(64 << 10, 'z');
    rusage before{};
    ::getrusage(RUSAGE_SELF, &before);
    for (int i = 0; i < 4096; ++i)
        log.write("stdout", chunk);  // 256 MiB
    rusage after{};
    ::getrusage(RUSAGE_SELF, &after);
    if (!hob::test::sanitized()) BOOST_TEST(after.ru_maxrss - before.ru_maxrss < 8 << 10);
    std::uint64_t used = 0;
    for (const auto& entry : fs::directory_iterator(here.root + "/log"))
        used += entry.file_size();
    BOOST_TEST(used <= 3u * (256u << 10));
    BOOST_TEST(log.lost() == 0u);
    log.write("stdout", "\nafter\n");
    BOOST_TEST(records_of(here.path).back().bytes == "after");
}

BOOST_AUTO_TEST_CASE(no_record_is_cut_however_small_the_file) {
    for (const std::uint64_t size : {300u, 1000u, 4096u}) {
        const place here;
        unit_log_file log(here.path, size, 50);
        std::string line;
        for (int i = 0; i < 500; ++i)
            line.push_back(static_cast<char>(i % 31 + 1));  // the worst to escape
        std::replace(line.begin(), line.end(), '\n', '\t');
        log.write("stdout", line + "\n");
        std::string joined;
        for (int number = 49; number > 0; --number) {
            for (const auto& one : records_of(here.path + "." + std::to_string(number)))
                joined += one.bytes;
        }
        for (const auto& one : records_of(here.path))
            joined += one.bytes;
        BOOST_TEST((joined == line));
    }
}

BOOST_AUTO_TEST_CASE(the_tail_is_the_last_lines_of_stderr) {
    const place here;
    unit_log_file log(here.path, 1 << 20, 3);
    BOOST_TEST(log.tail().empty());
    log.write("stdout", "not this\n");
    for (int i = 0; i < 30; ++i)
        log.write("stderr", "line " + std::to_string(i) + "\n");
    log.write("stderr", "unfinish");
    log.write("stderr", "ed");
    const auto lines = log.tail();
    BOOST_REQUIRE(lines.size() == hob::limits::stderr_tail_lines);
    BOOST_TEST(lines.back() == "unfinished");
    BOOST_TEST(lines.front() == "line 21");
    log.end("stderr");
    BOOST_TEST(log.tail().back() == "unfinished");
    log.clear_tail();
    BOOST_TEST(log.tail().empty());
}

BOOST_AUTO_TEST_CASE(U11_a_flood_of_stderr_keeps_a_bounded_tail) {
    const place here;
    unit_log_file log(here.path, 64 << 10, 2);
    const std::string flood(1 << 20, 'e');
    for (int i = 0; i < 20; ++i)
        log.write("stderr", flood);
    std::size_t size = 0;
    for (const auto& line : log.tail())
        size += line.size();
    BOOST_TEST(size > 0u);
    BOOST_TEST(size <= hob::limits::stderr_tail_bytes);
}

BOOST_AUTO_TEST_CASE(U07_a_full_disk_neither_blocks_nor_tears_and_is_told) {
    hob::test::check_in_private_tmpfs(64, [](const std::string& root) -> std::string {
        const std::string path = root + "/log/db.log";
        unit_log_file log(path, 1 << 20, 3);
        std::ofstream(root + "/filler") << std::string(32 << 10, 'f');
        for (int i = 0; i < 2000; ++i)
            log.write("stdout", "a line of output number " + std::to_string(i) + "\n");
        if (log.lost() == 0) return "the disk was never full";
        fs::remove(root + "/filler");
        const auto lost = log.lost();
        log.write("stdout", "there is room\n");
        const auto records = records_of(path);
        if (records.size() < 2 || records.back().bytes != "there is room") return "not written again";
        const auto& note = records[records.size() - 2];
        const std::string expected = "lost " + std::to_string(lost) + " records: No space left on device";
        if (note.stream != "hob" || note.bytes != expected) return "told: " + note.bytes;
        return records.size() - 2 + lost == 2000 ? "" : "lost and kept do not add up";
    });
}

BOOST_AUTO_TEST_CASE(U22_an_unfinished_line_is_written_after_a_silence_and_joined_with_its_rest) {
    const hob::test::scratch dir;
    hob::test::run_loop loop;
    const std::string path = dir.path() + "/log/u.log";
    hob::unit::unit_log log(path, 1u << 20, 2, loop.executor());
    log.write("stdout", "Proceed? \xC3");  // half of a character
    loop.until([&] {
        return hob::util::read_file(path, 4096).value_or("").find("Proceed? \",\"partial\":true}") !=
               std::string::npos;
    });
    log.write("stdout", "\xA4 yes\n");
    BOOST_TEST(hob::util::read_file(path, 4096).value_or("").find("\"msg\":\"\xC3\xA4 yes\"}") !=
               std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
