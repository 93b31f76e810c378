#include "unit/protocol/lsp/editor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "ipc/message.hpp"
#include "limits.hpp"
#include "unit/protocol/lsp/text.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {
namespace {

constexpr int server_not_initialized = -32002;
constexpr int warning_message = 2;
constexpr std::string_view publish_diagnostics = "textDocument/publishDiagnostics";

std::string message_params(std::string_view text) {
    return util::json_object().add("type", warning_message).add("message", text).text();
}

// They may be long, and are read once.
std::optional<std::string> uri_in(const std::string& params) {
    std::optional<std::string> uri;
    const auto members = util::json_object_members(params);
    for (const auto& each : members.value_or(std::vector<util::json_member>())) {
        if (each.key == "uri" && !uri) uri = util::json_unquote(each.value);
        if (each.key != "textDocument") continue;
        if (auto own = util::json_find_string(each.value, {"uri"})) return own;
    }
    return uri;
}

// Notifications about the conversation, or about the server as a whole: the daemon has sent them.
bool is_sent_by_daemon(const std::string& method) {
    static constexpr std::array<std::string_view, 4> methods = {"initialized", "$/setTrace",
                                                                "workspace/didChangeConfiguration",
                                                                "workspace/didChangeWorkspaceFolders"};
    return method.starts_with("notebookDocument/") ||
           std::find(methods.begin(), methods.end(), method) != methods.end();
}

}  // namespace

lsp_editor::lsp_editor(std::shared_ptr<session_host> host, std::shared_ptr<protocol_session> session,
                       std::shared_ptr<lsp_shared> shared, attach_stream stream)
    : attachment(std::move(host), std::move(session), std::move(stream)), shared_(std::move(shared)) {
    shared_->editors.push_back(this);
}

void lsp_editor::on_client_request(worker_message message) {
    if (message.method == "initialize") {
        on_initialize(message);
    } else if (phase_ == phase::uninitialized) {
        respond_error(message.id_raw, server_not_initialized, "it was not initialized");
    } else if (phase_ == phase::shut_down) {
        respond_error(message.id_raw, ipc::invalid_request, "it was shut down");
    } else if (message.method == "shutdown") {
        phase_ = phase::shut_down;
        respond(message.id_raw, "null");
    } else {
        on_request_about_server(std::move(message));
    }
}

void lsp_editor::on_request_about_server(worker_message request) {
    const auto uri = uri_in(request.payload);
    const auto found = uri ? open_.find(key_of(*uri)) : open_.end();
    if (request.method == "textDocument/willSaveWaitUntil" && found != open_.end() &&
        !is_writer(found->first, found->second)) {
        respond(request.id_raw, "null");
        return;
    }
    if (std::chrono::steady_clock::now() - shared_->announced >= limits::attached_look)
        shared_->announce_files(host());
    auto replaced = replace_tokens(request.payload);
    send_to_worker(std::move(request), std::move(replaced));
}

void lsp_editor::on_initialize(const worker_message& request) {
    if (phase_ != phase::uninitialized) {
        respond_error(request.id_raw, ipc::invalid_request, "it was initialized before");
        return;
    }
    capabilities_ = util::json_find(request.payload, {"capabilities"});
    abilities_ = abilities_of(capabilities_);
    if (const auto root = util::json_find_string(request.payload, {"rootUri"}))
        paths_.learn_root(shared_->documents.root(), *root);
    phase_ = phase::ready;
    respond(request.id_raw, host().capabilities());
}

// Two editors may choose the same token: the server gets a token of ours for each request.
lsp_editor::tokens lsp_editor::replace_tokens(std::string& params) const {
    tokens ours;
    for (const std::string_view key : {"workDoneToken", "partialResultToken"}) {
        std::string theirs(util::json_member_of(params, key));
        if (theirs.empty()) continue;
        ours.push_back(std::make_unique<progress_tokens::token>(shared_->tokens, std::move(theirs)));
        params = util::json_set(params, {key}, ours.back()->raw());
    }
    return ours;
}

void lsp_editor::on_client_notification(worker_message message) {
    if (message.method == "exit") {
        finish(phase_ == phase::shut_down ? 0 : 1);
    } else if (message.method == "initialized" && phase_ == phase::ready) {
        const std::string registered = shared_->registrations.all_for(capabilities_);
        if (!registered.empty()) ask("client/registerCapability", registered);
    } else if (phase_ == phase::uninitialized || is_sent_by_daemon(message.method)) {
        return;
    } else if (message.method == "window/workDoneProgress/cancel") {
        on_progress_cancel(std::move(message));
    } else if (message.method.starts_with("textDocument/")) {
        on_document(std::move(message));
    } else {
        send_to_worker(std::move(message));
    }
}

void lsp_editor::on_progress_cancel(worker_message notification) {
    const std::string_view token = util::json_member_of(notification.payload, "token");
    for (const auto& [id, request] : open_requests()) {
        for (const auto& ours : request.tokens) {
            std::string theirs;
            shared_->tokens->find(ours->raw(), theirs);
            if (theirs != token) continue;
            notification.payload = util::json_set(notification.payload, {"token"}, ours->raw());
            send_to_worker(std::move(notification));
            return;
        }
    }
}

// ---- documents ----

// The server sees this editor's text.
bool lsp_editor::is_writer(const std::string& key, const open_document& document) const {
    const auto* known = shared_->documents.find(key);
    return known && known->editor_text == &document.text;
}

// A document keeps its key while it is open, whatever becomes of the symlinks in its name.
std::string lsp_editor::key_of(const std::string& uri) const {
    for (const auto& [key, document] : open_) {
        if (document.uri == uri) return key;
    }
    return document_key(shared_->documents.root(), uri);
}

void lsp_editor::on_document(worker_message notification) {
    if (notification.method == "textDocument/didOpen") {
        on_open(std::move(notification));
        return;
    }
    const auto uri = uri_in(notification.payload);
    const std::string key = uri ? key_of(*uri) : std::string();
    const auto found = open_.find(key);
    if (found == open_.end()) return;
    if (notification.method == "textDocument/didClose") {
        close(key);
    } else if (notification.method == "textDocument/didChange") {
        on_change(key, std::move(notification));
    } else if (is_writer(key, found->second)) {
        const bool saved = notification.method == "textDocument/didSave";
        send_to_worker(std::move(notification));
        if (saved) shared_->announce_files(host());
    }
}

void lsp_editor::on_open(worker_message notification) {
    paths_.learn_document(shared_->documents.root(), uri_in(notification.payload).value_or(""));
    paths_.to_server(notification.payload);
    const std::string_view document = util::json_find(notification.payload, {"textDocument"});
    const auto uri = util::json_find_string(document, {"uri"});
    auto text = util::json_find_string(document, {"text"});
    if (!uri || !text) return;
    const std::string key = key_of(*uri);
    if (open_.contains(key)) close(key);
    open_document& opened = open_[key];
    opened.uri = *uri;
    opened.language = util::json_find_string(document, {"languageId"}).value_or("");
    opened.version = util::json_find_integer(document, {"version"}).value_or(0);
    opened.text = lsp_buffer(std::move(*text));
    if (end_if_too_large()) return;
    const auto* known = shared_->documents.find(key);
    if (known && known->editor_text) {
        warn_of_other_writer(key, opened);
        send_diagnostics(key);
        return;
    }
    shared_->documents.lend(host(), key, opened.uri, opened.language, opened.text, opened.version);
    send_to_worker(std::move(notification));
}

void lsp_editor::on_change(const std::string& key, worker_message notification) {
    auto made = std::make_unique<long_change>();
    made->key = key;
    made->notification = std::move(notification);
    const std::string_view list = util::json_find(made->notification.payload, {"contentChanges"});
    made->changes = util::json_array_elements(list).value_or(std::vector<std::string_view>());
    lsp_buffer& text = open_.at(key).text;
    if (made->changes.size() > limits::lsp_changes_at_once) {
        made->text = text;
        changing_ = std::move(made);
        return;
    }
    for (const auto change : made->changes)
        text.apply(change, shared_->columns_are_bytes);
    on_changed(key, std::move(made->notification));
}

bool lsp_editor::work_on() {
    if (!changing_) return false;
    const std::size_t end =
        std::min(changing_->applied + limits::lsp_changes_at_once, changing_->changes.size());
    for (; changing_->applied < end; ++changing_->applied)
        changing_->text.apply(changing_->changes[changing_->applied], shared_->columns_are_bytes);
    if (end < changing_->changes.size()) return true;
    const auto done = std::move(changing_);
    open_.at(done->key).text = std::move(done->text);
    on_changed(done->key, std::move(done->notification));
    return false;
}

void lsp_editor::on_changed(const std::string& key, worker_message notification) {
    open_document& changed = open_.at(key);
    changed.version =
        util::json_find_integer(notification.payload, {"textDocument", "version"}).value_or(changed.version);
    if (end_if_too_large()) return;
    if (is_writer(key, changed)) {
        shared_->documents.lent_changed(key, changed.version);
        send_to_worker(std::move(notification));
    } else {
        warn_of_other_writer(key, changed);
    }
}

bool lsp_editor::end_if_too_large() {
    std::size_t bytes = 0;
    for (const auto& [key, document] : open_)
        bytes += document.text.size();
    if (bytes <= limits::attached_text_max) return false;
    fail("it has more than 256 MiB of documents open");
    return true;
}

// Once, until its text is again the text that the server sees.
void lsp_editor::warn_of_other_writer(const std::string& key, open_document& document) {
    const bool differs = shared_->documents.find(key)->text() != document.text.text();
    if (differs && !document.warned) {
        emit_event("window/showMessage",
                   message_params(
                       fmt::format("'{}' is open in another editor, whose text counts: the server does not "
                                   "see what is changed here until it is closed there",
                                   key)));
    }
    document.warned = differs;
}

// The next editor that has the document open becomes its writer; without one, the document is the daemon's
// again.
void lsp_editor::close(const std::string& key) {
    auto node = open_.extract(key);
    const open_document& closed = node.mapped();
    skipped_diagnostics_.erase(key);
    if (!is_writer(key, closed)) return;
    util::json_object params;
    params.add("textDocument", util::json_object().add("uri", closed.uri));
    host().notify("textDocument/didClose", std::move(params).text());
    for (auto* other : shared_->editors) {
        if (other == this || !other->open_.contains(key)) continue;
        other->become_writer(key);
        return;
    }
    shared_->documents.take_back(host(), key, closed.text.text());
}

void lsp_editor::become_writer(const std::string& key) {
    open_document& document = open_.at(key);
    document.warned = false;
    shared_->documents.lend(host(), key, document.uri, document.language, document.text, document.version);
    util::json_object item;
    item.add("uri", document.uri).add("languageId", document.language);
    item.add("version", document.version).add("text", document.text.text());
    host().notify("textDocument/didOpen", util::json_object().add("textDocument", item).text());
}

void lsp_editor::undo() {
    changing_.reset();
    std::erase(shared_->editors, this);
    while (!open_.empty())
        close(std::string(open_.begin()->first));
}

// ---- notifications and requests of the server ----

bool lsp_editor::owns_progress(std::uint64_t token) const {
    if (token == 0) return false;
    return std::any_of(open_requests().begin(), open_requests().end(), [token](const auto& each) {
        const auto& own = each.second.tokens;
        return std::any_of(own.begin(), own.end(),
                           [token](const auto& candidate) { return candidate->number() == token; });
    });
}

std::optional<std::string> lsp_editor::params_for_client(const std::string& name, const std::string& params,
                                                         std::uint64_t owner) {
    if (phase_ == phase::uninitialized) return std::nullopt;
    if (name == "$/progress") return owns_progress(owner) ? std::optional(params) : std::nullopt;
    const auto uri = name.starts_with("textDocument/") ? uri_in(params) : std::nullopt;
    if (!uri) return params;
    const auto found = open_.find(key_of(*uri));
    if (found == open_.end()) return std::nullopt;
    if (name == publish_diagnostics && shared_->documents.is_of_closing(params)) return std::nullopt;
    if (name != publish_diagnostics || is_writer(found->first, found->second)) return params;
    // The version is the one of the editor that writes the document.
    return util::json_set(util::json_without(params, "version"), {"uri"},
                          util::json_quote(found->second.uri));
}

bool lsp_editor::on_skipped(const std::string& name, const std::string& params) {
    if (name != publish_diagnostics) return false;
    skipped_diagnostics_.insert(key_of(uri_in(params).value_or("")));
    return true;
}

void lsp_editor::catch_up(std::uint64_t lost) {
    for (const auto& key : std::exchange(skipped_diagnostics_, {}))
        send_diagnostics(key);
    if (lost == 0) return;
    emit_event("window/logMessage",
               message_params(fmt::format("{} messages were left out: they were not read in time", lost)));
}

void lsp_editor::send_diagnostics(const std::string& key) {
    const auto found = open_.find(key);
    const auto* known = shared_->documents.find(key);
    if (found == open_.end() || !known || known->word.diagnostics.empty()) return;
    util::json_object params;
    params.add("uri", found->second.uri).add("diagnostics", util::raw_json{known->word.diagnostics});
    emit_event(publish_diagnostics, std::move(params).text());
}

// 2 for an editor that has asked for a command, which may be the reason for the server's request.
int lsp_editor::fitness(const worker_message& request) const {
    const bool edits = request.method == "workspace/applyEdit";
    const bool able = (edits && util::json_find_true(capabilities_, {"workspace", "applyEdit"})) ||
                      (request.method == "window/showDocument" &&
                       util::json_find_true(capabilities_, {"window", "showDocument", "support"})) ||
                      request.method == "window/showMessageRequest";
    if (phase_ != phase::ready || !able) return 0;
    const bool runs_command =
        std::any_of(open_requests().begin(), open_requests().end(),
                    [](const auto& each) { return each.second.method == "workspace/executeCommand"; });
    if (runs_command) return 2;
    return edits && !shared_->appliers.empty() ? 0 : 1;
}

void lsp_editor::pass_registrations(const std::string& method, const std::string& params) {
    if (phase_ != phase::ready) return;
    const std::string taken = registrations_for(capabilities_, method, params);
    if (!taken.empty()) ask(method, taken);
}

void lsp_editor::pass_refresh(const std::string& method) {
    if (phase_ == phase::ready && takes_refresh(capabilities_, method)) ask(method, "null");
}

std::string lsp_editor::result_for_client(const std::string& method, std::string result) const {
    return result_for(abilities_, method, std::move(result));
}

}  // namespace hob::unit
