#include "lifecycle/daemon.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>
#include <cerrno>

#include "error.hpp"
#include "ipc/unix_socket.hpp"
#include "lifecycle/daemon_resources.hpp"
#include "lifecycle/spawn.hpp"
#include "lifecycle/start_failure.hpp"
#include "lifecycle/state_lock.hpp"
#include "limits.hpp"
#include "unit/config/config.hpp"
#include "unit/process/orphan_cleanup.hpp"
#include "unit/spec/unit_status_json.hpp"
#include "unit/store/run_store.hpp"
#include "util/async.hpp"
#include "util/clock.hpp"
#include "util/json_text.hpp"
#include "util/log.hpp"
#include "util/memory.hpp"
#include "util/proc.hpp"
#include "util/sha256.hpp"
#include "version.hpp"

namespace hob::lifecycle {
namespace {

using util::field;
using util::level;

constexpr const char* channel = "lifecycle";

void set_up_log(const instance& where, const unit::log_spec& wanted, bool foreground) {
    util::log_options options;
    options.file = where.daemon_log_path();
    options.max_size = wanted.max_size;
    options.max_files = wanted.max_files;
    options.json = wanted.json;
    options.to_stderr = foreground;
    options.to_syslog = wanted.syslog;
    options.levels = util::effective_levels(wanted.level);
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

unit::config load_config_of(const instance& where) {
    if (!where.config_required && !file_exists(where.config_path)) return unit::default_config();
    return unit::load_config(where.config_path, ::geteuid(), where.root);
}

std::string to_json(const unit::apply_result& difference) {
    boost::json::object result;
    result["added"] = boost::json::value_from(difference.added);
    result["removed"] = boost::json::value_from(difference.removed);
    result["changed"] = boost::json::value_from(difference.changed);
    result["unchanged"] = boost::json::value_from(difference.unchanged);
    return boost::json::serialize(result);
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

bool daemon::busy() const {
    if (registry_->calls_in_flight() > 0) return true;
    for (const auto& unit : registry_->status()) {
        if (unit.kind != unit::unit_kind::worker && ipc::is_up(unit.state)) return true;
    }
    return false;
}

// ---- start ----

void daemon::load() {
    config_ = load_config_of(options_.where);
    set_up_log(options_.where, config_.log, options_.foreground);
    for (const auto& warning : config_.warnings)
        util::log(level::warning, "config", warning);
    store_ = std::make_unique<unit::store>(options_.where.database_path());
    consented_ = store_->consented();
    unit::run_store(*store_).mark_running_lost();
    unit::clean_up_orphans(*store_, options_.where.key, limits::sweep_timeout, &config_,
                           options_.where.state_dir());
}

void daemon::bind() {
    const instance& where = options_.where;
    if (!options_.lock.still_at(where.pid_path())) throw pid_file_lost(where.pid_path());
    struct stat found {};
    if (::lstat(where.socket_path().c_str(), &found) == 0) {
        if (S_ISDIR(found.st_mode)) {
            throw failure(error_kind::foreign,
                          "cannot bind '" + where.socket_path() + "': it is a directory");
        }
        options_.lock.unlink_guarded(where.pid_path(), where.socket_path());
    }
    try {
        resources_->listening = ipc::bind_unix(where.socket_path());
    } catch (const failure&) {
        // An old socket is left alone by who has lost his pid file.
        if (!options_.lock.still_at(where.pid_path())) throw pid_file_lost(where.pid_path());
        throw;
    }
    resources_->socket = identity_of(where.socket_path());
}

void daemon::listen() {
    if (::listen(resources_->listening.get(), limits::listen_backlog) != 0) {
        throw denied("listen on", options_.where.socket_path(), errno);
    }
    server_->listen(std::move(resources_->listening));
}

void daemon::start() {
    const instance& where = options_.where;
    pid_written_ = options_.lock.write_pid(pid_);
    const int pid_error = errno;
    make_state_dir(where);
    const auto patience = std::chrono::duration_cast<std::chrono::milliseconds>(limits::shutdown_timeout_max);
    util::unique_fd state_lock = take_state_lock(where, util::deadline::in(patience));
    set_up_log(where, unit::log_spec{}, options_.foreground);
    util::log(level::info, channel, "daemon starting",
              {field("pid", ::getpid()), field("version", version_text), field("root", where.root)});
    if (!pid_written_) {
        util::log(level::warning, channel, "cannot write the pid file",
                  {field("reason", errno_text(pid_error))});
    }
    if (!file_exists(where.root_path())) util::replace_file(where.root_path(), where.root + "\n");

    resources_ = std::make_unique<resources>(executor());
    resources_->state_lock = std::move(state_lock);
    resources_->start_time = util::own_start_time();
    resources_->root = identity_of(where.root);
    load();

    unit::registry_options units{.executor = executor(),
                                 .instance_key = where.key,
                                 .state_dir = where.state_dir(),
                                 .base_environment = std::move(options_.caller.environment),
                                 .unit_nofile = options_.caller.nofile,
                                 .db = *store_,
                                 .root = where.root,
                                 .log_max_size = config_.log.max_size,
                                 .log_max_files = config_.log.max_files,
                                 .publish = {},
                                 .changed = {}};
    units.publish = [this](std::string_view event, const std::string& members) { publish(event, members); };
    units.changed = [this] { changed(); };
    registry_ = std::make_unique<unit::registry>(std::move(units));
    registry_->apply(config_);

    options_.add_methods(*this);
    ipc::server_options serving;
    serving.hello_line = [this] { return hello_line(); };
    serving.owner = ::geteuid();
    serving.changed = [this] { arm_idle_timer(); };
    server_ = std::make_unique<ipc::server>(executor(), dispatcher_, std::move(serving));

    // From here on SIGTERM is an orderly end; before, it simply ends a process that has nothing to lose.
    for (const int number : {SIGTERM, SIGINT, SIGHUP})
        resources_->signals.add(number);
    ::signal(SIGPIPE, SIG_IGN);
    util::spawn(executor(), wait_for_signals(), "signals");

    if (where.runtime_dir.starts_with("/tmp/")) {
        resources_->runtime_hold = util::open_file(where.runtime_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        if (resources_->runtime_hold) ::flock(resources_->runtime_hold.get(), LOCK_SH | LOCK_NB);
    }
    bind();
    resources_->runtime_files_watch.emplace(executor(), where,
                                            runtime_files_watch_options{[this] { files_changed(); }});
    // What happened before it watched, it is not told; and it may watch the pid file of a successor.
    if (!options_.lock.still_at(where.pid_path())) throw pid_file_lost(where.pid_path());
    if (resources_->runtime_files_watch->watching())
        util::spawn(executor(), resources_->runtime_files_watch->run(), "guard");
    if (!resources_->runtime_files_watch->why().empty()) {
        util::log(level::warning, channel, "cannot watch the socket, pid file and root",
                  {field("reason", resources_->runtime_files_watch->why())});
    }
    listen();
    resources_->page = ipc::status_page::create(where.page_path());
    write_page();
    // Whoever waits for this start is told by the page's appearance; where there is none, by the pid file.
    if (!resources_->page || !resources_->page->publish()) {
        util::log(level::warning, channel, "cannot publish the status page",
                  {field("reason", errno_text(errno))});
        resources_->page.reset();
        ::futimens(options_.lock.fd(), nullptr);
    }
    clear_start_failure(where);
    if (consented_) registry_->begin();
    arm_idle_timer();
    util::release_startup_memory();
    util::log(level::info, channel, "daemon ready",
              {field("pid", ::getpid()), field("after_ms", uptime().count())});
}

exit_code daemon::run() {
    start();
    if (options_.outcome) report_ready(options_.outcome.get());
    options_.outcome.reset();
    while (!ended_) {
        if (context_.run_one() == 0)
            throw failure(error_kind::internal, "cannot go on: nothing is waited for");
    }
    return exit_code::done;
}

exit_code run_daemon(daemon_options options) {
    const instance where = options.where;
    const util::unique_fd outcome(options.outcome ? ::fcntl(options.outcome.get(), F_DUPFD_CLOEXEC, 3) : -1);
    daemon running(std::move(options));
    try {
        return running.run();
    } catch (const pid_file_lost& why) {
        // No last words: this is no reason for others to fail, and the client tries again.
        running.abandon(why);
        if (outcome) report_taken_away(outcome.get());
        throw;
    } catch (const failure& why) {
        write_start_failure(where, why);
        running.abandon(why);
        if (outcome) report_failure(outcome.get(), why);
        throw;
    } catch (const std::exception& error) {
        const failure why(error_kind::start_failed, std::string("cannot start the daemon: ") + error.what());
        write_start_failure(where, why);
        running.abandon(why);
        if (outcome) report_failure(outcome.get(), why);
        throw why;
    }
}

void daemon::abandon(const failure& why) {
    util::log(level::error, channel, "daemon failed",
              {field("code", name_of(why.kind())), field("reason", why.what())});
    if (resources_) remove_files();
    options_.lock.unlink_guarded(options_.where.pid_path(), options_.where.pid_path());
}

// ---- life ----

void daemon::changed() {
    // A thousand units may change in one turn of the loop: the page is written once.
    if (ended_ || !resources_ || std::exchange(page_due_, true)) return;
    boost::asio::post(context_, [this] {
        page_due_ = false;
        if (ended_) return;
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
    content.draining = draining_;
    content.started_at_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(started_at_.time_since_epoch()).count();
    content.version = version_text;
    auto units = registry_->status();
    for (auto& unit : units)
        unit.last_run.reset();  // long, and in the database
    content.units_total = static_cast<std::uint32_t>(units.size());
    for (const auto& unit : units) {
        if (ipc::is_up(unit.state)) ++content.units_up;
        if (unit.state == ipc::unit_state::failed) ++content.units_failed;
    }
    content.shutdown_timeout_ms = static_cast<std::uint32_t>(config_.daemon.shutdown_timeout.count());
    content.units_json = unit::units_json(units);
    resources_->page->write(content);
}

void daemon::arm_idle_timer() {
    if (!config_.daemon.idle_timeout || draining_ || !server_) return;
    const bool idle = server_->clients() == 0 && server_->in_flight() == 0 && !registry_->needed();
    if (!idle) {
        resources_->idle_timer.cancel();
        return;
    }
    resources_->idle_timer.expires_after(*config_.daemon.idle_timeout);
    resources_->idle_timer.async_wait([this](const boost::system::error_code& error) {
        if (!error) idle_too_long();
    });
}

void daemon::idle_too_long() {
    // Whoever connected since is not yet accepted: then this daemon is not idle. After the listener is closed
    // nobody can be half-way in; who finds it closed asks the successor.
    if (draining_ || server_->clients() > 0 || registry_->needed()) return;
    begin_shutdown(shutdown_mode::graceful, "idle");
}

void daemon::files_changed() {
    if (draining_) return;
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

boost::asio::awaitable<void> daemon::wait_for_signals() {
    for (;;) {
        boost::system::error_code error;
        auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error);
        const int number = co_await resources_->signals.async_wait(token);
        if (error) co_return;
        if (number == SIGHUP) {
            try {
                reload();
            } catch (const failure& why) {
                util::log(level::error, "config", "cannot reload", {field("reason", why.what())});
            }
            continue;
        }
        begin_shutdown(draining_ ? shutdown_mode::now : shutdown_mode::graceful,
                       number == SIGTERM ? "SIGTERM" : "SIGINT");
    }
}

// ---- configuration ----

bool daemon::file_is_applied() const {
    const std::string& path = options_.where.config_path;
    if (config_.source_path.empty()) return !file_exists(path);
    return unit::config_hash(path, ::geteuid()) == config_.source_hash && unit::env_files_unchanged(config_);
}

std::string daemon::config_state() const {
    try {
        if (file_is_applied()) return "current";
        load_config_of(options_.where);
        return "changed";
    } catch (const failure&) {
        return "broken";
    }
}

std::string daemon::reload(bool dry) {
    unit::config configuration = load_config_of(options_.where);
    if (dry) return to_json(registry_->compare(configuration));
    return apply(std::move(configuration), unit::running_process::replace);
}

boost::asio::awaitable<void> daemon::apply_changed_file() {
    const std::string path = options_.where.config_path;
    const auto limit = util::deadline::in(limits::config_save_timeout);
    while (registry_->anything_running() && is_empty_file(path)) {
        if (limit.expired())
            throw failure(error_kind::config, cannot("use", path), "it is empty, and units are running");
        co_await util::pause(limits::config_save_poll);
    }
    if (!file_is_applied()) apply(load_config_of(options_.where), unit::running_process::keep);
}

std::string daemon::apply(unit::config configuration, unit::running_process running) {
    config_ = std::move(configuration);
    set_up_log(options_.where, config_.log, options_.foreground);
    for (const auto& warning : config_.warnings)
        util::log(level::warning, "config", warning);
    std::string text = to_json(registry_->apply(config_, running));
    util::log(level::info, "config", "configuration reloaded", {util::log_field{"units", text, true}});
    publish("config.reloaded", text);
    if (consented_) registry_->begin();
    changed();
    util::release_startup_memory();
    return text;
}

}  // namespace hob::lifecycle
