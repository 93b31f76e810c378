#include "unit/protocol/lsp/methods.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cstddef>

#include "ipc/message.hpp"
#include "unit/protocol/method_names.hpp"
#include "util/json/json_edit.hpp"

namespace hob::unit {
namespace {

constexpr std::array<std::string_view, 63> methods{
    "callHierarchy/incomingCalls",
    "callHierarchy/outgoingCalls",
    "codeAction/resolve",
    "codeLens/resolve",
    "completionItem/resolve",
    "documentLink/resolve",
    "inlayHint/resolve",
    "textDocument/hover",
    "textDocument/definition",
    "textDocument/declaration",
    "textDocument/typeDefinition",
    "textDocument/implementation",
    "textDocument/references",
    "textDocument/documentSymbol",
    "textDocument/documentHighlight",
    "textDocument/documentLink",
    "textDocument/documentColor",
    "textDocument/colorPresentation",
    "textDocument/completion",
    "textDocument/inlineCompletion",
    "textDocument/signatureHelp",
    "textDocument/codeAction",
    "textDocument/codeLens",
    "textDocument/diagnostic",
    "textDocument/foldingRange",
    "textDocument/formatting",
    "textDocument/rangeFormatting",
    "textDocument/rangesFormatting",
    "textDocument/onTypeFormatting",
    "textDocument/inlayHint",
    "textDocument/inlineValue",
    "textDocument/linkedEditingRange",
    "textDocument/moniker",
    "textDocument/prepareCallHierarchy",
    "textDocument/prepareRename",
    "textDocument/prepareTypeHierarchy",
    "textDocument/rename",
    "textDocument/selectionRange",
    "textDocument/semanticTokens/full",
    "textDocument/semanticTokens/full/delta",
    "textDocument/semanticTokens/range",
    "textDocument/willSaveWaitUntil",
    "typeHierarchy/subtypes",
    "typeHierarchy/supertypes",
    "workspace/diagnostic",
    "workspace/executeCommand",
    "workspace/symbol",
    "workspace/textDocumentContent",
    "workspace/willCreateFiles",
    "workspace/willDeleteFiles",
    "workspace/willRenameFiles",
    "workspaceSymbol/resolve",
    "textDocument/didOpen",
    "textDocument/didChange",
    "textDocument/didClose",
    "textDocument/didSave",
    "textDocument/willSave",
    "workspace/didChangeConfiguration",
    "workspace/didChangeWatchedFiles",
    "workspace/didChangeWorkspaceFolders",
    "workspace/didCreateFiles",
    "workspace/didDeleteFiles",
    "workspace/didRenameFiles",
};

}  // namespace

std::span<const std::string_view> lsp_methods() { return methods; }

void lsp_unmet::add_request(const std::string& method) {
    constexpr std::size_t names_max = 32, name_max = 128;
    if (requests.size() < names_max && method.size() <= name_max) requests.insert(method);
}

void remark_missing_settings(const std::string& unit, const lsp_unmet& unmet, const remark_handler& remark) {
    if (unmet.settings.empty() || !remark) return;
    std::string sections;
    for (const auto& each : unmet.settings)
        sections += (sections.empty() ? "" : ", ") + (each.empty() ? "all" : "'" + each + "'");
    remark(fmt::format("{} asked for settings that hob.toml does not give: {}", unit, sections));
}

failure explained(const failure& why, const std::string& unit, const std::string& method,
                  const lsp_unmet& unmet, const remark_handler& remark) {
    if (why.kind() == error_kind::worker_error) {
        // No setting adds a method.
        const bool unknown = util::json_find_integer(why.detail(), {"code"}) == ipc::method_not_found;
        if (!unknown) remark_missing_settings(unit, unmet, remark);
        if (remark && !unmet.requests.empty())
            remark(fmt::format("{} asked for {}, which nobody answers; `answers` in hob.toml can", unit,
                               fmt::join(unmet.requests, ", ")));
    }
    return with_method_hint(why, method, methods);
}

}  // namespace hob::unit
