#include "unit/protocol/lsp/documents.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "limits.hpp"
#include "unit/protocol/lsp/text.hpp"
#include "util/fd.hpp"
#include "util/file_uri.hpp"
#include "util/json_edit.hpp"
#include "util/json_text.hpp"
#include "util/sha256.hpp"

namespace hob::unit {
namespace {

std::optional<std::string> text_of_file(const std::string& path) {
    const auto fd = util::open_file(path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
    struct stat found {};
    if (!fd || ::fstat(fd.get(), &found) != 0 || !S_ISREG(found.st_mode)) return std::nullopt;
    std::string text;
    char chunk[65536];
    for (;;) {
        const ssize_t n = ::read(fd.get(), chunk, sizeof chunk);
        if (n == 0) return text;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return std::nullopt;
        text.append(chunk, static_cast<std::size_t>(n));
        if (text.size() > limits::lsp_document_max) return std::nullopt;
    }
}

std::string identifier(const lsp_documents::document& which, bool with_version) {
    std::string text = R"({"uri":)" + util::json_quote(which.uri);
    if (with_version) text += fmt::format(R"(,"version":{})", which.version);
    return text + "}";
}

}  // namespace

lsp_documents::document* lsp_documents::find(const std::string& path) {
    const auto found = open_.find(path);
    return found == open_.end() ? nullptr : &found->second;
}

void lsp_documents::change(session_host& with, document& which, std::string text) {
    which.hash = util::sha256_hex(text);
    which.text = std::move(text);
    ++which.version;
    which.diagnosed = false;
    with.notify("textDocument/didChange", R"({"textDocument":)" + identifier(which, true) +
                                              R"(,"contentChanges":[{"text":)" +
                                              util::json_quote(which.text) + "}]}");
    touch(with, which.path);
}

void lsp_documents::touch(session_host& with, const std::string& path) {
    const document* which = find(path);
    if (!which) return;
    std::string saved = R"({"textDocument":)" + identifier(*which, false);
    // What an editor has not saved was not saved: the server is only to look again.
    if (!which->lent) saved += R"(,"text":)" + util::json_quote(which->text);
    with.notify("textDocument/didSave", saved + "}");
}

void lsp_documents::close(session_host& with, const std::string& path) {
    with.notify("textDocument/didClose", R"({"textDocument":)" + identifier(open_.at(path), false) + "}");
    open_.erase(path);
}

void lsp_documents::close_longest_unused(session_host& with) {
    const auto oldest = std::min_element(open_.begin(), open_.end(), [](const auto& a, const auto& b) {
        if ((a.second.lent != nullptr) != (b.second.lent != nullptr)) return b.second.lent != nullptr;
        return a.second.used < b.second.used;
    });
    if (oldest != open_.end() && !oldest->second.lent) close(with, std::string(oldest->first));
}

void lsp_documents::use(const std::string& path) {
    if (document* which = find(path)) which->used = ++uses_;
}

lsp_documents::document* lsp_documents::open(session_host& with, const std::string& path, std::string text) {
    if (own() >= limits::lsp_documents_max) close_longest_unused(with);
    document& made = open_[path];
    made.path = path;
    made.uri = util::uri_of_path(path);
    made.hash = util::sha256_hex(text);
    made.text = std::move(text);
    made.used = ++uses_;
    with.notify("textDocument/didOpen",
                fmt::format(R"({{"textDocument":{{"uri":{},"languageId":{},"version":1,"text":{}}}}})",
                            util::json_quote(util::uri_of_path(path)),
                            util::json_quote(language_of_path(path)), util::json_quote(made.text)));
    return &made;
}

lsp_documents::document* lsp_documents::sync(session_host& with, const std::string& path) {
    document* which = find(path);
    if (which && which->lent) return which;
    // The clock of a file system is coarse: only the content tells for sure.
    auto text = text_of_file(path);
    if (!text) {
        if (which) bury(with, path);
        return nullptr;
    }
    if (!which) return open(with, path, std::move(*text));
    which->buried = false;
    if (util::sha256_hex(*text) != which->hash) change(with, *which, std::move(*text));
    return which;
}

void lsp_documents::bury(session_host& with, const std::string& path) {
    document* which = find(path);
    if (!which) {
        which = open(with, path, {});
    } else if (which->lent) {
        return;
    } else if (!which->buried) {
        change(with, *which, {});
    }
    which->buried = true;
}

bool lsp_documents::sync_all(session_host& with) {
    std::vector<std::string> paths;
    for (const auto& [path, which] : open_)
        paths.push_back(path);
    bool changed = false;
    for (const auto& path : paths) {
        const auto before = open_.at(path).version;
        sync(with, path);
        changed = changed || open_.at(path).version != before;
    }
    return changed;
}

std::size_t lsp_documents::undiagnosed(whose which) const {
    return static_cast<std::size_t>(std::count_if(open_.begin(), open_.end(), [which](const auto& one) {
        return !one.second.diagnosed && (which == whose::all || !one.second.lent);
    }));
}

std::size_t lsp_documents::own() const {
    return static_cast<std::size_t>(
        std::count_if(open_.begin(), open_.end(), [](const auto& one) { return !one.second.lent; }));
}

void lsp_documents::lend(session_host& with, const std::string& path, std::string uri,
                         const std::string& text, std::int64_t version) {
    const document* which = find(path);
    if (which && !which->lent) close(with, path);
    document made;
    made.path = path;
    made.uri = std::move(uri);
    made.lent = &text;
    made.version = version;
    open_.insert_or_assign(path, std::move(made));
}

void lsp_documents::lent_changed(const std::string& path, std::int64_t version) {
    document& which = open_.at(path);
    which.version = version;
    which.diagnosed = false;
}

void lsp_documents::take_back(session_host& with, const std::string& path, const std::string& last_text) {
    open_.erase(path);
    if (!path.starts_with('/')) return;
    auto text = text_of_file(path);
    if (!text) {
        bury(with, path);
    } else if (*text != last_text) {
        open(with, path, std::move(*text));
    }
}

void lsp_documents::published(const std::string& params) {
    const auto uri = util::json_find_string(params, {"uri"});
    document* which = uri ? find(document_key(*uri)) : nullptr;
    if (!which) return;
    const auto version = util::json_find_integer(params, {"version"});
    versions_ = versions_ || version;
    if (version && *version != which->version) return;
    // Of the daemon's own document, maybe, that was closed for the editor's.
    if (which->lent && versions_ && !version) return;
    const std::string_view listed = util::json_find(params, {"diagnostics"});
    if (!listed.starts_with('[')) return;
    which->diagnostics = listed;
    which->diagnosed = true;
}

}  // namespace hob::unit
