#include "unit/protocol/protocol_session.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "error.hpp"
#include "unit/protocol/attachment.hpp"

namespace hob::unit {

namespace asio = boost::asio;

asio::awaitable<std::string> protocol_session::start(session_host&) { co_return std::string(); }

asio::awaitable<void> protocol_session::stop(session_host&) { co_return; }

std::optional<call_mutex> protocol_session::mutex_for(const session_host& with,
                                                      const std::string& method) const {
    const auto& serial = std::get<worker_spec>(with.spec().detail).serial;
    if (std::find(serial.begin(), serial.end(), method) == serial.end()) return std::nullopt;
    return call_mutex{"serial", false};
}

asio::awaitable<std::string> protocol_session::handle_call(session_host& with, call_request wish,
                                                           event_watch* watch, util::deadline limit) {
    co_return co_await with.ask_for(watch, std::move(wish.method), std::move(wish.params), limit);
}

asio::awaitable<std::string> protocol_session::follow(session_host&, worker_event, util::deadline) {
    co_return std::string();
}

asio::awaitable<std::string> protocol_session::list(session_host& with, util::deadline) {
    throw failure(error_kind::usage,
                  fmt::format("cannot list '{}': its protocol is {}, which has no lists", with.spec().name,
                              name_of(std::get<worker_spec>(with.spec().detail).protocol)));
    co_return std::string();
}

std::shared_ptr<attachment> protocol_session::attach(std::shared_ptr<session_host> with, attach_stream to) {
    const auto which = std::get<worker_spec>(with->spec().detail).protocol;
    if (which != worker_protocol::jsonrpc) {
        throw failure(error_kind::usage,
                      fmt::format("cannot attach '{}': its protocol is {}, which is not shared",
                                  with->spec().name, name_of(which)));
    }
    return std::make_shared<attachment>(std::move(with), shared_from_this(), std::move(to));
}

bool protocol_session::asked(session_host&, const worker_message&) { return false; }

std::uint64_t protocol_session::heard(session_host&, const std::string&, std::string&) { return 0; }

}  // namespace hob::unit
