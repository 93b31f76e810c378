#pragma once
// Tells a language server which files have changed on the disk. Changed source files are also opened, some at
// a time: servers update their index of a file that is not open late, or never.

#include <cstddef>
#include <set>
#include <string>
#include <utility>

#include "unit/protocol/lsp/documents.hpp"
#include "unit/protocol/lsp/files.hpp"
#include "unit/protocol/lsp/kinds.hpp"
#include "unit/protocol/lsp/watchers.hpp"

namespace hob::unit {

class lsp_sync {
public:
    lsp_sync(lsp_documents& documents, std::string root);

    // Learns the files as they are when this returns. Call it before anything else.
    boost::asio::awaitable<void> start(boost::asio::any_io_executor executor);

    // The params of client/registerCapability and client/unregisterCapability.
    void register_watchers(const std::string& params);
    void unregister_watchers(const std::string& params);

    // Announces the files that have changed. Opens the first changed sources of the server's kinds, unless
    // earlier ones are still to be opened. True: something was announced.
    bool announce(session_host& host);
    lsp_kinds& kinds() { return kinds_; }
    const lsp_kinds& kinds() const { return kinds_; }
    // The number of changed sources that are not opened yet.
    std::size_t unopened() const { return unopened_.size(); }
    // Opens the next of them. Others are closed to make room, so the server must have read those before.
    void open_next(session_host& host);

    // What another program goes on with; restoring the files takes the place of start().
    lsp_files& files() { return files_; }
    const std::set<std::string>& unopened_paths() const { return unopened_; }
    void restore_unopened(std::set<std::string> paths) { unopened_ = std::move(paths); }

private:
    bool is_for(const session_host& host, const std::string& path) const;

    lsp_documents& documents_;
    lsp_files files_;
    lsp_kinds kinds_;
    lsp_watchers watchers_;
    std::set<std::string> unopened_;
};

}  // namespace hob::unit
