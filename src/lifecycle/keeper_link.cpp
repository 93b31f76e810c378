#include "lifecycle/keeper_link.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "error.hpp"
#include "identity.hpp"
#include "lifecycle/start_keeper.hpp"
#include "util/log/log.hpp"
#include "version.hpp"

namespace hob::lifecycle {
namespace {

constexpr const char* channel = "lifecycle";

held_entry entry_of(keeper::received got) {
    held_entry entry;
    entry.key = std::move(got.what.key);
    entry.pid = got.what.pid;
    entry.exit = got.what.exit;
    entry.note = std::move(got.what.text);
    std::string_view roles = got.what.roles;
    for (auto& fd : got.descriptors) {
        const auto end = roles.find(' ');
        entry.descriptors.emplace(roles.substr(0, end), std::move(fd));
        roles.remove_prefix(end == std::string_view::npos ? roles.size() : end + 1);
    }
    return entry;
}

failure keeper_gone() {
    return failure(error_kind::start_failed, cannot("start the daemon"), "its keeper is gone");
}

failure other_keeper(std::uint32_t version) {
    return failure(
        error_kind::start_failed, cannot("start the daemon"),
        fmt::format("its keeper is of another version of {} (protocol {} between keeper and daemon; this "
                    "binary has {})",
                    this_program.name, version, keeper_protocol_version),
        "the keeper starts the binary that it came from");
}

bool await(int socket, short events) {
    pollfd waiting{socket, events, 0};
    while (::poll(&waiting, 1, -1) < 0) {
        if (errno != EINTR) return false;
    }
    return true;
}

}  // namespace

util::unique_fd held_entry::take(std::string_view role) {
    const auto found = descriptors.find(role);
    return found == descriptors.end() ? util::unique_fd() : std::move(found->second);
}

std::optional<std::string> whole_file(int file) {
    struct stat facts {};
    if (::fstat(file, &facts) != 0) return std::nullopt;
    std::string bytes(static_cast<std::size_t>(facts.st_size), '\0');
    const ssize_t size = ::pread(file, bytes.data(), bytes.size(), 0);
    if (size != static_cast<ssize_t>(bytes.size())) return std::nullopt;
    return bytes;
}

std::optional<std::string> held_entry::text_of(std::string_view role) const {
    const auto found = descriptors.find(role);
    return found == descriptors.end() ? std::nullopt : whole_file(found->second.get());
}

held_entry* keeper_handle::find(std::string_view key) {
    const auto found =
        std::find_if(held.begin(), held.end(), [key](const held_entry& each) { return each.key == key; });
    return found == held.end() ? nullptr : &*found;
}

std::vector<held_entry> keeper_handle::take_for_application() {
    const auto is_own = [](const held_entry& each) {
        return each.key == socket_key || each.key == handover_key || each.key.starts_with(client_prefix);
    };
    const auto others = std::stable_partition(held.begin(), held.end(), is_own);
    std::vector<held_entry> taken(std::make_move_iterator(others), std::make_move_iterator(held.end()));
    held.erase(others, held.end());
    return taken;
}

void read_held(keeper_handle& handle) {
    const int socket = handle.socket.get();
    keeper::message what;
    what.kind = keeper::message_kind::list;
    while (!keeper::send(socket, what)) {
        if (errno != EAGAIN || !await(socket, POLLOUT)) throw keeper_gone();
    }
    keeper::received got;
    for (;;) {
        switch (keeper::receive(socket, got)) {
            case keeper::receive_result::closed:
                throw keeper_gone();
            case keeper::receive_result::other_version:
                throw other_keeper(got.version);
            case keeper::receive_result::nothing:
                if (!await(socket, POLLIN)) throw keeper_gone();
                continue;
            case keeper::receive_result::message:
                break;
        }
        if (got.what.kind == keeper::message_kind::listed) return;
        if (got.what.kind == keeper::message_kind::held) handle.held.push_back(entry_of(std::move(got)));
        if (got.what.kind == keeper::message_kind::asked) handle.asked.push_back(got.what.number);
    }
}

keeper_link::keeper_link(const boost::asio::any_io_executor& executor, pid_t keeper, util::unique_fd socket)
    : pid_(keeper), socket_(executor, socket.release()) {
    socket_.native_non_blocking(true);
    wait_for_messages();
}

keeper_link::~keeper_link() = default;

void keeper_link::hold(std::string key, const std::vector<held_descriptor>& descriptors, pid_t pid,
                       std::string note) {
    keeper::message what;
    what.kind = keeper::message_kind::hold;
    what.key = std::move(key);
    what.pid = pid;
    what.text = std::move(note);
    std::vector<int> numbers;
    for (const auto& each : descriptors) {
        if (each.fd < 0) continue;
        what.roles.append(what.roles.empty() ? "" : " ").append(each.role);
        numbers.push_back(each.fd);
    }
    send(std::move(what), numbers);
}

util::unique_fd text_file(const std::string& name, std::string_view text) {
    util::unique_fd file(::memfd_create(name.c_str(), MFD_CLOEXEC));
    if (file && util::write_all(file.get(), text)) return file;
    util::log(util::level::warning, channel, "the keeper was not told",
              {util::field("of", name), util::field("errno", errno)});
    return {};
}

void keeper_link::hold_text(std::string key, std::string_view text) {
    if (const util::unique_fd file = text_file(key, text)) hold(std::move(key), {{text_role, file.get()}});
}

void keeper_link::note(std::string key, std::string text) {
    keeper::message what;
    what.kind = keeper::message_kind::note;
    what.key = std::move(key);
    what.text = std::move(text);
    send(std::move(what));
}

void keeper_link::close(std::string key, std::string roles) {
    keeper::message what;
    what.kind = keeper::message_kind::close;
    what.key = std::move(key);
    what.roles = std::move(roles);
    send(std::move(what));
}

void keeper_link::drop(std::string key) {
    keeper::message what;
    what.kind = keeper::message_kind::drop;
    what.key = std::move(key);
    send(std::move(what));
}

void keeper_link::reap(pid_t pid) {
    keeper::message what;
    what.kind = keeper::message_kind::reap;
    what.pid = pid;
    ends_.erase(pid);
    send(std::move(what));
}

void keeper_link::say(keeper::message_kind kind, int number) {
    keeper::message what;
    what.kind = kind;
    what.number = number;
    ending_ = ending_ || kind == keeper::message_kind::ending || kind == keeper::message_kind::release;
    send(std::move(what));
}

void keeper_link::send(keeper::message what, const std::vector<int>& descriptors) {
    if (!alive()) return;
    if (queue_.empty() && keeper::send(socket_.native_handle(), what, descriptors)) return;
    if (queue_.empty() && errno != EAGAIN && errno != ETOOMANYREFS) {
        util::log(util::level::warning, channel, "the keeper was not told",
                  {util::field("of", what.key), util::field("errno", errno)});
        return;
    }
    outgoing waiting{{}, {}};
    for (const int fd : descriptors) {
        waiting.descriptors.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
        if (!waiting.descriptors.back()) return send_now(what, descriptors);
    }
    waiting.what = std::move(what);
    queue_.push_back(std::move(waiting));
    wait_for_room();
}

// This process can open no more files, and so cannot keep the descriptors for later. The keeper must get
// them: what it does not hold, it does not tell the end of.
void keeper_link::send_now(const keeper::message& what, const std::vector<int>& descriptors) {
    const int socket = socket_.native_handle();
    while (!send_queued()) {
        if (!await(socket, POLLOUT)) return;
    }
    while (!keeper::send(socket, what, descriptors)) {
        if ((errno != EAGAIN && errno != ETOOMANYREFS) || !await(socket, POLLOUT)) return;
    }
}

bool keeper_link::send_queued() {
    while (!queue_.empty()) {
        std::vector<int> descriptors;
        for (const auto& fd : queue_.front().descriptors)
            descriptors.push_back(fd.get());
        if (!keeper::send(socket_.native_handle(), queue_.front().what, descriptors) &&
            (errno == EAGAIN || errno == ETOOMANYREFS))
            return false;
        queue_.pop_front();
    }
    return true;
}

bool keeper_link::flush(util::deadline limit) {
    while (!send_queued()) {
        pollfd room{socket(), POLLOUT, 0};
        if (limit.expired() || (::poll(&room, 1, limit.poll_timeout()) < 0 && errno != EINTR)) return false;
    }
    return true;
}

void keeper_link::wait_for_room() {
    if (std::exchange(waits_for_room_, true)) return;
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                       [this](const boost::system::error_code& error) {
                           if (error) return;
                           waits_for_room_ = false;
                           if (!send_queued()) wait_for_room();
                       });
}

void keeper_link::wait_for_messages() {
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [this](const boost::system::error_code& error) {
                           if (error) return;
                           read_all();
                           if (alive()) wait_for_messages();
                       });
}

void keeper_link::read_all() {
    keeper::received got;
    while (alive()) {
        switch (keeper::receive(socket_.native_handle(), got)) {
            case keeper::receive_result::nothing:
                return;
            case keeper::receive_result::closed:
            case keeper::receive_result::other_version:
                return lost();
            case keeper::receive_result::message:
                break;
        }
        if (got.what.kind == keeper::message_kind::exited) ended(got.what);
        if (got.what.kind == keeper::message_kind::asked && on_asked) on_asked(got.what.number);
    }
}

void keeper_link::ended(const keeper::message& what) {
    ends_[what.pid] = what.exit;
    const auto watch = watches_.find(what.pid);
    if (watch == watches_.end()) return;
    const auto on_end = std::move(watch->second);
    watches_.erase(watch);
    on_end();
}

void keeper_link::lost() {
    boost::system::error_code ignored;
    socket_.close(ignored);
    queue_.clear();
    const auto watches = std::exchange(watches_, {});
    for (const auto& [pid, on_end] : watches)
        on_end();
    if (on_lost) on_lost();
}

void keeper_link::watch(pid_t pid, std::function<void()> on_end) { watches_[pid] = std::move(on_end); }

void keeper_link::unwatch(pid_t pid) { watches_.erase(pid); }

std::optional<keeper::exit_report> keeper_link::end_of(pid_t pid) const {
    const auto found = ends_.find(pid);
    return found == ends_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace hob::lifecycle
