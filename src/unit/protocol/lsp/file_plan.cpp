#include "unit/protocol/lsp/file_plan.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "unit/protocol/lsp/text.hpp"
#include "util/fd.hpp"
#include "util/real_path.hpp"

namespace hob::unit {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t files_max = 4096;
constexpr mode_t permission_bits = 07777;

bool newer(const timespec& time, const timespec& than) {
    return time.tv_sec != than.tv_sec ? time.tv_sec > than.tv_sec : time.tv_nsec > than.tv_nsec;
}

std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// A new file can be read and written by those who can do so in its directory.
mode_t mode_for_new(const std::string& path) {
    struct stat status {};
    for (std::string directory = directory_of(path); !directory.empty();
         directory = directory_of(directory)) {
        if (::stat(directory.c_str(), &status) == 0) return status.st_mode & 0666;
    }
    return 0600;
}

// False and errno on failure.
bool make_directories_as_above(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) return true;
    if (path.empty() || !make_directories_as_above(directory_of(path))) return false;
    if (::stat(directory_of(path).c_str(), &status) != 0 || ::mkdir(path.c_str(), 0700) != 0) return false;
    const util::unique_fd made = util::open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    return made && ::fchmod(made.get(), status.st_mode & permission_bits) == 0;
}

// Beside `path`. Empty and errno on failure.
std::string write_temporary(const std::string& path, const std::string& bytes, mode_t mode) {
    std::string name = directory_of(path) + "/.hob-XXXXXX";
    const util::unique_fd fd(::mkostemp(name.data(), O_CLOEXEC));
    if (!fd) return {};
    if (util::write_all(fd.get(), bytes) && ::fchmod(fd.get(), mode) == 0) return name;
    const int error = errno;
    ::unlink(name.c_str());
    errno = error;
    return {};
}

}  // namespace

bool file_plan::planned_file::changed() const {
    if (before.has_value() != after.has_value()) return true;
    return before && before->bytes != after->bytes;
}

file_plan::file_plan(std::string root, timespec since, text_lookup expected_text)
    : root_(std::move(root)), since_(since), expected_text_(std::move(expected_text)) {}

std::string file_plan::shown(const std::string& path) const {
    return util::is_within(path, root_) && path != root_ ? path.substr(root_.size() + 1) : path;
}

file_plan::planned_file& file_plan::load(const std::string& given) {
    const std::string path = util::real_path(given);
    const auto known = files_.find(path);
    if (known != files_.end()) return known->second;
    if (!util::is_within(path, root_) || path == root_)
        throw change_refused(fmt::format("'{}' is not below '{}'", path, root_));
    if ((path.substr(root_.size()) + "/").find("/.git/") != std::string::npos)
        throw change_refused(fmt::format("'{}' belongs to git", shown(path)));
    if (files_.size() >= files_max)
        throw change_refused(fmt::format("more than {} files are changed", files_max));
    planned_file file;
    if (::lstat(path.c_str(), &file.status) == 0) {
        if (!S_ISREG(file.status.st_mode)) throw change_refused(fmt::format("'{}' is no file", shown(path)));
        auto bytes = util::read_file(path, limits::lsp_document_max);
        if (!bytes) throw change_refused(fmt::format("cannot read '{}': {}", shown(path), errno_text(errno)));
        file.before = content{std::move(*bytes), file.status.st_mode & permission_bits};
        const auto expected = expected_text_(path);
        const bool current = expected ? without_byte_order_mark(file.before->bytes) == *expected
                                      : !newer(file.status.st_mtim, since_);
        if (!current)
            throw change_refused(
                fmt::format("'{}' is not what the server knows: it has changed since", shown(path)));
        file.after = file.before;
    } else if (errno != ENOENT) {
        throw change_refused(fmt::format("cannot read '{}': {}", shown(path), errno_text(errno)));
    }
    return files_.emplace(path, std::move(file)).first->second;
}

file_plan::planned_file& file_plan::existing(const std::string& path) {
    planned_file& file = load(path);
    if (!file.after) throw change_refused(fmt::format("'{}' does not exist", shown(path)));
    return file;
}

bool file_plan::exists(const std::string& path) { return load(path).after.has_value(); }

std::string file_plan::text(const std::string& path) {
    return without_byte_order_mark(existing(path).after->bytes);
}

void file_plan::set_text(const std::string& path, std::string text) {
    content& after = *existing(path).after;
    const bool marked = after.bytes.starts_with(byte_order_mark) && !text.starts_with(byte_order_mark);
    after.bytes = marked ? std::string(byte_order_mark) + text : std::move(text);
}

void file_plan::create(const std::string& path) {
    planned_file& file = load(path);
    file.after = content{{}, file.before ? file.before->mode : mode_for_new(util::real_path(path))};
}

void file_plan::remove(const std::string& path) { existing(path).after.reset(); }

void file_plan::rename(const std::string& from, const std::string& to) {
    content moved = std::move(*existing(from).after);
    existing(from).after.reset();
    load(to).after = std::move(moved);
}

std::vector<std::string> file_plan::changed_files() const {
    std::vector<std::string> all;
    for (const auto& [path, file] : files_) {
        if (file.changed()) all.push_back(shown(path));
    }
    return all;
}

void file_plan::check_current(const std::string& path, const planned_file& file) const {
    struct stat now {};
    const bool is_there = ::lstat(path.c_str(), &now) == 0;
    const bool same = is_there == file.before.has_value() &&
                      (!is_there || (now.st_ino == file.status.st_ino && now.st_size == file.status.st_size &&
                                     !newer(now.st_mtim, file.status.st_mtim)));
    if (!same) throw change_refused(fmt::format("'{}' has changed since", shown(path)));
}

void file_plan::prepare(const std::string& path, planned_file& file) const {
    if (!file.after) return;
    if (make_directories_as_above(directory_of(path)))
        file.temporary = write_temporary(path, file.after->bytes, file.after->mode);
    if (file.temporary.empty())
        throw change_refused(fmt::format("cannot write '{}': {}", shown(path), errno_text(errno)));
}

void file_plan::put(const std::string& path, planned_file& file) {
    const bool done =
        file.after ? std::rename(file.temporary.c_str(), path.c_str()) == 0 : ::unlink(path.c_str()) == 0;
    if (!done) throw change_refused(fmt::format("cannot change '{}': {}", path, errno_text(errno)));
    file.temporary.clear();
}

void file_plan::put_back(const std::vector<std::string>& done) {
    for (const auto& path : done) {
        const auto& before = files_.at(path).before;
        bool restored = false;
        if (before) {
            const std::string old = write_temporary(path, before->bytes, before->mode);
            restored = !old.empty() && std::rename(old.c_str(), path.c_str()) == 0;
        } else {
            restored = ::unlink(path.c_str()) == 0;
        }
        if (!restored)
            throw change_refused(fmt::format("some files were changed, and '{}' cannot be put back: {}",
                                             shown(path), errno_text(errno)));
    }
}

void file_plan::write() {
    std::vector<std::string> done;
    try {
        for (auto& [path, file] : files_) {
            if (file.changed()) prepare(path, file);
        }
        for (const auto& [path, file] : files_)
            check_current(path, file);
        for (auto& [path, file] : files_) {
            if (!file.changed()) continue;
            put(path, file);
            done.push_back(path);
        }
    } catch (const change_refused&) {
        for (auto& [path, file] : files_) {
            if (!file.temporary.empty()) ::unlink(std::exchange(file.temporary, {}).c_str());
        }
        put_back(done);
        throw;
    }
}

}  // namespace hob::unit
