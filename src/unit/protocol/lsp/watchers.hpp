#pragma once
// The patterns of files whose changes a language server wants to know.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unit/protocol/lsp/text.hpp"

namespace hob::unit {

class lsp_watchers {
public:
    // The params of client/registerCapability and client/unregisterCapability. `root`: of the workspace.
    void on_register(const std::string& root, const std::string& params);
    void on_unregister(const std::string& params);

    // Which of some changes the server gets: all, if it has registered no pattern, and those that are asked
    // about after its patterns have taken too long.
    class question {
    public:
        question(const lsp_watchers& of, const std::string& root) : of_(of), root_(root) {}
        bool is_of(const std::string& path);

    private:
        const lsp_watchers& of_;
        const std::string& root_;
        std::size_t budget_ = 4u << 20;  // bytes of paths on which a pattern is tried
    };

private:
    struct watcher {
        std::string registration;
        std::optional<std::string> base;  // the folder that the pattern is relative to; nullopt: the root
        bool absolute = false;            // the pattern begins with a slash
        lsp_glob pattern;
        bool matches(const std::string& root, const std::string& path) const;
    };
    void add(const std::string& root, const std::string& registration, std::string_view params);

    std::vector<watcher> all_;
};

}  // namespace hob::unit
