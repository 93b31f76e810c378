#include "unit/lsp_files.hpp"

#include <dirent.h>
#include <sys/stat.h>

#include <memory>

#include "limits.hpp"

namespace hob::unit {
namespace {

struct close_directory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

std::int64_t nanoseconds(const timespec& time) {
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

file_state state_of(const struct stat& found) {
    return {nanoseconds(found.st_mtim), nanoseconds(found.st_ctim), static_cast<std::uint64_t>(found.st_size),
            found.st_ino};
}

bool is_left_out(const std::string& directory, const std::string& name) {
    struct stat found {};
    return name == "node_modules" || ::lstat((directory + "/CMakeCache.txt").c_str(), &found) == 0;
}

}  // namespace

std::map<std::string, file_state> lsp_files::scan() const {
    std::map<std::string, file_state> found;
    std::vector<std::string> directories{root_};
    while (!directories.empty() && found.size() < limits::lsp_files_max) {
        const std::string directory = std::move(directories.back());
        directories.pop_back();
        const std::unique_ptr<DIR, close_directory> open(::opendir(directory.c_str()));
        if (!open) continue;
        while (const dirent* entry = ::readdir(open.get())) {
            const std::string name = entry->d_name;
            if (name.starts_with('.')) continue;
            const std::string path = directory + "/" + name;
            struct stat status {};
            // Not through symlinks: they may lead in circles.
            if (::lstat(path.c_str(), &status) != 0) continue;
            if (S_ISDIR(status.st_mode) && !is_left_out(path, name)) directories.push_back(path);
            if (S_ISREG(status.st_mode)) found.emplace(path, state_of(status));
        }
    }
    return found;
}

std::vector<lsp_files::change> lsp_files::look() {
    auto now = scan();
    std::vector<change> changes;
    if (looked_) {
        for (const auto& [path, state] : now) {
            const auto before = known_.find(path);
            if (before == known_.end()) {
                changes.push_back({path, change_kind::created});
            } else if (before->second != state) {
                changes.push_back({path, change_kind::changed});
            }
        }
        for (const auto& [path, state] : known_) {
            if (!now.contains(path)) changes.push_back({path, change_kind::deleted});
        }
    }
    looked_ = true;
    known_ = std::move(now);
    return changes;
}

}  // namespace hob::unit
