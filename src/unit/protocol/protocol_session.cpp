#include "unit/protocol/protocol_session.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "error.hpp"
#include "unit/protocol/attachment.hpp"

namespace hob::unit {

namespace asio = boost::asio;

asio::awaitable<std::string> protocol_session::start(session_host&) { co_return std::string(); }

asio::awaitable<void> protocol_session::stop(session_host&) { co_return; }

std::optional<call_mutex> protocol_session::mutex_for(const session_host& host,
                                                      const std::string& method) const {
    const auto& serial = worker_spec_of(host.spec()).serial;
    if (std::find(serial.begin(), serial.end(), method) == serial.end()) return std::nullopt;
    return call_mutex{"serial", false};
}

asio::awaitable<std::string> protocol_session::handle_call(session_host& host, call_request call,
                                                           event_watch* watch, util::deadline limit) {
    co_return co_await host.request_for(watch, std::move(call.method), std::move(call.params), limit);
}

asio::awaitable<raw_members> protocol_session::event_details(session_host&, worker_event, util::deadline) {
    co_return raw_members();
}

asio::awaitable<std::string> protocol_session::list(session_host& host, util::deadline) {
    throw failure(
        error_kind::usage, cannot("list", host.spec().name),
        fmt::format("its protocol is {}, which has no lists", worker_spec_of(host.spec()).protocol->name));
    co_return std::string();
}

std::shared_ptr<attachment> protocol_session::attach(std::shared_ptr<session_host> host,
                                                     attach_stream stream) {
    const worker_protocol& protocol = *worker_spec_of(host->spec()).protocol;
    if (!protocol.attachable) {
        throw failure(error_kind::usage, cannot("attach", host->spec().name),
                      fmt::format("its protocol is {}, which is not shared", protocol.name));
    }
    return std::make_shared<attachment>(std::move(host), shared_from_this(), std::move(stream));
}

void protocol_session::on_output(session_host& host, std::string_view bytes) { host.log_output(bytes); }

asio::awaitable<void> protocol_session::settle(session_host&, util::deadline) { co_return; }

bool protocol_session::is_spent_for(const std::string&) const { return false; }

std::optional<failure> protocol_session::end_of_events(const session_host&) const { return std::nullopt; }

std::optional<failure> protocol_session::never_comes(const session_host& host, const std::string&,
                                                     const std::vector<event_pattern>&) const {
    return end_of_events(host);
}

std::optional<carried_session> protocol_session::state_for_successor() { return carried_session(); }

bool protocol_session::resume(session_host&, carried_session) { return true; }

bool protocol_session::on_server_request(session_host&, const worker_message&) { return false; }

std::uint64_t protocol_session::on_notification(session_host&, const std::string&, std::string&) { return 0; }

}  // namespace hob::unit
