#include "unit/protocol/lsp/documents.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "error.hpp"
#include "limits.hpp"
#include "unit/protocol/lsp/languages.hpp"
#include "unit/protocol/lsp/text.hpp"
#include "util/fd.hpp"
#include "util/file_uri.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"
#include "util/sha256.hpp"

namespace hob::unit {
namespace {

using util::json_object;

std::optional<std::string> read_file(const std::string& path) {
    const auto fd = util::open_file(path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
    std::string text;
    char chunk[65536];
    for (;;) {
        const ssize_t n = ::read(fd.get(), chunk, sizeof chunk);
        if (n == 0) return without_byte_order_mark(std::move(text));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return std::nullopt;
        text.append(chunk, static_cast<std::size_t>(n));
        if (text.size() > limits::lsp_document_max) return std::nullopt;
    }
}

std::string size_text(std::size_t bytes) {
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1u << 20));
}

json_object identifier(const lsp_documents::document& document) {
    json_object identifier;
    identifier.add("uri", document.uri);
    return identifier;
}

}  // namespace

lsp_documents::document* lsp_documents::find(const std::string& path) {
    const auto found = open_.find(path);
    return found == open_.end() ? nullptr : &found->second;
}

const lsp_documents::document* lsp_documents::find(const std::string& path) const {
    const auto found = open_.find(path);
    return found == open_.end() ? nullptr : &found->second;
}

void lsp_documents::change(session_host& host, document& changed, std::string text) {
    changed.hash = util::sha256_hex(text);
    changed.own_text = std::move(text);
    ++changed.version;
    changed.diagnosed = false;
    util::json_array changes;
    changes.add(json_object().add("text", changed.own_text));
    json_object params;
    params.add("textDocument", identifier(changed).add("version", changed.version))
        .add("contentChanges", changes);
    host.notify("textDocument/didChange", std::move(params).text());
    touch(host, changed.path);
}

void lsp_documents::touch(session_host& host, const std::string& path) {
    const document* touched = find(path);
    if (!touched) return;
    json_object params;
    params.add("textDocument", identifier(*touched));
    // An editor's unsaved text was not saved: then the server is only made to look again.
    if (!touched->editor_text) params.add("text", touched->own_text);
    host.notify("textDocument/didSave", std::move(params).text());
}

void lsp_documents::close(session_host& host, const std::string& path) {
    host.notify("textDocument/didClose",
                json_object().add("textDocument", identifier(open_.at(path))).text());
    open_.erase(path);
}

void lsp_documents::close_least_used(session_host& host) {
    const auto oldest = std::min_element(open_.begin(), open_.end(), [](const auto& a, const auto& b) {
        const bool a_lent = a.second.editor_text != nullptr;
        const bool b_lent = b.second.editor_text != nullptr;
        return a_lent != b_lent ? b_lent : a.second.last_used < b.second.last_used;
    });
    if (oldest != open_.end() && !oldest->second.editor_text) close(host, std::string(oldest->first));
}

void lsp_documents::use(const std::string& path) {
    if (document* used = find(path)) used->last_used = ++uses_;
}

lsp_documents::document* lsp_documents::open(session_host& host, const std::string& path, std::string text) {
    if (own_count() >= limits::lsp_documents_max) close_least_used(host);
    document& made = open_[path];
    made.path = path;
    made.uri = util::uri_of_path(path);
    made.hash = util::sha256_hex(text);
    made.own_text = std::move(text);
    made.last_used = ++uses_;
    json_object item = identifier(made);
    item.add("languageId", language_of_path(path, worker_spec_of(host.spec()).language_ids))
        .add("version", 1)
        .add("text", made.own_text);
    host.notify("textDocument/didOpen", json_object().add("textDocument", item).text());
    return &made;
}

lsp_documents::document* lsp_documents::sync(session_host& host, const std::string& path) {
    document* known = find(path);
    if (known && known->editor_text) return known;
    // File times are coarse: only the content tells for certain whether a file has changed.
    auto text = read_file(path);
    if (!text) {
        if (known) mark_deleted(host, path);
        return nullptr;
    }
    if (!known) return open(host, path, std::move(*text));
    known->deleted = false;
    if (util::sha256_hex(*text) != known->hash) change(host, *known, std::move(*text));
    return known;
}

void lsp_documents::mark_deleted(session_host& host, const std::string& path) {
    document* known = find(path);
    if (!known) {
        known = open(host, path, {});
    } else if (known->editor_text) {
        return;
    } else if (!known->deleted) {
        change(host, *known, {});
    }
    known->deleted = true;
}

bool lsp_documents::sync_all(session_host& host) {
    std::vector<std::string> paths;
    for (const auto& [path, opened] : open_)
        paths.push_back(path);
    bool changed = false;
    for (const auto& path : paths) {
        const auto before = open_.at(path).version;
        sync(host, path);
        changed = changed || open_.at(path).version != before;
    }
    return changed;
}

std::size_t lsp_documents::undiagnosed(owners of) const {
    return static_cast<std::size_t>(std::count_if(open_.begin(), open_.end(), [of](const auto& each) {
        return !each.second.diagnosed && (of == owners::all || !each.second.editor_text);
    }));
}

std::size_t lsp_documents::own_count() const {
    return static_cast<std::size_t>(
        std::count_if(open_.begin(), open_.end(), [](const auto& each) { return !each.second.editor_text; }));
}

void lsp_documents::lend(session_host& host, const std::string& path, std::string uri,
                         const std::string& text, std::int64_t version) {
    const document* known = find(path);
    if (known && !known->editor_text) close(host, path);
    document made;
    made.path = path;
    made.uri = std::move(uri);
    made.editor_text = &text;
    made.version = version;
    open_.insert_or_assign(path, std::move(made));
}

void lsp_documents::lent_changed(const std::string& path, std::int64_t version) {
    document& changed = open_.at(path);
    changed.version = version;
    changed.diagnosed = false;
}

void lsp_documents::take_back(session_host& host, const std::string& path, const std::string& last_text) {
    open_.erase(path);
    if (!path.starts_with('/')) return;
    auto text = read_file(path);
    if (!text) {
        mark_deleted(host, path);
    } else if (*text != last_text) {
        open(host, path, std::move(*text));
    }
}

void lsp_documents::on_diagnostics(const std::string& params) {
    const auto uri = util::json_find_string(params, {"uri"});
    document* about = uri ? find(document_key(root_, *uri)) : nullptr;
    if (!about) return;
    const auto version = util::json_find_integer(params, {"version"});
    publishes_versions_ = publishes_versions_ || version;
    if (version && *version != about->version) return;
    // Without a version, it may be about the daemon's own document, which was closed for the editor's.
    if (about->editor_text && publishes_versions_ && !version) return;
    const std::string_view diagnostics = util::json_find(params, {"diagnostics"});
    if (!diagnostics.starts_with('[')) return;
    about->diagnostics = diagnostics;
    about->diagnosed = true;
}

std::string why_not_opened(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        return fmt::format("cannot read '{}': {}", path, errno_text(errno));
    if (!S_ISREG(status.st_mode)) return fmt::format("cannot read '{}': it is no file", path);
    if (status.st_size > static_cast<off_t>(limits::lsp_document_max)) {
        return fmt::format("'{}' is too large: it has {}, and at most {} are opened at a server", path,
                           size_text(static_cast<std::size_t>(status.st_size)),
                           size_text(limits::lsp_document_max));
    }
    return fmt::format("cannot read '{}'", path);
}

}  // namespace hob::unit
