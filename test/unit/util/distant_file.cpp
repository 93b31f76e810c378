#include "util/distant_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>

using namespace hob::util;
using namespace std::chrono_literals;

namespace {

struct directory {
    directory() { BOOST_REQUIRE(::mkdtemp(path) != nullptr); }
    ~directory() {
        ::unlink((std::string(path) + "/f").c_str());
        ::rmdir(path);
    }
    char path[32] = "/tmp/hob-distant-XXXXXX";
};

}  // namespace

BOOST_AUTO_TEST_SUITE(distant_files)

BOOST_AUTO_TEST_CASE(a_file_is_read_below_a_directory_and_elsewhere) {
    const directory where;
    const std::string path = std::string(where.path) + "/f";
    for (const std::size_t size : {0u, 5u, 100'000u}) {
        std::ofstream(path) << std::string(size, 'x');
        for (const std::string& near : {std::string(where.path), std::string("/nowhere"), std::string("/")}) {
            const auto read = read_distant_file(path, near, 100'000, 10s);
            BOOST_TEST(read.error == 0);
            BOOST_TEST(read.bytes == std::string(size, 'x'));
            BOOST_TEST(look_at_distant_file(path, near, 10s).facts.st_size == static_cast<off_t>(size));
        }
    }
    BOOST_TEST(read_distant_file(path, where.path, 99'999, 10s).error == EFBIG);
    // On another mount, by a process of its own.
    const auto other = read_distant_file("/proc/self/status", where.path, 100'000, 10s);
    BOOST_TEST(other.error == 0);
    BOOST_TEST(other.bytes.starts_with("Name:"));
    BOOST_TEST(S_ISREG(other.facts.st_mode));
    BOOST_TEST(look_at_distant_file("/proc/self/status", where.path, 10s).error == 0);
    BOOST_TEST(read_distant_file("/proc/self/status", where.path, 10, 10s).error == EFBIG);
}

BOOST_AUTO_TEST_CASE(what_is_no_file_says_what_it_is) {
    const directory where;
    const std::string path = std::string(where.path) + "/f";
    BOOST_TEST(read_distant_file(path, where.path, 10, 10s).error == ENOENT);
    BOOST_TEST(look_at_distant_file(path, where.path, 10s).error == ENOENT);
    BOOST_TEST(read_distant_file("/proc/none", where.path, 10, 10s).error == ENOENT);
    BOOST_TEST(look_at_distant_file("/proc/none", where.path, 10s).error == ENOENT);
    BOOST_TEST(read_distant_file(path + "/x/", where.path, 10, 10s).error == ENOENT);
    BOOST_REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    BOOST_TEST(S_ISFIFO(read_distant_file(path, where.path, 10, 10s).facts.st_mode));
    BOOST_TEST(S_ISDIR(read_distant_file("/proc/self", where.path, 10, 10s).facts.st_mode));
}

BOOST_AUTO_TEST_SUITE_END()
