#include "unit/protocol/lsp/diagnostics.hpp"

#include <fmt/format.h>

#include <utility>

#include "error.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;

std::string remark_of(lsp_heard heard, const std::string& path) {
    return heard == lsp_heard::some
               ? fmt::format("incomplete: it still works, and may find more in '{}'", path)
               : fmt::format("incomplete: it has published nothing about '{}' since the last change", path);
}

bool is_empty_list(std::string_view items) {
    const auto elements = util::json_array_elements(items);
    return elements && elements->empty();
}

}  // namespace

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

std::string published_report(const lsp_documents::document& document, lsp_heard heard,
                             const remark_handler& remark) {
    const std::string list = document.word.diagnostics.empty() ? "[]" : document.word.diagnostics;
    std::string report = util::json_object().add("kind", "full").add("items", util::raw_json{list}).text();
    if (heard == lsp_heard::everything) {
        return document.word.error.empty()
                   ? report
                   : distrusted_report(std::move(report), document.word.error, remark);
    }
    if (remark) remark(remark_of(heard, document.path));
    return util::json_set(report, {"incomplete"}, "true");
}

std::string distrusted_report(std::string report, const std::string& error, const remark_handler& remark) {
    if (!is_empty_list(util::json_member_of(report, "items"))) return report;
    if (remark) remark("incomplete: it found nothing, but told an error: " + error);
    return util::json_set(report, {"incomplete"}, "true");
}

}  // namespace hob::unit
