#pragma once
// The daemon: one io_context, one thread, which owns all state.

#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "error.hpp"
#include "exit_code.hpp"
#include "ipc/server.hpp"
#include "lifecycle/application.hpp"
#include "lifecycle/daemonize.hpp"
#include "lifecycle/instance.hpp"
#include "lifecycle/pid_lock.hpp"
#include "util/fd.hpp"

namespace hob::lifecycle {

class daemon;

struct daemon_options {
    instance where;
    instance_lock lock;       // held
    caller_settings caller;   // what units get back
    util::unique_fd outcome;  // `ready` or an error goes here; empty in the foreground
    bool foreground = false;
    // Makes the application, and calls daemon::add_method for each method of the wire.
    std::function<std::unique_ptr<application>(daemon&, application_context)> make_application;
};

// Runs a daemon until it ends. Throws failure when it cannot start (last-words are then written).
exit_code run_daemon(daemon_options options);

enum class shutdown_mode {
    graceful,  // lets what is in flight finish, for at most half of the time
    now,       // SIGKILL to units at once; files are still cleared away
};

class daemon {
public:
    explicit daemon(daemon_options options);
    ~daemon();
    daemon(const daemon&) = delete;
    daemon& operator=(const daemon&) = delete;

    const instance& where() const { return options_.where; }
    lifecycle::application& application() { return *application_; }
    ipc::server& server() { return *server_; }
    boost::asio::any_io_executor executor() { return context_.get_executor(); }
    std::chrono::system_clock::time_point started_at() const { return started_at_; }
    std::chrono::milliseconds uptime() const;
    pid_t pid() const { return pid_; }
    bool draining() const { return draining_; }

    // Applies the configuration file; returns the difference as raw JSON. `dry`: changes nothing, and returns
    // what the difference would be. Throws failure(config) and changes nothing.
    std::string reload(bool dry = false);

    // Applies the configuration file if it has changed; what runs keeps its definition until it is restarted. For
    // requests that name units. An empty file, while something runs, counts as being saved and is waited for.
    // Throws failure(config) and changes nothing.
    boost::asio::awaitable<void> apply_changed_file();

    // An event to every subscriber: the time, its name, and the members of `members_raw`, an object.
    void publish(std::string_view event, std::string_view members_raw);

    // Begins the end; returns at once. A second call with `now` hurries the first.
    void begin_shutdown(shutdown_mode mode, const std::string& reason);

    // One method of the wire; all are added before the daemon listens. A draining daemon refuses it, unless
    // it is one of those that are answered `while_draining`.
    void add_method(std::string name, ipc::dispatcher::immediate handler, bool while_draining);
    void add_method(std::string name, ipc::dispatcher::suspended handler, bool while_draining);

    exit_code run();  // from the start order to the last file removed

    // A start that failed: logs it, writes last-words, clears the files away. The lock is still held.
    void abandon(const failure& why);

private:
    struct resources;  // what the life of a daemon needs and nobody else sees

    void start();  // the start order: whatever can fail does so before the socket exists
    void make_application();
    void serve();
    void watch_files();
    void publish_page();
    std::string apply(config_change change);
    void bind();
    void listen();
    std::string hello_line() const;
    void changed();  // something that the page or the idle timer shows
    void write_page();
    void arm_idle_timer();
    void idle_too_long();
    void files_changed();
    void rebind();
    boost::asio::awaitable<void> wait_for_signals();
    boost::asio::awaitable<void> shut_down();
    boost::asio::awaitable<void> finish_requests(std::chrono::milliseconds limit);
    boost::asio::awaitable<void> stop_units(std::chrono::milliseconds limit);
    void remove_files();

    daemon_options options_;
    const pid_t pid_ = ::getpid();
    // Of one thread, so nothing in it is locked.
    boost::asio::io_context context_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
    std::chrono::system_clock::time_point started_at_;
    std::chrono::steady_clock::time_point started_;
    bool page_due_ = false;     // to be written in the next turn of the loop
    bool pid_written_ = false;  // not yet where the runtime dir is full: tried again at each change
    bool draining_ = false;
    bool hurried_ = false;  // a second request to end: nothing is waited for
    bool ended_ = false;
    ipc::dispatcher dispatcher_;
    std::vector<std::string> methods_;  // the names
    std::unique_ptr<lifecycle::application> application_;
    std::unique_ptr<ipc::server> server_;
    std::unique_ptr<resources> resources_;
};

}  // namespace hob::lifecycle
