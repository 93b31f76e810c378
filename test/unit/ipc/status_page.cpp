#include "ipc/status_page.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <random>
#include <string>

#include "harness/sandbox.hpp"
#include "util/fd.hpp"

using namespace hob::ipc;
using hob::util::unique_fd;

namespace {

struct fixture {
    std::string directory;
    std::string path;

    fixture() {
        char made[] = "/tmp/hob-page-XXXXXX";
        BOOST_REQUIRE(::mkdtemp(made) != nullptr);
        directory = made;
        path = directory + "/k.page";
    }
    ~fixture() {
        ::unlink(path.c_str());
        ::rmdir(path.c_str());
        ::unlink(temporary().c_str());
        ::rmdir(directory.c_str());
    }
    std::string temporary() const { return path + ".new-" + std::to_string(::getpid()); }

    void put(std::string_view bytes) const {
        const unique_fd fd = hob::util::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        BOOST_REQUIRE(hob::util::write_all(fd.get(), bytes));
    }
};

page_content example(std::uint32_t number) {
    page_content content;
    content.pid = 4242;
    content.start_time = 99;
    content.draining = number % 2 == 1;
    content.started_at_ms = 1'700'000'000'000;
    content.version = "0.1.0";
    content.units_total = number;
    content.units_up = number * 3;
    content.units_failed = number * 7;
    content.shutdown_timeout_ms = number * 11;
    content.units_json = "[" + std::to_string(number) + "]" + std::string(number % 1000, ' ');
    return content;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(status_page_file, fixture)

BOOST_AUTO_TEST_CASE(what_was_written_last_is_read) {
    auto page = status_page::create(path);
    BOOST_REQUIRE(page.has_value());
    BOOST_TEST(!read_status_page(path).has_value());
    page->write(example(1));
    BOOST_TEST(!read_status_page(path).has_value());
    BOOST_REQUIRE(page->publish());
    BOOST_TEST((read_status_page(path) == example(1)));
    for (std::uint32_t i = 2; i < 50; ++i) {
        page->write(example(i));
        BOOST_TEST((read_status_page(path) == example(i)));
    }
    struct stat status {};
    BOOST_REQUIRE(::stat(path.c_str(), &status) == 0);
    BOOST_TEST((status.st_mode & 07777) == 0600u);
    BOOST_TEST(status.st_size == 4096);
    BOOST_TEST(status.st_blocks * 512 >= 4096);
    page.reset();
    BOOST_TEST((read_status_page(path) == example(49)));
}

BOOST_AUTO_TEST_CASE(a_page_without_content_is_no_page_and_is_removed_when_never_published) {
    auto page = status_page::create(path);
    BOOST_TEST(::access(temporary().c_str(), F_OK) == 0);
    page.reset();
    BOOST_TEST(::access(temporary().c_str(), F_OK) != 0);
    page = status_page::create(path);
    BOOST_REQUIRE(page->publish());
    BOOST_TEST(!read_status_page(path).has_value());
}

BOOST_AUTO_TEST_CASE(what_is_too_long_is_left_out_or_cut) {
    auto page = status_page::create(path);
    page_content content = example(3);
    content.version = std::string(100, 'v');
    content.units_json = std::string(status_page_units_max, 'u');
    page->write(content);
    BOOST_REQUIRE(page->publish());
    BOOST_TEST(read_status_page(path)->units_json == content.units_json);
    BOOST_TEST(read_status_page(path)->version == std::string(31, 'v'));
    content.units_json += 'u';
    page->write(content);
    BOOST_TEST(read_status_page(path)->units_json.empty());
    BOOST_TEST(read_status_page(path)->units_up == content.units_up);
}

BOOST_AUTO_TEST_CASE(a_new_page_takes_the_place_of_what_is_there) {
    put("an older one");
    { const unique_fd leftover = hob::util::open_file(temporary(), O_WRONLY | O_CREAT, 0644); }
    auto page = status_page::create(path);
    BOOST_REQUIRE(page.has_value());
    page->write(example(5));
    BOOST_REQUIRE(page->publish());
    BOOST_TEST((read_status_page(path) == example(5)));
}

BOOST_AUTO_TEST_CASE(without_a_directory_there_is_no_page) {
    BOOST_TEST(!status_page::create(directory + "/none/k.page").has_value());
    BOOST_TEST(errno == ENOENT);
}

BOOST_AUTO_TEST_CASE(L12_whatever_else_is_at_the_path_is_refused_without_blocking) {
    BOOST_TEST(!read_status_page(path).has_value());
    BOOST_REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    BOOST_TEST(!read_status_page(path).has_value());
    ::unlink(path.c_str());
    BOOST_REQUIRE(::mkdir(path.c_str(), 0700) == 0);
    BOOST_TEST(!read_status_page(path).has_value());
    ::rmdir(path.c_str());

    auto page = status_page::create(path);
    page->write(example(1));
    BOOST_REQUIRE(page->publish());
    const std::string elsewhere = directory + "/real";
    BOOST_REQUIRE(::rename(path.c_str(), elsewhere.c_str()) == 0);
    BOOST_REQUIRE(::symlink(elsewhere.c_str(), path.c_str()) == 0);
    BOOST_TEST(!read_status_page(path).has_value());
    ::unlink(path.c_str());
    BOOST_REQUIRE(::rename(elsewhere.c_str(), path.c_str()) == 0);
    BOOST_TEST(read_status_page(path).has_value());
    if (::geteuid() == 0) {
        BOOST_REQUIRE(::chown(path.c_str(), 12345, 12345) == 0);
        BOOST_TEST(!read_status_page(path).has_value());
    }
}

BOOST_AUTO_TEST_CASE(a_truncated_page_is_none_and_does_not_end_its_writer) {
    auto page = status_page::create(path);
    page->write(example(1));
    BOOST_REQUIRE(page->publish());
    for (const off_t size : {0, 1, 2048, 4095, 4097}) {
        BOOST_REQUIRE(::truncate(path.c_str(), size) == 0);
        BOOST_TEST(!read_status_page(path).has_value());
        page->write(example(2));
    }
    BOOST_REQUIRE(::truncate(path.c_str(), 0) == 0);
    BOOST_REQUIRE(::truncate(path.c_str(), 4096) == 0);
    BOOST_TEST(!read_status_page(path).has_value());
    page->write(example(3));
    BOOST_TEST((read_status_page(path) == example(3)));
}

BOOST_AUTO_TEST_CASE(S04_any_damage_to_one_copy_shows_the_other_and_to_both_shows_none) {
    auto page = status_page::create(path);
    page->write(example(1));
    page->write(example(2));
    BOOST_REQUIRE(page->publish());
    const std::string whole = *hob::util::read_file(path, 8192);
    std::mt19937 random(5);
    for (int round = 0; round < 3000; ++round) {
        std::string damaged = whole;
        for (auto hits = 1 + random() % 8; hits != 0; --hits) {
            damaged[random() % damaged.size()] ^= static_cast<char>(1u << random() % 8);
        }
        put(damaged);
        const auto read = read_status_page(path);
        if (read && *read != example(1) && *read != example(2)) BOOST_ERROR("a damaged page was believed");
        std::string garbage(4096, '\0');
        for (char& byte : garbage)
            byte = static_cast<char>(random());
        if (round % 50 == 0) {
            put(garbage);
            BOOST_TEST(!read_status_page(path).has_value());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_writer_killed_at_any_moment_leaves_a_whole_page) {
    for (int round = 0; round < 150; ++round) {
        int ready[2];
        BOOST_REQUIRE(::pipe2(ready, O_CLOEXEC) == 0);
        const pid_t writer = ::fork();
        if (writer == 0) {
            auto page = status_page::create(path);
            page->write(example(1));
            if (!page->publish() || ::write(ready[1], "x", 1) != 1) ::_exit(1);
            for (std::uint32_t i = 2;; ++i)
                page->write(example(i));
        }
        ::close(ready[1]);
        char byte = 0;
        BOOST_REQUIRE(::read(ready[0], &byte, 1) == 1);
        ::close(ready[0]);
        hob::test::let_pass(std::chrono::microseconds(round * 13 % 1500));  // any moment
        ::kill(writer, SIGKILL);
        ::waitpid(writer, nullptr, 0);
        const auto read = read_status_page(path);
        BOOST_REQUIRE(read.has_value());
        BOOST_TEST((*read == example(read->units_total)));
        ::unlink((path + ".new-" + std::to_string(writer)).c_str());
    }
}

BOOST_AUTO_TEST_CASE(a_reader_beside_a_busy_writer_never_sees_a_mixture) {
    auto page = status_page::create(path);
    page->write(example(1));
    BOOST_REQUIRE(page->publish());
    const pid_t writer = ::fork();
    if (writer == 0) {
        for (std::uint32_t i = 2;; ++i)
            page->write(example(i));
    }
    int seen = 0;
    for (int i = 0; i < 5000; ++i) {
        const auto read = read_status_page(path);
        if (!read) continue;
        ++seen;
        if (*read != example(read->units_total)) BOOST_ERROR("a mixture was read");
    }
    ::kill(writer, SIGKILL);
    ::waitpid(writer, nullptr, 0);
    BOOST_TEST(seen > 100);
}

BOOST_AUTO_TEST_SUITE_END()
