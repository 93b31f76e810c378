#pragma once
// The documents that the daemon has opened at a language server, held against the disk: what the server works
// on is what a caller would read there.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "unit/script.hpp"

namespace hob::unit {

class lsp_documents {
public:
    struct document {
        std::string path;
        std::string text;
        std::string hash;  // of the text
        int version = 1;
        std::uint64_t used = 0;   // the highest was asked for last
        std::string diagnostics;  // the array, as published for this version; empty: not yet
        bool buried = false;
        bool diagnosed = false;  // something was published since the last change
    };

    // Opens `path`, or brings it up to what is on the disk. nullptr: it cannot be read.
    document* sync(wire& with, const std::string& path);
    // Brings all that is open up to the disk. True: something was changed.
    bool sync_all(wire& with);
    // A file that is gone is an empty document: a server that only closes it answers from what it remembers.
    void bury(wire& with, const std::string& path);
    bool all_diagnosed() const;
    // The server is to look again at what this one depends on.
    void touch(wire& with, const std::string& path);

    void use(const std::string& path);  // it was asked for: others are closed before it

    document* find(const std::string& path);
    bool empty() const { return open_.empty(); }
    void published(const std::string& params);

private:
    document* open(wire& with, const std::string& path, std::string text);
    void change(wire& with, document& which, std::string text);
    void close(wire& with, const std::string& path);
    void close_longest_unused(wire& with);

    std::map<std::string, document> open_;  // by path
    std::uint64_t uses_ = 0;
};

}  // namespace hob::unit
