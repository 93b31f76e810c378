// Files and directories that are not what a daemon left there.

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "harness/sandbox.hpp"
#include "limits.hpp"
#include "util/fd.hpp"

using namespace hob::test;

namespace {

// Removes the pid file at a moment of a start that files tell of: when one whose name ends in `suffix` is
// made or written in `directory`. `times`: how often it does, at most, from arm() on.
class remover {
public:
    remover(std::string pid_file, const std::string& directory, std::string suffix)
        : pid_file_(std::move(pid_file)),
          suffix_(std::move(suffix)),
          inotify_(::inotify_init1(IN_CLOEXEC)),
          end_(hob::util::make_pipe()) {
        ::inotify_add_watch(inotify_.get(), directory.c_str(), IN_CREATE | IN_MODIFY | IN_MOVED_TO);
        thread_ = std::thread([this] { run(); });
    }
    ~remover() {
        end_.write.reset();
        thread_.join();
    }
    remover(const remover&) = delete;
    remover& operator=(const remover&) = delete;

    void arm(int times) {
        left_ = times;
        removed_ = 0;
    }
    int removed() const { return removed_; }

private:
    void run() {
        alignas(inotify_event) char events[4096];
        for (;;) {
            pollfd waiting[] = {{inotify_.get(), POLLIN, 0}, {end_.read.get(), POLLIN, 0}};
            ::poll(waiting, 2, -1);
            if (waiting[1].revents != 0) return;
            const ssize_t n = ::read(inotify_.get(), events, sizeof events);
            for (ssize_t at = 0; at < n;) {
                const auto* event = reinterpret_cast<const inotify_event*>(events + at);
                at += static_cast<ssize_t>(sizeof *event + event->len);
                if (event->len != 0 && std::string_view(event->name).ends_with(suffix_)) strike();
            }
        }
    }
    void strike() {
        if (left_ <= 0 || ::unlink(pid_file_.c_str()) != 0) return;
        --left_;
        ++removed_;
    }

    const std::string pid_file_, suffix_;
    hob::util::unique_fd inotify_;
    hob::util::pipe_ends end_;
    std::atomic<int> left_ = 0;
    std::atomic<int> removed_ = 0;
    std::thread thread_;
};

struct moment {
    const char* directory;  // of the file: runtime or state
    const char* suffix;     // of its name
};

constexpr moment moments[] = {
    {"runtime", ".pid"},      // the client has locked it, or is about to; the daemon writes its number
    {"state", "holder"},      // the daemon has begun
    {"state", "hob.db-wal"},  // it is in the midst of its start
    {"runtime", ".sock"},     // it is bound, and watches from here on
    {"runtime", ".page"},     // it is ready
};

}  // namespace

BOOST_AUTO_TEST_SUITE(lifecycle_files)

BOOST_AUTO_TEST_CASE(L11_whatever_pid_the_file_holds_nobody_is_signalled_and_a_start_is_not_held_up) {
    sandbox box;
    run_options sleeping;
    sleeping.program = "/bin/sleep";
    auto bystander = box.start({"1000"}, sleeping);
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
    for (const std::string& text :
         {std::to_string(bystander.pid()) + "\n", std::string("1\n"), std::string("0\n"), std::string("-1\n"),
          std::string("-") + std::to_string(bystander.pid()), std::string("garbage"),
          std::string("99999999999999999999\n"), std::string(), std::string(4 << 20, '7'),
          std::string("\0\xff\n", 3)}) {
        BOOST_TEST_CONTEXT("holding " << text.substr(0, 30)) {
            box.write(box.pid_file(), text);
            BOOST_TEST(box.run({"status"}).status == 3);
            BOOST_TEST(box.run({"shutdown"}).status == 0);
            box.write(box.pid_file(), text);
            BOOST_TEST(box.run({"shutdown", "--now"}).status == 0);
            box.write(box.pid_file(), text);
            const auto ping = box.run({"ping"});
            BOOST_TEST(ping.status == 0, ping.text());
            BOOST_TEST(ping.elapsed < 3s);
            BOOST_TEST(slurp(box.pid_file()) == std::to_string(box.daemon_pid()) + "\n");
            BOOST_TEST(box.run({"shutdown"}).status == 0);
            BOOST_TEST(bystander.running());
        }
    }
}

BOOST_AUTO_TEST_CASE(
    L10_a_runtime_directory_deleted_under_a_daemon_leaves_one_daemon_and_the_next_command_works) {
    sandbox box;
    for (int i = 0; i < scaled(10); ++i) {
        BOOST_REQUIRE(box.run({"ping"}).status == 0);
        BOOST_TEST(remove_tree(box.runtime()));
        const auto next = box.run({"ping", "--json"});
        BOOST_TEST(next.status == 0, next.text());
        BOOST_TEST(next.elapsed < 2s);
        BOOST_TEST(wait_until([&] { return box.processes().size() == 1; }, 5s));
        BOOST_TEST(json_at(box.run({"ping", "--json"}).out, "/pid").value_or("") ==
                   std::to_string(box.daemon_pid()));
    }
}

BOOST_AUTO_TEST_CASE(L09_a_pid_file_removed_at_any_moment_of_a_start_fails_no_command_and_leaves_one_daemon) {
    for (const auto& at : moments) {
        sandbox box;
        BOOST_REQUIRE(box.run({"ping"}).status == 0);
        BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
        const bool of_state = std::string_view(at.directory) == "state";
        remover cleaner(box.pid_file(), of_state ? box.state_dir() : box.runtime(), at.suffix);
        int struck = 0;
        for (int i = 0; i < scaled(60); ++i) {
            cleaner.arm(1);
            const auto ping = box.run({"ping", "--json"});
            struck += cleaner.removed();
            cleaner.arm(0);
            BOOST_TEST_CONTEXT(at.suffix << ", round " << i << ": " << ping.text()) {
                BOOST_TEST(ping.status == 0);
                BOOST_TEST(ping.elapsed < 5s);
                // One that served is ending, if any is.
                BOOST_TEST(wait_until([&] { return box.processes().size() <= 1; }, 5s));
                const auto next = box.run({"ping", "--json"});
                BOOST_TEST(next.status == 0, next.text());
                BOOST_TEST(wait_until([&] { return box.processes().size() == 1; }, 5s));
                BOOST_TEST(exists(box.pid_file()));
                BOOST_TEST(box.run({"shutdown"}).status == 0);
                BOOST_TEST(wait_until([&] { return box.processes().empty(); }, 5s));
            }
        }
        BOOST_TEST(struck > 0, at.suffix);
        BOOST_TEST(slurp(box.state_dir() + "/last-words").empty(), at.suffix);
    }
}

BOOST_AUTO_TEST_CASE(L09_a_pid_file_removed_at_every_start_is_told_after_a_few_and_is_no_crash_loop) {
    sandbox box;
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
    remover cleaner(box.pid_file(), box.state_dir(), "holder");
    int failed = 0;
    for (int i = 0; i < 100 && failed <= 3; ++i) {
        cleaner.arm(1000);
        const auto ping = box.run({"ping", "--json"});
        const int removed = cleaner.removed();
        cleaner.arm(0);
        BOOST_TEST(ping.elapsed < 10s);
        if (ping.status == 0) {  // the remover came too late, as it may on a busy machine
            BOOST_TEST(box.run({"shutdown"}).status == 0);
        } else {
            ++failed;
            BOOST_TEST(ping.status == 3, ping.text());
            BOOST_TEST(json_at(ping.err, "/error/code").value_or("") == "start_failed", ping.text());
            BOOST_TEST(ping.err.find("was taken away") != std::string::npos, ping.text());
            BOOST_TEST(removed >= hob::limits::lost_starts_max);
        }
        BOOST_TEST(wait_until([&] { return box.processes().empty(); }, 5s));
    }
    BOOST_TEST(failed > 3);  // which would hold the brake
    BOOST_TEST(box.run({"ping"}).status == 0);
}

BOOST_AUTO_TEST_CASE(L16_roots_of_every_length_and_of_any_bytes_have_daemons_of_their_own) {
    sandbox box;
    const std::string prefix(200, 'p');
    std::vector<std::string> roots = {"with space", "quo'te\"s", "new\nline",        "bytes\xff\xfe",
                                      "-dash",      ".dot",      "\xc3\xa4\xc3\xb6", "$(exit 1);*",
                                      prefix + "a", prefix + "b"};
    std::string deep;
    while (deep.size() < 3500)
        deep += std::string(200, 'd') + "/";
    roots.push_back(deep + "end");
    std::vector<std::string> pids;
    for (const auto& name : roots) {
        const std::string root = box.root() + "/roots/" + name;
        std::filesystem::create_directories(root);
        box.write(root + "/hob.toml", "");
        const auto ping = box.run({"-C", root, "ping", "--json"});
        BOOST_TEST_CONTEXT(name.substr(0, 20) << ": " << ping.text()) {
            BOOST_TEST(ping.status == 0);
            BOOST_TEST(json_at(ping.out, "/pid").value_or("") == std::to_string(box.daemon_pid(root)));
            for (const auto& other : pids)
                BOOST_TEST(other != json_at(ping.out, "/pid").value_or(""));
            pids.push_back(json_at(ping.out, "/pid").value_or(""));
        }
        const auto status = box.run({"-C", root, "status", "--json"});
        BOOST_TEST(status.status == 0, status.text());
    }
    const auto list = box.run({"list", "--json"});
    BOOST_TEST(json_at(list.out, "/" + std::to_string(roots.size() - 1)).has_value(), list.text());
    for (const auto& name : roots)
        BOOST_TEST(box.run({"-C", box.root() + "/roots/" + name, "shutdown"}).status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
