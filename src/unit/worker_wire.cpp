// What the script of a protocol may do with the running process.

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

#include "unit/worker_life.hpp"
#include "util/json_text.hpp"

namespace hob::unit {

namespace asio = boost::asio;

asio::awaitable<std::string> worker::life::ask(std::string method, std::string params, util::deadline limit) {
    auto answered = ask_for(nullptr, std::move(method), std::move(params), limit);
    co_return co_await std::move(answered);
}

asio::awaitable<std::string> worker::life::ask_for(event_watch* watch, std::string method, std::string params,
                                                   util::deadline limit) {
    const auto alive = shared_from_this();
    if (watch && watch->wants_end()) {
        auto caught_up = catch_up();
        co_await std::move(caught_up);
    }
    call_table::question what;
    what.method = std::move(method);
    what.params = std::move(params);
    what.limit = limit;
    what.limit_text = limit.remaining();
    what.watch = watch;
    what.parting = parting;
    auto answered = call_table::ask(calls, std::move(what));
    co_return co_await std::move(answered);
}

// What is in the pipe was said before the request that is about to be sent, and must not end its wait. Each
// turn of the loop reads some of it; after the last bytes one more turn hands out what was read.
asio::awaitable<void> worker::life::catch_up() {
    constexpr int turns_max = 256;  // a process that never stops writing is not waited for
    for (int turns = 0; turns < turns_max && io->unread() > 0; ++turns)
        co_await asio::post(executor(), asio::use_awaitable);
    co_await asio::post(executor(), asio::use_awaitable);
}

bool worker::life::notify(std::string_view method, std::string_view params) {
    return calls->notify(method, params);
}

void worker::life::reply(const answer& request, std::string_view result) {
    calls->reply(request, std::string(result));
}

void worker::life::refuse(const answer& request) { calls->reply(request, std::nullopt); }

void worker::life::set_activity(std::string text) {
    if (owner.life_.get() != this || owner.activity_ == text) return;
    owner.activity_ = std::move(text);
    if (owner.context_->options.publish) {
        owner.context_->options.publish("worker.activity", R"({"unit":)" + util::json_quote(own_spec->name) +
                                                               R"(,"activity":)" +
                                                               util::json_quote(owner.activity_) + "}");
    }
    if (owner.context_->options.changed) owner.context_->options.changed();
}

std::string worker::life::recall(std::string_view key) const {
    const auto found = owner.notes_.find(key);
    return found == owner.notes_.end() ? std::string() : found->second;
}

void worker::life::remember(std::string_view key, std::string value) {
    owner.notes_.insert_or_assign(std::string(key), std::move(value));
}

}  // namespace hob::unit
