// A session of a language server. Documents are opened and kept as they are on the disk, changed files are
// announced, and a call waits until the server has read them.

#include <fmt/format.h>

#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "unit/protocol/lsp/capabilities.hpp"
#include "unit/protocol/lsp/client_filter.hpp"
#include "unit/protocol/lsp/complete_call.hpp"
#include "unit/protocol/lsp/diagnostics.hpp"
#include "unit/protocol/lsp/documents.hpp"
#include "unit/protocol/lsp/editor.hpp"
#include "unit/protocol/lsp/handshake.hpp"
#include "unit/protocol/lsp/hearing.hpp"
#include "unit/protocol/lsp/languages.hpp"
#include "unit/protocol/lsp/lsp.hpp"
#include "unit/protocol/lsp/methods.hpp"
#include "unit/protocol/lsp/progress.hpp"
#include "unit/protocol/lsp/request_params.hpp"
#include "unit/protocol/lsp/server_messages.hpp"
#include "unit/protocol/lsp/session_record.hpp"
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

namespace hob::unit {
namespace {

namespace asio = boost::asio;
using util::json_object;

failure cannot_call(const unit_spec& unit, std::string reason, std::string hint = {}) {
    return failure(error_kind::usage, cannot("call", unit.name), std::move(reason), std::move(hint));
}

class lsp_session final : public protocol_session {
public:
    asio::awaitable<std::string> start(session_host& host) override {
        prepare(host);
        co_await sync_->start(host.executor());
        const std::string result = co_await host.request("initialize", initialize_params(host.spec()),
                                                         util::deadline::in(limits::handshake_timeout));
        take_capabilities(result);
        host.notify("initialized", "{}");
        announce_settings(host);
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
        const std::string path = path_of(shorthand, call.params);
        const bool first = documents_.empty();
        synchronize(host, path);
        const auto* document = documents_.find(path);
        if (!shorthand.file.empty() && (!document || document->deleted)) {
            throw cannot_call(host.spec(), why_not_opened(path));
        }
        if (!shorthand.file.empty()) {
            check_members(host.spec().name, call.method, call.params);
            check_line(host.spec().name, shorthand, document->text());
        }
        const bool asks_published = call.method == "textDocument/diagnostic" && !answers_diagnostics();
        co_await wait_until_read(host, first, !asks_published, limit);
        if (!asks_published) remark_incomplete(call);
        const std::string diagnostics = co_await diagnostics_for(host, call, path, limit);
        synchronize(host, path);  // the disk may have changed meanwhile
        complete_call(call, shorthand, path, documents_.find(path), diagnostics, shared_->columns_are_bytes);
        std::optional<progress_tokens::token> token;
        use_own_token(tokens_, call, watch, token);
        if (asks_published) {
            if (watch) watch->arm();
            co_return co_await published_diagnostics(host, path, std::move(call.remark), limit);
        }
        std::string result = co_await send(host, std::move(call), path, watch, limit);
        if (!path.empty() && result != "null") sync_->kinds().learn(language_of(host, path));
        co_return result;
    }

    bool on_server_request(session_host& host, const worker_message& request) override {
        const std::string& method = request.method;
        if (method == "workspace/configuration") {
            host.reply(request, configuration(host.spec(), request.payload, unmet_.settings));
        } else if (method == "client/registerCapability" || method == "client/unregisterCapability") {
            on_registration(request);
            host.reply(request, "null");
        } else if (method == "workspace/applyEdit") {
            on_edit(host, request);
        } else if (method.starts_with("workspace/") && method.ends_with("/refresh")) {
            for (auto* each : shared_->editors)
                each->pass_refresh(method);
            host.reply(request, "null");
        } else if (const auto same = constant_answer(host.spec(), method)) {
            host.reply(request, *same);
        } else {
            unmet_.add_request(method);
            return false;
        }
        return true;
    }

    std::shared_ptr<attachment> attach(std::shared_ptr<session_host> host, attach_stream stream) override {
        shared_->announce_files = [this](session_host& to) { synchronize(to, {}); };
        return std::make_shared<lsp_editor>(std::move(host), shared_from_this(), shared_, std::move(stream));
    }

    std::optional<carried_session> state_for_successor() override {
        const bool shared = !shared_->editors.empty() || !shared_->appliers.empty();
        return phase_ == phase::ended || shared ? std::nullopt : state_of(parts());
    }

    bool resume(session_host& host, carried_session state) override {
        prepare(host);
        take_capabilities(host.capabilities());
        if (!restore(std::move(state), parts())) return false;
        begin_reading(host);
        return true;
    }

    void on_process_end() override {
        phase_ = phase::ended;
        if (hearing_) hearing_->end();
    }

    std::uint64_t on_notification(session_host& host, const std::string& name, std::string& params) override {
        if (name == "textDocument/publishDiagnostics") {
            documents_.on_diagnostics(params);
            hearing_->ring();
        } else if (name == "window/logMessage" || name == "window/showMessage") {
            const std::string error = messages_.take(host, params);
            if (!error.empty()) documents_.on_error(error);
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

    lsp_parts parts() {
        return {documents_, *sync_, progress_, shared_->registrations, unmet_, *tokens_};
    }

    void prepare(session_host& host) {
        hearing_.emplace(documents_, host.executor());
        documents_.set_root(lsp_root(host.spec()));
        sync_.emplace(documents_, documents_.root());
        documents_.on_heard = [&](const std::string& path) { sync_->kinds().learn(language_of(host, path)); };
    }

    // Of the answer to `initialize`.
    void take_capabilities(const std::string& result) {
        capabilities_ = util::json_find(result, {"capabilities"});
        shared_->columns_are_bytes = util::json_find_string(capabilities_, {"positionEncoding"}) == "utf-8" ||
                                     util::json_find_string(result, {"offsetEncoding"}) == "utf-8";
        documents_.set_capabilities(capabilities_, shared_->columns_are_bytes);
    }

    // The key of the document that the call is about; empty: it is about none, or about none in a file.
    std::string path_of(const lsp_shorthand& given, const std::string& params) const {
        if (!given.file.empty()) return document_path(documents_.root(), given.file);
        const auto uri = util::json_find_string(params, {"textDocument", "uri"});
        const auto path = uri ? util::path_of_uri(*uri) : std::nullopt;
        return path ? document_path(documents_.root(), *path) : "";
    }

    // Brings the server up to date with the disk. Do not suspend between this and the request that relies on
    // it.
    void synchronize(session_host& host, const std::string& path) {
        shared_->announced = std::chrono::steady_clock::now();
        const bool announced = sync_->announce(host);
        begin_reading(host);
        const bool changed = documents_.sync_all(host);
        if (!path.empty() && documents_.sync(host, path)) documents_.use(path);
        // A file that the document includes may have changed: servers look at it again when the document is
        // saved.
        if (announced && !changed && !path.empty()) documents_.touch(host, path);
    }

    void begin_reading(session_host& host) {
        if (sync_->unopened() == 0 || phase_ != phase::up) return;
        phase_ = phase::reading;
        host.spawn(read_changed_files(host), "changed files of " + host.spec().name);
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
        return (first || documents_.habits().publishes) && takes_documents(capabilities_) &&
               !answers_diagnostics();
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

    static std::string language_of(const session_host& host, const std::string& path) {
        return language_of_path(path, worker_spec_of(host.spec()).language_ids);
    }

    // Those that a code action is asked for with.
    asio::awaitable<std::string> diagnostics_for(session_host& host, const call_request& call,
                                                 std::string path, util::deadline limit) {
        const auto* document = std::as_const(documents_).find(path);
        if (!document || !wants_diagnostics(call.method, call.params)) co_return "[]";
        const std::string& published = document->word.diagnostics;
        if (!answers_diagnostics()) co_return published.empty() ? "[]" : published;
        co_return co_await pulled_diagnostics(host, document->uri, limit);
    }

    // Sends the request that the call is about.
    asio::awaitable<std::string> send(session_host& host, call_request call, std::string path,
                                      event_watch* watch, util::deadline limit) {
        edit_applier applier(documents_, shared_->columns_are_bytes, call.apply);
        const editing_call editing(shared_->appliers, applier,
                                   call.apply || call.method == "workspace/executeCommand");
        if (call.apply) applier.set_title(take_title(call.method, call.params));
        std::optional<failure> failed;
        std::string result;
        const std::uint64_t errors = messages_.errors();
        try {
            result = co_await host.request_for(watch, call.method, std::move(call.params), limit);
        } catch (const failure& why) {
            failed.emplace(why);
        }
        if (!failed && call.apply) co_await apply_result(host, applier, path, result, limit);
        if (!applier.refusal().empty()) {
            throw failure(error_kind::unit_failed, cannot("apply the edits of", host.spec().name),
                          applier.refusal());
        }
        if (failed) throw explained(*failed, host.spec().name, call.method, unmet_, call.remark);
        const std::string summary = applier.summary();
        if (call.remark && !summary.empty()) call.remark(summary);
        if (call.method == "textDocument/diagnostic" && messages_.errors() != errors) {
            result = distrusted_report(std::move(result), messages_.last_error(), call.remark);
            remark_if_incomplete(host, result, call.remark);
        }
        const client_abilities none{};
        co_return result_for(none, call.method, std::move(result));
    }

    asio::awaitable<void> apply_result(session_host& host, edit_applier& applier, std::string path,
                                       std::string result, util::deadline limit) {
        edits_in_result found = applier.apply_result(path, result);
        if (!found.unresolved_action.empty()) {
            const std::string action =
                co_await host.request("codeAction/resolve", std::move(found.unresolved_action), limit);
            found = applier.apply_result(path, action);
        }
        synchronize(host, path);
        if (found.command.empty() || !applier.refusal().empty()) co_return;
        co_await host.request("workspace/executeCommand", std::move(found.command), limit);
    }

    // A server that computes edits at a command, or later, hands them in by a request.
    void on_edit(session_host& host, const worker_message& request) {
        host.emit_event(request.method, request.payload);
        edit_applier* const by = shared_->appliers.empty() ? nullptr : shared_->appliers.back();
        const std::string refused = by ? by->take_edit(util::json_member_of(request.payload, "edit"))
                                       : std::string("no call waits for edits");
        json_object answer;
        answer.add("applied", refused.empty());
        if (!refused.empty()) answer.add("failureReason", refused);
        if (refused.empty()) synchronize(host, {});
        host.reply(request, std::move(answer).text());
    }

    void on_registration(const worker_message& request) {
        const bool adds = request.method == "client/registerCapability";
        if (adds) {
            sync_->register_watchers(request.payload);
            shared_->registrations.add(request.payload);
        } else {
            sync_->unregister_watchers(request.payload);
        }
        for (auto* each : shared_->editors)
            each->pass_registrations(request.method, request.payload);
        if (!adds) shared_->registrations.remove(request.payload);
    }

    // Else the server only publishes them.
    bool answers_diagnostics() const {
        return announces(capabilities_, "diagnosticProvider") ||
               sync_->kinds().registers("textDocument/diagnostic");
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
        std::string report = published_report(*document, heard, remark);
        remark_if_incomplete(host, report, remark);
        co_return report;
    }

    // A server without its settings may fail to look.
    void remark_if_incomplete(const session_host& host, const std::string& report,
                              const remark_handler& remark) const {
        if (util::json_member_of(report, "incomplete").empty()) return;
        remark_missing_settings(host.spec().name, unmet_, remark);
    }

    std::string capabilities_;
    std::shared_ptr<lsp_shared> shared_ = std::make_shared<lsp_shared>();  // also held by the editors
    lsp_documents& documents_ = shared_->documents;
    const std::shared_ptr<progress_tokens> tokens_ = shared_->tokens;
    std::optional<lsp_sync> sync_;
    phase phase_ = phase::up;
    lsp_server_messages messages_;
    lsp_progress progress_;  // work that no call has asked for
    lsp_unmet unmet_;
    std::optional<lsp_hearing> hearing_;
};

}  // namespace

std::shared_ptr<protocol_session> make_lsp_session() { return std::make_shared<lsp_session>(); }

}  // namespace hob::unit
