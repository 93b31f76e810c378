#pragma once
// The two ways in which a language server gives diagnostics: it answers textDocument/diagnostic, or it
// publishes them. Both become the answer to a call of textDocument/diagnostic.

#include <boost/asio/awaitable.hpp>

#include <string>

#include "unit/protocol/lsp/documents.hpp"
#include "unit/protocol/lsp/hearing.hpp"
#include "unit/protocol/protocol_session.hpp"
#include "util/deadline.hpp"

namespace hob::unit {

// The diagnostics of a document that the server answers when it is asked, a raw array; empty array: it
// refused.
boost::asio::awaitable<std::string> pulled_diagnostics(session_host& host, std::string uri,
                                                       util::deadline limit);

// The report about an open document from what was published. `heard`: what hearing.hear() returned about it.
std::string published_report(const lsp_documents::document& document, lsp_heard heard,
                             const remark_handler& remark);

// Marks a report without diagnostics as incomplete: while it was made the server told `error`.
std::string distrusted_report(std::string report, const std::string& error, const remark_handler& remark);

}  // namespace hob::unit
