#pragma once
// An editor that shares a language server with others. Its handshake is answered with the result of the one
// that was done. The server sees its text of a document unless another editor opened the document before.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "unit/protocol/attachment.hpp"
#include "unit/protocol/lsp/apply.hpp"
#include "unit/protocol/lsp/client_filter.hpp"
#include "unit/protocol/lsp/client_paths.hpp"
#include "unit/protocol/lsp/documents.hpp"
#include "unit/protocol/lsp/registrations.hpp"
#include "unit/protocol/progress_tokens.hpp"

namespace hob::unit {

class lsp_editor;

// What a session shares with its editors.
struct lsp_shared {
    lsp_documents documents;
    std::shared_ptr<progress_tokens> tokens = std::make_shared<progress_tokens>();  // also held by each token
    std::vector<edit_applier*> appliers;  // of the calls that edits of the server belong to
    lsp_registrations registrations;
    std::vector<lsp_editor*> editors;                   // each removes itself at its end
    bool columns_are_bytes = false;                     // else they are UTF-16 code units
    std::function<void(session_host&)> announce_files;  // tells the server which files have changed
    std::chrono::steady_clock::time_point announced{};  // when that was done last
};

class lsp_editor final : public attachment {
public:
    lsp_editor(std::shared_ptr<session_host> host, std::shared_ptr<protocol_session> session,
               std::shared_ptr<lsp_shared> shared, attach_stream stream);

    int fitness(const worker_message& request) const override;

    // Requests that go to every editor that takes them. The server gets its answer from the session.
    void pass_registrations(const std::string& method, const std::string& params);
    void pass_refresh(const std::string& method);

private:
    enum class phase { uninitialized, ready, shut_down };
    struct open_document {
        std::string uri, language;  // as the editor has them
        std::int64_t version = 0;
        lsp_buffer text;
        bool warned = false;  // the editor knows that the server sees another editor's text
    };
    // A long list of changes, which is applied to a copy of the text, some at a time.
    struct long_change {
        std::string key;
        worker_message notification;
        std::vector<std::string_view> changes;  // in its payload
        lsp_buffer text;
        std::size_t applied = 0;  // of the changes
    };
    using tokens = std::vector<std::unique_ptr<progress_tokens::token>>;

    void on_client_request(worker_message message) override;
    void on_client_notification(worker_message message) override;
    std::optional<std::string> params_for_client(const std::string& name, const std::string& params,
                                                 std::uint64_t owner) override;
    bool on_skipped(const std::string& name, const std::string& params) override;
    void catch_up(std::uint64_t lost) override;
    void undo() override;
    bool work_on() override;
    void adapt_incoming(std::string& payload) const override { paths_.to_server(payload); }
    void adapt_outgoing(std::string& message) const override { paths_.to_client(message); }
    std::string result_for_client(const std::string& method, std::string result) const override;

    // By the protocol, `$/` begins what a server need not know.
    bool may_be_ignored(const std::string& method) const override { return method.starts_with("$/"); }

    void on_initialize(const worker_message& request);
    void on_request_about_server(worker_message request);
    void on_document(worker_message notification);
    void on_open(worker_message notification);
    std::string key_of(const std::string& uri) const;
    void on_change(const std::string& key, worker_message notification);
    void on_changed(const std::string& key, worker_message notification);
    void on_progress_cancel(worker_message notification);
    bool end_if_too_large();
    void close(const std::string& key);
    void become_writer(const std::string& key);
    bool is_writer(const std::string& key, const open_document& document) const;
    bool owns_progress(std::uint64_t token) const;
    void warn_of_other_writer(const std::string& key, open_document& document);
    void send_diagnostics(const std::string& key);
    tokens replace_tokens(std::string& params) const;

    std::shared_ptr<lsp_shared> shared_;
    phase phase_ = phase::uninitialized;
    std::string capabilities_;  // of the editor; raw
    client_abilities abilities_;
    client_paths paths_;
    std::map<std::string, open_document> open_;  // by document_key(); lsp_documents refers to the texts
    std::unique_ptr<long_change> changing_;      // nullptr: none
    std::set<std::string>
        skipped_diagnostics_;  // documents whose diagnostics are sent when the editor reads again
};

}  // namespace hob::unit
