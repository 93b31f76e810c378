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
#include "lifecycle/keeper_link.hpp"
#include "lifecycle/pid_lock.hpp"
#include "lifecycle/service_manager.hpp"
#include "lifecycle/state_lock.hpp"
#include "lifecycle/successor.hpp"
#include "util/async.hpp"
#include "util/fd.hpp"

namespace hob::lifecycle {

class daemon;

struct daemon_options {
    instance where;
    instance_lock lock;       // held
    caller_settings caller;   // what units get back
    keeper_handle keeper{};   // empty: there is none
    util::unique_fd outcome;  // where `ready` or a failure is reported; empty in the foreground
    bool foreground = false;
    // In the foreground: see application_context.
    std::function<void(std::string_view part, std::string_view line)> show_line{};
    // The longest time that a shutdown may take, whatever the configuration says.
    std::optional<std::chrono::milliseconds> shutdown_max{};
    // Who started it, if that wants to be told of its states.
    service_manager manager{};
    // The socket of the instance, handed over by the service manager that listens at it; or empty.
    util::unique_fd handed{};
    // Makes the application, and calls daemon::add_method for each method of the wire.
    std::function<std::unique_ptr<application>(daemon&, application_context)> make_application;
};

// Runs a daemon until it ends. Throws failure if it cannot start; the failure is then in `last-words`.
exit_code run_daemon(daemon_options options);

enum class shutdown_mode {
    graceful,  // requests in flight may finish, for at most half of shutdown_timeout
    now,       // kills what runs at once; still removes the files
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
    pid_t keeper_pid() const;  // 0: it has none
    // What it could not undo of the process that started it, in words.
    const std::vector<std::string>& kept_settings() const { return kept_settings_; }
    bool draining() const { return phase_ != phase::serving; }

    // Applies the configuration file; returns the difference as raw JSON. Throws failure(config) and changes
    // nothing.
    std::string reload(config_change change);

    // Applies the configuration file if it has changed; what runs keeps its definition until it is restarted.
    // For requests that name units. An empty file, while something runs, counts as being saved and is waited
    // for. Throws failure(config) and changes nothing.
    boost::asio::awaitable<void> apply_changed_file();

    // An event to every subscriber: the time, its name, and the members of `members_raw`, an object.
    void publish(std::string_view event, std::string_view members_raw);

    // Begins the shutdown and returns at once. A second call with `now` turns a graceful one into that.
    void begin_shutdown(shutdown_mode mode, const std::string& reason);

    // Executes another program in this process, which goes on with all that is held and with the clients that
    // have no request in flight. Returns what the program says of itself; the rest follows once `by`, whose
    // request it is, has its reply. Throws failure, and goes on as before: the program cannot take over, or
    // (no_daemon) no program can, since there is no keeper, or this process has kept settings that are not
    // among `kept`, those of the client.
    boost::asio::awaitable<successor_facts> hand_over(successor next, std::vector<std::string> kept,
                                                      std::shared_ptr<ipc::session> by);

    // One method of the wire; all are added before the daemon listens. A draining daemon refuses it, unless
    // it is one of those that are answered `while_draining`.
    void add_method(std::string name, ipc::dispatcher::immediate handler, bool while_draining);
    void add_method(std::string name, ipc::dispatcher::suspended handler, bool while_draining);

    exit_code run();  // the whole life, from the start to the removal of its files

    // After a failed start: logs the failure and removes the files. The lock is still held.
    void abandon(const failure& why);

private:
    struct resources;  // in daemon_resources.hpp: what only the implementation needs
    enum class phase { serving, draining, draining_now, ended };

    void start();  // in this order, whatever can fail does so before the socket exists
    void make_application();
    void serve();
    void hold_runtime_dir();
    void connect_keeper();
    lifecycle::state_lock take_state_lock();
    boost::asio::awaitable<void> finish_handover(successor next, std::shared_ptr<ipc::session> by,
                                                 bool keeps_clients);
    void give_up_handover();
    void hold_clients();
    bool took_over() const;  // from another program in this process
    void hold_program();
    void resume_clients();
    void hold_socket();
    bool resume_socket();  // false: there is none of a daemon before this one
    void keeper_lost();
    void start_replacement();
    void watch_files();
    void publish_page();
    void bind();
    bool bind_handed();  // daemon_manager.cpp. False: there is no handed socket that clients can reach
    void listen();
    void arm_watchdog();
    std::string manager_status() const;
    std::string hello_line() const;
    void changed();  // what the page or the idle timer depends on has changed
    void write_page();
    void arm_idle_timer();
    void on_idle_timeout();
    void files_changed();
    void rebind();
    void watch_signals();
    boost::asio::awaitable<void> wait_for_signals();
    void signalled(int number, bool by_keeper);
    void stop_listening();
    std::chrono::milliseconds shutdown_budget() const;
    boost::asio::awaitable<void> shut_down();
    boost::asio::awaitable<void> finish_requests(std::chrono::milliseconds limit);
    boost::asio::awaitable<void> stop_application(std::chrono::milliseconds limit);
    void tell_how_it_ended();
    void remove_files();

    daemon_options options_;
    const pid_t pid_ = ::getpid();
    // Used by one thread only, so it needs no locks.
    boost::asio::io_context context_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
    std::chrono::system_clock::time_point started_at_;
    std::chrono::steady_clock::time_point started_;
    phase phase_ = phase::serving;
    bool hands_over_ = false;  // another program follows in this process
    util::notifier handover_given_up_{context_.get_executor()};
    bool page_due_ = false;     // the page is written in the next turn of the loop
    int signals_[2] = {0, 0};   // that end it: got by itself, and by its keeper
    bool is_replaced_ = false;  // by a daemon that this one starts at its end
    bool pid_written_ = false;  // false on a full disk: tried again at each change
    ipc::dispatcher dispatcher_;
    std::vector<std::string> methods_;  // their names
    std::vector<std::string> kept_settings_;
    std::unique_ptr<keeper_link> keeper_;  // nullptr: there is none
    std::unique_ptr<lifecycle::application> application_;
    std::unique_ptr<ipc::server> server_;
    std::unique_ptr<resources> resources_;
};

}  // namespace hob::lifecycle
