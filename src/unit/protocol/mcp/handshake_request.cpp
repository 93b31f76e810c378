#include "unit/protocol/mcp/handshake_request.hpp"

#include <utility>

#include "limits.hpp"
#include "util/json/json_edit.hpp"

namespace hob::unit {
namespace {

boost::asio::awaitable<void> send(session_host& host, std::string method, std::string params,
                                  std::shared_ptr<mcp_handshake_request> into) {
    try {
        into->result = co_await host.request(std::move(method), std::move(params), mcp_handshake_limit());
    } catch (const failure& why) {
        into->failed.emplace(why);
    }
    into->done.set();
}

}  // namespace

std::optional<std::int64_t> mcp_handshake_request::error_code() const {
    if (!failed_with(error_kind::worker_error)) return std::nullopt;
    return util::json_find_integer(failed->detail(), {"code"});
}

util::deadline mcp_handshake_limit() { return util::deadline::in(limits::handshake_timeout); }

std::shared_ptr<mcp_handshake_request> start_mcp_request(session_host& host, std::string method,
                                                         std::string params) {
    auto made = std::make_shared<mcp_handshake_request>(host.executor());
    util::spawn(host.executor(), send(host, std::move(method), std::move(params), made),
                "handshake of " + host.spec().name);
    return made;
}

}  // namespace hob::unit
