#include "ipc/connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "limits.hpp"
#include "util/log/log.hpp"

namespace hob::ipc {
namespace {

namespace asio = boost::asio;

constexpr std::size_t descriptors_max = 8;    // not taken yet; older ones are closed
constexpr std::size_t batch_max = 64u << 10;  // replies gathered before they are sent
constexpr std::size_t reply_overhead = 64;    // what result_line adds to id and result, at most
constexpr std::string_view too_large = "cannot send 'reply': it is larger than 16 MiB";

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

bool is_cancellation(const boost::system::system_error& error) {
    return error.code() == asio::error::operation_aborted;
}

failure cancelled(std::string_view method) {
    return failure(error_kind::cancelled, cannot("finish", method), "cancelled");
}

}  // namespace

connection::connection(const asio::any_io_executor& executor, connection_host& host, pid_t peer_pid)
    : session(peer_pid), executor_(executor), host_(&host) {}

bool connection::open(util::unique_fd socket) {
    socket_ = std::move(socket);
    if (!host_->poll_set().add(socket_.get(), this, EPOLLIN)) return false;
    watched_ = EPOLLIN;
    return true;
}

void connection::start(std::string_view hello_line) {
    // Greeting and first replies are sent together, so that the client wakes once.
    std::string batch(hello_line);
    batch_ = &batch;
    read_some();
    take_lines();
    batch_ = nullptr;
    send(batch);
    wait_for_next();
}

void connection::carry_to(std::vector<carried_connection>& all) {
    // A line that is too long and is being skipped would begin in its middle.
    if (gone() || !requests_.empty() || !descriptors_.empty() || end_of_input_ || reader_.is_skipping() ||
        outbox_.lost() != 0)
        return;
    carried_connection& carried = all.emplace_back();
    carried.peer_pid = peer_pid();
    carried.subscribed = subscribed();
    carried.input = reader_.pending();
    carried.output = outbox_.pending();
    unwatch();
    carried.socket = std::move(socket_);
}

void connection::resume(const carried_connection& from) {
    if (from.subscribed) subscribe();
    reader_.feed(from.input);
    if (!from.output.empty()) send(from.output);
    turn(true);
}

void connection::turn(bool reads) {
    if (batch_ != nullptr) return;
    begin_turn(reads);
    end_turn();
}

void connection::begin_turn(bool reads) {
    if (is_closed() || host_ == nullptr || batch_ != nullptr) return;
    turn_batch_ = std::exchange(host_->spare_batch, {});
    turn_batch_.clear();
    batch_ = &turn_batch_;
    if (reads) read_some();
    take_lines();
}

bool connection::continue_turn() {
    if (batch_ != &turn_batch_ || turn_batch_.empty()) return false;
    batch_ = nullptr;
    send(turn_batch_);
    turn_batch_.clear();
    batch_ = &turn_batch_;
    const bool alone = outbox_.empty() && requests_.empty() && reader_.buffered() == 0;
    if (gone() || host_ == nullptr || !alone || !read_some()) return false;
    take_lines();
    return true;
}

void connection::end_turn() {
    if (batch_ != &turn_batch_) return;
    batch_ = nullptr;
    std::string batch = std::exchange(turn_batch_, {});
    if (!batch.empty()) send(batch);
    if (host_ != nullptr && batch.capacity() <= 2 * batch_max) host_->spare_batch = std::move(batch);
    wait_for_next();
}

// Whether the client has sent something.
bool connection::read_some() {
    if (end_of_input_ || paused()) return false;
    const auto room = reader_.prepare();
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    iovec bytes{room.data(), room.size()};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t count = 0;
    do {
        count = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    if (count >= 0 && message.msg_controllen > 0) keep_descriptors(message);
    if (count > 0) {
        reader_.commit(static_cast<std::size_t>(count));
    } else if (count == 0) {
        end_of_input_ = true;
    } else if (errno != EAGAIN && errno != ENOMEM) {
        end_of_input_ = true;
        lose_peer();
    }
    return count > 0;
}

// The kernel drops all but the one that there is space for.
void connection::keep_descriptors(msghdr& message) {
    for (const cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, const_cast<cmsghdr*>(header))) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        int descriptor = -1;
        std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
        descriptors_.emplace_back(descriptor);
        if (descriptors_.size() > descriptors_max) descriptors_.pop_front();
    }
}

util::unique_fd connection::take_descriptor() {
    if (descriptors_.empty()) return {};
    util::unique_fd descriptor = std::move(descriptors_.front());
    descriptors_.pop_front();
    return descriptor;
}

void connection::take_lines() {
    while (!paused()) {
        auto line = reader_.next();
        if (!line && end_of_input_) line = reader_.last();
        if (!line) break;
        accept_line(*line);
        if (batch_->size() < batch_max) continue;
        std::string* batch = std::exchange(batch_, nullptr);
        send(*batch);
        batch->clear();
        batch_ = batch;
    }
    reader_.trim();
}

void connection::accept_line(const frame& line) {
    if (line.oversized) {
        send(error_line("null", invalid_request, "cannot accept 'request': it is larger than 16 MiB"));
        return;
    }
    if (is_blank(line.line)) return;
    auto parsed = parse_request(line.line);
    if (const auto* rejected = std::get_if<rejection>(&parsed)) {
        send(error_line(rejected->id, rejected->code, rejected->message));
    } else {
        handle(std::get<request>(std::move(parsed)));
    }
}

void connection::handle(request received) {
    if (gone() && !received.id.empty()) return;
    const auto* entry = host_->methods().find(received.method);
    if (entry == nullptr) {
        if (received.id.empty()) return;
        send(error_line(received.id, method_not_found,
                        "cannot call '" + received.method + "': unknown method"));
        return;
    }
    try {
        if (const auto* suspended = std::get_if<dispatcher::suspended>(entry)) {
            start_async(*suspended, std::move(received));
        } else {
            answer(received.id, std::get<dispatcher::immediate>(*entry)(*this, received));
        }
    } catch (...) {
        answer_thrown(received.id, received.method, std::current_exception());
    }
}

void connection::start_async(const dispatcher::suspended& handler, request received) {
    auto self = shared_from_this();
    auto started = std::make_shared<running_request>();
    started->id = received.id;
    started->method = received.method;
    requests_.push_back(started);
    host_->request_began();
    auto on_completion = [self, started](const std::exception_ptr& thrown, const std::string& result) {
        self->complete(started, thrown, result);
    };
    try {
        asio::co_spawn(executor_, handler(self, std::move(received)),
                       asio::bind_cancellation_slot(started->cancel.slot(), std::move(on_completion)));
    } catch (...) {
        complete(started, std::current_exception(), {});
    }
}

void connection::complete(const std::shared_ptr<running_request>& done, const std::exception_ptr& thrown,
                          const std::string& result) {
    const auto found = std::ranges::find(requests_, done);
    if (found == requests_.end()) return;
    const bool was_paused = paused();
    requests_.erase(found);
    if (host_ == nullptr) return;
    if (thrown) {
        answer_thrown(done->id, done->method, thrown);
    } else {
        answer(done->id, result);
    }
    if (host_ != nullptr) host_->request_ended();
    if (is_closed()) {
        if (requests_.empty() && host_ != nullptr) host_->finished(*this);
        return;
    }
    if (batch_ != nullptr) return;
    if (was_paused) return turn(false);
    wait_for_next();
}

void connection::answer(std::string_view id, std::string_view result) {
    if (id.empty() || gone()) return;
    if (id.size() + result.size() + reply_overhead > limits::line_max) {
        const bool id_fits = id.size() + too_large.size() + 2 * reply_overhead <= limits::line_max;
        send(error_line(id_fits ? id : "null", internal_error, too_large));
    } else if (batch_ != nullptr) {
        append_result(*batch_, id, result);
    } else {
        send(result_line(id, result));
    }
}

void connection::answer_thrown(std::string_view id, std::string_view method,
                               const std::exception_ptr& thrown) {
    std::string line;
    try {
        std::rethrow_exception(thrown);
    } catch (const failure& why) {
        line = error_line(id, why);
    } catch (const boost::system::system_error& error) {
        if (!is_cancellation(error))
            util::log(util::level::error, "ipc", "request failed",
                      {util::field("method", method), util::field("error", error.what())});
        line = error_line(
            id, is_cancellation(error) ? cancelled(method) : failure(error_kind::internal, error.what()));
    } catch (const std::exception& error) {
        util::log(util::level::error, "ipc", "request failed",
                  {util::field("method", method), util::field("error", error.what())});
        line = error_line(id, failure(error_kind::internal, error.what()));
    }
    if (id.empty() || gone()) return;
    if (line.size() > limits::line_max + 1) line = error_line("null", internal_error, too_large);
    send(line);
}

void connection::notify(std::string_view method, std::string_view params_raw) {
    if (!gone()) send(notification_line(method, params_raw));
}

asio::awaitable<void> connection::drained() {
    const auto self = shared_from_this();
    if (gone() || outbox_.empty()) co_return;
    if (!drained_) drained_ = std::make_unique<util::notifier>(executor_);
    co_await drained_->wait();
}

void connection::notify_drained() {
    if (drained_) drained_->ring();
}

void connection::send(std::string_view lines) {
    if (gone()) return;
    if (batch_ != nullptr) {
        batch_->append(lines);
    } else {
        sent(outbox_.reply(socket_.get(), lines));
    }
}

void connection::event(std::string_view line) {
    if (gone()) return;
    if (batch_ != nullptr) {
        batch_->append(line);  // in order with the replies of this turn
    } else {
        sent(outbox_.event(socket_.get(), line));
    }
}

void connection::sent(bool delivered) {
    if (!delivered) {
        lose_peer();
    } else if (!outbox_.empty()) {
        watch();
    }
}

// Nothing can be sent any more. The rest follows from the event loop: the caller may be iterating over the
// server's connections, or be a handler that is about to be cancelled.
void connection::lose_peer() {
    if (gone()) return;
    phase_ = phase::peer_lost;
    outbox_.discard();
    notify_drained();
    asio::post(executor_, [self = shared_from_this()] {
        if (self->is_closed() || self->host_ == nullptr) return;
        self->cancel_requests();
        self->host_->flushed();
        self->turn(true);
    });
}

void connection::cancel_requests() {
    const request_list requests = requests_;
    for (const auto& each : requests) {
        if (!each->id.empty()) each->cancel.emit(asio::cancellation_type::terminal);
    }
}

void connection::cancel_all() {
    const request_list requests = requests_;
    for (const auto& each : requests)
        each->cancel.emit(asio::cancellation_type::terminal);
}

void connection::close() {
    if (is_closed()) return;
    phase_ = phase::closed;
    const auto self = shared_from_this();
    unwatch();
    socket_.reset();
    descriptors_.clear();
    outbox_.discard();
    notify_drained();
    cancel_requests();
    if (host_ == nullptr) return;
    host_->closed(*this);
    if (requests_.empty() && host_ != nullptr) host_->finished(*this);
}

void connection::abandon() {
    unwatch();
    host_ = nullptr;
    close();
    cancel_all();
}

}  // namespace hob::ipc
