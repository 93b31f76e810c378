#include "unit/protocol/protocol_session.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "error.hpp"
#include "unit/protocol/attachment.hpp"

namespace hob::unit {

namespace asio = boost::asio;

asio::awaitable<std::string> script::start(wire&) { co_return std::string(); }

asio::awaitable<void> script::stop(wire&) { co_return; }

std::optional<lane_rule> script::lane(const wire& with, const std::string& method) const {
    const auto& serial = std::get<worker_spec>(with.spec().detail).serial;
    if (std::find(serial.begin(), serial.end(), method) == serial.end()) return std::nullopt;
    return lane_rule{"serial", false};
}

asio::awaitable<std::string> script::perform(wire& with, call_wish wish, event_watch* watch,
                                             util::deadline limit) {
    auto answered = with.ask_for(watch, std::move(wish.method), std::move(wish.params), limit);
    co_return co_await std::move(answered);
}

asio::awaitable<std::string> script::follow(wire&, worker_event, util::deadline) { co_return std::string(); }

asio::awaitable<std::string> script::list(wire& with, util::deadline) {
    throw failure(error_kind::usage,
                  fmt::format("cannot list '{}': its protocol is {}, which has no lists", with.spec().name,
                              name_of(std::get<worker_spec>(with.spec().detail).protocol)));
    co_return std::string();
}

std::shared_ptr<attachment> script::attach(std::shared_ptr<wire> with, attach_stream to) {
    const auto which = std::get<worker_spec>(with->spec().detail).protocol;
    if (which != worker_protocol::jsonrpc) {
        throw failure(error_kind::usage,
                      fmt::format("cannot attach '{}': its protocol is {}, which is not shared",
                                  with->spec().name, name_of(which)));
    }
    return std::make_shared<attachment>(std::move(with), shared_from_this(), std::move(to));
}

bool script::asked(wire&, const answer&) { return false; }

std::uint64_t script::heard(wire&, const std::string&, std::string&) { return 0; }

}  // namespace hob::unit
