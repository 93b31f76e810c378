// The daemon's machinery with an application that has no units.
#include "lifecycle/application.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include "ipc/status_page.hpp"
#include "lifecycle/connect.hpp"
#include "lifecycle/daemon.hpp"
#include "util/fd.hpp"

namespace {

namespace fs = std::filesystem;
using namespace hob::lifecycle;
using hob::util::deadline;
using namespace std::chrono_literals;

// Writes the calls that it gets into the file `calls` of its root.
class recording_application final : public application {
public:
    explicit recording_application(application_context context) : context_(std::move(context)) {}

    void load_config() override { record("load_config"); }
    const daemon_settings& daemon_config() const override { return daemon_; }
    const log_settings& log_config() const override { return log_; }
    void open() override { record("open"); }
    bool config_is_applied() const override { return true; }
    std::string apply_config(config_change) override {
        record("apply_config");
        return R"({"changed":[]})";
    }
    std::string compare_config() const override { return "{}"; }
    void begin() override { record("begin"); }
    boost::asio::awaitable<void> drain() override {
        record("drain");
        co_return;
    }
    std::string ended_badly_json() const override { return {}; }
    boost::asio::awaitable<void> stop() override {
        record("stop");
        co_return;
    }
    void kill() override { record("kill"); }
    void keeper_lost() override { record("keeper_lost"); }
    void forget_running() override { record("forget_running"); }
    boost::asio::awaitable<void> hand_over(std::chrono::milliseconds) override {
        record("hand_over");
        co_return;
    }
    hob::util::unique_fd successor_input() const override { return {}; }
    bool busy() const override { return false; }
    bool anything_running() const override { return false; }
    bool needed() const override { return false; }
    std::string status_json(const std::vector<std::string>&) const override { return "[]"; }
    hob::lifecycle::page_units page_units() const override {
        return {.total = 3, .up = 2, .failed = 1, .json = "[]"};
    }
    std::string config_path() const override { return {}; }
    hob::lifecycle::config_state config_state_at_a_glance() override { return config_state(); }
    hob::lifecycle::config_state config_state() const override {
        return hob::lifecycle::config_state::current;
    }
    std::string degraded() const override { return {}; }

private:
    void record(const char* call) {
        std::ofstream(context_.where.root + "/calls", std::ios::app) << call << "\n";
    }

    application_context context_;
    daemon_settings daemon_;
    log_settings log_;
};

std::unique_ptr<application> make_recording(hob::lifecycle::daemon& made_for, application_context context) {
    const hob::ipc::dispatcher::immediate echo = [](hob::ipc::session&, const hob::ipc::request& request) {
        return request.params;
    };
    const hob::ipc::dispatcher::immediate reload = [&made_for](hob::ipc::session&, const hob::ipc::request&) {
        return made_for.reload(hob::lifecycle::config_change::replace);
    };
    const hob::ipc::dispatcher::immediate end = [&made_for](hob::ipc::session&, const hob::ipc::request&) {
        made_for.begin_shutdown(shutdown_mode::graceful, "a test");
        return std::string("{}");
    };
    made_for.add_method("echo", echo, false);
    made_for.add_method("reload", reload, false);
    made_for.add_method("end", end, true);
    return std::make_unique<recording_application>(std::move(context));
}

struct running_daemon {
    running_daemon() {
        std::string pattern = (fs::temp_directory_path() / "application-XXXXXX").string();
        base = ::mkdtemp(pattern.data());
        where.root = base.string();
        where.key = "test";
        where.runtime_dir = (base / "run").string();
        where.state_root = (base / "state").string();
        check_runtime_dir(where.runtime_dir, true);
        hob::util::pipe_ends outcome = hob::util::make_pipe();
        process = ::fork();
        BOOST_REQUIRE(process >= 0);
        if (process == 0) run(std::move(outcome.write));
        outcome.write.reset();
        char word[64];
        const ssize_t size = ::read(outcome.read.get(), word, sizeof word);
        BOOST_REQUIRE(std::string(word, static_cast<std::size_t>(std::max<ssize_t>(size, 0))) == "ready\n");
    }
    ~running_daemon() {
        if (process > 0) {
            ::kill(process, SIGKILL);
            ::waitpid(process, nullptr, 0);
        }
        fs::remove_all(base);
    }

    [[noreturn]] void run(hob::util::unique_fd outcome) {
        try {
            daemon_options options;
            options.where = where;
            options.lock = std::move(instance_lock::try_take(where.pid_path()).value());
            options.outcome = std::move(outcome);
            options.make_application = make_recording;
            ::_exit(static_cast<int>(run_daemon(std::move(options))));
        } catch (const std::exception&) {
            ::_exit(99);
        }
    }

    std::string calls() const {
        std::ostringstream text;
        text << std::ifstream(base / "calls").rdbuf();
        return text.str();
    }

    fs::path base;
    instance where;
    pid_t process = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(daemon_application, running_daemon)

BOOST_AUTO_TEST_CASE(it_is_started_reloaded_and_stopped_in_order) {
    const auto limit = deadline::in(30s);
    auto client = connect_looking(where, limit);
    BOOST_REQUIRE(client);
    BOOST_TEST(client->greeting().instance == "test");
    BOOST_TEST(client->call("echo", "[1.50]", limit) == "[1.50]");
    BOOST_TEST(client->call("reload", "{}", limit) == R"({"changed":[]})");
    client->call("end", "{}", limit);
    int status = 0;
    BOOST_REQUIRE(::waitpid(std::exchange(process, 0), &status, 0) > 0);
    BOOST_TEST(status == 0);
    BOOST_TEST(calls() == "load_config\nopen\nbegin\nload_config\napply_config\nbegin\ndrain\nstop\n");
    for (const auto& path : {where.socket_path(), where.pid_path(), where.page_path()})
        BOOST_TEST(!fs::exists(path), path);
}

BOOST_AUTO_TEST_CASE(its_units_are_on_the_status_page) {
    const auto page = hob::ipc::read_status_page(where.page_path());
    BOOST_REQUIRE(page);
    BOOST_TEST(page->units_total == 3u);
    BOOST_TEST(page->units_up == 2u);
    BOOST_TEST(page->units_failed == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
