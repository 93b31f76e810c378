#include "unit/watch/watched_files.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <memory>
#include <utility>

#include "unit/watch/folder_watches.hpp"
#include "util/path_pattern.hpp"

namespace hob::unit {
namespace {

std::vector<glob> globs_of(const std::vector<std::string>& patterns) {
    std::vector<glob> globs;
    for (const auto& text : patterns) {
        for (const auto& pattern : util::expand_path_pattern(text).patterns)
            globs.emplace_back(pattern);
    }
    return globs;
}

// Empty where it cannot be resolved.
std::string real_path(const std::string& path) {
    const std::unique_ptr<char, void (*)(void*)> resolved(::realpath(path.c_str(), nullptr), ::free);
    return resolved ? resolved.get() : std::string();
}

}  // namespace

watched_files::watched_files(std::string root, const std::vector<std::string>& patterns,
                             const std::vector<std::string>& ignored, bool use_gitignore)
    : root_(std::move(root)),
      real_root_(real_path(root_)),
      patterns_(globs_of(patterns)),
      ignored_(globs_of(ignored)) {
    if (use_gitignore) git_.emplace(root_);
}

bool watched_files::is_ignored(const std::string& path, bool directory) {
    const auto covers_path = [&](const glob& pattern) { return pattern.covers(path); };
    if (std::any_of(ignored_.begin(), ignored_.end(), covers_path)) return true;
    if (!git_) return false;
    return path == ".git" || path.starts_with(".git/") || git_->ignores(path, directory);
}

bool watched_files::covers(const std::string& path) {
    const auto covers_path = [&](const glob& pattern) { return pattern.covers(path); };
    return std::any_of(patterns_.begin(), patterns_.end(), covers_path) && !is_ignored(path, false);
}

bool watched_files::may_cover_below(const std::string& dir) {
    const auto may = [&](const glob& pattern) { return pattern.may_cover_below(dir); };
    return std::any_of(patterns_.begin(), patterns_.end(), may) && (dir.empty() || !is_ignored(dir, true));
}

bool watched_files::is_rule_file(const std::string& path) const {
    return git_ && (path == ".gitignore" || path.ends_with("/.gitignore"));
}

void watched_files::forget_rules() {
    if (git_) git_->forget();
}

bool watched_files::follows(const std::string& link) {
    struct stat facts {};
    if (::stat(full(link).c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) return false;
    if (!may_cover_below(link)) return false;
    const std::string target = real_path(full(link));
    const std::string inside = real_root_ == "/" ? "/" : real_root_ + "/";
    if (target.size() <= inside.size() || !target.starts_with(inside)) return false;
    if (may_cover_below(target.substr(inside.size()))) return false;
    return followed_.try_emplace(target, link).first->second == link;
}

void watched_files::forget_link(const std::string& link) {
    std::erase_if(followed_, [&](const auto& each) { return each.second == link; });
}

std::optional<watched_files::signature> watched_files::read(const std::string& path) const {
    struct stat facts {};
    if (::lstat(full(path).c_str(), &facts) != 0) return std::nullopt;
    const std::int64_t time = facts.st_mtim.tv_sec * 1'000'000'000 + facts.st_mtim.tv_nsec;
    return signature(facts.st_ino, facts.st_size, time);
}

bool watched_files::update(const std::string& path) {
    const auto current = read(path);
    if (!current) return known_.erase(path) > 0;
    const auto [known, added] = known_.try_emplace(path, *current);
    return added || std::exchange(known->second, *current) != *current;
}

void watched_files::remove(const std::string& path) {
    known_.erase(path);
    const std::string below = path + "/";
    const auto from = known_.lower_bound(below);
    auto to = from;
    while (to != known_.end() && to->first.starts_with(below))
        ++to;
    known_.erase(from, to);
}

watched_files::snapshot watched_files::list() {
    snapshot files;
    std::vector<std::string> folders{{}};
    while (!folders.empty()) {
        const std::string folder = std::move(folders.back());
        folders.pop_back();
        if (!may_cover_below(folder)) continue;
        for (const auto& [name, directory, regular] : folder_entries(full(folder))) {
            std::string path = folder.empty() ? name : folder + "/" + name;
            if (directory || (!regular && follows(path))) {
                folders.push_back(std::move(path));
            } else if (covers(path)) {
                if (const auto current = read(path)) files.emplace(std::move(path), *current);
            }
        }
    }
    return files;
}

std::vector<std::string> watched_files::compare_all() {
    followed_.clear();
    const snapshot before = std::exchange(known_, list());
    std::vector<std::string> changed;
    for (const auto& [path, current] : known_) {
        const auto old = before.find(path);
        if (old == before.end() || old->second != current) changed.push_back(path);
    }
    for (const auto& [path, old] : before) {
        if (!known_.contains(path)) changed.push_back(path);
    }
    return changed;
}

}  // namespace hob::unit
