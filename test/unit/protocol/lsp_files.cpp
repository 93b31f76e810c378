#include "unit/protocol/lsp/files.hpp"

#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/results_collector.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "limits.hpp"

namespace {

namespace fs = std::filesystem;
using hob::unit::lsp_files;
using kind = lsp_files::change_kind;
using changes = std::map<std::string, kind>;

struct project {
    project() {
        std::string pattern = (fs::temp_directory_path() / "lsp-files-XXXXXX").string();
        root = ::mkdtemp(pattern.data());
    }
    ~project() { fs::remove_all(root); }

    void write(const std::string& path, const std::string& text) const { std::ofstream(root / path) << text; }
    void make(const std::string& dir) const { fs::create_directories(root / dir); }

    // Makes the kernel drop events: a folder is made and removed more often than it queues events.
    void lose_events(const std::string& dir) const {
        int queue_size = 0;
        std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> queue_size;
        BOOST_REQUIRE(queue_size > 0);
        for (int i = 0; i <= queue_size; ++i) {
            fs::create_directory(root / dir);
            fs::remove(root / dir);
        }
    }

    void start() {
        files = std::make_unique<lsp_files>(root.string());
        boost::asio::io_context io;
        std::exception_ptr failed;
        boost::asio::co_spawn(io, files->start(io.get_executor()),
                              [&](std::exception_ptr why) { failed = why; });
        io.run();
        BOOST_REQUIRE(!failed);
    }

    changes new_changes() const {
        changes reported;
        for (const auto& [path, what] : files->changes())
            BOOST_TEST(reported.emplace(fs::path(path).lexically_relative(root).string(), what).second, path);
        return reported;
    }

    // The bytes of all files that are to be reported, by path.
    std::map<std::string, std::string> content() const {
        std::map<std::string, std::string> found;
        for (auto at = fs::recursive_directory_iterator(root); at != fs::recursive_directory_iterator();
             ++at) {
            const std::string name = at->path().filename().string();
            if (name.starts_with('.') || name == "node_modules") {
                at.disable_recursion_pending();
            } else if (at->is_regular_file() && !at->is_symlink()) {
                std::ifstream in(at->path());
                found[at->path().lexically_relative(root).string()] = {std::istreambuf_iterator<char>(in),
                                                                       {}};
            }
        }
        return found;
    }

    fs::path root;
    std::unique_ptr<lsp_files> files;
};

std::string text(const changes& reported) {
    std::string all;
    for (const auto& [path, what] : reported)
        all += path + " " + std::to_string(static_cast<int>(what)) + "\n";
    return all;
}

// Every change must be reported. A file that was written with its old content may be reported too.
void check(const std::map<std::string, std::string>& before, const std::map<std::string, std::string>& after,
           const changes& reported, const std::string& done) {
    for (const auto& [path, bytes] : after) {
        const auto old = before.find(path);
        const auto report = reported.find(path);
        if (old == before.end()) {
            BOOST_TEST((report != reported.end() && report->second == kind::created), path << " is new\n"
                                                                                           << done);
        } else if (old->second != bytes) {
            BOOST_TEST((report != reported.end() && report->second == kind::changed), path << " changed\n"
                                                                                           << done);
        } else {
            BOOST_TEST((report == reported.end() || report->second == kind::changed), path << " is the same\n"
                                                                                           << done);
        }
    }
    for (const auto& [path, bytes] : before) {
        if (after.contains(path)) continue;
        const auto report = reported.find(path);
        BOOST_TEST((report != reported.end() && report->second == kind::deleted), path << " is gone\n"
                                                                                       << done);
    }
    for (const auto& [path, what] : reported)
        BOOST_TEST((after.contains(path) || before.contains(path)), path << " never was\n" << done);
}

// Does something that people and their tools do to a tree, which may fail. Returns what it did.
std::string do_something(const fs::path& root, std::mt19937& random) {
    const std::vector<std::string> folders{"", "a/", "a/b/", "c/", "c/d/e/", ".git/", "node_modules/"};
    const auto some_folder = [&] { return folders[random() % folders.size()]; };
    const auto some_file = [&] { return some_folder() + "f" + std::to_string(random() % 4); };
    const auto some_name = [&] { return random() % 2 == 0 ? std::string("a") : std::string("c"); };
    std::error_code failed;
    switch (random() % 8) {
        case 0:
        case 1:
        case 2: {
            const std::string path = some_file();
            fs::create_directories((root / path).parent_path(), failed);
            std::ofstream(root / path) << random() % 3;
            return "write " + path;
        }
        case 3: {
            const std::string path = some_file();
            fs::remove(root / path, failed);
            return "remove " + path;
        }
        case 4: {
            const std::string from = some_file(), to = some_file();
            fs::create_directories((root / to).parent_path(), failed);
            fs::rename(root / from, root / to, failed);
            return "rename " + from + " " + to;
        }
        case 5: {
            const std::string dir = some_name();
            fs::remove_all(root / dir, failed);
            return "remove all " + dir;
        }
        case 6: {
            const std::string from = some_name(), to = "m" + std::to_string(random() % 2);
            fs::rename(root / from, root / to, failed);
            return "rename " + from + " " + to;
        }
        default: {
            const std::string from = "m" + std::to_string(random() % 2), to = some_name();
            fs::rename(root / from, root / to, failed);
            return "rename " + from + " " + to;
        }
    }
}

void do_and_check(project& in, unsigned seed) {
    std::mt19937 random(seed);
    for (int i = 0; i < 20; ++i)
        do_something(in.root, random);
    in.start();
    for (int round = 0; round < 60; ++round) {
        const auto before = in.content();
        std::string done = "seed " + std::to_string(seed) + "\n";
        for (auto left = 1 + random() % 12; left > 0; --left)
            done += do_something(in.root, random) + "\n";
        const changes reported = in.new_changes();
        check(before, in.content(), reported, done + text(reported));
    }
}

void put(const char* path, const char* value) { std::ofstream(path) << value; }

// Does `work` in a process that may not have an inotify instance. Returns its exit status; -1: the kernel
// does not allow such a process.
int without_watches(const std::function<void()>& work) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        if (::unshare(CLONE_NEWUSER) != 0) ::_exit(77);
        put("/proc/self/setgroups", "deny");
        put("/proc/self/uid_map", ("0 " + std::to_string(::geteuid()) + " 1").c_str());
        put("/proc/self/gid_map", ("0 " + std::to_string(::getegid()) + " 1").c_str());
        put("/proc/sys/user/max_inotify_instances", "0");
        work();
        const auto& results = boost::unit_test::results_collector.results(
            boost::unit_test::framework::current_test_case().p_id);
        ::_exit(results.passed() ? 0 : 1);
    }
    int status = 0;
    BOOST_REQUIRE(::waitpid(pid, &status, 0) == pid);
    BOOST_REQUIRE(WIFEXITED(status));
    return WEXITSTATUS(status) == 77 ? -1 : WEXITSTATUS(status);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lsp_files_suite)

BOOST_AUTO_TEST_CASE(every_change_of_a_tree_is_reported) {
    for (unsigned seed = 0; seed < 12; ++seed) {
        project tree;
        do_and_check(tree, seed);
        BOOST_TEST(tree.files->watching());
    }
}

BOOST_AUTO_TEST_CASE(without_watches_the_files_are_compared) {
    const int status = without_watches([] {
        for (unsigned seed = 0; seed < 5; ++seed) {
            project tree;
            do_and_check(tree, seed);
            BOOST_TEST(!tree.files->watching());
        }
    });
    if (status < 0) {
        BOOST_TEST_MESSAGE("no user namespace can be made here");
    } else {
        BOOST_TEST(status == 0);
    }
}

BOOST_AUTO_TEST_CASE(unchanged_files_are_not_reported) {
    project tree;
    tree.make("a/b");
    tree.write("a/b/f", "1");
    tree.start();
    BOOST_TEST(text(tree.new_changes()) == "");
    tree.write("a/b/f", "2");
    BOOST_TEST(text(tree.new_changes()) == "a/b/f 2\n");
    BOOST_TEST(text(tree.new_changes()) == "");
}

BOOST_AUTO_TEST_CASE(too_many_folders_are_not_watched) {
    project tree;
    const auto make = [&](std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to; ++i)
            tree.make(std::to_string(i));
    };
    make(0, hob::limits::lsp_folders_max - 2);
    tree.start();
    BOOST_TEST(tree.files->watching());
    tree.write("0/f", "1");
    BOOST_TEST(text(tree.new_changes()) == "0/f 1\n");
    make(hob::limits::lsp_folders_max - 2, hob::limits::lsp_folders_max + 2);
    tree.write("1/f", "1");
    changes reported = tree.new_changes();
    reported.erase("0/f");  // made just before: its time does not show that it is unchanged
    BOOST_TEST(text(reported) == "1/f 1\n");
    BOOST_TEST(!tree.files->watching());
    tree.write("0/f", "2");
    BOOST_TEST(text(tree.new_changes()) == "0/f 2\n");
}

// The kernel dropped events, and the rescan runs out of watches.
BOOST_AUTO_TEST_CASE(too_many_folders_after_dropped_events_report_only_changes) {
    project tree;
    for (const char* name : {"a", "b", "noise"})
        tree.make(name);
    tree.write("a/stays", "1");
    tree.write("b/goes", "1");
    tree.start();
    tree.new_changes();
    tree.lose_events("noise/d");
    fs::remove(tree.root / "b/goes");
    for (std::size_t i = 0; i < hob::limits::lsp_folders_max; ++i)
        tree.make("many/" + std::to_string(i));
    tree.write("many/f", "1");
    changes reported = tree.new_changes();
    BOOST_TEST((!reported.contains("a/stays") || reported["a/stays"] == kind::changed));
    reported.erase("a/stays");  // made just before: its time does not show that it is unchanged
    BOOST_TEST(text(reported) == "b/goes 3\nmany/f 1\n");
    BOOST_TEST(!tree.files->watching());
}

// Such as a log, or a file that an editor keeps open.
BOOST_AUTO_TEST_CASE(a_file_that_is_still_open_for_writing_is_reported) {
    project tree;
    tree.write("f", "1");
    tree.start();
    std::ofstream out(tree.root / "f", std::ios::app);
    out << "2" << std::flush;
    BOOST_TEST(text(tree.new_changes()) == "f 2\n");
}

BOOST_AUTO_TEST_CASE(a_folder_that_becomes_a_build_tree_is_left_out) {
    project tree;
    tree.make("build/x");
    tree.write("build/x/f", "1");
    tree.make("old");
    tree.write("old/CMakeCache.txt", "");
    tree.write("old/f", "1");
    tree.start();
    tree.write("old/f", "2");
    tree.write("build/CMakeCache.txt", "");
    BOOST_TEST(text(tree.new_changes()) == "build/x/f 3\n");
    tree.write("build/x/f", "2");
    BOOST_TEST(text(tree.new_changes()) == "");
}

BOOST_AUTO_TEST_CASE(only_files_are_reported) {
    project tree;
    tree.start();
    fs::create_symlink("nowhere", tree.root / "link");
    BOOST_REQUIRE(::mkfifo((tree.root / "pipe").c_str(), 0600) == 0);
    tree.make("folder");
    BOOST_TEST(text(tree.new_changes()) == "");
}

BOOST_AUTO_TEST_CASE(changes_are_reported_after_the_kernel_dropped_events) {
    project tree;
    tree.make("a/b");
    for (const char* name : {"a/b/stays", "a/b/changes", "a/b/goes"})
        tree.write(name, "1");
    tree.make("noise");
    tree.start();
    tree.lose_events("noise/d");
    tree.write("a/b/changes", "2");
    fs::remove(tree.root / "a/b/goes");
    tree.make("a/c");
    tree.write("a/c/comes", "1");
    changes reported = tree.new_changes();
    reported.erase("a/b/stays");  // made just before: its time does not show that it is unchanged
    BOOST_TEST(text(reported) == "a/b/changes 2\na/b/goes 3\na/c/comes 1\n");
    tree.write("a/c/comes", "2");
    BOOST_TEST(text(tree.new_changes()) == "a/c/comes 2\n");
}

BOOST_AUTO_TEST_SUITE_END()
