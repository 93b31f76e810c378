#include "unit/protocol/lsp/client_paths.hpp"

#include <algorithm>

#include "util/file_uri.hpp"
#include "util/real_path.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t names_max = 16;

std::string without_slash(std::string_view uri) {
    while (uri.ends_with('/'))
        uri.remove_suffix(1);
    return std::string(uri);
}

void replace_uris(std::string& json, const std::string& from, const std::string& to) {
    const std::string quoted = "\"" + from;
    std::string replaced;
    std::size_t copied = 0;
    for (std::size_t at = json.find(quoted); at != std::string::npos; at = json.find(quoted, at + 1)) {
        const std::size_t end = at + quoted.size();
        const bool whole = end < json.size() && (json[end] == '/' || json[end] == '"');
        if (!whole) continue;
        replaced.append(json, copied, at + 1 - copied).append(to);
        copied = end;
    }
    if (copied > 0) json = replaced.append(json, copied);
}

}  // namespace

void client_paths::add(std::string theirs, std::string ours) {
    const auto known = std::pair(std::move(theirs), std::move(ours));
    const bool is_new = std::find(names_.begin(), names_.end(), known) == names_.end();
    if (known.first != known.second && is_new && names_.size() < names_max) names_.push_back(known);
}

void client_paths::learn_root(const std::string& root, std::string_view uri) {
    const auto path = util::path_of_uri(uri);
    if (path && util::real_path(*path) == root && util::normal_path(*path) != root)
        add(without_slash(uri), util::uri_of_path(root));
}

void client_paths::learn_document(const std::string& root, std::string_view uri) {
    const auto path = util::path_of_uri(uri);
    if (!path || util::is_within(util::normal_path(*path), root)) return;
    const std::string real = util::real_path(*path);
    if (!util::is_within(real, root) || real == root) return;
    // Below the root both have the same name, or the document alone has another one.
    const std::string below = real.substr(root.size());
    if (!path->ends_with(below)) return add(std::string(uri), util::uri_of_path(real));
    std::string theirs(uri);
    for (auto steps = std::count(below.begin(), below.end(), '/'); steps > 0; --steps)
        theirs.erase(theirs.rfind('/'));
    add(std::move(theirs), util::uri_of_path(root));
}

void client_paths::to_server(std::string& json) const {
    for (const auto& [theirs, ours] : names_)
        replace_uris(json, theirs, ours);
}

void client_paths::to_client(std::string& json) const {
    for (const auto& [theirs, ours] : names_)
        replace_uris(json, ours, theirs);
}

}  // namespace hob::unit
