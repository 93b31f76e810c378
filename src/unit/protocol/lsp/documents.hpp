#pragma once
// The documents that are open at a language server. The daemon's own documents have the text of their files:
// the server works on what a caller would read on the disk. A document that an editor has open has the
// editor's text, whatever is on the disk.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "unit/protocol/protocol_session.hpp"

namespace hob::unit {

class lsp_documents {
public:
    struct document {
        std::string path;  // its key, see document_key()
        std::string uri;
        const std::string* editor_text = nullptr;  // nullptr: the document is the daemon's own
        std::string own_text;
        std::string hash;  // of own_text
        std::int64_t version = 1;
        std::uint64_t last_used = 0;  // the highest is the newest
        std::string diagnostics;      // the array published for this version; empty: not published yet
        bool deleted = false;         // the file is gone
        bool diagnosed = false;       // something was published since the last change

        const std::string& text() const { return editor_text ? *editor_text : own_text; }
    };

    // The directory of the workspace, see document_path().
    void set_root(std::string root) { root_ = std::move(root); }
    const std::string& root() const { return root_; }

    // Opens `path`, or updates it from the disk. nullptr: it cannot be read.
    document* sync(session_host& host, const std::string& path);
    // Updates all documents from the disk. True: something changed.
    bool sync_all(session_host& host);
    // Makes the document of a deleted file empty. A server to which it is only closed answers from memory.
    void mark_deleted(session_host& host, const std::string& path);
    // The number of documents for which nothing was published since they changed.
    enum class owners { daemon, all };
    std::size_t undiagnosed(owners of) const;
    // Makes the server look again at what the document depends on.
    void touch(session_host& host, const std::string& path);

    // An editor has opened the document at the server, and its text counts from here on. The daemon's own
    // document is closed; another editor's is forgotten. `text` lives until the next lend() or take_back() of
    // the document.
    void lend(session_host& host, const std::string& path, std::string uri, const std::string& text,
              std::int64_t version);
    void lent_changed(const std::string& path, std::int64_t version);
    // The editor has closed the document at the server, which saw `last_text` last. If the file has another
    // text, the daemon opens it.
    void take_back(session_host& host, const std::string& path, const std::string& last_text);

    // A call is about it: others are closed before it.
    void use(const std::string& path);

    document* find(const std::string& path);
    const document* find(const std::string& path) const;
    bool empty() const { return open_.empty(); }
    void on_diagnostics(const std::string& params);

private:
    document* open(session_host& host, const std::string& path, std::string text);
    void change(session_host& host, document& changed, std::string text);
    void close(session_host& host, const std::string& path);
    void close_least_used(session_host& host);
    std::size_t own_count() const;

    std::string root_;
    std::map<std::string, document> open_;  // by path
    std::uint64_t uses_ = 0;
    bool publishes_versions_ = false;  // the server says which version its diagnostics are for
};

// Why sync() does not open the file: it is missing, no file, or too large.
std::string why_not_opened(const std::string& path);

}  // namespace hob::unit
