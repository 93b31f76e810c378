#include "lifecycle/runtime_files_watch.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "util/async.hpp"

namespace {

namespace fs = std::filesystem;
using hob::lifecycle::runtime_files_watch;

struct guarded {
    guarded() {
        std::string pattern = (fs::temp_directory_path() / "guard-XXXXXX").string();
        base = ::mkdtemp(pattern.data());
        fs::create_directories(base / "parent/project");
        fs::create_directories(base / "run");
        where.root = (base / "parent/project").string();
        where.runtime_dir = (base / "run").string();
        where.key = "project-0";
        std::ofstream(where.pid_path()) << "1\n";
        std::ofstream(where.socket_path()) << "";
        under_test.emplace(io.get_executor(), where,
                           hob::lifecycle::runtime_files_watch_options{[this] { ++told; }});
        BOOST_REQUIRE(under_test->watching());
        hob::util::spawn(io.get_executor(), under_test->run(), "guard");
        io.poll();
    }
    ~guarded() {
        under_test->stop();
        io.poll();
        fs::remove_all(base);
    }

    // How often something is told now that `work` was done.
    template <typename Work>
    int told_of(const Work& work) {
        told = 0;
        work();
        io.poll();
        return told;
    }

    boost::asio::io_context io;
    fs::path base;
    hob::lifecycle::instance where;
    std::optional<runtime_files_watch> under_test;
    int told = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(guard_suite, guarded)

BOOST_AUTO_TEST_CASE(what_comes_and_goes_beside_the_root_is_not_told) {
    BOOST_TEST(told_of([&] {
                   for (const char* name : {"other", "project2", "proj", "project.tmp"}) {
                       fs::create_directory(base / "parent" / name);
                       fs::rename(base / "parent" / name, base / "parent/moved");
                       fs::remove(base / "parent/moved");
                   }
               }) == 0);
    // The parent of a parent is watched for its own name alone.
    BOOST_TEST(told_of([&] { std::ofstream(base / "file") << ""; }) == 0);
    BOOST_TEST(told_of([&] { fs::remove(base / "file"); }) == 0);
}

BOOST_AUTO_TEST_CASE(the_end_of_the_root_is_told_also_among_other_things) {
    BOOST_TEST(told_of([&] {
                   fs::create_directory(base / "parent/other");
                   fs::remove(base / "parent/other");
                   fs::remove(where.root);
               }) > 0);
}

BOOST_AUTO_TEST_CASE(a_root_that_is_moved_is_told) {
    BOOST_TEST(told_of([&] { fs::rename(where.root, base / "parent/elsewhere"); }) > 0);
}

BOOST_AUTO_TEST_CASE(a_parent_that_is_moved_is_told) {
    BOOST_TEST(told_of([&] { fs::rename(base / "parent", base / "elsewhere"); }) > 0);
}

BOOST_AUTO_TEST_CASE(a_file_of_the_instance_that_goes_is_told) {
    BOOST_TEST(told_of([&] { fs::remove(where.pid_path()); }) > 0);
    BOOST_TEST(told_of([&] { fs::rename(where.socket_path(), base / "run/aside"); }) > 0);
}

BOOST_AUTO_TEST_SUITE_END()
