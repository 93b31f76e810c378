// The language server protocol. Documents are opened and kept as they are on the disk, changed files are
// announced, and a call waits for what the server still reads.

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "unit/protocol/lsp/documents.hpp"
#include "unit/protocol/lsp/editor.hpp"
#include "unit/protocol/lsp/progress.hpp"
#include "unit/protocol/lsp/sync.hpp"
#include "unit/protocol/lsp/text.hpp"
#include "unit/protocol/progress_tokens.hpp"
#include "unit/protocol/protocol_session.hpp"
#include "util/async.hpp"
#include "util/file_uri.hpp"
#include "util/json_edit.hpp"
#include "util/json_text.hpp"
#include "version.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;

constexpr std::string_view our_capabilities = R"({
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

// What `file= line= col=` are in a request's params, taken out of them.
struct shorthand {
    std::string file;  // absolute; empty: none was given
    std::optional<std::int64_t> line, column;
};

std::optional<std::int64_t> count_of(std::string_view raw) {
    const auto text = util::json_display_text(raw);
    return util::json_integer(text);
}

[[noreturn]] void refuse(const std::string& unit, const std::string& why, std::string hint = {}) {
    throw failure(error_kind::usage, fmt::format("cannot call '{}': {}", unit, why), std::move(hint));
}

std::string strip(std::string& params, std::string_view key) {
    std::string value(util::json_member_of(params, key));
    if (!value.empty()) params = util::json_without(params, key);
    return value;
}

shorthand take_shorthand(const std::string& unit, std::string& params, const std::string& directory) {
    shorthand given;
    if (!params.starts_with('{')) return given;
    if (const std::string file = strip(params, "file"); !file.empty()) {
        given.file = util::json_display_text(file);
        if (!given.file.starts_with('/')) given.file = directory + "/" + given.file;
    }
    for (const auto& [key, into] : {std::pair("line", &given.line), std::pair("col", &given.column)}) {
        const std::string raw = strip(params, key);
        if (raw.empty()) continue;
        *into = count_of(raw);
        if (!*into || **into < 1) refuse(unit, fmt::format("'{}' is a number from 1 on, not {}", key, raw));
    }
    if (given.file.empty() && (given.line || given.column)) refuse(unit, "'line' and 'col' need 'file'");
    return given;
}

class lsp_session final : public protocol_session {
public:
    bool has_start() const override { return true; }
    bool has_stop() const override { return true; }

    asio::awaitable<std::string> start(session_host& with) override {
        changed_.emplace(with.executor());
        sync_.emplace(documents_, with.spec().cwd);
        co_await sync_->begin(with.executor());
        const std::string folder = R"({"uri":)" + util::json_quote(util::uri_of_path(with.spec().cwd)) +
                                   R"(,"name":)" + util::json_quote(with.spec().name) + "}";
        const std::string ours = fmt::format(
            R"({{"processId":{},"clientInfo":{{"name":"hob","version":{}}},"rootPath":{},"rootUri":{},"workspaceFolders":[{}],"trace":"off","capabilities":{}}})",
            ::getpid(), util::json_quote(version_text), util::json_quote(with.spec().cwd),
            util::json_quote(util::uri_of_path(with.spec().cwd)), folder, our_capabilities);
        auto answered =
            with.ask("initialize", one_line(util::json_merge(ours, spec_of(with).initialize_json)),
                     util::deadline::in(limits::handshake_timeout));
        const std::string result = co_await std::move(answered);
        capabilities_ = util::json_find(result, {"capabilities"});
        common_->utf8 = util::json_find_string(capabilities_, {"positionEncoding"}) == "utf-8" ||
                        util::json_find_string(result, {"offsetEncoding"}) == "utf-8";
        with.notify("initialized", "{}");
        if (spec_of(with).settings_json != "{}") {
            with.notify("workspace/didChangeConfiguration",
                        R"({"settings":)" + spec_of(with).settings_json + "}");
        }
        co_return result;
    }

    asio::awaitable<void> stop(session_host& with) override {
        co_await with.ask("shutdown", {}, util::deadline::in(with.spec().stop.timeout));
        with.notify("exit", {});
    }

    asio::awaitable<std::string> handle_call(session_host& with, call_request wish, event_watch* watch,
                                             util::deadline limit) override {
        const std::string& unit = with.spec().name;
        const shorthand given =
            take_shorthand(unit, wish.params, wish.cwd.empty() ? with.spec().cwd : wish.cwd);
        std::string path = given.file;
        if (path.empty()) {
            const auto uri = util::json_find_string(wish.params, {"textDocument", "uri"});
            path = uri ? util::path_of_uri(*uri).value_or("") : "";
        }
        const bool first = documents_.empty();
        bring_up_to_date(with, path);
        const auto* named = documents_.find(path);
        if (!given.file.empty() && (!named || named->buried)) {
            refuse(unit, fmt::format("cannot read '{}'", given.file));
        }
        co_await settle(first, limit);
        if (wish.remark && !progress_.empty()) wish.remark("incomplete: it is still " + progress_.text());
        if (wish.remark && reading_) {
            wish.remark(fmt::format("incomplete: {} changed files are not read again yet",
                                    sync_->behind() + documents_.undiagnosed(lsp_documents::whose::own)));
        }
        // The disk may have changed while this waited.
        bring_up_to_date(with, path);
        fill_in(wish, given);
        std::optional<progress_tokens::token> token;
        own_progress(wish, watch, token);
        if (wish.method == "textDocument/diagnostic" && !answers_diagnostics()) {
            if (watch) watch->arm();
            co_return co_await diagnostics(with, path, limit);
        }
        co_return co_await with.ask_for(watch, std::move(wish.method), std::move(wish.params), limit);
    }

    bool asked(session_host& with, const worker_message& request) override {
        const std::string& method = request.method;
        if (method == "workspace/configuration") {
            with.reply(request, configuration(with, request.payload));
        } else if (method == "client/registerCapability") {
            sync_->register_watchers(request.payload);
            with.reply(request, "null");
        } else if (method == "client/unregisterCapability") {
            sync_->unregister_watchers(request.payload);
            with.reply(request, "null");
        } else if (method == "workspace/workspaceFolders") {
            with.reply(request, R"([{"uri":)" + util::json_quote(util::uri_of_path(with.spec().cwd)) +
                                    R"(,"name":)" + util::json_quote(with.spec().name) + "}]");
        } else if (method == "workspace/applyEdit") {
            with.reply(request, R"({"applied":false,"failureReason":"hob changes no files"})");
        } else if (method == "window/showDocument") {
            with.reply(request, R"({"success":false})");
        } else if (method == "window/workDoneProgress/create" || method == "window/showMessageRequest" ||
                   (method.starts_with("workspace/") && method.ends_with("/refresh"))) {
            with.reply(request, "null");
        } else {
            return false;
        }
        return true;
    }

    std::shared_ptr<attachment> attach(std::shared_ptr<session_host> with, attach_stream to) override {
        common_->look = [this](session_host& at) { bring_up_to_date(at, {}); };
        return std::make_shared<lsp_editor>(std::move(with), shared_from_this(), common_, std::move(to));
    }

    void end() override {
        ended_ = true;
        if (changed_) changed_->ring();
    }

    std::uint64_t heard(session_host& with, const std::string& name, std::string& params) override {
        if (name == "textDocument/publishDiagnostics") {
            documents_.published(params);
            publishes_ = true;
            changed_->ring();
        }
        if (name != "$/progress") return 0;
        const std::string_view token = util::json_find(params, {"token"});
        std::string callers;
        const std::uint64_t owner = tokens_->owner(token, callers);
        if (owner != 0) {
            params = util::json_set(params, {"token"}, callers);
            return owner;
        }
        // Of a call that was taken back, or of an editor that is gone, there may be no end.
        if (!progress_tokens::is_ours(token)) {
            progress_.heard(token, util::json_find(params, {"value"}));
            with.set_activity(progress_.text());
            changed_->ring();
        }
        return 0;
    }

private:
    static const worker_spec& spec_of(session_host& with) {
        return std::get<worker_spec>(with.spec().detail);
    }

    static std::string one_line(std::string text) {
        for (char& c : text) {
            if (c == '\n') c = ' ';
        }
        return text;
    }

    // What the server knows of the disk, from here on without a suspension until the request is sent.
    void bring_up_to_date(session_host& with, const std::string& path) {
        common_->looked = std::chrono::steady_clock::now();
        const bool announced = sync_->announce(with);
        if (sync_->behind() > 0 && !std::exchange(reading_, true)) {
            with.run(read_behind(with), "changed files of " + with.spec().name);
        }
        const bool changed = documents_.sync_all(with);
        if (!path.empty() && documents_.sync(with, path)) documents_.use(path);
        // A file that it includes may have changed: servers look at that when the document is saved.
        if (announced && !changed && !path.empty()) documents_.touch(with, path);
    }

    std::string configuration(session_host& with, const std::string& params) const {
        std::string values = "[";
        const auto items = util::json_array_elements(util::json_find(params, {"items"}));
        for (const auto item : items.value_or(std::vector<std::string_view>())) {
            std::string_view value = spec_of(with).settings_json;
            std::string section = util::json_find_string(item, {"section"}).value_or("");
            while (!section.empty() && !value.empty()) {
                const std::size_t dot = section.find('.');
                value = util::json_member_of(value, section.substr(0, dot));
                section = dot == std::string::npos ? std::string() : section.substr(dot + 1);
            }
            values.append(values.size() > 1 ? "," : "").append(value.empty() ? "null" : value);
        }
        return values + "]";
    }

    // Until the server has read what it reads in the background. Before the first document many have not
    // begun: their first word on it, diagnostics or progress, is waited for. One that publishes diagnostics
    // says by them that it has taken a change in.
    asio::awaitable<void> settle(bool first, util::deadline limit) {
        const auto enough = util::deadline::in(limit.remaining() / 2).earlier(limit);
        while (reading_ && !ended_) {
            const bool in_time = co_await util::within(enough.remaining(), changed_->wait());
            if (!in_time) break;
        }
        auto said = diagnosed(first, enough);
        co_await std::move(said);
        while (!progress_.empty() && !ended_) {
            const bool in_time = co_await util::within(enough.remaining(), changed_->wait());
            if (!in_time) break;
        }
    }

    // Until something was published of each document; one that has published is given a moment for each.
    asio::awaitable<void> diagnosed(bool first, util::deadline limit) {
        auto moment = util::deadline::in(limits::lsp_first_word).earlier(limit);
        std::size_t left = documents_.undiagnosed(lsp_documents::whose::all);
        while ((first || publishes_) && left > 0 && !ended_ && (!first || progress_.empty())) {
            const bool in_time = co_await util::within(moment.remaining(), changed_->wait());
            if (!in_time) break;
            const std::size_t now = documents_.undiagnosed(lsp_documents::whose::all);
            if (now < left) moment = util::deadline::in(limits::lsp_first_word).earlier(limit);
            left = now;
        }
    }

    // What changed is opened some at a time, as the server reads it: a document that is closed unread would
    // not be read at all.
    asio::awaitable<void> read_behind(session_host& with) {
        while (!ended_ && sync_->behind() > 0) {
            bool in_time = true;
            while (in_time && !ended_ && documents_.undiagnosed(lsp_documents::whose::own) > 0) {
                auto change = changed_->wait();
                const auto patience = publishes_ ? limits::lsp_next_word : limits::lsp_first_word;
                in_time = co_await util::within(patience, std::move(change));
            }
            if (!ended_) sync_->open_next(with);
        }
        reading_ = false;
        changed_->ring();
    }

    void fill_in(call_request& wish, const shorthand& given) const {
        const bool on_document = wish.method.starts_with("textDocument/");
        if (!given.file.empty() && on_document) {
            wish.params = util::json_set(wish.params, {"textDocument", "uri"},
                                         util::json_quote(util::uri_of_path(given.file)));
        }
        if (given.line) {
            const auto* which = const_cast<lsp_session*>(this)->documents_.find(given.file);
            const auto line = static_cast<std::size_t>(*given.line);
            const auto column = static_cast<std::size_t>(given.column.value_or(1));
            const std::size_t character =
                which ? lsp_character(which->now(), line, column, common_->utf8) : column - 1;
            wish.params = util::json_set(wish.params, {"position"},
                                         fmt::format(R"({{"line":{},"character":{}}})", line - 1, character));
        }
        if (wish.method == "textDocument/references" &&
            util::json_member_of(wish.params, "context").empty()) {
            wish.params = util::json_set(wish.params, {"context", "includeDeclaration"}, "true");
        }
    }

    // Else it only publishes them.
    bool answers_diagnostics() const {
        const std::string_view said = util::json_member_of(capabilities_, "diagnosticProvider");
        return !said.empty() && said != "null" && said != "false";
    }

    void own_progress(call_request& wish, event_watch* watch, std::optional<progress_tokens::token>& token) {
        std::string callers(util::json_member_of(wish.params, "workDoneToken"));
        if (callers.empty() && !watch) return;
        if (!callers.empty() || wish.params.starts_with('{')) {
            token.emplace(tokens_, std::move(callers));
            wish.params = util::json_set(wish.params, {"workDoneToken"}, token->raw());
            if (watch) watch->own(token->number());
        }
    }

    // What the server publishes by itself, as an answer to the question for it.
    asio::awaitable<std::string> diagnostics(session_host& with, std::string path, util::deadline limit) {
        for (;;) {
            const auto* which = documents_.find(path);
            if (!which) refuse(with.spec().name, "no document is given", "say which: file=PATH");
            if (which->diagnosed) co_return R"({"kind":"full","items":)" + which->diagnostics + "}";
            if (ended_) {
                auto refused = with.ask("textDocument/diagnostic", {}, limit);  // says what it ended of
                co_return co_await std::move(refused);
            }
            const bool in_time = co_await util::within(limit.remaining(), changed_->wait());
            if (!in_time) {
                throw failure(error_kind::timeout,
                              fmt::format("cannot call '{}': it published no diagnostics of '{}' in time",
                                          with.spec().name, path));
            }
        }
    }

    std::string capabilities_;
    // also the editors'
    std::shared_ptr<lsp_common> common_ = std::make_shared<lsp_common>();
    lsp_documents& documents_ = common_->documents;
    std::optional<lsp_sync> sync_;
    bool reading_ = false;                   // read_behind() runs
    bool ended_ = false;                     // the process is gone
    lsp_progress progress_;                  // of the server's own
    bool publishes_ = false;                 // diagnostics, by itself
    std::optional<util::notifier> changed_;  // diagnostics or progress came
    std::shared_ptr<progress_tokens>& tokens_ = common_->tokens;
};

}  // namespace

std::shared_ptr<protocol_session> make_lsp_session() { return std::make_shared<lsp_session>(); }

}  // namespace hob::unit
