// Syncing files in a thread beside the event loop.
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

BOOST_AUTO_TEST_CASE(a_file_is_flushed_and_the_thread_ends_with_its_owner) {
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

BOOST_AUTO_TEST_CASE(a_missing_file_needs_no_sync_and_an_error_is_returned) {
    run_loop loop;
    const scratch dir;
    BOOST_TEST(loop.run(disk_sync::make(loop.executor(), "")->flush()) == 0);
    BOOST_TEST(loop.run(disk_sync::make(loop.executor(), dir.path() + "/none")->flush()) == 0);
    BOOST_TEST(loop.run(disk_sync::make(loop.executor(), dir.path())->flush()) == EISDIR);
}

BOOST_AUTO_TEST_CASE(many_concurrent_flushes_all_complete) {
    run_loop loop;
    const file written;
    auto sync = disk_sync::make(loop.executor(), written.path);
    int completed = 0;
    const auto flush_many = [&]() -> boost::asio::awaitable<void> {
        for (int round = 0; round < 20; ++round) {
            auto flushed = sync->flush();
            if (co_await std::move(flushed) == 0) ++completed;
        }
    };
    for (int i = 0; i < 30; ++i)
        hob::util::spawn(loop.executor(), flush_many(), "flush");
    loop.until([&] { return completed == 600; });
}

BOOST_AUTO_TEST_CASE(an_event_loop_destroyed_during_a_flush_leaves_no_thread) {
    const file written;
    const int before = own_threads();
    {
        run_loop loop;
        auto sync = disk_sync::make(loop.executor(), written.path);
        const auto flush_many = [](std::shared_ptr<disk_sync> with) -> boost::asio::awaitable<void> {
            co_await with->flush();
        };
        hob::util::spawn(loop.executor(), flush_many(sync), "flush");
        loop.until([&] { return own_threads() > before; });
    }
    run_loop other;
    other.until([&] { return own_threads() == before; });
}

BOOST_AUTO_TEST_SUITE_END()
