#include "ipc/server.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ipc/connection.hpp"
#include "ipc/unix_socket.hpp"
#include "limits.hpp"
#include "util/async.hpp"
#include "util/log/log.hpp"
#include "util/memory.hpp"
#include "util/poll_set.hpp"
#include "util/timer.hpp"

namespace hob::ipc {

namespace asio = boost::asio;

namespace {

constexpr std::size_t clients_many = 512;  // whose memory is worth returning once they are gone

}  // namespace

class server_state final : public connection_host,
                           public util::poll_set::listener,
                           public std::enable_shared_from_this<server_state> {
public:
    server_state(asio::any_io_executor executor, const dispatcher& methods, server_options options)
        : executor_(std::move(executor)),
          methods_(methods),
          options_(std::move(options)),
          listener_(executor_),
          pause_(executor_),
          quiet_(executor_),
          request_end_(executor_),
          poll_set_(executor_) {}

    void listen(util::unique_fd listening);
    void stop_accepting();
    void suspend() { suspended_ = true; }
    void resume();
    std::vector<carried_connection> carry_clients();
    void resume_client(carried_connection client);
    void shut_down();

    std::size_t clients() const { return open_; }
    std::size_t in_flight() const { return in_flight_; }
    bool has_subscriber() const;
    void publish(std::string_view line);
    void announce(std::string_view line);
    void cancel_all();
    void close_all();
    bool is_quiet() const;
    asio::awaitable<void> idle();
    asio::awaitable<void> replied(std::shared_ptr<session> client);

    const dispatcher& methods() const override { return methods_; }
    void request_began() override;
    void request_ended() override;
    void flushed() override;
    void closed(connection& which) override;
    void finished(connection& which) override;
    util::poll_set& poll_set() override { return poll_set_; }
    bool is_suspended() const override { return suspended_; }
    void on_ready() override;

private:
    std::shared_ptr<connection> add(util::unique_fd socket, pid_t peer);
    void wait_for_client();
    void accept_one();
    void greet(util::unique_fd socket);
    void pause_accepting(int error_number);
    void resume_accepting();
    void wait_for_requests();
    void serve_ready();
    using turns = std::vector<std::pair<std::shared_ptr<connection>, std::uint32_t>>;
    void take_turns(const turns& ready);
    void take_turns_alone(connection& which);
    void changed();
    void release_memory_of_many();
    std::vector<std::shared_ptr<connection>> all() const;

    asio::any_io_executor executor_;
    const dispatcher& methods_;
    server_options options_;
    asio::posix::stream_descriptor listener_;
    util::timer pause_;
    bool paused_ = false;
    bool suspended_ = false;
    util::manual_reset_event quiet_;
    std::size_t waiting_for_quiet_ = 0;
    util::notifier request_end_;
    // Also those that are closed and still have requests in flight.
    std::unordered_map<connection*, std::shared_ptr<connection>> connections_;
    std::size_t open_ = 0;
    std::size_t most_ = 0;  // open at once, since memory was last returned to the system
    std::size_t in_flight_ = 0;
    int skipped_polls_ = 0;
    turns spare_turns_;  // keeps its memory from turn to turn
    util::poll_set poll_set_;
    bool waiting_for_requests_ = false;
    bool ended_ = false;
};

void server_state::listen(util::unique_fd listening) {
    stop_accepting();
    listener_.assign(listening.get());
    listening.release();
    wait_for_client();
}

void server_state::stop_accepting() {
    boost::system::error_code ignored;
    listener_.close(ignored);
    pause_.cancel();
    paused_ = false;
}

void server_state::wait_for_client() {
    listener_.async_wait(listener_.wait_read, [self = shared_from_this()](boost::system::error_code error) {
        if (!error && self->listener_.is_open()) self->accept_one();
    });
}

// Accepts one client at a time: waiting again reports at once whether there are more, and costs no more than
// an accept that finds none.
void server_state::accept_one() {
    util::unique_fd socket = accept_unix(listener_.native_handle());
    if (socket) {
        greet(std::move(socket));
    } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED && errno != EPROTO) {
        return pause_accepting(errno);
    }
    if (listener_.is_open()) wait_for_client();
}

void server_state::greet(util::unique_fd socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return;
    if (peer.uid != options_.owner) {
        util::log(util::level::warning, "ipc", "client of another user refused",
                  {util::field("uid", peer.uid), util::field("pid", peer.pid)});
        return;
    }
    const auto client = add(std::move(socket), peer.pid);
    if (!client) return;
    client->start(options_.hello_line());
    if (open_ != 0) wait_for_requests();
}

// nullptr: it could not be watched.
std::shared_ptr<connection> server_state::add(util::unique_fd socket, pid_t peer) {
    auto client = std::make_shared<connection>(executor_, *this, peer);
    if (!client->open(std::move(socket))) return nullptr;
    connections_.emplace(client.get(), client);
    most_ = std::max(most_, ++open_);
    changed();
    return client;
}

void server_state::resume() {
    if (!std::exchange(suspended_, false)) return;
    for (const auto& each : all())
        each->resume_reading();
}

std::vector<carried_connection> server_state::carry_clients() {
    std::vector<carried_connection> carried;
    for (const auto& each : all())
        each->carry_to(carried);
    return carried;
}

void server_state::resume_client(carried_connection client) {
    if (const auto resumed = add(std::move(client.socket), client.peer_pid)) resumed->resume(client);
    if (open_ != 0) wait_for_requests();
}

// Out of descriptors or memory. The client stays in the backlog until a session closes, or for
// limits::accept_pause.
void server_state::pause_accepting(int error_number) {
    util::log(util::level::warning, "ipc", "cannot accept a client",
              {util::field("error", errno_text(error_number)), util::field("clients", open_)});
    paused_ = true;
    pause_.expires_after(limits::accept_pause);
    pause_.async_wait([self = shared_from_this()](boost::system::error_code error) {
        if (!error) self->resume_accepting();
    });
}

void server_state::resume_accepting() {
    if (!std::exchange(paused_, false)) return;
    pause_.cancel();
    if (listener_.is_open()) wait_for_client();
}

void server_state::closed(connection&) {
    --open_;
    resume_accepting();
    flushed();
    changed();
}

void server_state::finished(connection& which) {
    connections_.erase(&which);
    if (most_ >= clients_many && connections_.size() < most_ / 8) release_memory_of_many();
}

// In a later turn: the caller may still hold the connections.
void server_state::release_memory_of_many() {
    most_ = open_;
    asio::post(executor_, [self = shared_from_this()] {
        self->connections_.rehash(0);
        turns().swap(self->spare_turns_);
        util::release_free_memory();
    });
}

void server_state::wait_for_requests() {
    if (std::exchange(waiting_for_requests_, true)) return;
    poll_set_.wait(shared_from_this());
}

void server_state::on_ready() {
    waiting_for_requests_ = false;
    if (!ended_) serve_ready();
}

// Holds all connections that are ready before any of them has a turn: a request may close other connections.
void server_state::serve_ready() {
    turns ready = std::exchange(spare_turns_, {});
    for (const epoll_event& event : poll_set_.take()) {
        const std::uint32_t events = event.events;  // a member of a packed struct has no reference
        ready.emplace_back(static_cast<connection*>(event.data.ptr)->shared_from_this(), events);
    }
    std::erase_if(ready, [](const auto& each) { return !each.first->on_ready(each.second); });
    take_turns(ready);
    ready.clear();
    spare_turns_ = std::move(ready);
    if (open_ != 0) wait_for_requests();
}

// With many clients, reads all requests that have arrived before it sends any reply. A reply wakes its
// client, and clients that wake one by one take the processor from the daemon once a request.
void server_state::take_turns(const turns& ready) {
    if (ready.size() == 1 || open_ < limits::clients_in_turn) {
        for (const auto& [each, events] : ready)
            take_turns_alone(*each);
        return;
    }
    for (const auto& [each, events] : ready)
        each->begin_turn(true);
    for (const auto& [each, events] : ready)
        each->end_turn();
}

// A client that runs when its reply arrives has often sent the next request by the time this process runs
// again. So polls once more, as long as that finds something.
void server_state::take_turns_alone(connection& which) {
    which.begin_turn(true);
    if (skipped_polls_ > 0) {
        --skipped_polls_;
    } else {
        int found = 0;
        while (found < limits::turns_in_row && which.continue_turn())
            ++found;
        if (found == 0) skipped_polls_ = limits::skipped_polls;
    }
    which.end_turn();
}

void server_state::request_began() {
    ++in_flight_;
    changed();
}

void server_state::request_ended() {
    --in_flight_;
    request_end_.ring();
    flushed();
    changed();
}

void server_state::changed() {
    if (options_.changed) options_.changed();
}

std::vector<std::shared_ptr<connection>> server_state::all() const {
    std::vector<std::shared_ptr<connection>> found;
    found.reserve(connections_.size());
    for (const auto& [key, each] : connections_)
        found.push_back(each);
    return found;
}

bool server_state::has_subscriber() const {
    return std::ranges::any_of(
        connections_, [](const auto& each) { return each.second->subscribed() && !each.second->gone(); });
}

// A connection that is found to be gone is closed from the event loop, not during this iteration.
void server_state::publish(std::string_view line) {
    for (const auto& [key, each] : connections_) {
        if (each->subscribed()) each->event(line);
    }
}

void server_state::announce(std::string_view line) {
    for (const auto& [key, each] : connections_)
        each->event(line);
}

void server_state::cancel_all() {
    for (const auto& each : all())
        each->cancel_all();
}

void server_state::close_all() {
    for (const auto& each : all())
        each->close();
}

void server_state::shut_down() {
    options_.changed = nullptr;
    stop_accepting();
    ended_ = true;
    for (const auto& each : all())
        each->abandon();
    poll_set_.close();
    connections_.clear();
    open_ = 0;
    in_flight_ = 0;
    quiet_.set();
}

bool server_state::is_quiet() const {
    return in_flight_ == 0 &&
           std::ranges::all_of(connections_, [](const auto& each) { return each.second->is_flushed(); });
}

void server_state::flushed() {
    if (waiting_for_quiet_ != 0 && is_quiet()) quiet_.set();
}

asio::awaitable<void> server_state::idle() {
    const auto self = shared_from_this();
    while (!is_quiet()) {
        struct counted {
            std::size_t& count;
            explicit counted(std::size_t& waiting) : count(waiting) { ++count; }
            ~counted() { --count; }
        };
        const counted waiting(waiting_for_quiet_);
        quiet_.clear();
        co_await quiet_.wait();
    }
}

asio::awaitable<void> server_state::replied(std::shared_ptr<session> client) {
    const auto self = shared_from_this();
    while (client->awaits_reply())
        co_await request_end_.wait();
}

server::server(asio::any_io_executor executor, const dispatcher& methods, server_options options)
    : state_(std::make_shared<server_state>(std::move(executor), methods, std::move(options))) {}

server::~server() { state_->shut_down(); }

void server::listen(util::unique_fd listening) { state_->listen(std::move(listening)); }
void server::stop_accepting() { state_->stop_accepting(); }
void server::suspend() { state_->suspend(); }
void server::resume() { state_->resume(); }
std::vector<carried_connection> server::carry_clients() { return state_->carry_clients(); }
void server::resume_client(carried_connection client) { state_->resume_client(std::move(client)); }
std::size_t server::clients() const { return state_->clients(); }
std::size_t server::in_flight() const { return state_->in_flight(); }
bool server::has_subscriber() const { return state_->has_subscriber(); }
void server::announce(std::string_view line) { state_->announce(line); }
asio::awaitable<void> server::idle() { return state_->idle(); }
asio::awaitable<void> server::replied(std::shared_ptr<session> client) {
    return state_->replied(std::move(client));
}
void server::cancel_all() { state_->cancel_all(); }
void server::close_all() { state_->close_all(); }

void server::publish(std::string_view method, std::string_view params_raw) {
    if (state_->has_subscriber()) state_->publish(notification_line(method, params_raw));
}

}  // namespace hob::ipc
