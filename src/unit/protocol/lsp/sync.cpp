#include "unit/protocol/lsp/sync.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "limits.hpp"
#include "unit/protocol/lsp/languages.hpp"
#include "util/file_uri.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t opened_at_once = limits::lsp_documents_max / 2;
constexpr std::string_view watched_files = "workspace/didChangeWatchedFiles";

std::vector<std::string_view> elements(std::string_view array) {
    return util::json_array_elements(array).value_or(std::vector<std::string_view>());
}

// The base folder of a relative pattern, which is a URI or a workspace folder. A folder that is neither above
// nor below the root is taken for the root under another name.
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

boost::asio::awaitable<void> lsp_sync::start(boost::asio::any_io_executor executor) {
    return files_.start(std::move(executor));
}

// Whether the server should read the file again when it has changed.
bool lsp_sync::is_for(const session_host& host, const std::string& path) const {
    const auto& worker = worker_spec_of(host.spec());
    if (!worker.files.empty()) return matches_one(path, worker.files);
    return is_source_path(path, worker.language_ids) &&
           kinds_.speaks(language_of_path(path, worker.language_ids));
}

bool lsp_sync::announce(session_host& host) {
    util::json_array changes;
    const bool all_opened = unopened_.empty();
    for (const auto& change : files_.changes()) {
        documents_.count_change(change.what != lsp_files::change_kind::changed);
        if (!is_watched(change.path)) continue;
        if (is_for(host, change.path)) unopened_.insert(change.path);
        changes.add(util::json_object()
                        .add("uri", util::uri_of_path(change.path))
                        .add("type", static_cast<int>(change.what)));
    }
    if (all_opened) open_next(host);
    if (changes.empty()) return false;
    host.notify(watched_files, util::json_object().add("changes", changes).text());
    return true;
}

void lsp_sync::open_next(session_host& host) {
    for (std::size_t i = 0; i < opened_at_once && !unopened_.empty(); ++i) {
        const std::string path = std::move(unopened_.extract(unopened_.begin()).value());
        if (::access(path.c_str(), F_OK) == 0) {
            documents_.sync(host, path);
        } else {
            documents_.mark_deleted(host, path);
        }
    }
}

// A server that registers no pattern gets all changes.
bool lsp_sync::is_watched(const std::string& path) const {
    return watchers_.empty() || std::any_of(watchers_.begin(), watchers_.end(), [&](const watcher& each) {
               return each.matches(files_.root(), path);
           });
}

bool lsp_sync::watcher::matches(const std::string& root, const std::string& path) const {
    if (!base && absolute) return pattern.matches(path);
    const std::string folder = base.value_or(root) + "/";
    return path.starts_with(folder) && pattern.matches(std::string_view(path).substr(folder.size()));
}

void lsp_sync::register_watchers(const std::string& params) {
    kinds_.on_register(params);
    for (const auto registration : elements(util::json_find(params, {"registrations"}))) {
        if (util::json_find_string(registration, {"method"}) != watched_files) continue;
        const auto id = util::json_find_string(registration, {"id"}).value_or("");
        // A second registration with the same id replaces the first.
        if (!id.empty())
            std::erase_if(watchers_, [&](const watcher& known) { return known.registration == id; });
        for (const auto each : elements(util::json_find(registration, {"registerOptions", "watchers"})))
            add_watcher(id, each);
    }
}

void lsp_sync::add_watcher(const std::string& registration, std::string_view params) {
    std::optional<std::string> base;
    auto pattern = util::json_find_string(params, {"globPattern"});
    if (!pattern) {
        pattern = util::json_find_string(params, {"globPattern", "pattern"});
        base = base_of(files_.root(), params);
    }
    if (pattern)
        watchers_.push_back({registration, std::move(base), pattern->starts_with('/'), lsp_glob(*pattern)});
}

// The protocol spells it `unregisterations`.
void lsp_sync::unregister_watchers(const std::string& params) {
    kinds_.on_unregister(params);
    for (const auto registration : elements(util::json_find(params, {"unregisterations"}))) {
        const auto id = util::json_find_string(registration, {"id"});
        if (id) std::erase_if(watchers_, [&](const watcher& known) { return known.registration == *id; });
    }
}

}  // namespace hob::unit
