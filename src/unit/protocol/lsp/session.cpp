// A session of a language server. Documents are opened and kept as they are on the disk, changed files are
// announced, and a call waits until the server has read them.

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "unit/protocol/lsp/documents.hpp"
#include "unit/protocol/lsp/editor.hpp"
#include "unit/protocol/lsp/hearing.hpp"
#include "unit/protocol/lsp/lsp.hpp"
#include "unit/protocol/lsp/progress.hpp"
#include "unit/protocol/lsp/shorthand.hpp"
#include "unit/protocol/lsp/sync.hpp"
#include "unit/protocol/lsp/text.hpp"
#include "unit/protocol/progress_tokens.hpp"
#include "unit/protocol/protocol_session.hpp"
#include "util/async.hpp"
#include "util/file_uri.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"
#include "version.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;
using util::json_object;
using util::raw_json;

// A constant text. one_line() makes it one line.
constexpr std::string_view client_capabilities = R"({
"general":{"positionEncodings":["utf-16"]},
"window":{"workDoneProgress":true,"showDocument":{"support":true},"showMessage":{}},
"workspace":{"applyEdit":true,"configuration":true,"workspaceFolders":true,"symbol":{},
"didChangeConfiguration":{"dynamicRegistration":true},
"didChangeWatchedFiles":{"dynamicRegistration":true,"relativePatternSupport":true},
"workspaceEdit":{"documentChanges":true,"resourceOperations":["create","rename","delete"]}},
"textDocument":{"synchronization":{"didSave":true,"dynamicRegistration":false},
"publishDiagnostics":{"versionSupport":true,"relatedInformation":true},
"diagnostic":{"relatedDocumentSupport":false},
"hover":{"contentFormat":["markdown","plaintext"]},"definition":{"linkSupport":false},
"declaration":{"linkSupport":false},"typeDefinition":{"linkSupport":false},"implementation":{"linkSupport":false},
"references":{},"documentSymbol":{"hierarchicalDocumentSymbolSupport":true},"documentHighlight":{},
"completion":{"completionItem":{"documentationFormat":["markdown","plaintext"]}},
"signatureHelp":{},"formatting":{},"rangeFormatting":{},"rename":{"prepareSupport":true},"foldingRange":{},
"codeAction":{"codeActionLiteralSupport":{"codeActionKind":{"valueSet":["quickfix","refactor","source"]}}},
"callHierarchy":{},"typeHierarchy":{},"semanticTokens":{"requests":{"full":true},"tokenTypes":[],
"tokenModifiers":[],"formats":["relative"]},"inlayHint":{}}})";

failure cannot_call(const unit_spec& unit, std::string reason, std::string hint = {}) {
    return failure(error_kind::usage, cannot("call", unit.name), std::move(reason), std::move(hint));
}

util::json_array workspace_folders(const unit_spec& unit) {
    json_object folder;
    folder.add("uri", util::uri_of_path(unit.cwd)).add("name", unit.name);
    util::json_array folders;
    folders.add(folder);
    return folders;
}

std::string initialize_params(const unit_spec& unit) {
    json_object client;
    client.add("name", "hob").add("version", version_text);
    json_object params;
    params.add("processId", ::getpid()).add("clientInfo", client);
    params.add("rootPath", unit.cwd).add("rootUri", util::uri_of_path(unit.cwd));
    params.add("workspaceFolders", workspace_folders(unit)).add("trace", "off");
    params.add("capabilities", raw_json{client_capabilities});
    return one_line(util::json_merge(params.text(), worker_spec_of(unit).initialize_json));
}

// The part of `settings` in hob.toml that `section`, a path with dots, names; raw.
std::string_view settings_section(const unit_spec& unit, std::string_view section) {
    std::string_view value = worker_spec_of(unit).settings_json;
    while (!section.empty() && !value.empty()) {
        const std::size_t dot = section.find('.');
        value = util::json_member_of(value, section.substr(0, dot));
        section = dot == std::string_view::npos ? std::string_view() : section.substr(dot + 1);
    }
    return value.empty() ? "null" : value;
}

// The result of workspace/configuration.
std::string configuration(const unit_spec& unit, const std::string& params) {
    util::json_array values;
    const auto items = util::json_array_elements(util::json_find(params, {"items"}));
    for (const auto item : items.value_or(std::vector<std::string_view>())) {
        const std::string section = util::json_find_string(item, {"section"}).value_or("");
        values.add(raw_json{settings_section(unit, section)});
    }
    return values.text();
}

class lsp_session final : public protocol_session {
public:
    asio::awaitable<std::string> start(session_host& host) override {
        hearing_.emplace(documents_, host.executor());
        sync_.emplace(documents_, host.spec().cwd);
        documents_.on_heard = [this](const std::string& path) {
            sync_->kinds().learn(language_of_path(path));
        };
        co_await sync_->start(host.executor());
        const std::string result = co_await host.request("initialize", initialize_params(host.spec()),
                                                         util::deadline::in(limits::handshake_timeout));
        capabilities_ = util::json_find(result, {"capabilities"});
        shared_->columns_are_bytes = util::json_find_string(capabilities_, {"positionEncoding"}) == "utf-8" ||
                                     util::json_find_string(result, {"offsetEncoding"}) == "utf-8";
        host.notify("initialized", "{}");
        const std::string& settings = worker_spec_of(host.spec()).settings_json;
        if (settings != "{}") {
            host.notify("workspace/didChangeConfiguration",
                        json_object().add("settings", raw_json{settings}).text());
        }
        co_return result;
    }

    asio::awaitable<void> stop(session_host& host) override {
        co_await host.request("shutdown", {}, util::deadline::in(host.spec().stop.timeout));
        host.notify("exit", {});
    }

    asio::awaitable<std::string> handle_call(session_host& host, call_request call, event_watch* watch,
                                             util::deadline limit) override {
        const lsp_shorthand shorthand =
            take_shorthand(host.spec().name, call.params, call.cwd.empty() ? host.spec().cwd : call.cwd);
        const std::string path = shorthand.file.empty() ? path_in(call.params) : shorthand.file;
        const bool first = documents_.empty();
        synchronize(host, path);
        const auto* document = documents_.find(path);
        if (!shorthand.file.empty() && (!document || document->deleted)) {
            throw cannot_call(host.spec(), fmt::format("cannot read '{}'", shorthand.file));
        }
        const bool asks_published = call.method == "textDocument/diagnostic" && !answers_diagnostics();
        co_await wait_until_read(host, first, !asks_published, limit);
        if (!asks_published) remark_incomplete(call);
        synchronize(host, path);  // the disk may have changed meanwhile
        expand_shorthand(call, shorthand);
        std::optional<progress_tokens::token> token;
        use_own_token(call, watch, token);
        if (asks_published) {
            if (watch) watch->arm();
            co_return co_await published_diagnostics(host, path, std::move(call.remark), limit);
        }
        std::string result =
            co_await host.request_for(watch, std::move(call.method), std::move(call.params), limit);
        if (!path.empty() && result != "null") sync_->kinds().learn(language_of_path(path));
        co_return result;
    }

    bool on_server_request(session_host& host, const worker_message& request) override {
        const std::string& method = request.method;
        if (method == "workspace/configuration") {
            host.reply(request, configuration(host.spec(), request.payload));
        } else if (method == "client/registerCapability") {
            sync_->register_watchers(request.payload);
            host.reply(request, "null");
        } else if (method == "client/unregisterCapability") {
            sync_->unregister_watchers(request.payload);
            host.reply(request, "null");
        } else if (method == "workspace/workspaceFolders") {
            host.reply(request, workspace_folders(host.spec()).text());
        } else if (method == "workspace/applyEdit") {
            json_object refused;
            refused.add("applied", false).add("failureReason", "hob changes no files");
            host.reply(request, std::move(refused).text());
        } else if (method == "window/showDocument") {
            host.reply(request, json_object().add("success", false).text());
        } else if (method == "window/workDoneProgress/create" || method == "window/showMessageRequest" ||
                   (method.starts_with("workspace/") && method.ends_with("/refresh"))) {
            host.reply(request, "null");
        } else {
            return false;
        }
        return true;
    }

    std::shared_ptr<attachment> attach(std::shared_ptr<session_host> host, attach_stream stream) override {
        shared_->announce_files = [this](session_host& to) { synchronize(to, {}); };
        return std::make_shared<lsp_editor>(std::move(host), shared_from_this(), shared_, std::move(stream));
    }

    void on_process_end() override {
        phase_ = phase::ended;
        if (hearing_) hearing_->end();
    }

    std::uint64_t on_notification(session_host& host, const std::string& name, std::string& params) override {
        if (name == "textDocument/publishDiagnostics") {
            documents_.on_diagnostics(params);
            hearing_->ring();
        }
        if (name != "$/progress") return 0;
        const std::string_view token = util::json_find(params, {"token"});
        std::string callers;
        const std::uint64_t owner = tokens_->find(token, callers);
        if (owner != 0) {
            params = util::json_set(params, {"token"}, callers);
            return owner;
        }
        // A token of ours whose call is over is ignored: its progress may never end.
        if (!progress_tokens::is_ours(token)) {
            progress_.on_progress(token, util::json_find(params, {"value"}));
            host.set_activity(progress_.text());
            hearing_->ring();
        }
        return 0;
    }

private:
    enum class phase {
        up,
        reading,  // read_changed_files() runs
        ended,    // the process is gone
    };

    static std::string path_in(const std::string& params) {
        const auto uri = util::json_find_string(params, {"textDocument", "uri"});
        return uri ? util::path_of_uri(*uri).value_or("") : "";
    }

    // Brings the server up to date with the disk. Do not suspend between this and the request that relies on
    // it.
    void synchronize(session_host& host, const std::string& path) {
        shared_->announced = std::chrono::steady_clock::now();
        const bool announced = sync_->announce(host);
        if (sync_->unopened() > 0 && phase_ == phase::up) {
            phase_ = phase::reading;
            host.spawn(read_changed_files(host), "changed files of " + host.spec().name);
        }
        const bool changed = documents_.sync_all(host);
        if (!path.empty() && documents_.sync(host, path)) documents_.use(path);
        // A file that the document includes may have changed: servers look at it again when the document is
        // saved.
        if (announced && !changed && !path.empty()) documents_.touch(host, path);
    }

    void remark_incomplete(const call_request& call) const {
        if (!call.remark) return;
        if (!progress_.empty()) call.remark("incomplete: it is still " + progress_.text());
        if (phase_ == phase::reading) {
            call.remark(fmt::format("incomplete: {} changed files are not read again yet",
                                    sync_->unopened() + documents_.unheard(lsp_documents::owners::daemon)));
        }
    }

    // Waits until the server has read the changed files, has published diagnostics unless the call waits for
    // them itself, and has ended its progress, at most for half of the limit.
    asio::awaitable<void> wait_until_read(session_host& host, bool first, bool settle, util::deadline limit) {
        const auto half = util::deadline::in(limit.remaining() / 2).earlier(limit);
        while (phase_ == phase::reading) {
            const bool in_time = co_await util::within(half.remaining(), hearing_->wait());
            if (!in_time) break;
        }
        // Many servers begin to work at the first document.
        if (settle && publishes(first))
            co_await hearing_->settle(host, lsp_documents::owners::all, limits::lsp_first_word, half);
        while (progress_.is_awaited() && phase_ != phase::ended) {
            const bool in_time = co_await util::within(half.remaining(), hearing_->wait());
            if (!in_time) progress_.stop_awaiting();
        }
    }

    // A server that answers for diagnostics, or takes no documents, publishes nothing. `first`: it has not
    // had a document before, so that one that publishes may not have done so yet.
    bool publishes(bool first) const {
        return (first || documents_.habits().publishes) && takes_documents() && !answers_diagnostics();
    }

    // Opens the changed files some at a time, as the server reads them: it would not read a document that is
    // closed unread.
    asio::awaitable<void> read_changed_files(session_host& host) {
        while (phase_ == phase::reading && sync_->unopened() > 0) {
            const auto patience =
                documents_.habits().publishes ? limits::lsp_next_word : limits::lsp_first_word;
            if (publishes(true)) {
                co_await hearing_->settle(host, lsp_documents::owners::daemon, patience,
                                          util::deadline::never());
            }
            if (phase_ == phase::reading) sync_->open_next(host);
        }
        if (phase_ == phase::reading) phase_ = phase::up;
        hearing_->ring();
    }

    void expand_shorthand(call_request& call, const lsp_shorthand& given) const {
        if (!given.file.empty() && call.method.starts_with("textDocument/")) {
            call.params = util::json_set(call.params, {"textDocument", "uri"},
                                         util::json_quote(util::uri_of_path(given.file)));
        }
        if (given.line) call.params = util::json_set(call.params, {"position"}, position_of(given));
        if (call.method == "textDocument/references" &&
            util::json_member_of(call.params, "context").empty()) {
            call.params = util::json_set(call.params, {"context", "includeDeclaration"}, "true");
        }
    }

    std::string position_of(const lsp_shorthand& given) const {
        const auto* document = std::as_const(documents_).find(given.file);
        const auto line = static_cast<std::size_t>(*given.line);
        const auto column = static_cast<std::size_t>(given.column.value_or(1));
        const std::size_t character =
            document ? lsp_character(document->text(), line, column, shared_->columns_are_bytes) : column - 1;
        return json_object().add("line", line - 1).add("character", character).text();
    }

    // Else the server only publishes them.
    bool answers_diagnostics() const {
        return announces("diagnosticProvider") || sync_->kinds().registers("textDocument/diagnostic");
    }

    bool takes_documents() const {
        const std::string_view sync = util::json_member_of(capabilities_, "textDocumentSync");
        return announces("textDocumentSync") && sync != "0" &&
               util::json_member_of(sync, "openClose") != "false";
    }

    bool announces(std::string_view capability) const {
        const std::string_view provider = util::json_member_of(capabilities_, capability);
        return !provider.empty() && provider != "null" && provider != "false";
    }

    // Gives the call a progress token of ours if it has one, or waits for events.
    void use_own_token(call_request& call, event_watch* watch, std::optional<progress_tokens::token>& token) {
        std::string callers(util::json_member_of(call.params, "workDoneToken"));
        if (callers.empty() && !watch) return;
        if (!callers.empty() || call.params.starts_with('{')) {
            token.emplace(tokens_, std::move(callers));
            call.params = util::json_set(call.params, {"workDoneToken"}, token->raw());
            if (watch) watch->set_owner(token->number());
        }
    }

    // The diagnostics that the server publishes, in the form of an answer to textDocument/diagnostic.
    asio::awaitable<std::string> published_diagnostics(session_host& host, std::string path,
                                                       remark_handler remark, util::deadline limit) {
        if (!documents_.find(path))
            throw cannot_call(host.spec(), "no document is given", "say which: file=PATH");
        const auto most = util::deadline::in(limit.remaining() * 3 / 4).earlier(limit);
        lsp_heard heard = co_await hearing_->hear(host, path, most);
        if (heard == lsp_heard::everything && phase_ == phase::reading) heard = lsp_heard::some;
        const auto* document = documents_.find(path);
        if (heard == lsp_heard::end || !document) {
            co_return co_await host.request("textDocument/diagnostic", {}, limit);  // throws why it ended
        }
        const std::string& list = document->word.diagnostics;
        json_object report;
        report.add("kind", "full").add("items", raw_json{list.empty() ? "[]" : list});
        if (heard != lsp_heard::everything) {
            report.add("incomplete", true);
            if (remark) remark(remark_of(heard, path));
        }
        co_return std::move(report).text();
    }

    static std::string remark_of(lsp_heard heard, const std::string& path) {
        return heard == lsp_heard::some
                   ? fmt::format("incomplete: it still works, and may find more in '{}'", path)
                   : fmt::format("incomplete: it has published nothing about '{}' since the last change",
                                 path);
    }

    std::string capabilities_;
    std::shared_ptr<lsp_shared> shared_ = std::make_shared<lsp_shared>();  // also held by the editors
    lsp_documents& documents_ = shared_->documents;
    const std::shared_ptr<progress_tokens> tokens_ = shared_->tokens;
    std::optional<lsp_sync> sync_;
    phase phase_ = phase::up;
    lsp_progress progress_;  // work that no call has asked for
    std::optional<lsp_hearing> hearing_;
};

}  // namespace

std::shared_ptr<protocol_session> make_lsp_session() { return std::make_shared<lsp_session>(); }

}  // namespace hob::unit
