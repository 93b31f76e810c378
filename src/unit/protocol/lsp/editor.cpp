#include "unit/protocol/lsp/editor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "ipc/message.hpp"
#include "limits.hpp"
#include "unit/protocol/lsp/text.hpp"
#include "util/json_edit.hpp"
#include "util/json_text.hpp"

namespace hob::unit {
namespace {

constexpr int server_not_initialized = -32002;
constexpr int warning_message = 2;
constexpr std::string_view published = "textDocument/publishDiagnostics";

std::string message_params(std::string_view text) {
    return fmt::format(R"({{"type":{},"message":{}}})", warning_message, util::json_quote(text));
}

std::optional<std::string> uri_in(const std::string& params) {
    auto uri = util::json_find_string(params, {"textDocument", "uri"});
    return uri ? uri : util::json_find_string(params, {"uri"});
}

}  // namespace

lsp_editor::lsp_editor(std::shared_ptr<session_host> with, std::shared_ptr<protocol_session> speaker,
                       std::shared_ptr<lsp_common> common, attach_stream to)
    : attachment(std::move(with), std::move(speaker), std::move(to)), common_(std::move(common)) {
    common_->editors.push_back(this);
}

// ---- what it asks ----

void lsp_editor::request(worker_message said) {
    if (said.method == "initialize") {
        greet(said);
    } else if (phase_ == phase::fresh) {
        respond_error(said.id_raw, server_not_initialized, "it was not initialized");
    } else if (phase_ == phase::shut) {
        respond_error(said.id_raw, ipc::invalid_request, "it was shut down");
    } else if (said.method == "shutdown") {
        phase_ = phase::shut;
        respond(said.id_raw, "null");
    } else {
        const auto uri = uri_in(said.payload);
        const auto found = uri ? open_.find(document_key(*uri)) : open_.end();
        if (said.method == "textDocument/willSaveWaitUntil" && found != open_.end() &&
            !writes(found->first, found->second)) {
            respond(said.id_raw, "null");
            return;
        }
        if (std::chrono::steady_clock::now() - common_->looked >= limits::attached_look)
            common_->look(with());
        auto tokens = own_tokens(said.payload);
        pass_on(std::move(said), std::move(tokens));
    }
}

void lsp_editor::greet(const worker_message& said) {
    if (phase_ != phase::fresh) {
        respond_error(said.id_raw, ipc::invalid_request, "it was initialized before");
        return;
    }
    const std::string_view can = util::json_find(said.payload, {"capabilities"});
    applies_edits_ = util::json_find_true(can, {"workspace", "applyEdit"});
    shows_documents_ = util::json_find_true(can, {"window", "showDocument", "support"});
    phase_ = phase::ready;
    respond(said.id_raw, with().handshake());
}

// Two editors may choose the same token: on the wire each request has its own.
std::vector<std::unique_ptr<progress_tokens::token>> lsp_editor::own_tokens(std::string& params) const {
    std::vector<std::unique_ptr<progress_tokens::token>> tokens;
    for (const std::string_view key : {"workDoneToken", "partialResultToken"}) {
        std::string theirs(util::json_member_of(params, key));
        if (theirs.empty()) continue;
        tokens.push_back(std::make_unique<progress_tokens::token>(common_->tokens, std::move(theirs)));
        params = util::json_set(params, {key}, tokens.back()->raw());
    }
    return tokens;
}

void lsp_editor::notification(worker_message said) {
    if (said.method == "exit") {
        finish(phase_ == phase::shut ? 0 : 1);
    } else if (phase_ == phase::fresh || is_swallowed(said.method)) {
        return;
    } else if (said.method == "window/workDoneProgress/cancel") {
        cancel_progress(std::move(said));
    } else if (said.method.starts_with("textDocument/")) {
        about_document(std::move(said));
    } else {
        pass_on(std::move(said));
    }
}

// What is about the conversation, or the server as a whole, was said by the daemon.
bool lsp_editor::is_swallowed(const std::string& method) const {
    static constexpr std::array<std::string_view, 4> words = {"initialized", "$/setTrace",
                                                              "workspace/didChangeConfiguration",
                                                              "workspace/didChangeWorkspaceFolders"};
    return method.starts_with("notebookDocument/") ||
           std::find(words.begin(), words.end(), method) != words.end();
}

void lsp_editor::cancel_progress(worker_message said) {
    const std::string_view token = util::json_member_of(said.payload, "token");
    for (const auto& [id, one] : asking()) {
        for (const auto& mine : one.tokens) {
            std::string theirs;
            common_->tokens->owner(mine->raw(), theirs);
            if (theirs != token) continue;
            said.payload = util::json_set(said.payload, {"token"}, mine->raw());
            pass_on(std::move(said));
            return;
        }
    }
}

// ---- its documents ----

bool lsp_editor::writes(const std::string& key, const held& which) const {
    const auto* document = common_->documents.find(key);
    return document && document->lent == &which.text;
}

void lsp_editor::about_document(worker_message said) {
    if (said.method == "textDocument/didOpen") {
        opened(std::move(said));
        return;
    }
    const auto uri = uri_in(said.payload);
    const std::string key = uri ? document_key(*uri) : std::string();
    const auto found = open_.find(key);
    if (found == open_.end()) return;
    if (said.method == "textDocument/didClose") {
        close(key);
    } else if (said.method == "textDocument/didChange") {
        changed(key, std::move(said));
    } else if (writes(key, found->second)) {
        const bool saved = said.method == "textDocument/didSave";
        pass_on(std::move(said));
        if (saved) common_->look(with());
    }
}

void lsp_editor::opened(worker_message said) {
    const std::string_view document = util::json_find(said.payload, {"textDocument"});
    const auto uri = util::json_find_string(document, {"uri"});
    auto text = util::json_find_string(document, {"text"});
    if (!uri || !text) return;
    const std::string key = document_key(*uri);
    if (open_.contains(key)) close(key);
    held& mine = open_[key];
    mine.uri = *uri;
    mine.language = util::json_find_string(document, {"languageId"}).value_or("");
    mine.version = util::json_find_integer(document, {"version"}).value_or(0);
    mine.text = std::move(*text);
    if (text_bytes() > limits::attached_text_max) {
        end(failure(error_kind::unit_failed,
                    fmt::format("cannot attach '{}': it has more than 256 MiB of documents open",
                                with().spec().name)));
        return;
    }
    const auto* before = common_->documents.find(key);
    if (before && before->lent) {
        say_who_writes(key, mine);
        tell_diagnostics(key);
        return;
    }
    common_->documents.lend(with(), key, mine.uri, mine.text, mine.version);
    pass_on(std::move(said));
}

void lsp_editor::changed(const std::string& key, worker_message said) {
    held& mine = open_.at(key);
    const std::string_view changes = util::json_find(said.payload, {"contentChanges"});
    for (const auto one : util::json_array_elements(changes).value_or(std::vector<std::string_view>()))
        lsp_apply_change(mine.text, one, common_->utf8);
    mine.version = util::json_find_integer(said.payload, {"textDocument", "version"}).value_or(mine.version);
    if (text_bytes() > limits::attached_text_max) {
        end(failure(error_kind::unit_failed,
                    fmt::format("cannot attach '{}': it has more than 256 MiB of documents open",
                                with().spec().name)));
    } else if (writes(key, mine)) {
        common_->documents.lent_changed(key, mine.version);
        pass_on(std::move(said));
    } else {
        say_who_writes(key, mine);
    }
}

std::size_t lsp_editor::text_bytes() const {
    std::size_t sum = 0;
    for (const auto& [key, one] : open_)
        sum += one.text.size();
    return sum;
}

// Once, until its text is again what the server sees.
void lsp_editor::say_who_writes(const std::string& key, held& which) {
    const bool differs = common_->documents.find(key)->now() != which.text;
    if (differs && !which.told) {
        emit_event("window/showMessage",
                   message_params(
                       fmt::format("'{}' is open in another editor, whose text counts: the server does not "
                                   "see what is changed here until it is closed there",
                                   key)));
    }
    which.told = differs;
}

// The next editor that has it open takes over, with its own text; else it is the daemon's again.
void lsp_editor::close(const std::string& key) {
    auto node = open_.extract(key);
    const held& mine = node.mapped();
    owed_.erase(key);
    if (!writes(key, mine)) return;
    with().notify("textDocument/didClose", R"({"textDocument":{"uri":)" + util::json_quote(mine.uri) + "}}");
    for (auto* other : common_->editors) {
        if (other == this || !other->open_.contains(key)) continue;
        other->write(key);
        return;
    }
    common_->documents.take_back(with(), key, mine.text);
}

void lsp_editor::write(const std::string& key) {
    held& mine = open_.at(key);
    mine.told = false;
    common_->documents.lend(with(), key, mine.uri, mine.text, mine.version);
    with().notify("textDocument/didOpen",
                  fmt::format(R"({{"textDocument":{{"uri":{},"languageId":{},"version":{},"text":{}}}}})",
                              util::json_quote(mine.uri), util::json_quote(mine.language), mine.version,
                              util::json_quote(mine.text)));
}

void lsp_editor::undo() {
    std::erase(common_->editors, this);
    while (!open_.empty())
        close(std::string(open_.begin()->first));
}

// ---- what it is told ----

std::optional<std::string> lsp_editor::heard(const std::string& name, const std::string& params,
                                             std::uint64_t owner) {
    if (phase_ == phase::fresh) return std::nullopt;
    if (name == "$/progress") {
        const auto is_own = [owner](const auto& each) {
            const auto& tokens = each.second.tokens;
            return std::any_of(tokens.begin(), tokens.end(),
                               [owner](const auto& token) { return token->number() == owner; });
        };
        const bool own = owner != 0 && std::any_of(asking().begin(), asking().end(), is_own);
        return own ? std::optional(params) : std::nullopt;
    }
    const auto uri = name.starts_with("textDocument/") ? uri_in(params) : std::nullopt;
    if (!uri) return params;
    const auto found = open_.find(document_key(*uri));
    if (found == open_.end()) return std::nullopt;
    if (name != published || writes(found->first, found->second)) return params;
    // The version is another editor's.
    return util::json_set(util::json_without(params, "version"), {"uri"},
                          util::json_quote(found->second.uri));
}

bool lsp_editor::skipped(const std::string& name, const std::string& params) {
    if (name != published) return false;
    owed_.insert(document_key(uri_in(params).value_or("")));
    return true;
}

void lsp_editor::catch_up(std::uint64_t left_out) {
    for (const auto& key : std::exchange(owed_, {}))
        tell_diagnostics(key);
    if (left_out == 0) return;
    emit_event("window/logMessage", message_params(fmt::format(
                                        "{} messages were left out: they were not read in time", left_out)));
}

void lsp_editor::tell_diagnostics(const std::string& key) {
    const auto found = open_.find(key);
    const auto* document = common_->documents.find(key);
    if (found == open_.end() || !document || document->diagnostics.empty()) return;
    emit_event(published, fmt::format(R"({{"uri":{},"diagnostics":{}}})", util::json_quote(found->second.uri),
                                      document->diagnostics));
}

int lsp_editor::fitness(const worker_message& request) const {
    const bool can = (request.method == "workspace/applyEdit" && applies_edits_) ||
                     (request.method == "window/showDocument" && shows_documents_) ||
                     request.method == "window/showMessageRequest";
    if (phase_ != phase::ready || !can) return 0;
    const bool ordered = std::any_of(asking().begin(), asking().end(), [](const auto& each) {
        return each.second.method == "workspace/executeCommand";
    });
    return ordered ? 2 : 1;
}

}  // namespace hob::unit
