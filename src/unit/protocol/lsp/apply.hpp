#pragma once
// Writes the edits of a language server to files, for a call with --apply.

#include <ctime>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "unit/protocol/lsp/documents.hpp"
#include "unit/protocol/lsp/workspace_edit.hpp"

namespace hob::unit {

// One call whose edits are its own, not those of an editor.
class edit_applier {
public:
    // `writes`: the call has --apply.
    edit_applier(const lsp_documents& documents, bool columns_are_bytes, bool writes);

    void set_title(std::string title) { title_ = std::move(title); }  // of the code action that is meant

    // An edit that the server asks for. Empty: it was written; else why not.
    std::string take_edit(std::string_view edit);
    // False: nothing was written, and refusal() says why.
    bool apply_workspace_edit(std::string_view edit);
    bool apply_text_edits(const std::string& path, std::string_view edits);
    // Applies the edits in the result of a request about the document of `path`. Returns what is left to do.
    edits_in_result apply_result(const std::string& path, std::string_view result);

    const std::string& refusal() const { return refusal_; }  // empty: nothing was refused
    // Of what was written and what was not, for people; empty: there were no edits, and none were expected.
    std::string summary() const;

private:
    template <typename Plan>
    bool write(Plan&& plan_edits);

    const lsp_documents& documents_;
    bool columns_are_bytes_;
    bool writes_;
    bool unwritten_ = false;  // the server asked for an edit, and this does not write
    timespec started_{};
    std::string title_;
    std::set<std::string> written_;
    std::string refusal_;
};

// Makes the edits that the server asks for meanwhile those of a call, if it has --apply or executes a
// command.
struct editing_call {
    editing_call(std::vector<edit_applier*>& of_all_calls, edit_applier& of_call, bool takes_edits);
    ~editing_call();
    editing_call(const editing_call&) = delete;
    editing_call& operator=(const editing_call&) = delete;

private:
    std::vector<edit_applier*>& all_;
    edit_applier& own_;
};

}  // namespace hob::unit
