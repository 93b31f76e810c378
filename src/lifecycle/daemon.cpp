#include "lifecycle/daemon.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <boost/asio/post.hpp>

#include <cerrno>

#include "error.hpp"
#include "identity.hpp"
#include "ipc/unix_socket.hpp"
#include "lifecycle/daemon_resources.hpp"
#include "lifecycle/handed_socket.hpp"
#include "lifecycle/spawn.hpp"
#include "lifecycle/start_failure.hpp"
#include "lifecycle/start_keeper.hpp"
#include "limits.hpp"
#include "util/async.hpp"
#include "util/clock.hpp"
#include "util/log/log.hpp"
#include "util/memory.hpp"
#include "util/proc.hpp"
#include "version.hpp"

namespace hob::lifecycle {
namespace {

using util::field;
using util::level;

constexpr const char* channel = "lifecycle";

void set_up_log(const instance& where, const log_settings& settings, bool foreground) {
    util::log_options options;
    options.program = this_program.name;
    options.file = where.daemon_log_path();
    options.max_size = settings.max_size;
    options.max_files = settings.max_files;
    options.json = settings.json;
    options.to_stderr = foreground;
    options.to_syslog = settings.syslog;
    options.levels = util::effective_levels(settings.level, this_program.variables.log_levels);
    util::log_setup(options);
}

bool file_exists(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0;
}

bool is_empty_file(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) && found.st_size == 0;
}

failure socket_taken(const instance& where) {
    const std::string unit = manager_unit(where);
    return failure(error_kind::start_failed, cannot("bind", where.socket_path()),
                   "something listens at it, such as a service manager",
                   fmt::format("for systemd: systemctl --user start {0}, or stop {0}.socket", unit));
}

}  // namespace

daemon::daemon(daemon_options options)
    : options_(std::move(options)),
      started_at_(std::chrono::system_clock::now()),
      started_(std::chrono::steady_clock::now()) {}

daemon::~daemon() = default;

std::chrono::milliseconds daemon::uptime() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started_);
}

// ---- start ----

void daemon::make_application() {
    kept_settings_ = std::move(options_.caller.kept);
    application_context context{.executor = executor(),
                                .where = options_.where,
                                .caller = std::move(options_.caller),
                                .publish = {},
                                .changed = {},
                                .show_line = options_.show_line,
                                .keeper = keeper_.get(),
                                .held = options_.keeper.take_for_application()};
    context.publish = [this](std::string_view event, std::string_view members) { publish(event, members); };
    context.changed = [this] { changed(); };
    application_ = options_.make_application(*this, std::move(context));
    application_->load_config();
    set_up_log(options_.where, application_->log_config(), options_.foreground);
    application_->open();
}

void daemon::serve() {
    ipc::server_options serving;
    serving.hello_line = [this] { return hello_line(); };
    serving.owner = ::geteuid();
    serving.changed = [this] { arm_idle_timer(); };
    server_ = std::make_unique<ipc::server>(executor(), dispatcher_, std::move(serving));
}

void daemon::hold_runtime_dir() {
    const std::string& directory = options_.where.runtime_dir;
    if (!directory.starts_with("/tmp/")) return;
    resources_->runtime_hold = util::open_file(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (resources_->runtime_hold) ::flock(resources_->runtime_hold.get(), LOCK_SH | LOCK_NB);
}

void daemon::bind() {
    const instance& where = options_.where;
    if (!options_.lock.still_at(where.pid_path())) throw pid_file_lost(where.pid_path());
    if (resume_socket() || bind_handed()) return;
    struct stat found {};
    if (::lstat(where.socket_path().c_str(), &found) == 0) {
        if (S_ISDIR(found.st_mode)) {
            throw failure(error_kind::foreign, cannot("bind", where.socket_path()), "it is a directory");
        }
        // Before this daemon has a socket of its own, one that listens there is not a leftover.
        if (!resources_->socket && ipc::is_listened_on(where.socket_path())) throw socket_taken(where);
        options_.lock.unlink_guarded(where.pid_path(), where.socket_path());
    }
    try {
        resources_->listening = ipc::bind_unix(where.socket_path());
    } catch (const failure&) {
        // A daemon that has lost its pid file leaves an old socket alone.
        if (!options_.lock.still_at(where.pid_path())) throw pid_file_lost(where.pid_path());
        throw;
    }
    resources_->socket = identity_of(where.socket_path());
}

void daemon::listen() {
    if (::listen(resources_->listening.get(), limits::listen_backlog) != 0) {
        throw denied("listen on", options_.where.socket_path(), errno);
    }
    hold_socket();
    server_->listen(std::move(resources_->listening));
}

void daemon::watch_files() {
    resources_->runtime_files_watch.emplace(executor(), options_.where,
                                            runtime_files_watch_options{[this] { files_changed(); }});
    // inotify does not report earlier changes, and the path may by now be a successor's: check once more.
    if (!options_.lock.still_at(options_.where.pid_path())) throw pid_file_lost(options_.where.pid_path());
    if (resources_->runtime_files_watch->watching())
        util::spawn(executor(), resources_->runtime_files_watch->run(), "runtime files");
    if (!resources_->runtime_files_watch->error().empty()) {
        util::log(level::warning, channel, "cannot watch the socket, pid file and root",
                  {field("reason", resources_->runtime_files_watch->error())});
    }
}

void daemon::publish_page() {
    resources_->page = ipc::status_page::create(options_.where.page_path());
    write_page();
    // A client that waits for this start watches for the page; without a page, for a change of the pid file.
    if (!resources_->page || !resources_->page->publish()) {
        util::log(level::warning, channel, "cannot publish the status page",
                  {field("reason", errno_text(errno))});
        resources_->page.reset();
        ::futimens(options_.lock.fd(), nullptr);
    }
}

void daemon::start() {
    const instance& where = options_.where;
    pid_written_ = options_.lock.write_pid(pid_);
    const int pid_error = errno;
    make_state_dir(where);
    lifecycle::state_lock state_lock = take_state_lock();
    set_up_log(where, log_settings{}, options_.foreground);
    util::log(level::info, channel, "daemon starting",
              {field("pid", ::getpid()), field("version", version_text), field("root", where.root)});
    if (!pid_written_) {
        util::log(level::warning, channel, "cannot write the pid file",
                  {field("reason", errno_text(pid_error))});
    }
    if (!options_.caller.kept.empty()) {
        util::log(level::warning, channel,
                  "every unit keeps settings of the process that started this daemon",
                  {field("settings", fmt::format("{}", fmt::join(options_.caller.kept, ", ")))});
    }
    if (!file_exists(where.root_path())) util::replace_file(where.root_path(), where.root + "\n");

    resources_ = std::make_unique<resources>(executor());
    resources_->state_lock = std::move(state_lock);
    connect_keeper();
    resources_->start_time = util::own_start_time();
    if (resources_->start_time == 0) throw without_proc(cannot("start the daemon of", where.root));
    resources_->root = identity_of(where.root);
    make_application();
    serve();

    // From here on signals shut down gracefully. Before, they kill the process, which has nothing to lose
    // yet.
    watch_signals();

    hold_runtime_dir();
    bind();
    watch_files();
    listen();
    publish_page();
    clear_start_failure(where);
    if (keeper_) keeper_->say(keeper::message_kind::ready);
    application_->begin();
    hold_program();
    resume_clients();
    for (const int number : options_.keeper.asked)
        signalled(number, true);
    arm_idle_timer();
    util::release_startup_memory();
    util::log(level::info, channel, "daemon ready",
              {field("pid", ::getpid()), field("after_ms", uptime().count())});
}

exit_code daemon::run() {
    start();
    if (options_.outcome) report_ready(options_.outcome.get());
    options_.outcome.reset();
    options_.manager.ready(manager_status());
    arm_watchdog();
    while (phase_ != phase::ended) {
        if (context_.run_one() == 0)
            throw failure(error_kind::internal, cannot("go on"), "nothing is waited for");
    }
    if (is_replaced_) start_replacement();
    return exit_code::done;
}

exit_code run_daemon(daemon_options options) {
    const instance where = options.where;
    const util::unique_fd outcome(options.outcome ? ::fcntl(options.outcome.get(), F_DUPFD_CLOEXEC, 3) : -1);
    daemon running(std::move(options));
    try {
        return running.run();
    } catch (const pid_file_lost& why) {
        // Not recorded as a failed start: the client tries again.
        running.abandon(why);
        if (outcome) report_pid_file_lost(outcome.get());
        throw;
    } catch (const failure& why) {
        write_start_failure(where, why);
        running.abandon(why);
        if (outcome) report_failure(outcome.get(), why);
        throw;
    } catch (const std::exception& error) {
        const failure why(error_kind::start_failed, cannot("start the daemon"), error.what());
        write_start_failure(where, why);
        running.abandon(why);
        if (outcome) report_failure(outcome.get(), why);
        throw why;
    }
}

void daemon::abandon(const failure& why) {
    util::log(level::error, channel, "daemon failed",
              {field("code", name_of(why.kind())), field("reason", why.what())});
    // The keeper goes on with what it holds, and tries again.
    if (options_.keeper.is_successor && options_.lock.still_at(options_.where.pid_path())) return;
    if (resources_) remove_files();
    options_.lock.unlink_guarded(options_.where.pid_path(), options_.where.pid_path());
}

// ---- life ----

void daemon::changed() {
    // Many units may change in one turn of the loop: write the page once.
    if (phase_ == phase::ended || !resources_ || std::exchange(page_due_, true)) return;
    boost::asio::post(context_, [this] {
        page_due_ = false;
        if (phase_ == phase::ended) return;
        write_page();
        arm_idle_timer();
    });
}

void daemon::write_page() {
    if (!pid_written_) pid_written_ = options_.lock.write_pid(pid_);
    if (!resources_->page) return;
    ipc::page_content content;
    content.pid = pid_;
    content.start_time = resources_->start_time;
    content.draining = draining();
    content.started_at_ms = util::ms_of(started_at_);
    content.version = version_text;
    page_units units = application_->page_units();
    content.units_total = units.total;
    content.units_up = units.up;
    content.units_failed = units.failed;
    content.units_json = std::move(units.json);
    const auto& shutdown_timeout = application_->daemon_config().shutdown_timeout;
    content.shutdown_timeout_ms = static_cast<std::uint32_t>(shutdown_timeout.count());
    resources_->page->write(content);
}

void daemon::arm_idle_timer() {
    const auto& idle_timeout = application_->daemon_config().idle_timeout;
    if (!idle_timeout || draining() || hands_over_ || !server_) return;
    const bool idle = server_->clients() == 0 && server_->in_flight() == 0 && !application_->needed();
    if (!idle) {
        resources_->idle_timer.cancel();
        return;
    }
    resources_->idle_timer.expires_after(*idle_timeout);
    resources_->idle_timer.async_wait([this](const boost::system::error_code& error) {
        if (!error) on_idle_timeout();
    });
}

void daemon::on_idle_timeout() {
    // A client that connects at this moment and is not accepted yet finds the listener closed, and asks the
    // successor.
    if (draining() || hands_over_ || server_->clients() > 0 || application_->needed()) return;
    begin_shutdown(shutdown_mode::graceful, "idle");
}

void daemon::files_changed() {
    if (draining() || hands_over_) return;
    const instance& where = options_.where;
    if (!options_.lock.still_at(where.pid_path())) {
        begin_shutdown(shutdown_mode::graceful, "the pid file is gone");
    } else if (identity_of(where.root) != resources_->root) {
        begin_shutdown(shutdown_mode::graceful, "the root was moved or deleted");
    } else if (identity_of(where.socket_path()) != resources_->socket) {
        rebind();
    }
}

void daemon::rebind() {
    try {
        bind();
        listen();
        resources_->runtime_files_watch->watch_runtime_files();
        util::log(level::warning, channel, "the socket was gone and is bound anew");
    } catch (const failure& why) {
        util::log(level::error, channel, "cannot bind the socket anew", {field("reason", why.what())});
        begin_shutdown(shutdown_mode::graceful, "the socket is gone");
    }
}

// ---- configuration ----

boost::asio::awaitable<void> daemon::apply_changed_file() {
    const std::string path = options_.where.config_path;
    const auto limit = util::deadline::in(limits::config_save_timeout);
    while (application_->anything_running() && is_empty_file(path)) {
        if (limit.expired())
            throw failure(error_kind::config, cannot("use", path), "it is empty, and units are running");
        co_await util::pause(limits::config_save_poll);
    }
    if (!application_->config_is_applied()) reload(config_change::keep);
}

std::string daemon::reload(config_change change) {
    const reload_notice notice(options_.manager, manager_status());
    application_->load_config();
    set_up_log(options_.where, application_->log_config(), options_.foreground);
    std::string difference = application_->apply_config(change);
    util::log(level::info, "config", "configuration reloaded", {util::log_field{"units", difference, true}});
    publish("config.reloaded", difference);
    application_->begin();
    changed();
    util::release_startup_memory();
    return difference;
}

}  // namespace hob::lifecycle
