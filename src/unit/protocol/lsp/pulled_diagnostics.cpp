#include "unit/protocol/lsp/pulled_diagnostics.hpp"

#include <utility>

#include "error.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {

namespace asio = boost::asio;

asio::awaitable<std::string> pulled_diagnostics(session_host& host, std::string uri, util::deadline limit) {
    util::json_object identifier;
    identifier.add("uri", uri);
    std::string params = util::json_object().add("textDocument", identifier).text();
    try {
        const std::string report = co_await host.request("textDocument/diagnostic", std::move(params), limit);
        const std::string_view items = util::json_member_of(report, "items");
        co_return items.starts_with('[') ? std::string(items) : "[]";
    } catch (const failure& why) {
        if (why.kind() != error_kind::worker_error) throw;
    }
    co_return "[]";
}

}  // namespace hob::unit
