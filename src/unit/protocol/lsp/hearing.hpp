#pragma once
// The waits for what a language server publishes about documents. Each of them ends when the server has said
// what was waited for, when it rests, or at its limit; and no document is waited for twice with the same
// text.
//
//   hear()    A call asks for the diagnostics of one document. Paid once for each text of the document.
//   settle()  A call about something else lets the server read what has changed. Paid once for each text,
//   too,
//             and never for a server that publishes nothing.

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <optional>
#include <string>

#include "unit/protocol/lsp/documents.hpp"
#include "util/async.hpp"
#include "util/deadline.hpp"

namespace hob::unit {

enum class lsp_heard {
    everything,  // the diagnostics are those of now
    some,        // it has published, but works on
    nothing,     // it has published nothing since the last change
    end,         // the process is gone, or the document is not open
};

class lsp_hearing {
public:
    lsp_hearing(lsp_documents& documents, const boost::asio::any_io_executor& executor);

    // Something was published, or has changed otherwise.
    void ring() { changed_.ring(); }
    boost::asio::awaitable<void> wait() { return changed_.wait(); }
    // The process is gone: every wait ends.
    void end();

    // Makes the server look at the document again if anything has changed since, and waits for what it says.
    boost::asio::awaitable<lsp_heard> hear(session_host& host, std::string path, util::deadline limit);
    // Waits until the server has published about all documents of `whose`, at most `patience` for each.
    boost::asio::awaitable<void> settle(session_host& host, lsp_documents::owners whose,
                                        std::chrono::milliseconds patience, util::deadline limit);

private:
    struct question {
        std::uint64_t since;  // the last change
        lsp_word::clock::time_point began;
        util::deadline limit;
    };
    std::optional<lsp_heard> look(session_host& host, lsp_documents::document& document,
                                  const question& asked);
    std::optional<lsp_heard> look_on(session_host& host, lsp_word& word, const question& asked);
    boost::asio::awaitable<void> pause(util::deadline limit);

    lsp_documents& documents_;
    util::notifier changed_;
    bool ended_ = false;
};

}  // namespace hob::unit
