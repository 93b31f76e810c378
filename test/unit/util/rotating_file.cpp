#include "util/log/rotating_file.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "harness/private_tmpfs.hpp"
#include "harness/sandbox.hpp"

namespace fs = std::filesystem;

namespace {

struct place {
    place() {
        char name[] = "/tmp/hob-rotate-XXXXXX";
        root = ::mkdtemp(name);
        path = root + "/x.log";
    }
    ~place() { fs::remove_all(root); }

    std::string root;
    std::string path;
};

std::string text_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

std::string note(std::uint64_t lost, std::string_view reason) {
    return "lost " + std::to_string(lost) + ": " + std::string(reason) + "\n";
}

std::uint64_t total(const std::string& root) {
    std::uint64_t sum = 0;
    for (const auto& entry : fs::directory_iterator(root))
        sum += entry.file_size();
    return sum;
}

int lines_in(const std::string& text) { return static_cast<int>(std::count(text.begin(), text.end(), '\n')); }

// By contract, an append a second after the last check notices whether the file still exists.
void a_second_later() { hob::test::let_pass(std::chrono::milliseconds(1050)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(rotating_file)

using file = hob::util::rotating_file;

BOOST_AUTO_TEST_CASE(rotates_by_size_and_limits_the_number_of_files) {
    const place here;
    file log(here.path, 30, 3, note);
    for (int i = 0; i < 9; ++i)
        BOOST_TEST(log.append("record " + std::to_string(i) + "\n"));
    BOOST_TEST(text_of(here.path) == "record 6\nrecord 7\nrecord 8\n");
    BOOST_TEST(text_of(here.path + ".1") == "record 3\nrecord 4\nrecord 5\n");
    BOOST_TEST(text_of(here.path + ".2") == "record 0\nrecord 1\nrecord 2\n");
    BOOST_TEST(log.append("record 9\n"));
    BOOST_TEST(text_of(here.path + ".2") == "record 3\nrecord 4\nrecord 5\n");
    BOOST_TEST(!fs::exists(here.path + ".3"));
}

BOOST_AUTO_TEST_CASE(a_batch_is_split_between_records) {
    const place here;
    file log(here.path, 10, 5, note);
    BOOST_TEST(log.append("aaaa\nbbbb\ncccc\ndddd\neeee\n"));
    BOOST_TEST(text_of(here.path + ".2") == "aaaa\nbbbb\n");
    BOOST_TEST(text_of(here.path + ".1") == "cccc\ndddd\n");
    BOOST_TEST(text_of(here.path) == "eeee\n");
}

BOOST_AUTO_TEST_CASE(max_files_1_truncates) {
    const place here;
    file log(here.path, 20, 1, note);
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(log.append("record " + std::to_string(i) + "\n"));
    BOOST_TEST(text_of(here.path) == "record 4\n");
    BOOST_TEST(!fs::exists(here.path + ".1"));
}

BOOST_AUTO_TEST_CASE(the_total_never_exceeds_size_times_count_whatever_is_written) {
    std::mt19937 random(7);
    for (int round = 0; round < 60; ++round) {
        const place here;
        const std::uint64_t size = 1 + random() % 200;
        const int files = 1 + static_cast<int>(random() % 5);
        if (random() % 3 == 0) std::ofstream(here.path) << std::string(random() % 500, 'o');
        if (random() % 3 == 0) std::ofstream(here.path + ".1") << std::string(random() % 900, 'o');
        if (random() % 3 == 0) std::ofstream(here.path + ".7") << std::string(random() % 900, 'o');
        file log(here.path, size, files, note);
        for (int i = 0; i < 200; ++i) {
            std::string batch;
            for (int lines = 1 + static_cast<int>(random() % 4); lines > 0; --lines) {
                batch += std::string(random() % (random() % 8 == 0 ? 400 : 40), 'x') + '\n';
            }
            if (!log.append(batch)) BOOST_FAIL(log.problem());
            const auto used = total(here.root);
            if (used > size * static_cast<std::uint64_t>(files)) {
                BOOST_FAIL(used << " bytes with size " << size << " and count " << files << " in round "
                                << round);
            }
            const std::string text = text_of(here.path);
            if (text.empty() || text.back() != '\n') BOOST_FAIL("half a record");
        }
    }
}

BOOST_AUTO_TEST_CASE(no_record_is_lost_or_reordered_within_the_limits) {
    const place here;
    std::mt19937 random(11);
    file log(here.path, 997, 100, note);
    std::string all;
    for (int i = 0; i < 3000; ++i) {
        const std::string record = std::to_string(i) + std::string(random() % 20, '.') + '\n';
        all += record;
        BOOST_REQUIRE(log.append(record));
    }
    std::string read;
    for (int number = 99; number > 0; --number)
        read += text_of(here.path + "." + std::to_string(number));
    BOOST_TEST((read + text_of(here.path) == all));
}

BOOST_AUTO_TEST_CASE(a_record_larger_than_a_file_is_cut) {
    const place here;
    file log(here.path, 16, 2, note);
    BOOST_TEST(log.append("small\n"));
    BOOST_TEST(log.append(std::string(100, 'y') + "\n"));
    BOOST_TEST(text_of(here.path) == std::string(15, 'y') + "\n");
    BOOST_TEST(text_of(here.path + ".1") == "small\n");
}

BOOST_AUTO_TEST_CASE(smaller_limits_remove_excess_files) {
    const place here;
    for (int i = 1; i < 10; ++i)
        std::ofstream(here.path + "." + std::to_string(i)) << std::string(10, 'o');
    std::ofstream(here.path + ".old") << "mine";
    std::ofstream(here.root + "/x.logger.1") << "mine";
    std::ofstream(here.path + ".01") << "mine";
    file log(here.path, 10, 4, note);
    BOOST_TEST(log.append("a\n"));
    BOOST_TEST(fs::exists(here.path + ".3"));
    for (int i = 4; i < 10; ++i)
        BOOST_TEST(!fs::exists(here.path + "." + std::to_string(i)));
    log.set_limits(10, 2);
    BOOST_TEST(log.append("b\n"));
    BOOST_TEST(fs::exists(here.path + ".1"));
    BOOST_TEST(!fs::exists(here.path + ".2"));
    BOOST_TEST((fs::exists(here.path + ".old") && fs::exists(here.root + "/x.logger.1") &&
                fs::exists(here.path + ".01")));
}

BOOST_AUTO_TEST_CASE(the_first_record_creates_a_private_file) {
    const place here;
    const auto before = ::umask(0);
    file log(here.path, 100, 2, note);
    BOOST_TEST(!fs::exists(here.path));
    log.append("a\n");
    ::umask(before);
    struct stat made {};
    BOOST_REQUIRE(::stat(here.path.c_str(), &made) == 0);
    BOOST_TEST((made.st_mode & 07777) == 0600u);
}

BOOST_AUTO_TEST_CASE(a_file_open_to_others_is_made_private) {
    const place here;
    std::ofstream(here.path) << "old\n";
    fs::permissions(here.path, fs::perms(0644));
    file log(here.path, 100, 2, note);
    BOOST_TEST(log.append("a\n"));
    BOOST_TEST((fs::status(here.path).permissions() == fs::perms(0600)));
    BOOST_TEST(text_of(here.path) == "old\na\n");
}

BOOST_AUTO_TEST_CASE(L12_a_symlink_a_directory_and_a_fifo_are_refused_by_name) {
    const place here;
    std::ofstream(here.root + "/target") << "precious\n";
    fs::create_symlink(here.root + "/target", here.path);
    file link(here.path, 100, 2, note);
    BOOST_TEST(!link.append("a\n"));
    BOOST_TEST(link.problem() == "cannot open '" + here.path + "': it is a symbolic link");
    BOOST_TEST(text_of(here.root + "/target") == "precious\n");
    fs::remove(here.path);
    fs::create_directory(here.path);
    BOOST_TEST(!link.append("b\n"));
    BOOST_TEST(link.problem() == "cannot open '" + here.path + "': Is a directory");
    fs::remove(here.path);
    BOOST_REQUIRE(::mkfifo(here.path.c_str(), 0600) == 0);
    BOOST_TEST(!link.append("c\n"));  // without a reader
    const hob::util::unique_fd reader = hob::util::open_file(here.path, O_RDONLY | O_NONBLOCK);
    BOOST_TEST(!link.append("d\n"));
    BOOST_TEST(link.problem() == "cannot open '" + here.path + "': not a regular file");
    BOOST_TEST(link.lost() == 4u);
    fs::remove(here.path);
    BOOST_TEST(link.append("e\n"));
    BOOST_TEST(text_of(here.path) == "lost 4: not a regular file\ne\n");
    BOOST_TEST(link.problem() == "");
}

BOOST_AUTO_TEST_CASE(L12_another_users_file_is_refused_by_name) {
    if (::geteuid() != 0) {
        BOOST_TEST_MESSAGE("skipped: only root can make another user's file");
        return;
    }
    const place here;
    std::ofstream(here.path) << "theirs\n";
    BOOST_REQUIRE(::chown(here.path.c_str(), 12345, 12345) == 0);
    file log(here.path, 100, 2, note);
    BOOST_TEST(!log.append("a\n"));
    BOOST_TEST(log.problem() == "cannot open '" + here.path + "': it belongs to another user");
    BOOST_TEST(text_of(here.path) == "theirs\n");
}

BOOST_AUTO_TEST_CASE(a_removed_or_renamed_file_is_created_again) {
    const place here;
    file log(here.path, 1000, 2, note);
    log.append("a\n");
    fs::remove(here.path);
    a_second_later();
    BOOST_TEST(log.append("b\n"));
    BOOST_TEST(text_of(here.path) == "b\n");
    fs::rename(here.path, here.root + "/moved");
    a_second_later();
    BOOST_TEST(log.append("c\n"));
    BOOST_TEST(text_of(here.path) == "c\n");
    BOOST_TEST(text_of(here.root + "/moved") == "b\n");
}

BOOST_AUTO_TEST_CASE(a_rotation_never_renames_a_foreign_file) {
    const place here;
    file log(here.path, 10, 3, note);
    log.append("aaaaaaaa\n");
    fs::rename(here.path, here.root + "/moved");
    std::ofstream(here.path) << "new\n";
    BOOST_TEST(log.append("bbbb\n"));
    BOOST_TEST(text_of(here.path) == "new\nbbbb\n");
    BOOST_TEST(!fs::exists(here.path + ".1"));
}

BOOST_AUTO_TEST_CASE(D07_records_without_a_directory_are_counted_and_reported_once_it_exists) {
    const place here;
    fs::create_directory(here.root + "/d");
    file log(here.root + "/d/x.log", 1000, 2, note);
    BOOST_TEST(log.append("a\n"));
    fs::remove_all(here.root + "/d");
    a_second_later();
    for (int i = 0; i < 7; ++i)
        BOOST_TEST(!log.append("b\n"));
    BOOST_TEST(log.append("") == true);
    BOOST_TEST(log.lost() == 7u);
    fs::create_directory(here.root + "/d");
    BOOST_TEST(log.append("c\n"));
    BOOST_TEST(log.lost() == 0u);
    BOOST_TEST(text_of(here.root + "/d/x.log") == "lost 7: No such file or directory\nc\n");
}

BOOST_AUTO_TEST_CASE(a_partial_record_of_a_killed_writer_is_terminated) {
    const place here;
    std::ofstream(here.path) << "whole\nhal";
    file log(here.path, 1000, 2, note);
    BOOST_TEST(log.append("a\n"));
    BOOST_TEST(text_of(here.path) == "whole\nhal\na\n");
}

BOOST_AUTO_TEST_CASE(a_rotation_that_cannot_rename_truncates) {
    const place here;
    fs::create_directory(here.path + ".1");
    std::ofstream(here.path + ".1/keep") << "x";
    file log(here.path, 20, 2, note);
    for (int i = 0; i < 9; ++i)
        BOOST_TEST(log.append("record " + std::to_string(i) + "\n"));
    BOOST_TEST(text_of(here.path) == "record 8\n");
}

BOOST_AUTO_TEST_CASE(a_huge_limit_of_files_costs_nothing) {
    const place here;
    file log(here.path, 10, 2'000'000'000, note);
    for (int i = 0; i < 20; ++i)
        BOOST_TEST(log.append("record " + std::to_string(i) + "\n"));
    BOOST_TEST(text_of(here.path + ".19") == "record 0\n");
}

BOOST_AUTO_TEST_CASE(a_file_size_limit_acts_like_a_full_disk) {
    const place here;
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    file log(here.path, 1000, 2, note);
    BOOST_TEST(log.append("a\nb\n"));
    rlimit small = before;
    small.rlim_cur = 9;
    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    const bool all = log.append("cc\ndd\nee\n");  // "cc" fits, "dd" in part
    const std::string then = text_of(here.path);
    ::setrlimit(RLIMIT_FSIZE, &before);
    BOOST_TEST(!all);
    BOOST_TEST(then == "a\nb\ncc\n");
    BOOST_TEST(log.lost() == 2u);
    BOOST_TEST(log.append("f\n"));
    BOOST_TEST(text_of(here.path) == "a\nb\ncc\nlost 2: File too large\nf\n");
}

BOOST_AUTO_TEST_CASE(D07_records_on_a_full_disk_are_counted_and_reported_once_there_is_room) {
    hob::test::check_in_private_tmpfs(64, [](const std::string& root) -> std::string {
        const std::string path = root + "/x.log";
        file log(path, 1 << 20, 3, note);
        std::ofstream(root + "/filler") << std::string(40 << 10, 'f');
        std::string record(300, 'r');
        record += '\n';
        int kept = 0;
        while (log.append(record))
            ++kept;
        if (log.problem() != "cannot write '" + path + "': No space left on device") return log.problem();
        for (int i = 0; i < 999; ++i) {
            if (log.append(record)) return "a full disk took a record";
        }
        if (log.lost() != 1000) return "counted " + std::to_string(log.lost());
        if (lines_in(text_of(path)) != kept) return "half a record, or a note, on a full disk";
        fs::remove(root + "/filler");
        if (!log.append(record)) return "not written though there was room: " + log.problem();
        const std::string text = text_of(path);
        if (text.find("\nlost 1000: No space left on device\nrrr") == std::string::npos) return "not told";
        if (lines_in(text) != kept + 2) return "lines: " + std::to_string(lines_in(text));
        return log.lost() == 0 ? "" : "still counting";
    });
}

BOOST_AUTO_TEST_CASE(D07_rotation_continues_on_a_disk_smaller_than_the_limits) {
    hob::test::check_in_private_tmpfs(64, [](const std::string& root) -> std::string {
        file log(root + "/x.log", 16 << 10, 10, note);
        std::uint64_t lost = 0;
        for (int i = 0; i < 5000; ++i) {
            log.append("record " + std::to_string(i) + std::string(100, '.') + '\n');
            lost = std::max(lost, log.lost());
        }
        return lost > 0 ? "" : "the disk was never full";
    });
}

BOOST_AUTO_TEST_SUITE_END()
