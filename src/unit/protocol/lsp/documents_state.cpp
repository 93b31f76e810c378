// The documents that are open at a language server, for another program that goes on with it.
#include <utility>

#include "unit/protocol/carried.hpp"
#include "unit/protocol/lsp/documents.hpp"
#include "unit/protocol/lsp/word_state.hpp"

namespace hob::unit {

struct lsp_document_record {
    std::string path{};
    std::string uri{};
    std::string language{};
    std::string text{};  // base64
    std::int64_t version = 0;
    std::int64_t last_used = 0;
    bool deleted = false;
    std::string word{};
};

template <util::json_fields::is<lsp_document_record> Record, typename Field>
void each_field(Record& record, const Field& field) {
    field("path", record.path);
    field("uri", record.uri);
    field("language", record.language);
    field("text", record.text);
    field("version", record.version);
    field("last_used", record.last_used);
    field("deleted", record.deleted);
    field("word", record.word);
}

struct lsp_documents_record {
    std::vector<std::string> open{};
    std::int64_t uses = 0;
    std::int64_t changes = 0;
    std::int64_t came_or_went = 0;
    std::int64_t closed_version = 0;
    std::string closed{};  // packed
    std::int64_t last_sent = 0;
    std::string habits{};
};

template <util::json_fields::is<lsp_documents_record> Record, typename Field>
void each_field(Record& record, const Field& field) {
    field("open", record.open);
    field("uses", record.uses);
    field("changes", record.changes);
    field("came_or_went", record.came_or_went);
    field("closed_version", record.closed_version);
    field("closed", record.closed);
    field("last_sent", record.last_sent);
    field("habits", record.habits);
}

namespace {

constexpr std::size_t texts_max = 64u << 20;  // bytes that are carried; more is not worth it

std::optional<std::string> state_of(const lsp_documents::document& document) {
    const auto word = unit::state_of(document.word);
    if (document.editor_text || !word) return std::nullopt;
    lsp_document_record record;
    record.path = document.path;
    record.uri = document.uri;
    record.language = document.language;
    record.text = util::base64_encode(document.own_text);
    record.version = document.version;
    record.last_used = static_cast<std::int64_t>(document.last_used);
    record.deleted = document.deleted;
    record.word = *word;
    return exact_json(record);
}

std::optional<lsp_documents::document> parse_document(const std::string& state) {
    const auto record = util::json_fields::parse<lsp_document_record>(state);
    auto text = record ? util::base64_decode(record->text) : std::nullopt;
    auto word = record ? parse_lsp_word(record->word) : std::nullopt;
    if (!text || !word) return std::nullopt;
    lsp_documents::document document;
    document.path = record->path;
    document.uri = record->uri;
    document.language = record->language;
    document.own_text = std::move(*text);
    document.version = record->version;
    document.last_used = static_cast<std::uint64_t>(record->last_used);
    document.deleted = record->deleted;
    document.word = std::move(*word);
    return document;
}

}  // namespace

// A closing that the server may not have handled yet is not carried.
std::optional<std::string> lsp_documents::state() const {
    if (!closings_->empty()) return std::nullopt;
    lsp_documents_record record;
    std::size_t size = 0;
    for (const auto& [path, each] : open_) {
        size += each.own_text.size();
        auto text = size > texts_max ? std::nullopt : state_of(each);
        if (!text) return std::nullopt;
        record.open.push_back(std::move(*text));
    }
    record.uses = static_cast<std::int64_t>(uses_);
    record.changes = static_cast<std::int64_t>(changes_);
    record.came_or_went = static_cast<std::int64_t>(came_or_went_);
    record.closed_version = closed_version_;
    record.closed = pack(closed_);
    record.last_sent = ticks_of(last_sent_);
    record.habits = habits_.state();
    return exact_json(record);
}

bool lsp_documents::restore(const std::string& state) {
    const auto record = util::json_fields::parse<lsp_documents_record>(state);
    const auto closed = record ? unpack(record->closed) : std::nullopt;
    if (!closed || !habits_.restore(record->habits)) return false;
    for (const auto& text : record->open) {
        auto known = parse_document(text);
        if (!known) return false;
        const std::string path = known->path;
        open_.emplace(path, std::move(*known));
    }
    uses_ = static_cast<std::uint64_t>(record->uses);
    changes_ = static_cast<std::uint64_t>(record->changes);
    came_or_went_ = static_cast<std::uint64_t>(record->came_or_went);
    closed_version_ = record->closed_version;
    closed_ = {closed->begin(), closed->end()};
    last_sent_ = time_of_ticks(record->last_sent);
    return true;
}

}  // namespace hob::unit
