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
        // A pattern with an inner slash is relative to this folder; any other matches at every depth.
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

// The last matching rule of the nearest file with a matching rule decides.
bool gitignore::decision_of_rules(const std::string& path, bool is_directory) {
    const auto decide = [&](const rules& from, std::string_view relative) -> std::optional<bool> {
        for (auto last = from.rbegin(); last != from.rend(); ++last) {
            if (last->directories_only && !is_directory) continue;
            if (last->pattern.matches(relative)) return !last->negated;
        }
        return std::nullopt;
    };
    for (auto slash = path.rfind('/');; slash = path.rfind('/', slash - 1)) {
        const bool top = slash == std::string::npos;
        const std::string directory = top ? "" : path.substr(0, slash);
        const std::string_view relative = std::string_view(path).substr(top ? 0 : slash + 1);
        if (const auto ignored = decide(rules_of(directory), relative)) return *ignored;
        if (top || slash == 0) break;
    }
    const auto [excludes, inserted] = read_.try_emplace("\nexclude");
    if (inserted) excludes->second = read(top_ + "/.git/info/exclude");
    return decide(excludes->second, path).value_or(false);
}

bool gitignore::ignores(std::string_view path, bool is_directory) {
    const std::string whole = prefix_ + std::string(path);
    // Everything in an ignored folder is ignored, also what a later rule includes again.
    for (auto slash = whole.find('/'); slash != std::string::npos; slash = whole.find('/', slash + 1)) {
        if (decision_of_rules(whole.substr(0, slash), true)) return true;
    }
    return decision_of_rules(whole, is_directory);
}

void gitignore::forget() { read_.clear(); }

}  // namespace hob::unit
