#include "unit/protocol/lsp/apply.hpp"

#include <fmt/format.h>

#include <utility>

namespace hob::unit {

editing_call::editing_call(std::vector<edit_applier*>& of_all_calls, edit_applier& of_call, bool takes_edits)
    : all_(of_all_calls), own_(of_call) {
    if (takes_edits) all_.push_back(&own_);
}

editing_call::~editing_call() { std::erase(all_, &own_); }

// A kernel that stamps files with the coarse clock may stamp a later write up to one tick before this time.
edit_applier::edit_applier(const lsp_documents& documents, bool columns_are_bytes, bool writes)
    : documents_(documents), columns_are_bytes_(columns_are_bytes), writes_(writes) {
    ::clock_gettime(CLOCK_REALTIME, &started_);
}

template <typename Plan>
bool edit_applier::write(Plan&& plan_edits) {
    file_plan plan(documents_.root(), started_,
                   [this](const std::string& path) -> std::optional<std::string> {
                       const auto* known = documents_.find(path);
                       if (!known || known->deleted) return std::nullopt;
                       return known->text();
                   });
    try {
        plan_edits(plan);
        plan.write();
    } catch (const change_refused& why) {
        refusal_ = why.what();
        return false;
    }
    for (const auto& file : plan.changed_files())
        written_.insert(file);
    // What was written just now is not newer than the next edit.
    ::clock_gettime(CLOCK_REALTIME, &started_);
    return true;
}

std::string edit_applier::take_edit(std::string_view edit) {
    if (!writes_) {
        unwritten_ = true;
        return "the caller did not ask for edits to be written";
    }
    return apply_workspace_edit(edit) ? std::string() : refusal_;
}

bool edit_applier::apply_workspace_edit(std::string_view edit) {
    return write([&](file_plan& plan) { plan_workspace_edit(plan, edit, documents_, columns_are_bytes_); });
}

bool edit_applier::apply_text_edits(const std::string& path, std::string_view edits) {
    return write([&](file_plan& plan) { plan_text_edits(plan, path, edits, columns_are_bytes_); });
}

edits_in_result edit_applier::apply_result(const std::string& path, std::string_view result) {
    edits_in_result found;
    try {
        found = find_edits(result, title_);
    } catch (const change_refused& why) {
        refusal_ = why.what();
        return found;
    }
    if (!found.workspace_edit.empty()) apply_workspace_edit(found.workspace_edit);
    if (!found.text_edits.empty()) apply_text_edits(path, found.text_edits);
    return found;
}

std::string edit_applier::summary() const {
    if (unwritten_)
        return "it asked for an edit, which was not written: --apply writes it, -c workspace/applyEdit shows "
               "it";
    if (!writes_) return {};
    if (written_.empty()) return "no file was changed";
    constexpr std::size_t names_max = 10;
    std::string names;
    std::size_t count = 0;
    for (const auto& each : written_) {
        if (++count > names_max) break;
        names += (names.empty() ? "" : ", ") + each;
    }
    if (written_.size() > names_max) names += fmt::format(" and {} more", written_.size() - names_max);
    return "changed " + names;
}

}  // namespace hob::unit
