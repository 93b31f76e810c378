// What is known of a language server's words and habits, for another program that goes on with it.
#include "unit/protocol/lsp/word_state.hpp"

#include "unit/protocol/carried.hpp"

namespace hob::unit {

struct lsp_word_record {
    std::string diagnostics{};
    std::string told_error{};
    std::string error{};
    std::int64_t asked = 0;
    std::int64_t heard = 0;
    std::int64_t asked_when = 0;
    std::int64_t heard_when = 0;
    bool versioned = false;
    std::int64_t publishes = 0;
    bool settled = false;
    bool silent = false;
    bool busy = false;
    bool passed = false;
    bool reopened = false;
    bool reopened_for_silence = false;
    std::string other_version{};
};

template <util::json_fields::is<lsp_word_record> Record, typename Field>
void each_field(Record& record, const Field& field) {
    field("diagnostics", record.diagnostics);
    field("told_error", record.told_error);
    field("error", record.error);
    field("asked", record.asked);
    field("heard", record.heard);
    field("asked_when", record.asked_when);
    field("heard_when", record.heard_when);
    field("versioned", record.versioned);
    field("publishes", record.publishes);
    field("settled", record.settled);
    field("silent", record.silent);
    field("busy", record.busy);
    field("passed", record.passed);
    field("reopened", record.reopened);
    field("reopened_for_silence", record.reopened_for_silence);
    field("other_version", record.other_version);
}

struct lsp_habits_record {
    bool publishes = false;
    bool needs_reopening = false;
    bool names_versions = false;
    bool versions_are_true = false;
    bool follows_versions = false;
    std::int64_t longest_pause = 0;    // ms
    std::int64_t longest_silence = 0;  // ms
};

template <util::json_fields::is<lsp_habits_record> Record, typename Field>
void each_field(Record& record, const Field& field) {
    field("publishes", record.publishes);
    field("needs_reopening", record.needs_reopening);
    field("names_versions", record.names_versions);
    field("versions_are_true", record.versions_are_true);
    field("follows_versions", record.follows_versions);
    field("longest_pause", record.longest_pause);
    field("longest_silence", record.longest_silence);
}

std::optional<std::string> state_of(const lsp_word& word) {
    lsp_word_record record;
    record.diagnostics = word.diagnostics;
    record.told_error = word.told_error;
    record.error = word.error;
    record.asked = static_cast<std::int64_t>(word.asked);
    record.heard = static_cast<std::int64_t>(word.heard);
    record.asked_when = ticks_of(word.asked_when);
    record.heard_when = ticks_of(word.heard_when);
    record.versioned = word.versioned;
    record.publishes = word.publishes;
    record.settled = word.settled;
    record.silent = word.silent;
    record.busy = word.busy;
    record.passed = word.passed;
    record.reopened = word.reopened;
    record.reopened_for_silence = word.reopened_for_silence;
    record.other_version = word.other_version;
    return exact_json(record);
}

std::optional<lsp_word> parse_lsp_word(const std::string& state) {
    const auto record = util::json_fields::parse<lsp_word_record>(state);
    if (!record) return std::nullopt;
    lsp_word word;
    word.diagnostics = record->diagnostics;
    word.told_error = record->told_error;
    word.error = record->error;
    word.asked = static_cast<std::uint64_t>(record->asked);
    word.heard = static_cast<std::uint64_t>(record->heard);
    word.asked_when = time_of_ticks(record->asked_when);
    word.heard_when = time_of_ticks(record->heard_when);
    word.versioned = record->versioned;
    word.publishes = static_cast<int>(record->publishes);
    word.settled = record->settled;
    word.silent = record->silent;
    word.busy = record->busy;
    word.passed = record->passed;
    word.reopened = record->reopened;
    word.reopened_for_silence = record->reopened_for_silence;
    word.other_version = record->other_version;
    return word;
}

std::string lsp_habits::state() const {
    lsp_habits_record record;
    record.publishes = publishes;
    record.needs_reopening = needs_reopening;
    record.names_versions = names_versions_;
    record.versions_are_true = versions_are_true_;
    record.follows_versions = follows_versions_;
    record.longest_pause = longest_pause_.count();
    record.longest_silence = longest_silence_.count();
    return util::json_fields::to_json(record);
}

bool lsp_habits::restore(const std::string& state) {
    const auto record = util::json_fields::parse<lsp_habits_record>(state);
    if (!record) return false;
    publishes = record->publishes;
    needs_reopening = record->needs_reopening;
    names_versions_ = record->names_versions;
    versions_are_true_ = record->versions_are_true;
    follows_versions_ = record->follows_versions;
    longest_pause_ = std::chrono::milliseconds(record->longest_pause);
    longest_silence_ = std::chrono::milliseconds(record->longest_silence);
    return true;
}

}  // namespace hob::unit
