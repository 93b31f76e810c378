// What makes files durable beside the loop.
#include "util/disk_sync.hpp"

#include <fcntl.h>

#include <unistd.h>
#include <boost/test/unit_test.hpp>

#include <cerrno>

#include "fixtures/run_loop.hpp"
#include "util/async.hpp"
#include "util/fd.hpp"
#include "util/proc.hpp"

using hob::test::run_loop;
using hob::test::scratch;
using hob::util::disk_sync;

namespace {

int own_threads() { return hob::util::read_proc_stat(::getpid())->threads; }

struct file {
    scratch dir;
    std::string path = dir.path() + "/file";
    file() { BOOST_REQUIRE(hob::util::replace_file(path, "bytes")); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(disk_sync_suite)

BOOST_AUTO_TEST_CASE(a_file_is_flushed_and_the_thread_goes_with_its_owner) {
    run_loop loop;
    const file written;
    const int before = own_threads();
    auto sync = disk_sync::make(loop.executor(), written.path);
    BOOST_TEST(own_threads() == before);
    for (int round = 0; round < 50; ++round)
        BOOST_TEST(loop.run(sync->flush()) == 0);
    BOOST_TEST(own_threads() == before + 1);
    sync.reset();
    loop.until([&] { return own_threads() == before; });
}

BOOST_AUTO_TEST_CASE(what_is_not_there_needs_nothing_and_an_error_is_told) {
    run_loop loop;
    const scratch dir;
    BOOST_TEST(loop.run(disk_sync::make(loop.executor(), "")->flush()) == 0);
    BOOST_TEST(loop.run(disk_sync::make(loop.executor(), dir.path() + "/none")->flush()) == 0);
    BOOST_TEST(loop.run(disk_sync::make(loop.executor(), dir.path())->flush()) == EISDIR);
}

BOOST_AUTO_TEST_CASE(many_at_once_are_all_told) {
    run_loop loop;
    const file written;
    auto sync = disk_sync::make(loop.executor(), written.path);
    int told = 0;
    const auto one = [&]() -> boost::asio::awaitable<void> {
        for (int round = 0; round < 20; ++round) {
            auto flushed = sync->flush();
            if (co_await std::move(flushed) == 0) ++told;
        }
    };
    for (int i = 0; i < 30; ++i)
        hob::util::spawn(loop.executor(), one(), "flush");
    loop.until([&] { return told == 600; });
}

BOOST_AUTO_TEST_CASE(a_loop_that_ends_in_the_middle_leaves_nothing_behind) {
    const file written;
    const int before = own_threads();
    {
        run_loop loop;
        auto sync = disk_sync::make(loop.executor(), written.path);
        const auto one = [](std::shared_ptr<disk_sync> with) -> boost::asio::awaitable<void> {
            co_await with->flush();
        };
        hob::util::spawn(loop.executor(), one(sync), "flush");
        loop.until([&] { return own_threads() > before; });
    }
    run_loop other;
    other.until([&] { return own_threads() == before; });
}

BOOST_AUTO_TEST_SUITE_END()
