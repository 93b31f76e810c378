#include "unit/protocol/attachment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ipc/message.hpp"
#include "limits.hpp"
#include "util/json_edit.hpp"
#include "util/json_text.hpp"

namespace hob::unit {

namespace asio = boost::asio;

namespace {

constexpr int request_cancelled = -32800;  // as the language server protocol has it

std::string_view reason_of(const failure& why) {
    const std::string_view text = why.what();
    const auto colon = text.find("': ");
    return colon == std::string_view::npos ? text : text.substr(colon + 3);
}

}  // namespace

attachment::attachment(std::shared_ptr<session_host> with, std::shared_ptr<protocol_session> speaker,
                       attach_stream to)
    : with_(std::move(with)),
      script_(std::move(speaker)),
      to_(std::move(to)),
      speaks_(make_protocol(std::get<worker_spec>(with_->spec().detail).protocol)),
      ended_(with_->executor()),
      changed_(with_->executor()) {}

attachment::~attachment() = default;

asio::awaitable<bool> attachment::input(std::string bytes, bool end) {
    const auto self = shared_from_this();
    if (reading_) {
        throw failure(error_kind::usage, fmt::format("cannot reach '{}': what came before is not taken yet",
                                                     with_->spec().name));
    }
    struct reading {
        bool& is;
        explicit reading(bool& of) : is(of) { is = true; }
        ~reading() { is = false; }
    } const here(reading_);
    speaks_.framing->feed(bytes);
    while (!over_) {
        co_await room();
        if (over_) break;
        const auto next = speaks_.framing->next();
        if (!next) break;
        take(*next);
    }
    if (end && !over_) {
        input_ended_ = true;
        end_if_answered();
    }
    co_return !over_;
}

// Nothing is read of one that lets its answers wait, that waits for many, or whose words the process lets
// wait.
asio::awaitable<void> attachment::room() {
    while (!over_ && slow()) {
        co_await unless_over(to_.drained());
    }
    while (!over_ && asking_.size() >= limits::attached_requests_max) {
        co_await changed_.wait();
    }
    while (!over_ && with_->queued() > limits::attached_input_max) {
        co_await unless_over(with_->taken());
    }
}

asio::awaitable<void> attachment::unless_over(asio::awaitable<void> wait) {
    co_await util::first_of(std::move(wait), ended_.wait());
}

bool attachment::slow() const { return to_.queued() > limits::streamed_backlog_max; }

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
    const failure told(why.kind(), fmt::format("cannot attach '{}': {}", with_->spec().name, reason_of(why)),
                       why.hint(), why.detail());
    fail_asking(told);
    end_with(told);
}

void attachment::finish(int status) {
    status_ = status;
    end_with(std::nullopt);
}

void attachment::end_if_answered() {
    if (input_ended_ && asking_.empty()) end_with(std::nullopt);
}

void attachment::leave() {
    end_with(std::nullopt);
    for (const auto& [id, one] : std::exchange(asking_, {}))
        with_->withdraw(one.id);
    for (const auto& [id, request] : std::exchange(forwarded_, {}))
        answer_alone(request);
    undo();
}

void attachment::fail_asking(const failure& why) {
    for (const auto& [id, one] : std::exchange(asking_, {})) {
        with_->withdraw(one.id);
        respond_error(id, ipc::internal_error, why.what());
    }
}

void attachment::take(const ipc::frame& frame) {
    last_word_ = std::chrono::steady_clock::now();
    if (frame.oversized) {
        respond_error("null", ipc::invalid_request, "the message is larger than 16 MiB");
        return;
    }
    worker_message said = speaks_.codec->decode(frame.line);
    switch (said.what) {
        case worker_message::kind::request:
            request(std::move(said));
            break;
        case worker_message::kind::notification:
            if (said.method == "$/cancelRequest") {
                take_back(std::string(util::json_find(said.payload, {"id"})));
            } else {
                notification(std::move(said));
            }
            break;
        case worker_message::kind::result:
        case worker_message::kind::error:
            forwarded_answer(said);
            break;
        case worker_message::kind::noise:
            respond_error("null", ipc::parse_error, "cannot read the message: " + said.text);
            break;
    }
}

void attachment::request(worker_message said) { pass_on(std::move(said)); }

void attachment::notification(worker_message said) { pass_on(std::move(said)); }

void attachment::pass_on(worker_message said, std::vector<std::unique_ptr<progress_tokens::token>> tokens) {
    if (said.what == worker_message::kind::notification) {
        if (with_->notify(said.method, said.payload)) return;
        end(failure(error_kind::unit_failed,
                    fmt::format("cannot attach '{}': it does not read its requests", with_->spec().name)));
        return;
    }
    const std::string key = said.id_raw;
    asked mine;
    mine.method = said.method;
    mine.tokens = std::move(tokens);
    if (!asking_.emplace(key, std::move(mine)).second) {
        respond_error(key, ipc::invalid_request, "a request with this id is not answered yet");
        return;
    }
    try {
        const auto id = with_->post(
            std::move(said.method), std::move(said.payload),
            [of = weak_from_this(), key](const std::optional<failure>& failed, const std::string& result) {
                if (const auto self = of.lock()) self->answered(key, failed, result);
            });
        const auto found = asking_.find(key);
        if (found != asking_.end()) found->second.id = id;
    } catch (const failure& why) {
        answered(key, why, {});
    }
}

void attachment::answered(const std::string& id_raw, const std::optional<failure>& failed,
                          const std::string& result) {
    asking_.erase(id_raw);
    if (!failed) {
        respond(id_raw, result);
    } else if (failed->kind() == error_kind::worker_error && !failed->detail().empty()) {
        send(fmt::format(R"({{"jsonrpc":"2.0","id":{},"error":{}}})", id_raw, failed->detail()));
    } else {
        respond_error(id_raw, ipc::internal_error, failed->what());
    }
    changed_.ring();
    end_if_answered();
}

void attachment::take_back(const std::string& id_raw) {
    const auto found = asking_.find(id_raw);
    if (found == asking_.end()) return;
    with_->withdraw(found->second.id);
    asking_.erase(found);
    respond_error(id_raw, request_cancelled, "cancelled");
    changed_.ring();
    end_if_answered();
}

void attachment::hear(const std::string& name, const std::string& params, std::uint64_t owner) {
    if (over_) return;
    const auto told = heard(name, params, owner);
    if (!told) return;
    if (!behind_ && !slow()) {
        emit_event(name, *told);
        return;
    }
    if (!skipped(name, *told)) ++left_out_;
    if (std::exchange(behind_, true)) return;
    with_->run(wait_and_catch_up(), "attachment");
}

std::optional<std::string> attachment::heard(const std::string&, const std::string& params, std::uint64_t) {
    return params;
}

bool attachment::skipped(const std::string&, const std::string&) { return false; }

void attachment::catch_up(std::uint64_t left_out) {
    if (left_out > 0) emit_event("hob.lagged", fmt::format(R"({{"lost":{}}})", left_out));
}

asio::awaitable<void> attachment::wait_and_catch_up() {
    const auto self = shared_from_this();
    while (!over_ && slow()) {
        co_await unless_over(to_.drained());
    }
    behind_ = false;
    if (!over_) catch_up(std::exchange(left_out_, 0));
}

int attachment::fitness(const worker_message&) const { return 1; }

bool attachment::forward(const worker_message& request) {
    if (over_ || forwarded_.size() >= limits::attached_requests_max) return false;
    const std::uint64_t id = ++last_forwarded_;
    forwarded_.emplace(id, request);
    std::string text =
        fmt::format(R"({{"jsonrpc":"2.0","id":{},"method":{})", id, util::json_quote(request.method));
    if (!request.payload.empty()) text.append(R"(,"params":)").append(request.payload);
    send(text + "}");
    return true;
}

void attachment::forwarded_answer(const worker_message& said) {
    const auto found = said.id ? forwarded_.find(*said.id) : forwarded_.end();
    if (found == forwarded_.end()) return;
    const worker_message request = std::move(found->second);
    forwarded_.erase(found);
    if (said.what == worker_message::kind::result) {
        with_->reply(request, said.payload);
    } else {
        answer_alone(request);
    }
}

void attachment::answer_alone(const worker_message& request) {
    if (!script_->asked(*with_, request)) with_->refuse(request, {});
}

void attachment::respond(std::string_view id_raw, std::string_view result) {
    send(fmt::format(R"({{"jsonrpc":"2.0","id":{},"result":{}}})", id_raw, result.empty() ? "null" : result));
}

void attachment::respond_error(std::string_view id_raw, int code, std::string_view message) {
    send(fmt::format(R"({{"jsonrpc":"2.0","id":{},"error":{{"code":{},"message":{}}}}})", id_raw, code,
                     util::json_quote(message)));
}

void attachment::emit_event(std::string_view method, std::string_view params) {
    std::string text = R"({"jsonrpc":"2.0","method":)" + util::json_quote(method);
    if (!params.empty()) text.append(R"(,"params":)").append(params);
    send(text + "}");
}

void attachment::send(std::string message) {
    if (over_) return;
    if (to_.queued() > limits::attached_backlog_max) {
        end_with(failure(error_kind::unit_failed,
                         fmt::format("cannot attach '{}': what it says is not read", with_->spec().name)));
        return;
    }
    const std::string bytes = speaks_.framing->encode(std::move(message));
    for (std::size_t at = 0; at < bytes.size(); at += limits::attached_piece)
        to_.output(std::string_view(bytes).substr(at, limits::attached_piece));
}

}  // namespace hob::unit
