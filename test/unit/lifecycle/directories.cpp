#include "lifecycle/directories.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>
#include <thread>

#include "error.hpp"
#include "lifecycle/instance.hpp"

namespace {

struct temporary_directory {
    std::string path = "/tmp/hob-directories-XXXXXX";
    temporary_directory() { BOOST_REQUIRE(::mkdtemp(path.data()) != nullptr); }
    ~temporary_directory() { std::filesystem::remove_all(path); }
};

unsigned mode_of(const std::string& path) {
    struct stat found {};
    return ::lstat(path.c_str(), &found) == 0 ? found.st_mode & 07777u : 0u;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(directories)

// While the runtime directory is made, a link takes its place again and again.
BOOST_AUTO_TEST_CASE(L41_a_link_in_place_of_the_runtime_directory_changes_no_other_directory) {
    temporary_directory top;
    const std::string target = top.path + "/target";
    const std::string runtime = top.path + "/runtime";
    BOOST_REQUIRE(::mkdir(target.c_str(), 0700) == 0);
    BOOST_REQUIRE(::chmod(target.c_str(), 0755) == 0);
    std::atomic<bool> over{false};
    std::jthread flipping([&] {
        while (!over) {
            if (::symlink(target.c_str(), runtime.c_str()) == 0) ::unlink(runtime.c_str());
            ::rmdir(runtime.c_str());
        }
    });
    for (int i = 0; i < 20'000 && mode_of(target) == 0755; ++i) {
        try {
            hob::lifecycle::check_runtime_dir(runtime, true);
        } catch (const hob::failure&) {  // it met the link
        }
    }
    over = true;
    flipping.join();
    BOOST_TEST(mode_of(target) == 0755u);
}

BOOST_AUTO_TEST_CASE(L41_the_runtime_directory_is_private_whatever_the_umask) {
    temporary_directory top;
    for (const mode_t mask : {mode_t{0}, mode_t{077}, mode_t{0777}}) {
        const std::string runtime = top.path + "/r" + std::to_string(mask);
        const mode_t before = ::umask(mask);
        BOOST_TEST(hob::lifecycle::check_runtime_dir(runtime, true));
        BOOST_TEST(::umask(before) == mask);
        BOOST_TEST(mode_of(runtime) == 0700u);
    }
}

BOOST_AUTO_TEST_SUITE_END()
