#pragma once
// What a language server is told of files that changed on the disk. Changed source files are opened, too,
// some at a time: an index of what is not open is brought up to date late, or never.

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "unit/protocol/lsp/documents.hpp"
#include "unit/protocol/lsp/files.hpp"

namespace hob::unit {

class lsp_sync {
public:
    lsp_sync(lsp_documents& documents, std::string root);

    // From when it returns, the files as they are then are known. Before anything else.
    boost::asio::awaitable<void> begin(boost::asio::any_io_executor executor);

    // The params of client/registerCapability and of its opposite.
    void register_watchers(const std::string& params);
    void unregister_watchers(const std::string& params);

    // Looks at the files, announces what changed, and opens the first of the sources among it, where none of
    // before is still to be opened. True: something was announced.
    bool announce(session_host& with);
    // Sources that changed and are not opened yet.
    std::size_t behind() const { return behind_.size(); }
    // Opens the next of them. Others are closed to make room: not before the server has read those.
    void open_next(session_host& with);

private:
    bool is_watched(const std::string& path) const;

    lsp_documents& documents_;
    lsp_files files_;
    struct watcher {
        std::string registration;
        std::optional<std::string> base;  // the pattern is relative to that; nullopt: to the root
        std::string pattern;              // as the server has it
        bool matches(const std::string& root, const std::string& path) const;
    };
    std::vector<watcher> watchers_;
    std::set<std::string> behind_;
};

}  // namespace hob::unit
