#include "unit/protocol/attachment.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

#include "ipc/message.hpp"
#include "limits.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {

namespace asio = boost::asio;

namespace {

constexpr int request_cancelled = -32800;  // from the language server protocol

util::json_object response(std::string_view id_raw) {
    util::json_object message;
    message.add("jsonrpc", "2.0").add("id", util::raw_json{id_raw});
    return message;
}

}  // namespace

// input() runs.
struct attachment::reading_input {
    input_state& state;
    const input_state before;
    explicit reading_input(input_state& of) : state(of), before(of) { state = input_state::reading; }
    ~reading_input() {
        if (state == input_state::reading) state = before;
    }
    reading_input(const reading_input&) = delete;
    reading_input& operator=(const reading_input&) = delete;
};

attachment::attachment(std::shared_ptr<session_host> host, std::shared_ptr<protocol_session> session,
                       attach_stream stream)
    : host_(std::move(host)),
      session_(std::move(session)),
      stream_(std::move(stream)),
      framing_(worker_spec_of(host_->spec()).protocol->make_framing()),
      codec_(worker_spec_of(host_->spec()).protocol->make_codec()),
      ended_(host_->executor()),
      changed_(host_->executor()) {}

attachment::~attachment() = default;

asio::awaitable<bool> attachment::input(std::string bytes, bool end) {
    const auto self = shared_from_this();
    if (input_ == input_state::reading) {
        throw failure(error_kind::usage, cannot("reach", host_->spec().name),
                      "the previous input is not read yet");
    }
    const reading_input here(input_);
    auto turn_began = std::chrono::steady_clock::now();
    framing_->feed(bytes);
    while (!over_) {
        co_await backpressure();
        if (over_) break;
        auto next = framing_->next();
        if (!next) next = framing_->early();
        if (!next) break;
        on_frame(*next);
        do {
            if (std::chrono::steady_clock::now() - turn_began >= limits::attached_turn) {
                co_await asio::post(host_->executor(), asio::use_awaitable);
                turn_began = std::chrono::steady_clock::now();
            }
        } while (!over_ && work_on());
    }
    if (end && !over_) {
        input_ = input_state::ended;
        take_back_forwarded();
        end_if_answered();
    }
    co_return !over_;
}

// Stop reading from a client that has unread output, too many open requests, or a worker whose input queue is
// full.
asio::awaitable<void> attachment::backpressure() {
    while (!over_ && is_slow()) {
        co_await unless_over(stream_.drained());
    }
    while (!over_ && open_requests_.size() >= limits::attached_requests_max) {
        co_await changed_.wait();
    }
    while (!over_ && host_->unread_input() > limits::attached_input_max) {
        co_await unless_over(host_->input_read());
    }
}

asio::awaitable<void> attachment::unless_over(asio::awaitable<void> wait) {
    co_await util::first_of(std::move(wait), ended_.wait());
}

bool attachment::is_slow() const { return stream_.queued() > limits::streamed_backlog_max; }

asio::awaitable<int> attachment::ended() {
    const auto self = shared_from_this();
    co_await ended_.wait();
    if (failed_) throw failure(*failed_);
    co_return status_;
}

void attachment::end_with(std::optional<failure> why) {
    if (std::exchange(over_, true)) return;
    if (why) failed_.emplace(*why);
    ended_.set();
    changed_.ring();
}

void attachment::end(const failure& why) {
    if (over_) return;
    const failure ours = why.of(cannot("attach", host_->spec().name));
    fail_open_requests(ours);
    end_with(ours);
}

void attachment::fail(std::string reason) {
    end(failure(error_kind::unit_failed, cannot("attach", host_->spec().name), std::move(reason)));
}

void attachment::finish(int status) {
    status_ = status;
    end_with(std::nullopt);
}

void attachment::end_if_answered() {
    if (input_ == input_state::ended && open_requests_.empty()) end_with(std::nullopt);
}

// The client answers no more.
void attachment::take_back_forwarded() {
    for (const auto& [id, request] : std::exchange(forwarded_, {}))
        answer_without_client(request);
}

void attachment::leave() {
    end_with(std::nullopt);
    for (const auto& [id, open] : std::exchange(open_requests_, {}))
        host_->withdraw(open.id);
    take_back_forwarded();
    undo();
}

void attachment::fail_open_requests(const failure& why) {
    for (const auto& [id, open] : std::exchange(open_requests_, {})) {
        host_->withdraw(open.id);
        respond_error(id, ipc::internal_error, why.what());
    }
}

void attachment::on_frame(const ipc::frame& frame) {
    last_message_ = std::chrono::steady_clock::now();
    if (frame.oversized) {
        respond_error("null", ipc::invalid_request, "the message is larger than 16 MiB");
        return;
    }
    worker_message message = codec_->decode(frame.line);
    adapt_incoming(message.payload);
    switch (message.type) {
        case worker_message::kind::request:
            on_client_request(std::move(message));
            break;
        case worker_message::kind::notification:
            if (message.method == "$/cancelRequest") {
                cancel_request(std::string(util::json_find(message.payload, {"id"})));
            } else {
                on_client_notification(std::move(message));
            }
            break;
        case worker_message::kind::result:
        case worker_message::kind::error:
            on_forwarded_answer(message);
            break;
        case worker_message::kind::noise:
            respond_error("null", ipc::parse_error, "cannot read the message: " + message.text);
            break;
    }
}

void attachment::on_client_request(worker_message message) { send_to_worker(std::move(message)); }

void attachment::on_client_notification(worker_message message) { send_to_worker(std::move(message)); }

void attachment::send_to_worker(worker_message message,
                                std::vector<std::unique_ptr<progress_tokens::token>> tokens) {
    if (message.type == worker_message::kind::request) {
        send_request(std::move(message), std::move(tokens));
    } else if (!host_->notify(message.method, message.payload)) {
        fail("it does not read its requests");
    }
}

void attachment::send_request(worker_message message,
                              std::vector<std::unique_ptr<progress_tokens::token>> tokens) {
    const std::string key = message.id_raw;
    const bool ignorable = may_be_ignored(message.method);
    open_request made;
    made.method = message.method;
    made.tokens = std::move(tokens);
    if (!open_requests_.emplace(key, std::move(made)).second) {
        respond_error(key, ipc::invalid_request, "a request with this id is not answered yet");
        return;
    }
    try {
        const auto id = host_->post(
            std::move(message.method), std::move(message.payload),
            [weak = weak_from_this(), key](const std::optional<failure>& failed, const std::string& result) {
                if (const auto self = weak.lock()) self->on_result(key, failed, result);
            });
        const auto found = open_requests_.find(key);
        if (found == open_requests_.end()) return;
        found->second.id = id;
        if (ignorable) limit_patience(key);
    } catch (const failure& why) {
        on_result(key, why, {});
    }
}

void attachment::on_result(const std::string& id_raw, const std::optional<failure>& failed,
                           const std::string& result) {
    const auto open = open_requests_.extract(id_raw);
    if (!failed) {
        respond(id_raw, open ? result_for_client(open.mapped().method, result) : result);
    } else if (failed->kind() == error_kind::worker_error && !failed->detail().empty()) {
        send(std::move(response(id_raw).add("error", util::raw_json{failed->detail()})).text());
    } else {
        respond_error(id_raw, ipc::internal_error, failed->what());
    }
    changed_.ring();
    end_if_answered();
}

void attachment::cancel_request(const std::string& id_raw) {
    give_up(id_raw, request_cancelled, "cancelled");
}

void attachment::give_up(const std::string& id_raw, int code, std::string_view why) {
    const auto found = open_requests_.find(id_raw);
    if (found == open_requests_.end()) return;
    host_->withdraw(found->second.id);
    open_requests_.erase(found);
    respond_error(id_raw, code, why);
    changed_.ring();
    end_if_answered();
}

bool attachment::work_on() { return false; }

bool attachment::may_be_ignored(const std::string&) const { return false; }

void attachment::limit_patience(const std::string& id_raw) {
    auto& patience = open_requests_.at(id_raw).patience;
    patience = std::make_unique<util::timer>(host_->executor());
    patience->expires_after(limits::optional_answer);
    patience->async_wait([weak = weak_from_this(), id_raw](boost::system::error_code cancelled) {
        const auto self = weak.lock();
        if (!self || cancelled) return;
        self->give_up(id_raw, ipc::method_not_found, "the server does not answer such requests");
    });
}

void attachment::on_notification(const std::string& name, const std::string& params, std::uint64_t owner) {
    if (over_) return;
    const auto for_client = params_for_client(name, params, owner);
    if (!for_client) return;
    if (!catching_up_ && !is_slow()) {
        emit_event(name, *for_client);
        return;
    }
    if (!on_skipped(name, *for_client)) ++lost_;
    if (std::exchange(catching_up_, true)) return;
    host_->spawn(wait_and_catch_up(), "attachment");
}

std::optional<std::string> attachment::params_for_client(const std::string&, const std::string& params,
                                                         std::uint64_t) {
    return params;
}

bool attachment::on_skipped(const std::string&, const std::string&) { return false; }

void attachment::catch_up(std::uint64_t lost) {
    if (lost == 0) return;
    util::json_object params;
    params.add("lost", lost);
    emit_event("hob.lagged", std::move(params).text());
}

asio::awaitable<void> attachment::wait_and_catch_up() {
    const auto self = shared_from_this();
    while (!over_ && is_slow()) {
        co_await unless_over(stream_.drained());
    }
    catching_up_ = false;
    if (!over_) catch_up(std::exchange(lost_, 0));
}

std::string attachment::result_for_client(const std::string&, std::string result) const { return result; }

void attachment::ask(std::string_view method, std::string_view params) {
    send(codec_->request(++last_forwarded_, host_->spec().name, method, params));
}

int attachment::fitness(const worker_message&) const { return 1; }

bool attachment::forward(const worker_message& request) {
    const bool listens = !over_ && input_ != input_state::ended;
    if (!listens || forwarded_.size() >= limits::attached_requests_max) return false;
    const std::uint64_t id = ++last_forwarded_;
    forwarded_.emplace(id, request);
    send(codec_->request(id, host_->spec().name, request.method, request.payload));
    return true;
}

void attachment::on_forwarded_answer(const worker_message& answer) {
    const auto found = answer.id ? forwarded_.find(*answer.id) : forwarded_.end();
    if (found == forwarded_.end()) return;
    const worker_message request = std::move(found->second);
    forwarded_.erase(found);
    if (answer.type == worker_message::kind::result) {
        host_->reply(request, answer.payload);
    } else {
        answer_without_client(request);
    }
}

void attachment::answer_without_client(const worker_message& request) {
    if (!session_->on_server_request(*host_, request)) host_->refuse(request, {});
}

void attachment::respond(std::string_view id_raw, std::string_view result) {
    send(std::move(response(id_raw).add("result", util::raw_json{result.empty() ? "null" : result})).text());
}

void attachment::respond_error(std::string_view id_raw, int code, std::string_view message) {
    util::json_object error;
    error.add("code", code).add("message", message);
    send(std::move(response(id_raw).add("error", error)).text());
}

void attachment::emit_event(std::string_view method, std::string_view params) {
    send(codec_->notification(0, host_->spec().name, method, params));
}

void attachment::send(std::string message) {
    if (over_) return;
    if (stream_.queued() > limits::attached_backlog_max) {
        end_with(failure(error_kind::unit_failed, cannot("attach", host_->spec().name),
                         "its client does not read its output"));
        return;
    }
    adapt_outgoing(message);
    const std::string bytes = framing_->encode(std::move(message));
    for (std::size_t at = 0; at < bytes.size(); at += limits::attached_piece)
        stream_.output(std::string_view(bytes).substr(at, limits::attached_piece));
}

}  // namespace hob::unit
