#include "unit/protocol/lsp/documents.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
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

void lsp_documents::count_change(bool came_or_went) {
    ++changes_;
    if (came_or_went) came_or_went_ = changes_;
}

void lsp_documents::set_capabilities(std::string_view capabilities, bool columns_are_bytes) {
    const std::string_view sync = util::json_member_of(capabilities, "textDocumentSync");
    const std::string_view change = util::json_member_of(sync, "change");
    takes_ranges_ = sync == "2" || change == "2";
    takes_changes_ = takes_ranges_ || sync == "1" || change == "1";
    columns_are_bytes_ = columns_are_bytes;
}

// Editors send ranges to a server that takes them. vtsls fails at a change without one, unless the text gets
// shorter.
void lsp_documents::send_text(session_host& host, const document& of, const std::string& before,
                              const std::string& text, bool published) {
    json_object change;
    if (takes_ranges_ && has_plain_lines(before)) {
        const std::string end = lsp_end_position(before, columns_are_bytes_);
        change.add("range", json_object()
                                .add("start", json_object().add("line", 0).add("character", 0))
                                .add("end", util::raw_json{end}));
    }
    change.add("text", text);
    util::json_array changes;
    changes.add(change);
    json_object params;
    params.add("textDocument", identifier(of).add("version", of.version)).add("contentChanges", changes);
    // An extension of clangd, which else leaves out what is replaced at once.
    if (published) params.add("wantDiagnostics", true);
    host.notify("textDocument/didChange", std::move(params).text());
    last_sent_ = lsp_word::clock::now();
}

void lsp_documents::change(session_host& host, document& changed, std::string text) {
    const std::string before = std::exchange(changed.own_text, std::move(text));
    ++changed.version;
    count_change();
    changed.word.renew();
    changed.word.ask(changes_);
    send_text(host, changed, before, changed.own_text, false);
    touch(host, changed.path);
}

// Two changes that end in the same text: a server may do nothing for one that changes nothing. The version of
// an editor's document is the editor's.
void lsp_documents::ask(session_host& host, const std::string& path) {
    document* asked = find(path);
    if (!asked) return;
    // What a server knows of files that came or went may be kept with the open document.
    const bool reopen =
        habits_.needs_reopening || asked->word.asked == 0 || asked->word.asked < came_or_went_;
    if (reopen) return ask_by_reopening(host, path);
    const bool own = !asked->editor_text;
    asked->version += own ? 1 : 0;
    const std::string longer = asked->text() + "\n";
    send_text(host, *asked, asked->text(), longer, true);
    asked->version += own ? 1 : 0;
    asked->word.ask(changes_);
    send_text(host, *asked, longer, asked->text(), false);
}

// A server may publish an empty list about the closing, long before it publishes what it finds. It does so
// before it answers the request between the two, which is one that every server refuses.
void lsp_documents::ask_by_reopening(session_host& host, const std::string& path) {
    document* asked = find(path);
    if (!asked) return;
    json_object params;
    params.add("textDocument", identifier(*asked));
    host.notify("textDocument/didClose", std::move(params).text());
    forget_closing(host, path);
    closings_->emplace(path, 0);
    const std::weak_ptr<closings> kept = closings_;
    const std::uint64_t id = host.post("$/hob/closed", "{}", [kept, path](const auto&, const std::string&) {
        if (const auto all = kept.lock()) all->erase(path);
    });
    if (const auto waiting = closings_->find(path); waiting != closings_->end()) waiting->second = id;
    const bool own = !asked->editor_text;
    asked->version += own ? 1 : 0;
    asked->word.ask(changes_);
    asked->word.reopened = true;
    // With the text that it had, pyright may publish what it found before. A server may leave out a change
    // that does not raise the version, which is an editor's: its document is opened with the right text.
    const std::string longer = asked->text() + "\n";
    send_open(host, *asked, own && takes_changes_ ? longer : asked->text());
    if (!takes_changes_) return;
    if (!own) send_text(host, *asked, asked->text(), longer, true);
    asked->version += own ? 1 : 0;
    send_text(host, *asked, longer, asked->text(), false);
}

bool lsp_documents::is_of_closing(const std::string& params) const {
    if (closings_->empty()) return false;
    const auto uri = util::json_find_string(params, {"uri"});
    if (!uri || !closings_->contains(document_key(root_, *uri)) ||
        util::json_find_integer(params, {"version"}))
        return false;
    const std::string_view list = util::json_find(params, {"diagnostics"});
    return util::json_array_elements(list).value_or(std::vector<std::string_view>()).empty();
}

void lsp_documents::forget_closing(session_host& host, const std::string& path) {
    const auto waiting = closings_->find(path);
    if (waiting == closings_->end()) return;
    const std::uint64_t id = waiting->second;
    closings_->erase(waiting);
    host.withdraw(id);
}

bool lsp_documents::take_other_version(const std::string& path) {
    document* about = find(path);
    if (!about || about->word.other_version.empty() || !habits_.distrust_versions()) return false;
    about->word.hear(std::string(about->word.other_version), false);
    return true;
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
    forget(path);
}

// The document is closed at the server.
void lsp_documents::forget(const std::string& path) {
    const auto known = open_.find(path);
    if (known == open_.end()) return;
    closed_version_ = std::max(closed_version_, known->second.version);
    if (closed_.size() >= limits::lsp_files_max) closed_.clear();
    closed_.insert(path);
    open_.erase(known);
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
    made.language = language_of_path(path, worker_spec_of(host.spec()).language_ids);
    made.own_text = std::move(text);
    made.last_used = ++uses_;
    made.version = closed_version_ + 1;
    // Of one that was open before, something may come that is about its closing.
    if (!closed_.contains(path)) made.word.ask(changes_);
    send_open(host, made, made.own_text);
    return &made;
}

void lsp_documents::send_open(session_host& host, const document& opened, const std::string& text) {
    json_object item = identifier(opened);
    item.add("languageId", opened.language).add("version", opened.version);
    item.add("text", text);
    host.notify("textDocument/didOpen", json_object().add("textDocument", item).text());
    last_sent_ = lsp_word::clock::now();
}

lsp_documents::document* lsp_documents::sync(session_host& host, const std::string& path) {
    document* known = find(path);
    if (known && known->editor_text) return known;
    // File times are coarse: only the content tells for certain whether a file has changed.
    auto text = read_file(path);
    if (!text) {
        if (known) drop_deleted(host, *known);
        return nullptr;
    }
    if (!known) return open(host, path, std::move(*text));
    known->deleted = false;
    if (*text != known->own_text) change(host, *known, std::move(*text));
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

// First it is made empty. Once the server has published about that it is closed: a server for which it stays
// open does not look for it anew when it is back, and one to which it is closed at once answers from memory.
void lsp_documents::drop_deleted(session_host& host, const document& gone) {
    const bool is_known = gone.deleted && gone.word.publishes > 0 && gone.word.heard >= gone.word.asked;
    const std::string path = gone.path;
    if (is_known) return close(host, path);
    mark_deleted(host, path);
}

bool lsp_documents::sync_all(session_host& host) {
    std::vector<std::string> paths;
    for (const auto& [path, opened] : open_)
        paths.push_back(path);
    bool changed = false;
    for (const auto& path : paths) {
        const auto before = open_.at(path).version;
        sync(host, path);
        const document* const after = find(path);
        changed = changed || !after || after->version != before;
    }
    return changed;
}

std::size_t lsp_documents::unheard(owners of) const {
    return static_cast<std::size_t>(std::count_if(open_.begin(), open_.end(), [of](const auto& each) {
        return !each.second.word.passed && (of == owners::all || !each.second.editor_text);
    }));
}

void lsp_documents::pass_all() {
    for (auto& [path, passed] : open_)
        passed.word.passed = true;
}

std::size_t lsp_documents::own_count() const {
    return static_cast<std::size_t>(
        std::count_if(open_.begin(), open_.end(), [](const auto& each) { return !each.second.editor_text; }));
}

void lsp_documents::lend(session_host& host, const std::string& path, std::string uri,
                         const std::string& language, const lsp_buffer& text, std::int64_t version) {
    const document* known = find(path);
    if (known && !known->editor_text) close(host, path);
    document made;
    made.path = path;
    made.uri = std::move(uri);
    made.language = language;
    made.editor_text = &text;
    made.version = version;
    count_change();
    last_sent_ = lsp_word::clock::now();
    open_.insert_or_assign(path, std::move(made));
}

void lsp_documents::lent_changed(const std::string& path, std::int64_t version) {
    document& changed = open_.at(path);
    changed.version = version;
    count_change();
    changed.word.renew();
    changed.word.ask(changes_);
    last_sent_ = lsp_word::clock::now();
}

void lsp_documents::take_back(session_host& host, const std::string& path, const std::string& last_text) {
    count_change();
    forget(path);
    if (!path.starts_with('/')) return;
    auto text = read_file(path);
    if (!text) {
        mark_deleted(host, path);
    } else if (*text != last_text) {
        open(host, path, std::move(*text));
    }
}

void lsp_documents::on_diagnostics(const std::string& params) {
    // They may be long, and are read once.
    std::optional<std::string> uri;
    std::optional<std::int64_t> version;
    std::string_view list;
    const auto members = util::json_object_members(params);
    for (const auto& each : members.value_or(std::vector<util::json_member>())) {
        if (each.key == "uri") uri = util::json_unquote(each.value);
        if (each.key == "version") version = util::json_integer(each.value);
        if (each.key == "diagnostics") list = each.value;
    }
    document* about = uri ? find(document_key(root_, *uri)) : nullptr;
    if (!about || !list.starts_with('[')) return;
    if (is_of_closing(params)) return;
    switch (habits_.weigh(version, about->version, about->editor_text != nullptr)) {
        case lsp_habits::worth::nothing:
            return;
        case lsp_habits::worth::other_version:
            about->word.other_version = list;
            return;
        case lsp_habits::worth::counts:
            break;
    }
    if (on_heard) on_heard(about->path);
    habits_.learn(about->word, list, changes_);
    about->word.hear(list, version == about->version);
}

void lsp_documents::on_error(const std::string& text) {
    for (auto& [path, each] : open_) {
        if (text.find(each.uri) != std::string::npos || text.find(path) != std::string::npos) {
            each.word.told_error = text;
        }
    }
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
