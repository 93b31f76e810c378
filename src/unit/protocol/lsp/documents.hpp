#pragma once
// The documents that are open at a language server. The daemon's own documents have the text of their files:
// the server works on what a caller would read on the disk. A document that an editor has open has the
// editor's text, whatever is on the disk.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "unit/protocol/lsp/buffer.hpp"
#include "unit/protocol/lsp/word.hpp"
#include "unit/protocol/protocol_session.hpp"

namespace hob::unit {

class lsp_documents {
public:
    struct document {
        std::string path;  // its key, see document_key()
        std::string uri;
        std::string language;
        const lsp_buffer* editor_text = nullptr;  // nullptr: the document is the daemon's own
        std::string own_text;
        std::int64_t version = 1;
        std::int64_t equal_since = 1;  // versions of its own text, but for an empty line at the end
        std::uint64_t last_used = 0;  // the highest is the newest
        bool deleted = false;         // the file is gone
        lsp_word word;                // what the server has said about it

        const std::string& text() const { return editor_text ? editor_text->text() : own_text; }
    };

    // The directory of the workspace, see document_path().
    void set_root(std::string root) { root_ = std::move(root); }
    const std::string& root() const { return root_; }

    // What the server has announced in `capabilities`.
    void set_capabilities(std::string_view capabilities, bool columns_are_bytes);

    // Opens `path`, or updates it from the disk. nullptr: it cannot be read.
    document* sync(session_host& host, const std::string& path);
    // Updates all documents from the disk. True: something changed.
    bool sync_all(session_host& host);
    // Makes the document of a deleted file empty; a later sync() closes it.
    void mark_deleted(session_host& host, const std::string& path);
    // The number of documents that calls about others still wait for: nothing was published since they
    // changed.
    enum class owners { daemon, all };
    std::size_t unheard(owners of) const;
    // Those calls wait no longer for any of them.
    void pass_all();

    // Counts what may change what the server says about any document. `came_or_went`: files were created or
    // deleted.
    void count_change(bool came_or_went = false);
    std::uint64_t changes() const { return changes_; }
    // Makes the server publish anew about a document, whether or not something in it has changed.
    void ask(session_host& host, const std::string& path);
    // By closing and opening it: for a server that repeats nothing about an open document, or keeps what it
    // knows of other files with it.
    void ask_by_reopening(session_host& host, const std::string& path);
    // The params of diagnostics are about the closing: nobody has closed the document for good.
    bool is_of_closing(const std::string& params) const;
    // Its answer to the closing is waited for no longer.
    void forget_closing(session_host& host, const std::string& path);
    // For a server that publishes only for versions that it was not given: the last such publish counts from
    // here on. False: there was none.
    bool take_other_version(const std::string& path);
    std::chrono::steady_clock::time_point last_sent() const { return last_sent_; }
    lsp_habits& habits() { return habits_; }
    const lsp_habits& habits() const { return habits_; }

    // Makes the server look again at what the document depends on.
    void touch(session_host& host, const std::string& path);

    // An editor has opened the document at the server, and its text counts from here on. The daemon's own
    // document is closed; another editor's is forgotten. `text` lives until the next lend() or take_back() of
    // the document.
    void lend(session_host& host, const std::string& path, std::string uri, const std::string& language,
              const lsp_buffer& text, std::int64_t version);
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
    // The server has told an error: what it publishes next about a document that the text names is not
    // believed when it is an empty list.
    void on_error(const std::string& text);
    std::function<void(const std::string& path)> on_heard;  // the server has published about the document

    // All but the root and the capabilities, for restore() of another program; nullopt: it cannot be told
    // exactly.
    std::optional<std::string> state() const;
    bool restore(const std::string& state);  // false: it is no such state

private:
    void drop_deleted(session_host& host, const document& gone);
    document* open(session_host& host, const std::string& path, std::string text);
    void change(session_host& host, document& changed, std::string text);
    // The document has the text `before` at the server.
    void send_text(session_host& host, const document& of, const std::string& before, const std::string& text,
                   bool published);
    void send_open(session_host& host, document& opened, const std::string& text);
    void close(session_host& host, const std::string& path);
    void close_least_used(session_host& host);
    void forget(const std::string& path);
    std::size_t own_count() const;

    std::string root_;
    bool takes_changes_ = false;
    bool takes_ranges_ = false;  // a change may name the range that it replaces
    bool columns_are_bytes_ = false;
    std::map<std::string, document> open_;  // by path
    std::uint64_t uses_ = 0;
    std::uint64_t changes_ = 1;
    std::uint64_t came_or_went_ = 0;   // the change that created or deleted files last
    std::int64_t closed_version_ = 0;  // the highest of the closed documents: no version comes twice
    std::set<std::string> closed_;     // were open: a publish about the closing may still come
    // Closings that the server may not have handled yet, and our requests behind them. shared: the handlers
    // of those requests.
    using closings = std::map<std::string, std::uint64_t>;
    std::shared_ptr<closings> closings_ = std::make_shared<closings>();
    std::chrono::steady_clock::time_point last_sent_{};
    lsp_habits habits_;
};

// Why sync() does not open the file: it is missing, no file, or too large.
std::string why_not_opened(const std::string& path);

}  // namespace hob::unit
