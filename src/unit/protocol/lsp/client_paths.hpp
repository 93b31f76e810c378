#pragma once
// An editor may have opened the workspace under a name with symlinks. The server knows files by their names
// without symlinks: the URIs in the messages between both are translated.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hob::unit {

class client_paths {
public:
    // Learns the editor's name for the workspace from the URI of its root, or of a document in it. `root` is
    // the directory of the workspace, without symlinks.
    void learn_root(const std::string& root, std::string_view uri);
    void learn_document(const std::string& root, std::string_view uri);

    // Translates every text in the JSON that begins with such a URI.
    void to_server(std::string& json) const;
    void to_client(std::string& json) const;

private:
    void add(std::string theirs, std::string ours);

    std::vector<std::pair<std::string, std::string>> names_;  // URIs without a slash at the end: theirs, ours
};

}  // namespace hob::unit
