// The daemon cannot be reached: the failure names errno and path, and nothing is changed.

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"
#include "harness/seccomp.hpp"

using namespace hob::test;

namespace {

struct identity {
    dev_t device;
    ino_t inode;
    bool operator==(const identity&) const = default;
};

identity identity_of(const std::string& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return {};
    return {info.st_dev, info.st_ino};
}

// A daemon that answers, is not touched during `barred`, and answers again.
void stays_untouched(sandbox& box, const std::function<void()>& barred) {
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    const pid_t daemon = box.daemon_pid();
    const auto socket = identity_of(box.socket());
    const auto lock = identity_of(box.pid_file());
    barred();
    BOOST_TEST((identity_of(box.socket()) == socket));
    BOOST_TEST((identity_of(box.pid_file()) == lock));
    BOOST_TEST(process_lives(daemon));
    const auto after = box.run({"ping", "--json"});
    BOOST_TEST(json_at(after.out, "/pid").value_or("") == std::to_string(daemon), after.text());
}

void says_denied(const outcome& result, const std::string& path, int error_number) {
    BOOST_TEST(result.status == 3, result.text());
    BOOST_TEST(result.err.find(std::strerror(error_number)) != std::string::npos, result.text());
    BOOST_TEST(result.err.find(path) != std::string::npos, result.text());
    BOOST_TEST(result.elapsed < 8s);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lifecycle_denied)

BOOST_AUTO_TEST_CASE(L03_EACCES_on_the_socket_is_named) {
    if (!require_root()) return;
    sandbox_options nobody;
    nobody.uid = 54321;
    sandbox box(nobody);
    stays_untouched(box, [&] {
        ::chmod(box.socket().c_str(), 0);
        says_denied(box.run({"ping"}), box.socket(), EACCES);
        says_denied(box.run({"status"}), box.socket(), EACCES);
        ::chmod(box.socket().c_str(), 0600);
    });
}

BOOST_AUTO_TEST_CASE(L03_EPERM_on_connect_is_named) {
    sandbox box;
    stays_untouched(box, [&] {
        run_options options;
        options.in_child = [] { fail_syscall(__NR_connect, EPERM); };
        says_denied(box.run({"ping"}, options), box.socket(), EPERM);
        says_denied(box.run({"status"}, options), box.socket(), EPERM);
    });
}

BOOST_AUTO_TEST_CASE(L03_EMFILE_is_named_and_starts_no_second_daemon) {
    sandbox box;
    stays_untouched(box, [&] {
        bool refused = false;
        for (rlim_t limit = 3; limit < 12; ++limit) {
            run_options options;
            options.in_child = [limit] {
                const rlimit few{limit, limit};
                ::setrlimit(RLIMIT_NOFILE, &few);
            };
            const auto result = box.run({"ping"}, options);
            if (result.status == 0) continue;
            refused = true;
            if (sanitized() && result.status == 127) continue;  // the dynamic loader needs descriptors, too
            BOOST_TEST(result.err.find(std::strerror(EMFILE)) != std::string::npos,
                       limit << ": " << result.text());
            BOOST_TEST(result.elapsed < 8s);
        }
        BOOST_TEST(refused);
    });
    BOOST_TEST(box.daemon_starts() == 1);
}

BOOST_AUTO_TEST_CASE(L20_a_lock_that_is_not_supported_is_bounded_and_named) {
    sandbox box;
    run_options options;
    options.in_child = [] { fail_syscall(__NR_flock, ENOLCK); };
    const auto result = box.run({"ping"}, options);
    BOOST_TEST(result.status == 3, result.text());
    BOOST_TEST(result.err.find(std::strerror(ENOLCK)) != std::string::npos, result.text());
    BOOST_TEST(result.elapsed < 8s);
    BOOST_TEST(box.processes().empty());
}

BOOST_AUTO_TEST_CASE(L03_a_full_backlog_is_waited_for_and_then_named) {
    sandbox box;
    rlimit descriptors{};
    ::getrlimit(RLIMIT_NOFILE, &descriptors);
    descriptors.rlim_cur = descriptors.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &descriptors);
    stays_untouched(box, [&] {
        const pid_t daemon = box.daemon_pid();
        ::kill(daemon, SIGSTOP);
        std::vector<hob::util::unique_fd> crowd;
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, box.socket().c_str());
        for (;;) {
            hob::util::unique_fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
            if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
                break;
            crowd.push_back(std::move(fd));
        }
        const bool full = errno == EAGAIN;
        BOOST_TEST_MESSAGE("backlog " << crowd.size() << (full ? ", full" : ", out of descriptors"));
        const auto result = box.run({"ping"});
        BOOST_TEST(result.status == 3, result.text());
        BOOST_TEST(result.err.find(std::to_string(daemon)) != std::string::npos, result.text());
        BOOST_TEST(result.err.find("stopped") != std::string::npos, result.text());
        BOOST_TEST(result.elapsed < 12s);
        ::kill(daemon, SIGCONT);
    });
    BOOST_TEST(box.daemon_starts() == 1);
}

BOOST_AUTO_TEST_CASE(L03_a_socket_path_over_107_bytes_works) {
    sandbox box;
    const std::string deep = box.root() + "/" + std::string(200, 'd');
    box.set_env("HOB_RUNTIME_DIR", deep);
    const auto first = box.run({"ping", "--json"});
    BOOST_REQUIRE_MESSAGE(first.status == 0, first.text());
    const auto second = box.run({"ping", "--json"});
    BOOST_TEST(json_at(first.out, "/pid").value() == json_at(second.out, "/pid").value_or(""));
    raw_client raw(deep + "/" + box.key() + ".sock");
    BOOST_TEST(json_at(raw.line().value(), "/method").value() == "hob.hello");
    raw.close();
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(!exists(deep + "/" + box.key() + ".sock"));
}

BOOST_AUTO_TEST_CASE(L03_a_path_that_no_kernel_takes_is_one_clear_error) {
    sandbox box;
    std::string endless = box.root();
    while (endless.size() < 5000)
        endless += "/" + std::string(200, 'd');
    box.set_env("HOB_RUNTIME_DIR", endless);
    const auto result = box.run({"ping"});
    BOOST_TEST(result.status != 0);
    BOOST_TEST(result.err.find(std::strerror(ENAMETOOLONG)) != std::string::npos,
               result.text().substr(0, 600));
    BOOST_TEST(box.processes().empty());
}

BOOST_AUTO_TEST_CASE(L26_a_foreign_listener_is_a_bounded_clear_error) {
    for (const std::string kind : {"silent", "http", "endless"}) {
        sandbox box;
        ::mkdir(box.runtime().c_str(), 0700);
        hob::util::unique_fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, box.socket().c_str());
        BOOST_REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
                      0);
        BOOST_REQUIRE(::listen(listener.get(), 16) == 0);
        const auto before = identity_of(box.socket());
        std::thread server([&] {
            for (;;) {
                hob::util::unique_fd peer(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
                if (!peer) return;
                if (kind == "http") hob::util::write_all(peer.get(), "HTTP/1.1 400 Bad Request\r\n\r\n");
                if (kind == "endless") {
                    const std::string flood(65536, 'x');
                    while (::send(peer.get(), flood.data(), flood.size(), MSG_NOSIGNAL) > 0) {
                    }
                }
                char byte;
                while (::read(peer.get(), &byte, 1) > 0) {
                }
            }
        });
        const auto result = box.run({"ping", "--json"});
        BOOST_TEST(result.status == 3, kind << ": " << result.text());
        BOOST_TEST(result.elapsed < 15s, kind << ": " << result.text());
        BOOST_TEST(result.err.find(box.socket()) != std::string::npos, kind << ": " << result.text());
        // Nobody holds the lock, so no daemon lives. Who only looks does not connect.
        const auto looked = box.run({"status", "--json"});
        BOOST_TEST(looked.status == 3, kind << ": " << looked.text());
        BOOST_TEST(looked.elapsed < 2s, kind << ": " << looked.text());
        BOOST_TEST(json_at(looked.out, "/daemon/state").value_or("") == "stopped",
                   kind << ": " << looked.text());
        BOOST_TEST((identity_of(box.socket()) == before), kind);
        ::shutdown(listener.get(), SHUT_RDWR);
        server.join();
    }
}

BOOST_AUTO_TEST_CASE(S01_a_runtime_directory_that_is_not_ours_alone_is_refused_by_name) {
    sandbox box;
    const auto refused = [&](const char* what) {
        const auto result = box.run({"ping", "--json"});
        BOOST_TEST(result.status == 3, what << ": " << result.text());
        BOOST_TEST(json_at(result.err, "/error/code").value_or("") == "foreign",
                   what << ": " << result.text());
        BOOST_TEST(result.err.find(box.runtime()) != std::string::npos, what << ": " << result.text());
        BOOST_TEST(box.processes().empty());
    };
    ::mkdir(box.runtime().c_str(), 0700);
    ::chmod(box.runtime().c_str(), 0777);
    refused("world-writable");
    ::chmod(box.runtime().c_str(), 0750);
    refused("open to the group");
    ::rmdir(box.runtime().c_str());
    BOOST_REQUIRE(::symlink(box.home().c_str(), box.runtime().c_str()) == 0);
    refused("a symlink");
    ::unlink(box.runtime().c_str());
    box.write(box.runtime(), "");
    refused("a file");
    ::unlink(box.runtime().c_str());
    if (require_root()) {
        ::mkdir(box.runtime().c_str(), 0700);
        BOOST_REQUIRE(::chown(box.runtime().c_str(), 54321, 54321) == 0);
        refused("another user's");
        ::rmdir(box.runtime().c_str());
    }
    BOOST_TEST(box.run({"ping"}).status == 0);
}

BOOST_AUTO_TEST_CASE(S01_a_state_directory_that_others_may_write_is_refused_by_name) {
    sandbox box;
    const auto refused = [&](const std::string& path, const char* what) {
        const auto result = box.run({"ping", "--json"});
        BOOST_TEST(result.status == 3, what << ": " << result.text());
        BOOST_TEST(result.err.find(path) != std::string::npos, what << ": " << result.text());
        BOOST_TEST(result.elapsed < 5s);
        box.run({"doctor", "--clear"});
    };
    ::mkdir(box.state().c_str(), 0700);
    ::mkdir(box.state_dir().c_str(), 0700);
    ::chmod(box.state_dir().c_str(), 0777);
    refused(box.state_dir(), "world-writable");
    ::rmdir(box.state_dir().c_str());
    BOOST_REQUIRE(::symlink(box.home().c_str(), box.state_dir().c_str()) == 0);
    refused(box.state_dir(), "a symlink");
    ::unlink(box.state_dir().c_str());
    if (require_root()) {
        ::mkdir(box.state_dir().c_str(), 0700);
        BOOST_REQUIRE(::chown(box.state_dir().c_str(), 54321, 54321) == 0);
        refused(box.state_dir(), "another user's");
    }
}

BOOST_AUTO_TEST_CASE(S02_a_configuration_that_others_may_write_is_refused) {
    sandbox box;
    box.write("hob.toml", "", 0666);
    const auto open = box.run({"ping", "--json"});
    BOOST_TEST(open.status == 2, open.text());
    BOOST_TEST(json_at(open.err, "/error/code").value_or("") == "untrusted_config", open.text());
    BOOST_TEST(open.err.find(box.project() + "/hob.toml") != std::string::npos);
    if (!require_root()) return;
    box.write("hob.toml", "", 0600);
    BOOST_REQUIRE(::chown((box.project() + "/hob.toml").c_str(), 54321, 54321) == 0);
    const auto other = box.run({"ping", "--json"});
    BOOST_TEST(json_at(other.err, "/error/code").value_or("") == "untrusted_config", other.text());
    BOOST_TEST(wait_until([&] { return box.processes().empty(); }));
}

BOOST_AUTO_TEST_SUITE_END()
