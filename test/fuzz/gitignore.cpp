// A .gitignore, an empty line, a path in its tree.

#include "unit/watch/gitignore.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "fuzz/target.hpp"
#include "util/fd.hpp"

using namespace hob;
using test::claim;

namespace {

// A repository of its own, or the files of the folders above would count.
class repository {
public:
    repository() {
        std::string made = (std::filesystem::temp_directory_path() / "hob-fuzz-XXXXXX").string();
        claim(::mkdtemp(made.data()) != nullptr, "there is a folder to write to");
        root = made;
        std::filesystem::create_directory(root + "/.git");
    }
    ~repository() {
        std::error_code ignored;
        std::filesystem::remove_all(root, ignored);
    }
    repository(const repository&) = delete;
    repository& operator=(const repository&) = delete;

    void write(std::string_view rules) const {
        const util::unique_fd file(
            ::open((root + "/.gitignore").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        claim(file && util::write_all(file.get(), rules), "the rules are written");
    }

    std::string root;
};

// One that a file can have, below the root.
std::string path_of(std::string_view text) {
    std::string path;
    for (auto part = unit::take_component(text); !part.empty(); part = unit::take_component(text)) {
        if (part == "." || part == "..") continue;
        if (!path.empty()) path += '/';
        path.append(part);
    }
    std::erase_if(path, [](char c) { return c == '\0' || c == '\n' || c == '\r'; });
    return path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    static const repository tree;
    const std::string_view text = test::text_of(bytes, size);
    const auto gap = text.find("\n\n");
    if (gap == std::string_view::npos) return 0;
    std::string rules(text.substr(0, gap + 1));
    const std::string path = path_of(text.substr(gap + 2));
    if (path.empty() || path.starts_with('/') || path.find("//") != std::string::npos) return 0;

    tree.write(rules);
    unit::gitignore ignore(tree.root);
    const bool file = ignore.ignores(path, false);
    const bool folder = ignore.ignores(path, true);
    if (folder) claim(ignore.ignores(path + "/x", false), "what is in an ignored folder is ignored");
    ignore.forget();
    claim(ignore.ignores(path, false) == file, "read again, the rules say the same");

    std::string literal = "/";
    for (const char c : path) {
        if (c != '/') literal += '\\';
        literal += c;
    }
    tree.write(rules + literal + "\n");
    ignore.forget();
    claim(ignore.ignores(path, false), "the last rule of a file decides");
    tree.write(rules + literal + "\n!" + literal + "\n");
    ignore.forget();
    const auto slash = path.rfind('/');
    const bool above = slash != std::string::npos && ignore.ignores(path.substr(0, slash), true);
    claim(ignore.ignores(path, false) == above, "what is not ignored is so unless its folder is");
    return 0;
}
