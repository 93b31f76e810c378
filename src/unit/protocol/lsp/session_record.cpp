#include "unit/protocol/lsp/session_record.hpp"

#include <utility>

#include "unit/protocol/carried.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {

struct lsp_work_record {
    std::string token{};
    std::string title{};
    bool has_percent = false;
    std::int64_t percent = 0;
    bool awaited = true;
};

template <util::json_fields::is<lsp_work_record> Record, typename Field>
void each_field(Record& record, const Field& field) {
    field("token", record.token);
    field("title", record.title);
    field("has_percent", record.has_percent);
    field("percent", record.percent);
    field("awaited", record.awaited);
}

struct lsp_session_record {
    std::string documents{};
    std::string files{};
    std::string unopened{};  // packed
    std::vector<std::string> learnt{};
    std::vector<std::string> progress{};
    std::vector<std::string> registrations{};
    std::vector<std::string> unmet_settings{};
    std::vector<std::string> unmet_requests{};
    std::int64_t last_token = 0;
};

template <util::json_fields::is<lsp_session_record> Record, typename Field>
void each_field(Record& record, const Field& field) {
    field("documents", record.documents);
    field("files", record.files);
    field("unopened", record.unopened);
    field("learnt", record.learnt);
    field("progress", record.progress);
    field("registrations", record.registrations);
    field("unmet_settings", record.unmet_settings);
    field("unmet_requests", record.unmet_requests);
    field("last_token", record.last_token);
}

namespace {

bool add_progress(const lsp_progress& progress, std::vector<std::string>& to) {
    bool exact = true;
    for (const auto& [token, work] : progress.all()) {
        const lsp_work_record record{token, work.title, work.percent.has_value(), work.percent.value_or(0),
                                     work.awaited};
        exact = exact && add_exact(to, record);
    }
    return exact;
}

bool restore_progress(const std::vector<std::string>& from, lsp_progress& progress) {
    std::vector<lsp_work_record> works;
    if (!parse_all(from, works)) return false;
    lsp_progress::works all;
    for (const auto& each : works) {
        const auto percent = each.has_percent ? std::optional(each.percent) : std::nullopt;
        all.emplace(each.token, lsp_progress::work{each.title, percent, each.awaited});
    }
    progress.restore(std::move(all));
    return true;
}

}  // namespace

std::optional<carried_session> state_of(const lsp_parts& parts) {
    carried_session carried;
    lsp_session_record record;
    auto documents = parts.documents.state();
    auto files = documents ? parts.sync.files().state(carried.inotify) : std::nullopt;
    auto registrations = parts.registrations.all();
    if (!files || !registrations || !add_progress(parts.progress, record.progress)) return std::nullopt;
    record.documents = std::move(*documents);
    record.files = std::move(*files);
    record.registrations = std::move(*registrations);
    record.unopened = pack(parts.sync.unopened_paths());
    record.learnt = {parts.sync.kinds().learnt().begin(), parts.sync.kinds().learnt().end()};
    record.unmet_settings = {parts.unmet.settings.begin(), parts.unmet.settings.end()};
    record.unmet_requests = {parts.unmet.requests.begin(), parts.unmet.requests.end()};
    record.last_token = static_cast<std::int64_t>(parts.tokens.last());
    auto text = exact_json(record);
    if (!text) return std::nullopt;
    carried.json = std::move(*text);
    return carried;
}

bool restore(carried_session state, const lsp_parts& parts) {
    const auto record = util::json_fields::parse<lsp_session_record>(state.json);
    const auto unopened = record ? unpack(record->unopened) : std::nullopt;
    if (!unopened || !parts.documents.restore(record->documents)) return false;
    if (!parts.sync.files().restore(record->files, std::move(state.inotify))) return false;
    if (!restore_progress(record->progress, parts.progress)) return false;
    parts.sync.restore_unopened({unopened->begin(), unopened->end()});
    for (const auto& each : record->registrations) {
        util::json_array one;
        one.add(util::raw_json{each});
        const std::string params = util::json_object().add("registrations", one).text();
        parts.sync.register_watchers(params);
        parts.registrations.add(params);
    }
    parts.sync.kinds().restore_learnt({record->learnt.begin(), record->learnt.end()});
    parts.unmet.settings = {record->unmet_settings.begin(), record->unmet_settings.end()};
    parts.unmet.requests = {record->unmet_requests.begin(), record->unmet_requests.end()};
    parts.tokens.continue_after(static_cast<std::uint64_t>(record->last_token));
    return true;
}

}  // namespace hob::unit
