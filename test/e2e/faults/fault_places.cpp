// Foreign objects at the paths of a daemon's files, and daemons that meet across directories, namespaces and
// users.

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"
#include "harness/seccomp.hpp"

using namespace hob::test;
namespace fs = std::filesystem;

namespace {

struct identity {
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const identity&) const = default;
};

identity identity_of(const std::string& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return {};
    return {info.st_dev, info.st_ino};
}

void put_in_place(sandbox& box, const std::string& kind, const std::string& path) {
    fs::remove_all(path);
    if (kind == "directory") fs::create_directory(path);
    if (kind == "symlink") fs::create_symlink(box.home() + "/target", path);
    if (kind == "fifo" && ::mkfifo(path.c_str(), 0600) != 0) throw test_failure("cannot make " + path);
    if (kind == "another user's") {
        box.write(path, "theirs\n");
        if (::chown(path.c_str(), 54321, 54321) != 0) throw test_failure("cannot chown " + path);
    }
}

// Runs `hob` in a PID namespace of its own, where it sees the same files. The first line of its output is
// from inside.
background start_in_pid_namespace(sandbox& box, const std::string& script) {
    run_options options;
    options.program = "/usr/bin/unshare";
    options.keep_stdin = true;
    return box.start({"--pid", "--fork", "--mount-proc", "/bin/bash", "--norc", "-c", script}, options);
}

bool has_pid_namespaces() {
    if (!require_root() || !require_program("unshare")) return false;
    sandbox box;
    if (start_in_pid_namespace(box, "true").wait().status == 0) return true;
    not_possible_here("no PID namespaces");
    return false;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fault_places)

BOOST_AUTO_TEST_CASE(
    L12_whatever_stands_at_a_path_of_the_daemon_is_refused_by_name_or_replaced_and_never_followed) {
    std::vector<std::string> kinds = {"directory", "symlink", "fifo"};
    if (require_root()) kinds.push_back("another user's");
    for (const std::string& kind : kinds) {
        for (const std::string which :
             {"socket", "pid", "page", "log", "database", "unit log", "last-words", "root"}) {
            sandbox box;
            box.config(echo_worker());
            box.write(box.home() + "/target", "precious\n");
            BOOST_REQUIRE(box.run({"call", "echo", "echo", "1"}).status == 0);
            BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
            const std::string path = which == "socket"       ? box.socket()
                                     : which == "pid"        ? box.pid_file()
                                     : which == "page"       ? box.page()
                                     : which == "log"        ? box.daemon_log()
                                     : which == "database"   ? box.state_dir() + "/hob.db"
                                     : which == "unit log"   ? box.state_dir() + "/log/echo.log"
                                     : which == "last-words" ? box.state_dir() + "/last-words"
                                                             : box.state_dir() + "/root";
            put_in_place(box, kind, path);
            BOOST_TEST_CONTEXT(kind << " as " << which) {
                const auto call = box.run({"call", "echo", "echo", "1"});
                BOOST_TEST(call.elapsed < 8s);
                const bool refused = call.status != 0;
                if (refused) {
                    BOOST_TEST(call.status == 3, call.text());
                    BOOST_TEST(call.err.find(path) != std::string::npos, call.text());
                    BOOST_TEST(wait_until([&] { return box.processes().empty(); }));
                } else {
                    BOOST_TEST(call.out == "1\n");
                }
                // There is no lock without its file, and a socket cannot be bound over a directory.
                BOOST_TEST(refused == (which == "pid" || (which == "socket" && kind == "directory")),
                           call.text());
                for (const char* verb : {"status", "logs", "list", "prompt"}) {
                    const auto result = box.run({verb});
                    BOOST_TEST(result.elapsed < 8s, verb);
                    BOOST_TEST(result.signal == 0, verb << ": " << result.text());
                }
                BOOST_TEST(box.run({"logs", "echo"}).elapsed < 8s);
                BOOST_TEST(slurp(box.home() + "/target") == "precious\n");
                if (kind == "another user's" && (refused || which == "database" || which == "log"))
                    BOOST_TEST(slurp(path) == "theirs\n");
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(L08_a_daemon_that_ends_late_leaves_its_successors_files_alone) {
    sandbox box;
    box.config(echo_worker());
    for (int round = 0; round < scaled(8); ++round) {
        auto call = box.start({"call", "echo", "sleep", R"({"ms":300})"});
        BOOST_REQUIRE(wait_until([&] {
            return json_at(box.run({"status", "--json"}).out, "/daemon/state") == "running" &&
                   json_at(box.run({"status", "--json"}).out, "/units/0/state") == "warm";
        }));
        const pid_t old_daemon = box.daemon_pid();
        const identity old_socket = identity_of(box.socket());
        // It drains. Its pid file is removed, so that nothing shows it. A successor with another state
        // directory starts in the same runtime directory.
        ::kill(old_daemon, SIGTERM);
        BOOST_REQUIRE(wait_until([&] { return !exists(box.socket()); }));
        ::kill(old_daemon, SIGSTOP);
        ::unlink(box.pid_file().c_str());
        run_options other;
        other.env = {{"HOB_STATE_DIR", box.root() + "/s2"}};
        const auto ping = box.run({"ping", "--json"}, other);
        BOOST_REQUIRE_MESSAGE(ping.status == 0, ping.text());
        const identity socket = identity_of(box.socket());
        const identity pid_file = identity_of(box.pid_file());
        const identity page = identity_of(box.page());
        BOOST_TEST_MESSAGE("the socket's inode number was " << (socket == old_socket ? "" : "not ")
                                                            << "reused");
        ::kill(old_daemon, SIGCONT);
        BOOST_TEST(wait_until([&] { return !process_lives(old_daemon); }, 15s));
        call.wait();
        BOOST_TEST((identity_of(box.socket()) == socket));
        BOOST_TEST((identity_of(box.pid_file()) == pid_file));
        BOOST_TEST((identity_of(box.page()) == page));
        const auto again = box.run({"ping", "--json"}, other);
        BOOST_TEST(json_at(again.out, "/pid").value_or("") == json_at(ping.out, "/pid").value_or(""),
                   again.text());
        BOOST_TEST(box.run({"shutdown"}, other).status == 0);
        BOOST_TEST(!exists(box.socket()));
        BOOST_TEST(!exists(box.pid_file()));
    }
}

BOOST_AUTO_TEST_CASE(L08_a_successor_keeps_its_files_while_the_old_daemon_removes_its_own) {
    sandbox box;
    for (int round = 0; round < scaled(60); ++round) {
        BOOST_REQUIRE(box.run({"ping"}).status == 0);
        const pid_t old_daemon = box.daemon_pid();
        ::kill(old_daemon, SIGTERM);
        let_pass_randomly(3ms);
        const auto ping = box.run({"ping", "--json"});
        BOOST_TEST(ping.status == 0, ping.text());
        BOOST_TEST(wait_until([&] { return !process_lives(old_daemon); }));
        if (json_at(ping.out, "/pid") == std::to_string(old_daemon)) continue;  // it answered before it ended
        BOOST_TEST(json_at(ping.out, "/pid").value_or("") == std::to_string(box.daemon_pid()));
        BOOST_TEST(exists(box.socket()));
        BOOST_TEST(exists(box.page()));
        BOOST_TEST(json_at(box.run({"ping", "--json"}).out, "/pid").value_or("") ==
                   json_at(ping.out, "/pid").value_or(""));
    }
}

BOOST_AUTO_TEST_CASE(L11_the_pid_of_another_users_process_is_never_signalled) {
    if (!require_root()) return;
    sandbox box;
    run_options sleeping;
    sleeping.program = "/bin/sleep";
    sleeping.as_uid = 54321;
    sleeping.cwd = "/";
    auto bystander = box.start({"1000"}, sleeping);
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
    box.write(box.pid_file(), std::to_string(bystander.pid()) + "\n");
    BOOST_TEST(box.run({"status"}).status == 3);
    BOOST_TEST(box.run({"shutdown", "--now"}).status == 0);
    BOOST_TEST(box.run({"ping"}).status == 0);
    // A live, stopped daemon: the pid in the file is not the holder of the lock.
    const pid_t daemon = box.daemon_pid();
    box.write(box.pid_file(), std::to_string(bystander.pid()) + "\n");
    ::kill(daemon, SIGSTOP);
    const auto now = box.run({"shutdown", "--now"});
    BOOST_TEST(bystander.running());
    BOOST_TEST(now.status == 3, now.text());
    BOOST_TEST(now.err.find("could not be confirmed") != std::string::npos, now.text());
    ::kill(daemon, SIGCONT);
    BOOST_TEST(bystander.running());
    BOOST_TEST(box.run({"shutdown"}).status == 0);
}

BOOST_AUTO_TEST_CASE(L16_roots_from_50_to_4000_bytes_are_served_and_longer_ones_are_refused_clearly) {
    sandbox box;
    for (const std::size_t length : {50u, 107u, 108u, 255u, 256u, 1000u, 2000u, 3000u, 3900u, 4000u}) {
        std::string root = box.root() + "/L" + std::to_string(length);
        while (root.size() + 1 < length) {
            const std::size_t part = std::min<std::size_t>(250, length - root.size() - 1);
            // Leave no room for a component of one byte only.
            root += "/" + std::string(length - root.size() - 1 - part == 1 ? part - 1 : part, 'd');
        }
        BOOST_REQUIRE(root.size() == length);
        fs::create_directories(root);
        box.write(root + "/hob.toml", echo_worker());
        BOOST_TEST_CONTEXT(length << " bytes") {
            const auto call = box.run({"-C", root, "call", "echo", "echo", "[1]"});
            BOOST_TEST(call.status == 0, call.text().substr(0, 300));
            BOOST_TEST(call.out == "[1]\n");
            // From inside, without a path.
            run_options inside;
            inside.cwd = root;
            const auto ping = box.run({"ping", "--json"}, inside);
            BOOST_TEST(json_at(ping.out, "/pid").value_or("") == std::to_string(box.daemon_pid(root)));
            BOOST_TEST(box.run({"-C", root, "shutdown"}).status == 0);
        }
    }
    // Deeper than the longest path: only reachable step by step.
    const auto deep =
        box.shell("cd '" + box.root() + "' && for i in $(seq 25); do mkdir -p " + std::string(200, 'e') +
                  " && cd " + std::string(200, 'e') + " || exit 9; done; touch hob.toml; hob ping");
    BOOST_TEST(deep.status != 0);
    BOOST_TEST(deep.status != 9, deep.text().substr(0, 300));
    BOOST_TEST(count(deep.err, "hob: cannot") == 1u, deep.text().substr(0, 600));
    BOOST_TEST(box.processes().empty());
    box.shell("cd '" + box.root() + "' && rm -rf " + std::string(200, 'e'));
}

BOOST_AUTO_TEST_CASE(L21_a_daemon_outside_is_found_from_inside_another_pid_namespace) {
    if (!has_pid_namespaces()) return;
    sandbox box;
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    const pid_t daemon = box.daemon_pid();
    auto inside =
        start_in_pid_namespace(box, "hob ping --json && hob status --json && hob shutdown && hob status");
    const auto result = inside.wait();
    BOOST_TEST(
        json_at(result.out.substr(0, result.out.find('\n')), "/pid").value_or("") == std::to_string(daemon),
        result.text());
    BOOST_TEST(result.status == 3, result.text());  // the status of the last command: stopped
    // Inside, only its lock can be waited for, not its process.
    BOOST_TEST(wait_until([&] { return !process_lives(daemon); }));
    BOOST_TEST(box.daemon_starts() == 1);
}

BOOST_AUTO_TEST_CASE(L21_a_daemon_inside_another_pid_namespace_is_found_from_outside) {
    if (!has_pid_namespaces()) return;
    sandbox box;
    // Its first process stays, since otherwise the kernel ends the namespace.
    auto inside = start_in_pid_namespace(box, "hob ping --json; read; hob ping --json; read");
    const auto first = inside.read_line(20s).value_or("");
    const auto ping = box.run({"ping", "--json"});
    BOOST_TEST(json_at(ping.out, "/pid").value_or("") == json_at(first, "/pid").value_or("none"),
               ping.text());
    BOOST_TEST(box.run({"status"}).status == 0);
    BOOST_TEST(box.daemon_starts() == 1);
    const auto end = box.run({"shutdown"});
    BOOST_TEST(end.status == 0, end.text());
    BOOST_TEST(box.run({"status"}).status == 3);
    // And the other way round.
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    inside.write_line("");
    BOOST_TEST(json_at(inside.read_line(20s).value_or(""), "/pid").value_or("") ==
               std::to_string(box.daemon_pid()));
    BOOST_TEST(box.daemon_starts() == 2);
    inside.write_line("");
    inside.wait();
}

BOOST_AUTO_TEST_CASE(L21_a_pid_of_another_namespace_is_not_signalled_because_the_lock_decides) {
    if (!has_pid_namespaces()) return;
    sandbox box;
    auto inside = start_in_pid_namespace(box, "hob ping --json; kill -STOP $(cat '" + box.pid_file() +
                                                  "'); echo; read; kill -CONT $(cat '" + box.pid_file() +
                                                  "'); hob ping; echo; read");
    inside.read_line(20s);
    inside.read_line(20s);
    // Stopped, and its pid is another process here.
    const auto ping = box.run({"ping", "--json"});
    BOOST_TEST(ping.status == 3, ping.text());
    BOOST_TEST(json_at(ping.err, "/error/code").value_or("") == "wedged", ping.text());
    inside.write_line("");
    inside.read_line(20s);
    inside.read_line(20s);
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(box.daemon_starts() == 1);
    // Its namespace ends, and the lock with it: dead, whatever pid the file holds.
    inside.write_line("");
    inside.wait();
    BOOST_TEST(wait_until([&] { return box.run({"status"}).status == 3; }));
    BOOST_TEST(exists(box.pid_file()));
    const auto next = box.run({"ping"});
    BOOST_TEST(next.status == 0, next.text());
    BOOST_TEST(box.daemon_starts() == 2);
}

BOOST_AUTO_TEST_CASE(W08_other_users_are_refused_even_where_modes_allow_them) {
    if (!require_root()) return;
    sandbox box;
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    ::chmod(box.root().c_str(), 0755);
    ::chmod(box.runtime().c_str(), 0755);
    ::chmod(box.socket().c_str(), 0666);
    run_options stranger;
    stranger.as_uid = 54321;
    stranger.cwd = "/";
    stranger.program = "/usr/bin/python3";
    const auto result =
        box.run({"-c",
                 "import socket, sys\n"
                 "s = socket.socket(socket.AF_UNIX)\n"
                 "s.connect(sys.argv[1])\n"
                 "try: s.sendall(b'{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hob.shutdown\"}\\n')\n"
                 "except OSError: pass\n"
                 "try: print(s.recv(100))\n"
                 "except ConnectionResetError: print(b'')",
                 box.socket()},
                stranger);
    BOOST_TEST(result.out == "b''\n", result.text());
    ::chmod(box.runtime().c_str(), 0700);
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(box.daemon_starts() == 1);
    BOOST_TEST(slurp(box.daemon_log()).find("client of another user refused") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
