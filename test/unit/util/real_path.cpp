#include "util/real_path.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using namespace hob::util;
namespace fs = std::filesystem;

namespace {

struct with_folder {
    std::string root;

    with_folder() {
        std::string form = fs::canonical(fs::temp_directory_path()) / "real-path-XXXXXX";
        root = ::mkdtemp(form.data());
        fs::create_directories(root + "/a/b");
        fs::create_directory_symlink(root + "/a", root + "/link");
        std::ofstream(root + "/a/b/file") << "x";
    }
    ~with_folder() { fs::remove_all(root); }
    with_folder(const with_folder&) = delete;
    with_folder& operator=(const with_folder&) = delete;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(real_paths)

BOOST_FIXTURE_TEST_CASE(symlinks_are_followed_as_far_as_the_path_exists, with_folder) {
    BOOST_TEST(real_path(root + "/link/b/file") == root + "/a/b/file");
    BOOST_TEST(real_path(root + "/link/b/") == root + "/a/b");
    BOOST_TEST(real_path(root + "/link/b/new") == root + "/a/b/new");
    BOOST_TEST(real_path(root + "/link/b/new/") == root + "/a/b/new");
    BOOST_TEST(real_path(root + "/link/b/file/x") == root + "/a/b/file/x");
    BOOST_TEST(real_path(root + "/none/link") == root + "/none/link");
    BOOST_TEST(real_path(root + "/link/../none") == root + "/none");
    BOOST_TEST(real_path(root + "//link/./x/../y") == root + "/a/y");
    BOOST_TEST(real_path("/none/of/these") == "/none/of/these");
    BOOST_TEST(real_path("/none") == "/none");
    BOOST_TEST(real_path("/") == "/");
    std::string deep = "/link/b", real = "/a/b";
    for (int i = 0; i < 100; ++i) {
        deep += "/x";
        real += "/x";
        BOOST_TEST(real_path(root + deep) == root + real);
    }
}

BOOST_AUTO_TEST_CASE(P16_a_path_of_any_length_is_looked_up_at_once) {
    std::string path;
    for (int i = 0; i < 1'000'000; ++i)
        path += "/a";
    const auto begin = std::chrono::steady_clock::now();
    BOOST_TEST((real_path(path) == path));
    path.resize(4000);
    for (int i = 0; i < 100; ++i)
        BOOST_TEST(real_path(path) == path);
    BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(5)));
}

BOOST_AUTO_TEST_SUITE_END()
