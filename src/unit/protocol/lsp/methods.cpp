#include "unit/protocol/lsp/methods.hpp"

#include <fmt/format.h>

#include <array>

#include "unit/protocol/method_names.hpp"

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

void remark_missing_settings(const std::string& unit, const std::set<std::string>& missing_settings,
                             const remark_handler& remark) {
    if (missing_settings.empty() || !remark) return;
    std::string sections;
    for (const auto& each : missing_settings)
        sections += (sections.empty() ? "" : ", ") + (each.empty() ? "all" : "'" + each + "'");
    remark(fmt::format("{} asked for settings that hob.toml does not give: {}", unit, sections));
}

failure explained(const failure& why, const std::string& unit, const std::string& method,
                  const std::set<std::string>& missing_settings, const remark_handler& remark) {
    if (why.kind() == error_kind::worker_error) remark_missing_settings(unit, missing_settings, remark);
    return with_method_hint(why, method, methods);
}

}  // namespace hob::unit
