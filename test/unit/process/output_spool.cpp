#include "unit/process/output_spool.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>

#include "fixtures/logged_lines.hpp"
#include "harness/sandbox.hpp"
#include "unit/process/process_io.hpp"
#include "unit/process/unit_log.hpp"
#include "util/fd.hpp"

namespace fs = std::filesystem;
using namespace hob::test;
using hob::unit::child_pipes;
using hob::unit::output_spool;
using hob::unit::unit_log;

namespace {

constexpr std::int64_t run = 7;
constexpr int files_max = 4000;
constexpr std::array<const char*, 2> names{"stdout", "stderr"};

struct place {
    place() {
        char name[] = "/tmp/hob-spool-XXXXXX";
        root = ::mkdtemp(name);
        path = root + "/log/s.log";
    }
    ~place() { fs::remove_all(root); }

    std::string root;
    std::string path;
};

struct shape {
    std::uint64_t max_size = 1u << 20;
    unsigned pause_us = 0;          // of the writer, after each write
    std::size_t write_size = 5000;  // bytes
    bool text = false;  // of a terminal
};

// As the daemon does it, until both sources are at their end.
void read_output(const std::shared_ptr<output_spool>& spool, unit_log& log, std::array<int, 2> sources) {
    log.attach(run, spool);
    for (std::size_t which = 0; which < 2; ++which)
        log.write(names[which], spool->unlogged(which), run);
    while (sources[0] >= 0 || sources[1] >= 0) {
        std::array<pollfd, 2> waiting{pollfd{sources[0], POLLIN, 0}, pollfd{sources[1], POLLIN, 0}};
        ::poll(waiting.data(), 2, -1);
        for (std::size_t which = 0; which < 2; ++which) {
            if (waiting[which].revents == 0) continue;
            std::string_view bytes;
            const ssize_t n = spool->take(which, sources[which], bytes);
            if (n > 0) log.write(names[which], bytes, run);
            if (n == 0 || (n < 0 && errno != EAGAIN)) sources[which] = -1;
        }
    }
}

pid_t in_child(const std::function<void()>& what) {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    what();
    ::_exit(0);
}

void end(pid_t pid) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
}

// Readers that are killed at random moments, one after the other.
void kill_readers(child_pipes pipes, const shape& how, int rounds) {
    const place here;
    const auto spool = output_spool::make();
    BOOST_REQUIRE(spool);
    std::array<int, 2> sources{pipes.output.read.get(), pipes.error.read.get()};
    for (const int fd : sources)
        if (fd >= 0) hob::util::set_nonblocking(fd, true);
    const pid_t writer = in_child([&] {
        write_numbered_lines(pipes.output.write.get(), pipes.error.write.get(), how.text, how.write_size,
                             how.pause_us);
    });
    std::mt19937 random(static_cast<unsigned>(how.write_size + how.pause_us));
    for (int i = 0; i < rounds; ++i) {
        const pid_t reader = in_child([&] {
            unit_log log(here.path, how.max_size, files_max);
            const auto found = output_spool::adopt(hob::util::unique_fd(::dup(spool->descriptor())));
            if (found) read_output(found, log, sources);
        });
        let_pass(std::chrono::microseconds(1000 + random() % 12'000));
        end(reader);
    }
    end(writer);
    pipes.close_child_ends();
    unit_log log(here.path, how.max_size, files_max);
    read_output(output_spool::adopt(hob::util::unique_fd(::dup(spool->descriptor()))), log, sources);
    for (const char* name : names)
        log.end(name, run);
    check_numbered_lines(logged_lines(here.path, "stdout"), how.text, how.text);
    if (sources[1] >= 0) check_numbered_lines(logged_lines(here.path, "stderr"), how.text);
    struct stat facts {};
    ::fstat(spool->descriptor(), &facts);
    BOOST_TEST(facts.st_blocks * 512 <= 700 * 1024);
}

child_pipes pipe_with(std::string_view bytes) {
    child_pipes pipes;
    hob::util::set_nonblocking(pipes.output.read.get(), true);
    BOOST_REQUIRE(hob::util::write_all(pipes.output.write.get(), bytes));
    return pipes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(output_spool_test)

BOOST_AUTO_TEST_CASE(K40_a_flood_is_logged_once_and_whole_though_its_readers_are_killed) {
    kill_readers(child_pipes(), shape{}, scaled(300));
}

BOOST_AUTO_TEST_CASE(K40_a_line_a_write_is_logged_once_and_whole) {
    shape how;
    how.write_size = 64;
    kill_readers(child_pipes::merged(), how, scaled(300));
}

BOOST_AUTO_TEST_CASE(K40_slow_lines_are_logged_once_and_whole) {
    shape how;
    how.write_size = 64;
    how.pause_us = 80;
    kill_readers(child_pipes(), how, scaled(300));
}

BOOST_AUTO_TEST_CASE(K40_over_rotations_too) {
    shape how;
    how.max_size = 4u << 10;
    how.pause_us = 100;
    kill_readers(child_pipes(), how, scaled(200));
}

BOOST_AUTO_TEST_CASE(K40_a_terminal_too) {
    shape how;
    how.text = true;
    how.write_size = 700;
    how.pause_us = 50;
    kill_readers(child_pipes::terminal({}), how, scaled(300));
}

BOOST_AUTO_TEST_CASE(what_a_daemon_took_and_did_not_log_is_there_for_the_next) {
    const auto pipes = pipe_with("one\ntwo");
    const auto spool = output_spool::make();
    std::string_view bytes;
    BOOST_TEST(spool->take(0, pipes.output.read.get(), bytes) == 7);
    BOOST_TEST(bytes == "one\ntwo");
    BOOST_TEST(spool->take(0, pipes.output.read.get(), bytes) == -1);
    BOOST_TEST(errno == EAGAIN);
    spool->commit(0, 4, 4, {});
    const auto next = output_spool::adopt(hob::util::unique_fd(::dup(spool->descriptor())));
    BOOST_REQUIRE(next);
    BOOST_TEST(next->unlogged(0) == "two");
    BOOST_TEST(next->unlogged(1) == "");
    BOOST_TEST(next->taken(0) == 7u);
    BOOST_TEST(next->logged(0) == 4u);
}

BOOST_AUTO_TEST_CASE(the_start_of_a_line_that_was_logged_without_its_end_is_kept) {
    auto pipes = pipe_with("one\nuser: ");
    const auto spool = output_spool::make();
    std::string_view bytes;
    spool->take(0, pipes.output.read.get(), bytes);
    spool->commit(0, 10, 4, {});
    BOOST_TEST(spool->unfinished_line(0) == "user: ");
    BOOST_REQUIRE(hob::util::write_all(pipes.output.write.get(), std::string(9000, 'x')));
    spool->take(0, pipes.output.read.get(), bytes);
    spool->commit(0, 9010, 4, {});
    spool->take(0, pipes.output.read.get(), bytes);
    BOOST_TEST(spool->unfinished_line(0) == "user: " + std::string(9000, 'x'));
}

BOOST_AUTO_TEST_CASE(bytes_that_nobody_logs_do_not_stop_the_stream) {
    auto pipes = pipe_with("");
    const auto spool = output_spool::make();
    const std::string block(60'000, 'b');
    for (std::uint64_t i = 1; i <= 20; ++i) {
        BOOST_REQUIRE(hob::util::write_all(pipes.output.write.get(), block));
        std::string_view bytes;
        BOOST_TEST(spool->take(0, pipes.output.read.get(), bytes) == 60'000);
        BOOST_TEST((bytes == block));
        BOOST_TEST(spool->taken(0) == i * 60'000);
    }
}

BOOST_AUTO_TEST_CASE(a_file_of_another_form_is_refused) {
    BOOST_TEST(!output_spool::adopt(hob::util::unique_fd()));
    BOOST_TEST(!output_spool::adopt(hob::util::unique_fd(::memfd_create("x", 0))));
    const auto spool = output_spool::make();
    BOOST_REQUIRE(::pwrite(spool->descriptor(), "other", 5, 0) == 5);
    BOOST_TEST(!output_spool::adopt(hob::util::unique_fd(::dup(spool->descriptor()))));
}

BOOST_AUTO_TEST_CASE(whole_records_that_were_not_committed_count_and_a_torn_one_is_cut) {
    const place here;
    const auto pipes = pipe_with("one\ntwo\nthree\nfour\n");
    const auto spool = output_spool::make();
    {
        unit_log log(here.path, 1 << 20, 3);
        log.attach(run, spool);
        log.write("hob", "begins\n", run);
        log.write("stdout", "", run);
        std::string_view bytes;
        spool->take(0, pipes.output.read.get(), bytes);
        log.write("stdout", bytes.substr(0, 4), run);
    }
    std::ofstream(here.path, std::ios::app)
        << R"({"ts":"2026-01-02T03:04:05.678Z","stream":"stdout","run":7,"msg":"two"})" << '\n'
        << R"({"ts":"2026-01-02T03:04:05.678Z","stream":"stdout","run":8,"msg":"another run"})" << '\n'
        << R"({"ts":"2026-01-02T03:04:05.678Z","stream":"hob","run":7,"msg":"hob"})" << '\n'
        << R"({"ts":"2026-01-02T03:04:05.678Z","stream":"stdout","run":7,"ms)";
    unit_log log(here.path, 1 << 20, 3);
    log.attach(run, spool);
    BOOST_TEST(spool->unlogged(0) == "three\nfour\n");
    log.write("stdout", spool->unlogged(0), run);
    const std::vector<std::string> expected{"one", "two", "another run", "three", "four"};
    BOOST_TEST(logged_lines(here.path, "stdout") == expected, boost::test_tools::per_element());
    BOOST_TEST(logged_lines(here.path, "hob").size() == 2u);
}

BOOST_AUTO_TEST_CASE(the_next_daemon_does_not_read_what_others_wrote_beside_a_silent_run) {
    const place here;
    const auto silent = output_spool::make(), busy = output_spool::make();
    unit_log log(here.path, 64u << 20, 3);
    log.attach(run, busy);
    log.attach(run + 1, silent);
    const auto pipes = pipe_with("x\n");
    std::string_view bytes;
    silent->take(0, pipes.output.read.get(), bytes);
    log.write("stdout", bytes, run + 1);
    for (int i = 0; i < 2000; ++i)
        log.write("stdout", std::string(1000, 'b') + "\n", run);
    BOOST_TEST(fs::file_size(here.path) - silent->log().size < (300u << 10));
    unit_log next(here.path, 64u << 20, 3);
    next.attach(run + 1, silent);
    BOOST_TEST(silent->unlogged(0) == "");
    BOOST_TEST(silent->logged(0) == 2u);
}

BOOST_AUTO_TEST_CASE(the_last_lines_are_known_again) {
    const place here;
    const auto spool = output_spool::make();
    const auto pipes = pipe_with("one\ntwo\nthr");
    std::string_view bytes;
    spool->take(0, pipes.output.read.get(), bytes);
    {
        unit_log log(here.path, 1 << 20, 3);
        log.attach(run, spool);
        log.write("stdout", bytes, run);
    }
    unit_log log(here.path, 1 << 20, 3);
    log.remember_stdout();
    log.attach(run, spool);
    log.write("stdout", spool->unlogged(0), run);
    const std::vector<std::string> expected{"one", "two", "thr"};
    BOOST_TEST(log.tail() == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_log_that_was_replaced_is_left_as_it_is) {
    const place here;
    const auto pipes = pipe_with("one\ntwo\n");
    const auto spool = output_spool::make();
    std::string_view bytes;
    spool->take(0, pipes.output.read.get(), bytes);
    unit_log first(here.path, 1 << 20, 3);
    first.attach(run, spool);
    first.write("stdout", bytes.substr(0, 4), run);
    fs::rename(here.path, here.path + ".mine");
    const std::string torn(2000, 'x');
    std::ofstream(here.path) << torn;
    unit_log second(here.path, 1 << 20, 3);
    second.attach(run, spool);
    BOOST_TEST(fs::file_size(here.path) == torn.size());
    BOOST_TEST(spool->unlogged(0) == "two\n");
}

BOOST_AUTO_TEST_CASE(lines_that_a_full_disk_refused_are_not_tried_again) {
    const place here;
    const auto pipes = pipe_with("one\n");
    const auto spool = output_spool::make();
    std::string_view bytes;
    spool->take(0, pipes.output.read.get(), bytes);
    fs::create_directories(here.path);  // it cannot be opened
    unit_log log(here.path, 1 << 20, 3);
    log.attach(run, spool);
    log.write("stdout", bytes, run);
    BOOST_TEST(log.lost() == 1u);
    BOOST_TEST(spool->unlogged(0) == "");
}

BOOST_AUTO_TEST_SUITE_END()
