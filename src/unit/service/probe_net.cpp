// Readiness over the network: a connection that is accepted, an HTTP request that is answered.

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

#include "error.hpp"
#include "limits.hpp"
#include "unit/process/tcp_connect.hpp"
#include "unit/service/readiness.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

asio::awaitable<void> throw_if_cancelled() {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
        throw boost::system::system_error(asio::error::operation_aborted);
}

struct url_parts {
    std::string authority, host, path;
    std::uint16_t port = 80;
};

// Of a URL that the configuration has checked: http://HOST[:PORT][/PATH].
url_parts split_url(const std::string& url) {
    const std::string rest = url.substr(std::string_view("http://").size());
    const auto slash = rest.find_first_of("/?");
    url_parts parts;
    parts.authority = rest.substr(0, slash);
    parts.path = slash == std::string::npos ? "/" : rest.substr(slash);
    if (parts.path.front() == '?') parts.path.insert(0, "/");
    parts.host = parts.authority;
    const auto bracket = parts.host.rfind(']');
    const auto colon = parts.host.rfind(':');
    if (colon != std::string::npos && (bracket == std::string::npos || colon > bracket)) {
        std::from_chars(parts.host.data() + colon + 1, parts.host.data() + parts.host.size(), parts.port);
        parts.host.resize(colon);
    }
    if (parts.host.starts_with('[')) parts.host = parts.host.substr(1, parts.host.size() - 2);
    return parts;
}

// The status of the answer to a GET, or `why`.
asio::awaitable<std::optional<unsigned>> ask(tcp::socket& socket, const url_parts& url, std::string& why) {
    const std::string request = fmt::format(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: hob\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        url.path, url.authority);
    boost::system::error_code error;
    const auto outgoing = asio::buffer(request);
    auto written = asio::redirect_error(asio::use_awaitable, error);
    co_await asio::async_write(socket, outgoing, written);
    http::response_parser<http::empty_body> parser;
    std::string answer;
    std::array<char, 4096> chunk;
    while (!error && !parser.is_header_done()) {
        const auto into = asio::buffer(chunk);
        auto got = asio::redirect_error(asio::use_awaitable, error);
        const std::size_t n = co_await socket.async_read_some(into, got);
        answer.append(chunk.data(), n);
        boost::system::error_code parse_error;
        const std::size_t used = parser.put(asio::buffer(answer), parse_error);
        answer.erase(0, used);
        if (parse_error && parse_error != http::error::need_more) {
            why = "its answer is not HTTP: " + parse_error.message();
            co_return std::nullopt;
        }
    }
    co_await throw_if_cancelled();
    if (parser.is_header_done()) co_return parser.get().result_int();
    why = "no answer: " + error.message();
    co_return std::nullopt;
}

asio::awaitable<bool> ask_http(const ready_spec& wanted, const probe_target& target) {
    const url_parts url = split_url(wanted.url);
    auto socket = co_await connect_to(url.host, url.port, target.belongs, target.why);
    if (!socket) co_return false;
    const auto status = co_await ask(*socket, url, target.why);
    if (!status) co_return false;
    const bool good = wanted.status ? static_cast<int>(*status) == *wanted.status
                                    : *status / 100 == 2 || *status / 100 == 3;
    if (!good) target.why = fmt::format("{} answers with status {}", wanted.url, *status);
    co_return good;
}

asio::awaitable<bool> connect_tcp(const ready_spec& wanted, const probe_target& target) {
    const auto socket = co_await connect_to(wanted.host, wanted.port, target.belongs, target.why);
    co_return socket.has_value();
}

}  // namespace

asio::awaitable<bool> probe_tcp(const ready_spec& wanted, const probe_target& target) {
    const auto result = co_await util::within(limits::probe_timeout, connect_tcp(wanted, target));
    if (!result) target.why = fmt::format("port {}: no answer", wanted.port);
    co_return result.value_or(false);
}

asio::awaitable<bool> probe_http(const ready_spec& wanted, const probe_target& target) {
    const auto result = co_await util::within(limits::probe_timeout, ask_http(wanted, target));
    if (!result) target.why = fmt::format("{}: no answer", wanted.url);
    co_return result.value_or(false);
}

}  // namespace hob::unit
