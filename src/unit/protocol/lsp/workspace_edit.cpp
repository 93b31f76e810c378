#include "unit/protocol/lsp/workspace_edit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "unit/protocol/lsp/buffer.hpp"
#include "unit/protocol/lsp/text.hpp"
#include "util/file_uri.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {
namespace {

std::vector<std::string_view> elements(std::string_view array) {
    return util::json_array_elements(array).value_or(std::vector<std::string_view>());
}

std::string path_at(std::string_view value, std::string_view key) {
    const auto uri = util::json_find_string(value, {key});
    const auto path = uri ? util::path_of_uri(*uri) : std::nullopt;
    if (!path) throw change_refused(fmt::format("'{}' is no file", uri.value_or("")));
    return *path;
}

struct replacement {
    std::size_t begin, end;
    std::string text;
};

replacement replacement_of(const lsp_buffer& whole, std::string_view edit, bool columns_are_bytes) {
    auto text = util::json_find_string(edit, {"newText"});
    const bool snippet = !util::json_member_of(edit, "snippet").empty() ||
                         util::json_find_integer(edit, {"insertTextFormat"}) == 2;
    if (snippet) throw change_refused("an edit is a snippet, which only an editor can insert");
    const auto where = whole.offsets(util::json_member_of(edit, "range"), columns_are_bytes);
    if (!text || !where) throw change_refused("an edit is malformed");
    return {where->first, where->second, std::move(*text)};
}

// In the order of their positions. Insertions at the same position keep the order of the server.
std::string with_replacements(const std::string& text, std::vector<replacement> all) {
    std::stable_sort(all.begin(), all.end(), [](const replacement& a, const replacement& b) {
        return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    std::string result;
    std::size_t at = 0;
    for (const auto& each : all) {
        if (each.begin < at) throw change_refused("two edits overlap");
        result.append(text, at, each.begin - at).append(each.text);
        at = each.end;
    }
    return result.append(text, at);
}

void plan_create(file_plan& plan, std::string_view change) {
    const std::string path = path_at(change, "uri");
    const bool overwrite = util::json_find_true(change, {"options", "overwrite"});
    if (plan.exists(path) && !overwrite) {
        if (util::json_find_true(change, {"options", "ignoreIfExists"})) return;
        throw change_refused(fmt::format("'{}' exists already", path));
    }
    plan.create(path);
}

void plan_rename(file_plan& plan, std::string_view change) {
    const std::string to = path_at(change, "newUri");
    if (plan.exists(to) && !util::json_find_true(change, {"options", "overwrite"})) {
        if (util::json_find_true(change, {"options", "ignoreIfExists"})) return;
        throw change_refused(fmt::format("'{}' exists already", to));
    }
    plan.rename(path_at(change, "oldUri"), to);
}

void plan_delete(file_plan& plan, std::string_view change) {
    const std::string path = path_at(change, "uri");
    if (!plan.exists(path) && util::json_find_true(change, {"options", "ignoreIfNotExists"})) return;
    plan.remove(path);
}

void check_version(std::string_view change, const lsp_documents& documents) {
    const auto version = util::json_find_integer(change, {"textDocument", "version"});
    const auto uri = util::json_find_string(change, {"textDocument", "uri"}).value_or("");
    const auto* known = documents.find(document_key(documents.root(), uri));
    if (version && known && *version != known->version)
        throw change_refused(fmt::format("the edit is for version {} of '{}', which is at version {}",
                                         *version, known->path, known->version));
}

void plan_document_change(file_plan& plan, std::string_view change, const lsp_documents& documents,
                          bool columns_are_bytes) {
    const auto kind = util::json_find_string(change, {"kind"});
    if (!kind) {
        check_version(change, documents);
        plan_text_edits(plan, path_at(util::json_member_of(change, "textDocument"), "uri"),
                        util::json_member_of(change, "edits"), columns_are_bytes);
    } else if (*kind == "create") {
        plan_create(plan, change);
    } else if (*kind == "rename") {
        plan_rename(plan, change);
    } else if (*kind == "delete") {
        plan_delete(plan, change);
    } else {
        throw change_refused(fmt::format("a change has the unknown kind '{}'", *kind));
    }
}

bool is_workspace_edit(std::string_view value) {
    return !util::json_member_of(value, "changes").empty() ||
           !util::json_member_of(value, "documentChanges").empty();
}

bool is_given(std::string_view raw) { return !raw.empty() && raw != "null"; }

// The params of workspace/executeCommand. A Command has the name of its command as `command`, a CodeAction a
// Command.
std::string command_of(std::string_view action) {
    const std::string_view inner = util::json_member_of(action, "command");
    if (!is_given(inner)) return {};
    const std::string_view command = inner.starts_with('"') ? action : inner;
    util::json_object params;
    params.add("command", util::raw_json{util::json_member_of(command, "command")});
    const std::string_view arguments = util::json_member_of(command, "arguments");
    if (!arguments.empty()) params.add("arguments", util::raw_json{arguments});
    return std::move(params).text();
}

edits_in_result edits_of_action(std::string_view action) {
    edits_in_result found;
    const std::string_view edit = util::json_member_of(action, "edit");
    if (is_given(edit)) found.workspace_edit = edit;
    found.command = command_of(action);
    if (found.workspace_edit.empty() && is_given(util::json_member_of(action, "data")) &&
        found.command.empty())
        found.unresolved_action = action;
    return found;
}

std::string titles(const std::vector<std::string_view>& actions) {
    std::string all;
    for (const auto each : actions)
        all += (all.empty() ? "'" : ", '") + util::json_find_string(each, {"title"}).value_or("") + "'";
    return all;
}

std::string_view chosen_action(const std::vector<std::string_view>& all, const std::string& title) {
    std::vector<std::string_view> usable, preferred;
    for (const auto each : all) {
        if (is_given(util::json_member_of(each, "disabled"))) continue;
        if (!title.empty() && util::json_find_string(each, {"title"}) != title) continue;
        usable.push_back(each);
        if (util::json_find_true(each, {"isPreferred"})) preferred.push_back(each);
    }
    if (usable.size() == 1 || (!usable.empty() && !title.empty())) return usable.front();
    if (preferred.size() == 1) return preferred.front();
    if (usable.empty() && !title.empty())
        throw change_refused(fmt::format("no code action is called '{}'; there are {}", title, titles(all)));
    throw change_refused(fmt::format("say which code action: title=TITLE, one of {}", titles(usable)));
}

}  // namespace

void plan_text_edits(file_plan& plan, const std::string& path, std::string_view edits,
                     bool columns_are_bytes) {
    const lsp_buffer whole(plan.text(path));
    std::vector<replacement> all;
    for (const auto edit : elements(edits))
        all.push_back(replacement_of(whole, edit, columns_are_bytes));
    plan.set_text(path, with_replacements(whole.text(), std::move(all)));
}

void plan_workspace_edit(file_plan& plan, std::string_view edit, const lsp_documents& documents,
                         bool columns_are_bytes) {
    const std::string_view changes = util::json_member_of(edit, "documentChanges");
    if (is_given(changes)) {
        for (const auto change : elements(changes))
            plan_document_change(plan, change, documents, columns_are_bytes);
        return;
    }
    const auto by_uri = util::json_object_members(util::json_member_of(edit, "changes"));
    for (const auto& [raw, uri, edits] : by_uri.value_or(std::vector<util::json_member>())) {
        const auto path = util::path_of_uri(uri);
        if (!path) throw change_refused(fmt::format("'{}' is no file", uri));
        plan_text_edits(plan, *path, edits, columns_are_bytes);
    }
}

edits_in_result find_edits(std::string_view result, const std::string& title) {
    edits_in_result found;
    if (result.starts_with('{')) {
        if (!is_workspace_edit(result)) return edits_of_action(result);
        found.workspace_edit = result;
        return found;
    }
    const auto all = elements(result);
    if (all.empty()) return found;
    if (util::json_member_of(all.front(), "newText").empty()) {
        if (util::json_member_of(all.front(), "title").empty()) return found;
        return edits_of_action(chosen_action(all, title));
    }
    found.text_edits = result;
    return found;
}

}  // namespace hob::unit
