#include "unit/protocol/lsp/sync.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "limits.hpp"
#include "unit/protocol/lsp/languages.hpp"
#include "util/file_uri.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t opened_at_once = limits::lsp_documents_max / 2;
constexpr std::string_view watched_files = "workspace/didChangeWatchedFiles";

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
    lsp_watchers::question watched(watchers_, files_.root());
    const bool all_opened = unopened_.empty();
    for (const auto& change : files_.changes()) {
        documents_.count_change(change.what != lsp_files::change_kind::changed);
        if (!watched.is_of(change.path)) continue;
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

void lsp_sync::register_watchers(const std::string& params) {
    kinds_.on_register(params);
    watchers_.on_register(files_.root(), params);
}

void lsp_sync::unregister_watchers(const std::string& params) {
    kinds_.on_unregister(params);
    watchers_.on_unregister(params);
}

}  // namespace hob::unit
