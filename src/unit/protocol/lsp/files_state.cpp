// The known files of a project, for another program that goes on with its language server. The kernel goes on
// queuing changes in the descriptor of inotify(7).
#include <fcntl.h>

#include <charconv>
#include <utility>

#include "unit/protocol/carried.hpp"
#include "unit/protocol/lsp/files.hpp"
#include "util/json/json_text.hpp"

namespace hob::unit {

struct lsp_files_record {
    bool watching = false;
    std::string watches{};  // packed: number of the watch, folder
    std::string names{};    // packed
    std::string changed{};  // packed: "+" or "-" and the path
    std::int64_t look_s = 0;
    std::int64_t look_ns = 0;
    std::string scan{};  // packed: path, four numbers
};

template <util::json_fields::is<lsp_files_record> Record, typename Field>
void each_field(Record& record, const Field& field) {
    field("watching", record.watching);
    field("watches", record.watches);
    field("names", record.names);
    field("changed", record.changed);
    field("look_s", record.look_s);
    field("look_ns", record.look_ns);
    field("scan", record.scan);
}

namespace {

template <typename Number>
bool read_number(const std::string& text, Number& into) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    return error == std::errc{} && end == text.data() + text.size();
}

std::string pack_scan(const std::map<std::string, file_state>& scan) {
    std::vector<std::string> texts;
    for (const auto& [path, state] : scan) {
        for (auto text : {path, std::to_string(state.modified_ns), std::to_string(state.changed_ns),
                          std::to_string(state.size), std::to_string(state.inode)})
            texts.push_back(std::move(text));
    }
    return pack(texts);
}

bool unpack_scan(const std::string& packed, std::map<std::string, file_state>& into) {
    const auto texts = unpack(packed);
    if (!texts || texts->size() % 5 != 0) return false;
    for (std::size_t i = 0; i < texts->size(); i += 5) {
        file_state& state = into[(*texts)[i]];
        const bool read = read_number((*texts)[i + 1], state.modified_ns) &&
                          read_number((*texts)[i + 2], state.changed_ns) &&
                          read_number((*texts)[i + 3], state.size) && read_number((*texts)[i + 4], state.inode);
        if (!read) return false;
    }
    return true;
}

}  // namespace

std::optional<std::string> lsp_files::state(util::unique_fd& inotify) const {
    if (scanning_) return std::nullopt;
    lsp_files_record record;
    std::vector<std::string> watches, files, changed;
    if (watches_.is_open()) {
        inotify.reset(::fcntl(watches_.descriptor(), F_DUPFD_CLOEXEC, 3));
        if (!inotify) return std::nullopt;
        record.watching = true;
        for (const auto& [number, folder] : watches_.folders()) {
            watches.push_back(std::to_string(number));
            watches.push_back(folder);
        }
    }
    for (const auto& [dir, inside] : names_) {
        for (const auto& name : inside)
            files.push_back(dir.empty() ? name : dir + "/" + name);
    }
    for (const auto& [path, existed] : changed_)
        changed.push_back((existed ? "+" : "-") + path);
    record.watches = pack(watches);
    record.names = pack(files);
    record.changed = pack(changed);
    record.look_s = last_look_.tv_sec;
    record.look_ns = last_look_.tv_nsec;
    record.scan = pack_scan(last_scan_);
    return exact_json(record);
}

bool lsp_files::restore(const std::string& state, util::unique_fd inotify) {
    const auto record = util::json_fields::parse<lsp_files_record>(state);
    const auto watches = record ? unpack(record->watches) : std::nullopt;
    const auto files = record ? unpack(record->names) : std::nullopt;
    const auto changed = record ? unpack(record->changed) : std::nullopt;
    if (!watches || !files || !changed || watches->size() % 2 != 0) return false;
    if (record->watching != static_cast<bool>(inotify) || !unpack_scan(record->scan, last_scan_)) return false;
    std::unordered_map<int, std::string> folders;
    for (std::size_t i = 0; i < watches->size(); i += 2) {
        int number = 0;
        if (!read_number((*watches)[i], number)) return false;
        folders.emplace(number, (*watches)[i + 1]);
    }
    if (inotify) watches_.restore(std::move(inotify), std::move(folders));
    for (const auto& path : *files) {
        const auto slash = path.rfind('/');
        const bool nested = slash != std::string::npos;
        names_[nested ? path.substr(0, slash) : std::string()].insert(nested ? path.substr(slash + 1) : path);
    }
    count_ = files->size();
    for (const auto& each : *changed)
        changed_.emplace(each.substr(1), each.starts_with('+'));
    last_look_ = {static_cast<std::time_t>(record->look_s), static_cast<long>(record->look_ns)};
    scanning_ = false;
    return true;
}

}  // namespace hob::unit
