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

struct watched_instance {
    watched_instance() {
        std::string pattern = (fs::temp_directory_path() / "watch-XXXXXX").string();
        base = ::mkdtemp(pattern.data());
        fs::create_directories(base / "parent/project");
        fs::create_directories(base / "run");
        where.root = (base / "parent/project").string();
        where.runtime_dir = (base / "run").string();
        where.key = "project-0";
        std::ofstream(where.pid_path()) << "1\n";
        std::ofstream(where.socket_path()) << "";
        under_test.emplace(io.get_executor(), where,
                           hob::lifecycle::runtime_files_watch_options{[this] { ++reports; }});
        BOOST_REQUIRE(under_test->watching());
        hob::util::spawn(io.get_executor(), under_test->run(), "watch");
        io.poll();
    }
    ~watched_instance() {
        under_test->stop();
        io.poll();
        fs::remove_all(base);
    }

    // How many changes are reported after `work`.
    template <typename Work>
    int reports_of(const Work& work) {
        reports = 0;
        work();
        io.poll();
        return reports;
    }

    boost::asio::io_context io;
    fs::path base;
    hob::lifecycle::instance where;
    std::optional<runtime_files_watch> under_test;
    int reports = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(runtime_files_watch_suite, watched_instance)

BOOST_AUTO_TEST_CASE(changes_beside_the_root_are_not_reported) {
    BOOST_TEST(reports_of([&] {
                   for (const char* name : {"other", "project2", "proj", "project.tmp"}) {
                       fs::create_directory(base / "parent" / name);
                       fs::rename(base / "parent" / name, base / "parent/moved");
                       fs::remove(base / "parent/moved");
                   }
               }) == 0);
    // Of further ancestors only a rename is watched for.
    BOOST_TEST(reports_of([&] { std::ofstream(base / "file") << ""; }) == 0);
    BOOST_TEST(reports_of([&] { fs::remove(base / "file"); }) == 0);
}

BOOST_AUTO_TEST_CASE(the_removal_of_the_root_is_reported_among_other_events) {
    BOOST_TEST(reports_of([&] {
                   fs::create_directory(base / "parent/other");
                   fs::remove(base / "parent/other");
                   fs::remove(where.root);
               }) > 0);
}

BOOST_AUTO_TEST_CASE(a_moved_root_is_reported) {
    BOOST_TEST(reports_of([&] { fs::rename(where.root, base / "parent/elsewhere"); }) > 0);
}

BOOST_AUTO_TEST_CASE(a_moved_parent_is_reported) {
    BOOST_TEST(reports_of([&] { fs::rename(base / "parent", base / "elsewhere"); }) > 0);
}

BOOST_AUTO_TEST_CASE(a_removed_file_of_the_instance_is_reported) {
    BOOST_TEST(reports_of([&] { fs::remove(where.pid_path()); }) > 0);
    BOOST_TEST(reports_of([&] { fs::rename(where.socket_path(), base / "run/aside"); }) > 0);
}

BOOST_AUTO_TEST_SUITE_END()
