#include "unit/protocol/lsp/sync.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "limits.hpp"
#include "unit/protocol/lsp/text.hpp"
#include "util/file_uri.hpp"
#include "util/json_edit.hpp"
#include "util/json_text.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t opened_at_once = limits::lsp_documents_max / 2;
constexpr std::string_view watched_files = "workspace/didChangeWatchedFiles";

// The folder that a relative pattern begins at, a URI or a workspace folder. One that has nothing to do with
// the root is the root under another name.
std::optional<std::string> base_of(const std::string& root, std::string_view watcher) {
    auto uri = util::json_find_string(watcher, {"globPattern", "baseUri"});
    if (!uri) uri = util::json_find_string(watcher, {"globPattern", "baseUri", "uri"});
    auto path = uri ? util::path_of_uri(*uri) : std::nullopt;
    if (!path) return std::nullopt;
    while (path->ends_with('/'))
        path->pop_back();
    const bool related = (root + "/").starts_with(*path + "/") || (*path + "/").starts_with(root + "/");
    return related ? path : std::nullopt;
}

}  // namespace

lsp_sync::lsp_sync(lsp_documents& documents, std::string root)
    : documents_(documents), files_(std::move(root)) {}

boost::asio::awaitable<void> lsp_sync::begin(boost::asio::any_io_executor executor) {
    return files_.begin(std::move(executor));
}

bool lsp_sync::announce(session_host& with) {
    std::string changes;
    const bool caught_up = behind_.empty();
    for (const auto& one : files_.look()) {
        if (!is_watched(one.path)) continue;
        if (is_source_path(one.path)) behind_.insert(one.path);
        changes += fmt::format(R"({}{{"uri":{},"type":{}}})", changes.empty() ? "" : ",",
                               util::json_quote(util::uri_of_path(one.path)), static_cast<int>(one.what));
    }
    if (caught_up) open_next(with);
    if (changes.empty()) return false;
    with.notify(watched_files, R"({"changes":[)" + changes + "]}");
    return true;
}

void lsp_sync::open_next(session_host& with) {
    for (std::size_t i = 0; i < opened_at_once && !behind_.empty(); ++i) {
        const std::string path = std::move(behind_.extract(behind_.begin()).value());
        if (::access(path.c_str(), F_OK) == 0) {
            documents_.sync(with, path);
        } else {
            documents_.bury(with, path);
        }
    }
}

// A server that registers no pattern is told of everything.
bool lsp_sync::is_watched(const std::string& path) const {
    return watchers_.empty() || std::any_of(watchers_.begin(), watchers_.end(), [&](const watcher& one) {
               return one.matches(files_.root(), path);
           });
}

bool lsp_sync::watcher::matches(const std::string& root, const std::string& path) const {
    if (!base && pattern.starts_with('/')) return lsp_glob_matches(pattern, path);
    const std::string below = base.value_or(root) + "/";
    return path.starts_with(below) && lsp_glob_matches(pattern, path.substr(below.size()));
}

void lsp_sync::register_watchers(const std::string& params) {
    const auto all = util::json_array_elements(util::json_find(params, {"registrations"}));
    for (const auto one : all.value_or(std::vector<std::string_view>())) {
        if (util::json_find_string(one, {"method"}) != watched_files) continue;
        const auto id = util::json_find_string(one, {"id"}).value_or("");
        // Said again, it replaces what it was.
        if (!id.empty())
            std::erase_if(watchers_, [&](const watcher& known) { return known.registration == id; });
        const auto watchers =
            util::json_array_elements(util::json_find(one, {"registerOptions", "watchers"}));
        for (const auto said : watchers.value_or(std::vector<std::string_view>())) {
            auto pattern = util::json_find_string(said, {"globPattern"});
            if (pattern) {
                watchers_.push_back({id, std::nullopt, std::move(*pattern)});
            } else if ((pattern = util::json_find_string(said, {"globPattern", "pattern"}))) {
                watchers_.push_back({id, base_of(files_.root(), said), std::move(*pattern)});
            }
        }
    }
}

// `unregisterations` is how the protocol spells it.
void lsp_sync::unregister_watchers(const std::string& params) {
    const auto all = util::json_array_elements(util::json_find(params, {"unregisterations"}));
    for (const auto one : all.value_or(std::vector<std::string_view>())) {
        const auto id = util::json_find_string(one, {"id"});
        if (id) std::erase_if(watchers_, [&](const watcher& known) { return known.registration == *id; });
    }
}

}  // namespace hob::unit
