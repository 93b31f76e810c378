#pragma once
// The edits of a language server, applied to a plan of file changes.

#include <optional>
#include <string>
#include <string_view>

#include "unit/protocol/lsp/documents.hpp"
#include "unit/protocol/lsp/file_plan.hpp"

namespace hob::unit {

// A WorkspaceEdit, raw: `changes` or `documentChanges`. Throws change_refused.
void plan_workspace_edit(file_plan& plan, std::string_view edit, const lsp_documents& documents,
                         bool columns_are_bytes);

// An array of TextEdits for the document of `path`. Throws change_refused.
void plan_text_edits(file_plan& plan, const std::string& path, std::string_view edits,
                     bool columns_are_bytes);

// What the result of a request says about edits.
struct edits_in_result {
    std::string workspace_edit;  // raw; empty: none
    std::string text_edits;      // of the document that the request is about; raw; empty: none
    std::string command;  // to execute after the edit: the params of workspace/executeCommand; empty: none
    std::string unresolved_action;  // to be resolved first; raw; empty: none
};
// Of several code actions the one with `title` is meant, else the preferred one, else the only one. Throws
// change_refused where it is none of these.
edits_in_result find_edits(std::string_view result, const std::string& title);

}  // namespace hob::unit
