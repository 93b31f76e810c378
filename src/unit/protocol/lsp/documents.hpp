#pragma once
// The documents that are open at a language server. Those of the daemon's own are held against the disk: what
// the server works on is what a caller would read there. Those that an editor has open are the editor's: what
// it writes counts, and the disk does not.

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
        const std::string* lent = nullptr;  // the editor's text; nullptr: the daemon's own document
        std::string text;
        std::string hash;  // of the text
        std::int64_t version = 1;
        std::uint64_t used = 0;   // the highest was asked for last
        std::string diagnostics;  // the array, as published for this version; empty: not yet
        bool buried = false;
        bool diagnosed = false;  // something was published since the last change

        const std::string& now() const { return lent ? *lent : text; }
    };

    // Opens `path`, or brings it up to what is on the disk. nullptr: it cannot be read.
    document* sync(session_host& with, const std::string& path);
    // Brings all that is open up to the disk. True: something was changed.
    bool sync_all(session_host& with);
    // A file that is gone is an empty document: a server that only closes it answers from what it remembers.
    void bury(session_host& with, const std::string& path);
    // Those of which nothing was published since they changed last.
    enum class whose { own, all };
    std::size_t undiagnosed(whose which) const;
    // The server is to look again at what this one depends on.
    void touch(session_host& with, const std::string& path);

    // An editor that opens it at the server writes it from here on: the daemon's own is closed, another's is
    // forgotten. `text` lives until the next lend() or take_back() of it.
    void lend(session_host& with, const std::string& path, std::string uri, const std::string& text,
              std::int64_t version);
    void lent_changed(const std::string& path, std::int64_t version);
    // It has closed it at the server. What is on the disk is opened where that is not what the server saw
    // last.
    void take_back(session_host& with, const std::string& path, const std::string& last_text);

    void use(const std::string& path);  // it was asked for: others are closed before it

    document* find(const std::string& path);
    bool empty() const { return open_.empty(); }
    void published(const std::string& params);

private:
    document* open(session_host& with, const std::string& path, std::string text);
    void change(session_host& with, document& which, std::string text);
    void close(session_host& with, const std::string& path);
    void close_longest_unused(session_host& with);

    std::size_t own() const;

    std::map<std::string, document> open_;  // by path
    std::uint64_t uses_ = 0;
    bool versions_ = false;  // the server says which version it speaks of
};

}  // namespace hob::unit
