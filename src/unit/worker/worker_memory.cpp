#include "unit/worker/worker_memory.hpp"

#include <iterator>
#include <utility>

#include "unit/store/store.hpp"
#include "util/sha256.hpp"

namespace hob::unit {
namespace {

// Of all that decides which program runs and what it finds. Each text ends in a NUL, which none has in it.
std::string configuration_hash(const unit_spec& spec) {
    std::string all(name_of(std::get<worker_spec>(spec.detail).protocol));
    const auto add = [&all](const std::string& text) { all.append(1, '\0').append(text); };
    for (const auto& word : spec.run.argv)
        add(word);
    add({});
    add(spec.cwd);
    add(spec.env_file.value_or(std::string()));
    for (const auto& [name, value] : spec.env)
        add(name + "=" + value);
    return util::sha256_hex(all);
}

}  // namespace

void worker_memory::bind(const unit_spec& spec) {
    unit_ = spec.name;
    configuration_ = configuration_hash(spec);
    protocol_ = name_of(std::get<worker_spec>(spec.detail).protocol);
    if (!std::exchange(loaded_, true)) {
        for (auto& one : db_.memory(unit_))
            all_.try_emplace(std::move(one.key), kept{std::move(one.value), std::move(one.bound_to), true});
    }
    for (auto& [key, one] : all_) {
        if (one.bound_to != configuration_ && one.bound_to != protocol_) one = kept();
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
    all_.insert_or_assign(std::string(key), kept{std::move(value), bound_to, false});
    write();
}

void worker_memory::write() {
    for (auto at = all_.begin(); at != all_.end();) {
        auto& [key, one] = *at;
        const bool gone = one.value.empty();
        if (!one.written)
            one.written = gone ? db_.forget(unit_, key) : db_.remember(unit_, {key, one.value, one.bound_to});
        at = gone && one.written ? all_.erase(at) : std::next(at);
    }
}

}  // namespace hob::unit
