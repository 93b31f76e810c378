#include "unit/watch/gitignore.hpp"

#include <unistd.h>

#include <optional>

#include "limits.hpp"
#include "util/fd.hpp"

namespace hob::unit {
namespace {

// A trailing blank counts only after a backslash.
std::string_view without_trailing_blanks(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    while (line.ends_with(' ')) {
        std::size_t slashes = 0;
        while (slashes + 1 < line.size() && line[line.size() - 2 - slashes] == '\\')
            ++slashes;
        if (slashes % 2 == 1) break;
        line.remove_suffix(1);
    }
    return line;
}

}  // namespace

gitignore::gitignore(const std::string& root) : top_(root) {
    for (std::string at = root;;) {
        if (::access((at + "/.git").c_str(), F_OK) == 0) {
            top_ = at;
            if (at.size() < root.size()) prefix_ = root.substr(at == "/" ? 1 : at.size() + 1) + "/";
            return;
        }
        const auto slash = at.rfind('/');
        if (slash == std::string::npos || at == "/") return;
        at = slash == 0 ? "/" : at.substr(0, slash);
    }
}

gitignore::rules gitignore::read(const std::string& path) {
    rules found;
    const auto bytes = util::read_file(path, limits::config_file_max, false);
    if (!bytes) return found;
    std::string_view rest = *bytes;
    if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
    while (!rest.empty()) {
        const auto newline = rest.find('\n');
        std::string_view line = without_trailing_blanks(rest.substr(0, newline));
        rest = newline == std::string_view::npos ? std::string_view() : rest.substr(newline + 1);
        if (line.empty() || line.front() == '#') continue;
        const bool negated = line.front() == '!';
        if (negated) line.remove_prefix(1);
        const bool directories_only = line.ends_with('/');
        if (directories_only) line.remove_suffix(1);
        if (line.empty()) continue;
        // With a slash before its end it counts from here, without one at any depth.
        const bool anchored = line.find('/') != std::string_view::npos;
        found.push_back(
            {glob(anchored ? std::string(line) : "**/" + std::string(line)), negated, directories_only});
    }
    return found;
}

const gitignore::rules& gitignore::rules_of(const std::string& directory) {
    const auto found = read_.find(directory);
    if (found != read_.end()) return found->second;
    const std::string at = directory.empty() ? top_ : top_ + "/" + directory;
    return read_.emplace(directory, read(at + "/.gitignore")).first->second;
}

// The last rule of the nearest file that has one for the path decides.
bool gitignore::own_verdict(const std::string& path, bool is_directory) {
    const auto decide = [&](const rules& from, std::string_view relative) -> std::optional<bool> {
        for (auto one = from.rbegin(); one != from.rend(); ++one) {
            if (one->directories_only && !is_directory) continue;
            if (one->pattern.matches(relative)) return !one->negated;
        }
        return std::nullopt;
    };
    for (auto slash = path.rfind('/');; slash = path.rfind('/', slash - 1)) {
        const bool top = slash == std::string::npos;
        const std::string directory = top ? "" : path.substr(0, slash);
        const std::string_view relative = std::string_view(path).substr(top ? 0 : slash + 1);
        if (const auto verdict = decide(rules_of(directory), relative)) return *verdict;
        if (top || slash == 0) break;
    }
    const auto [own, fresh] = read_.try_emplace("\nexclude");
    if (fresh) own->second = read(top_ + "/.git/info/exclude");
    return decide(own->second, path).value_or(false);
}

bool gitignore::ignores(std::string_view path, bool is_directory) {
    const std::string whole = prefix_ + std::string(path);
    // What is in an ignored folder is ignored, whatever is said about it.
    for (auto slash = whole.find('/'); slash != std::string::npos; slash = whole.find('/', slash + 1)) {
        if (own_verdict(whole.substr(0, slash), true)) return true;
    }
    return own_verdict(whole, is_directory);
}

void gitignore::forget() { read_.clear(); }

}  // namespace hob::unit
