#include "unit/worker/worker_memory.hpp"

#include <iterator>
#include <utility>

#include "unit/store/store.hpp"
#include "util/sha256.hpp"

namespace hob::unit {
namespace {

// A hash of everything that decides which program runs, and with what environment. Texts are separated by
// NUL, which none of them contains.
std::string configuration_hash(const unit_spec& spec) {
    std::string all(std::get<worker_spec>(spec.detail).protocol->name);
    const auto add = [&all](const std::string& text) { all.append(1, '\0').append(text); };
    for (const auto& word : spec.run.argv)
        add(word);
    add({});
    add(spec.cwd);
    for (const auto& file : spec.env_files)
        add(file.path);
    for (const auto* variables : {&spec.shared_env, &spec.file_env, &spec.env}) {
        add({});
        for (const auto& [name, value] : *variables)
            add(name + "=" + value);
    }
    return util::sha256_hex(all);
}

}  // namespace

void worker_memory::bind(const unit_spec& spec) {
    unit_ = spec.name;
    configuration_ = configuration_hash(spec);
    protocol_ = std::get<worker_spec>(spec.detail).protocol->name;
    if (!std::exchange(loaded_, true)) {
        for (auto& row : db_.memory(unit_))
            all_.try_emplace(std::move(row.key), entry{std::move(row.value), std::move(row.bound_to), true});
    }
    for (auto& [key, stored] : all_) {
        if (stored.bound_to != configuration_ && stored.bound_to != protocol_) stored = entry();
    }
    write();
}

std::string worker_memory::recall(std::string_view key) const {
    const auto found = all_.find(key);
    return found == all_.end() ? std::string() : found->second.value;
}

std::vector<std::pair<std::string, std::string>> worker_memory::recall_all(std::string_view prefix) const {
    std::vector<std::pair<std::string, std::string>> found;
    for (auto at = all_.lower_bound(prefix); at != all_.end() && at->first.starts_with(prefix); ++at) {
        if (!at->second.value.empty()) found.emplace_back(at->first, at->second.value);
    }
    return found;
}

void worker_memory::remember(std::string_view key, std::string value, validity valid_for) {
    const std::string& bound_to = valid_for == validity::configuration ? configuration_ : protocol_;
    const auto found = all_.find(key);
    if (found == all_.end() && value.empty()) return;
    if (found != all_.end() && found->second.value == value && found->second.bound_to == bound_to) return;
    all_.insert_or_assign(std::string(key), entry{std::move(value), bound_to, false});
    write();
}

void worker_memory::write() {
    for (auto at = all_.begin(); at != all_.end();) {
        auto& [key, stored] = *at;
        const bool forgotten = stored.value.empty();
        if (!stored.written) {
            stored.written = forgotten ? db_.forget(unit_, key)
                                       : db_.remember(unit_, {key, stored.value, stored.bound_to});
        }
        at = forgotten && stored.written ? all_.erase(at) : std::next(at);
    }
}

}  // namespace hob::unit
