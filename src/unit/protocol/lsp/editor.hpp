#pragma once
// An editor that shares a language server with others. Its handshake is answered from the one that was done;
// what it writes in a document that it has open is what the server sees, unless another opened it before.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "unit/protocol/attachment.hpp"
#include "unit/protocol/lsp/documents.hpp"
#include "unit/protocol/progress_tokens.hpp"

namespace hob::unit {

class lsp_editor;

// What the script and its editors have in common.
struct lsp_common {
    lsp_documents documents;
    std::shared_ptr<progress_tokens> tokens = std::make_shared<progress_tokens>();  // also held by each token
    std::vector<lsp_editor*> editors;                // each takes itself out at its end
    bool utf8 = false;                               // columns count bytes
    std::function<void(session_host&)> look;         // tells the server what has changed on the disk
    std::chrono::steady_clock::time_point looked{};  // when that was done last
};

class lsp_editor final : public attachment {
public:
    lsp_editor(std::shared_ptr<session_host> with, std::shared_ptr<protocol_session> speaker,
               std::shared_ptr<lsp_common> common, attach_stream to);

    int fitness(const worker_message& request) const override;

private:
    struct held {
        std::string uri, language;  // as it says them
        std::int64_t version = 0;
        std::string text;
        bool told = false;  // that the server sees another's text
    };

    void request(worker_message said) override;
    void notification(worker_message said) override;
    std::optional<std::string> heard(const std::string& name, const std::string& params,
                                     std::uint64_t owner) override;
    bool skipped(const std::string& name, const std::string& params) override;
    void catch_up(std::uint64_t left_out) override;
    void undo() override;

    void greet(const worker_message& said);
    bool is_swallowed(const std::string& method) const;
    void about_document(worker_message said);
    void opened(worker_message said);
    void changed(const std::string& key, worker_message said);
    void close(const std::string& key);
    void write(const std::string& key);
    bool writes(const std::string& key, const held& which) const;
    void say_who_writes(const std::string& key, held& which);
    void tell_diagnostics(const std::string& key);
    void cancel_progress(worker_message said);
    std::size_t text_bytes() const;
    std::vector<std::unique_ptr<progress_tokens::token>> own_tokens(std::string& params) const;

    std::shared_ptr<lsp_common> common_;
    enum class phase { fresh, ready, shut } phase_ = phase::fresh;
    bool applies_edits_ = false;
    bool shows_documents_ = false;
    std::map<std::string, held> open_;  // by document_key(); the documents refer to the texts
    std::set<std::string> owed_;        // diagnostics that it is to be told when it reads again
};

}  // namespace hob::unit
