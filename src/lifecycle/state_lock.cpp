#include "lifecycle/state_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string_view>

#include "identity.hpp"
#include "keeper/keeper.hpp"
#include "lifecycle/pid_lock.hpp"
#include "lifecycle/start_failure.hpp"
#include "lifecycle/start_keeper.hpp"
#include "lifecycle/startup_watch.hpp"
#include "limits.hpp"
#include "util/log/log.hpp"
#include "util/proc.hpp"
#include "util/process_handle.hpp"

namespace hob::lifecycle {
namespace {

// Of equal length, so that one replaces the other without new space on the disk.
constexpr std::string_view directory_role = "directory";
constexpr std::string_view holder_role = "holder";

constexpr std::string_view serving_word = "serving\n";
constexpr std::string_view draining_word = "leaving\n";
static_assert(serving_word.size() == draining_word.size());

struct flock first_byte() {
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_len = 1;
    return range;
}

// Removes the first line and returns it, without its end.
std::string_view take_line(std::string_view& text) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

template <typename Number>
Number number_in(std::string_view text) {
    Number value{};
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

state_holder parse(std::string_view text) {
    state_holder found;
    found.pid = number_in<pid_t>(take_line(text));
    found.socket = take_line(text);
    found.draining = take_line(text) == draining_word.substr(0, draining_word.size() - 1);
    const auto start_time = number_in<std::uint64_t>(take_line(text));
    found.keeper = number_in<pid_t>(text);
    const auto process = found.pid > 1 ? util::read_proc_stat(found.pid) : std::nullopt;
    found.visible = process && process->start_time == start_time;
    return found;
}

std::optional<state_holder> read_holder(const instance& where) {
    const util::unique_fd fd = util::open_file(where.holder_path(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    char text[2 * limits::holder_size_max];
    const ssize_t size = fd ? ::pread(fd.get(), text, sizeof text, 0) : -1;
    if (size < 0) return std::nullopt;
    state_holder found = parse({text, static_cast<std::size_t>(size)});
    struct flock range = first_byte();
    found.locked = ::fcntl(fd.get(), F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
    return found;
}

// One step of waiting for the holder. `patience`: for one that serves, since it may just have lost its pid
// file and begin to shut down; or for one that has not said yet who it is.
void wait_for_holder(const instance& where, util::deadline patience, util::deadline limit) {
    const auto holder = read_holder(where);
    const auto soon = limit.earlier(util::deadline::in(limits::look_again));
    if (holder && holder->draining) {
        const util::process_handle process(holder->visible ? holder->pid : 0);
        if (process) {
            process.wait(limit);
            return;
        }
    } else if (patience.expired()) {
        throw runs_elsewhere(where, holder.value_or(state_holder()));
    }
    startup_watch(where.state_dir()).wait(soon);
}

}  // namespace

failure runs_elsewhere(const instance& where, const state_holder& holder) {
    const bool same_path = holder.socket == where.socket_path();
    std::string reason = "it runs already";
    if (holder.pid > 1) reason += fmt::format(" as pid {}", holder.pid);
    if (holder.pid > 1 && !holder.visible) reason += " of another PID namespace";
    if (!holder.socket.empty()) reason += fmt::format(", with its socket at '{}'", holder.socket);
    if (same_path) reason += ", which is out of sight here";
    const auto& variables = this_program.variables;
    std::string hint =
        same_path ? fmt::format(
                        "this is another mount namespace, or the file was removed: use {} where it runs, "
                        "or set {} here for a daemon with a state of its own",
                        this_program.name, variables.state_dir)
                  : fmt::format(
                        "the runtime directory has changed, as after a login: set {} to that of the "
                        "socket, and end it there with {}",
                        variables.runtime_dir, command_text("shutdown"));
    return failure(error_kind::instance_elsewhere, cannot("reach the daemon of", where.root),
                   std::move(reason), std::move(hint));
}

std::optional<state_holder> query_state_lock(const instance& where) {
    auto holder = read_holder(where);
    return holder && holder->locked ? holder : std::nullopt;
}

void release_brake(const instance& where) {
    clear_start_failure(where);
    const auto holder = read_holder(where);
    if (!holder || !holder->locked || holder->visible || holder->keeper <= 1) return;
    const util::process_handle keeper(holder->keeper);
    if (keeper && has_open(holder->keeper, where.pid_path())) keeper.signal(keeper::try_again_signal);
}

state_lock state_lock::take(const instance& where, util::deadline limit, pid_t keeper) {
    const std::string directory = where.state_dir();
    state_lock lock;
    lock.directory_ = util::open_file(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!lock.directory_) throw denied("open", directory, errno);
    const auto patience = limit.earlier(util::deadline::in(limits::out_of_sight));
    while (::flock(lock.directory_.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        if (errno != EWOULDBLOCK) throw denied("lock", directory, errno);
        if (limit.expired()) {
            throw failure(error_kind::start_failed, cannot("lock", directory), "something else holds it");
        }
        wait_for_holder(where, patience, limit);
    }
    // A file that cannot be made or written, as on a full disk, leaves others without the reason.
    ::unlink(where.holder_path().c_str());
    lock.holder_ = util::open_file(where.holder_path(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    struct flock range = first_byte();
    if (!lock.holder_ || ::fcntl(lock.holder_.get(), F_OFD_SETLK, &range) != 0) return lock;
    lock.write_holder(where, keeper);
    return lock;
}

state_lock state_lock::resume(const instance& where, held_entry& held, pid_t keeper) {
    state_lock lock;
    lock.directory_ = held.take(directory_role);
    lock.holder_ = held.take(holder_role);
    if (!lock.directory_)
        throw failure(error_kind::internal, cannot("take over the lock of", where.state_dir()),
                      "the keeper does not hold it");
    if (lock.holder_) lock.write_holder(where, keeper);
    return lock;
}

void state_lock::hold_with(keeper_link& keeper) const {
    keeper.hold(state_lock_key, {{directory_role, directory_.get()}, {holder_role, holder_.get()}});
}

void state_lock::write_holder(const instance& where, pid_t keeper) {
    const std::string head = fmt::format("{}\n{}\n", ::getpid(), where.socket_path());
    state_at_ = static_cast<off_t>(head.size());
    const std::string text =
        fmt::format("{}{}{}\n{}\n", head, serving_word, util::own_start_time(), keeper);
    if (::ftruncate(holder_.get(), 0) != 0 ||
        ::pwrite(holder_.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
        util::log(util::level::warning, "lifecycle", "cannot write who holds the state directory",
                  {util::field("reason", errno_text(errno))});
}

void state_lock::mark_draining() const {
    if (!holder_) return;
    const ssize_t written = ::pwrite(holder_.get(), draining_word.data(), draining_word.size(), state_at_);
    if (written != static_cast<ssize_t>(draining_word.size()))
        util::log(util::level::warning, "lifecycle", "cannot write that this daemon shuts down",
                  {util::field("path", "holder"), util::field("reason", errno_text(errno))});
}

}  // namespace hob::lifecycle
