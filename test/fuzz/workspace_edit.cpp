// A WorkspaceEdit of a language server, ROOT standing for the folder of the project: planning it changes
// nothing, and what is planned stays inside of the folder.

#include "unit/protocol/lsp/workspace_edit.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "fuzz/target.hpp"
#include "limits.hpp"
#include "util/json/json_text.hpp"

using namespace hob;
using test::claim;
namespace fs = std::filesystem;

namespace {

struct project {
    fs::path root;
    std::string text = "one\ntwo \xF0\x9F\x98\x80 \xC3\xA4\r\nthree";

    project() {
        std::string pattern = (fs::temp_directory_path() / "fuzz-edits-XXXXXX").string();
        root = fs::canonical(::mkdtemp(pattern.data()));
        std::ofstream(root / "a.txt") << text;
        std::ofstream(root / "b.txt") << "";
    }
    ~project() { fs::remove_all(root); }
    bool unchanged() const {
        std::ifstream file(root / "a.txt");
        const std::string now{std::istreambuf_iterator<char>(file), {}};
        const auto files = std::distance(fs::directory_iterator(root), fs::directory_iterator());
        return now == text && files == 2;
    }
};

std::string with_root(std::string_view text, const std::string& root) {
    std::string edit(text);
    for (std::size_t at = 0; (at = edit.find("ROOT", at)) != std::string::npos; at += root.size())
        edit.replace(at, 4, root);
    return edit;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    static const project here;
    const std::string edit = with_root(test::text_of(bytes, size), here.root.string());
    if (util::validate_json(edit, limits::json_depth_max)) return 0;
    unit::lsp_documents documents;
    documents.set_root(here.root.string());
    for (const bool columns_are_bytes : {false, true}) {
        unit::file_plan plan(here.root.string(), timespec{}, [&](const std::string& path) {
            return path.ends_with("a.txt") ? std::optional(here.text) : std::nullopt;
        });
        try {
            unit::plan_workspace_edit(plan, edit, documents, columns_are_bytes);
            for (const auto& file : plan.changed_files()) {
                const bool above = file == ".." || file.starts_with("../");
                claim(!file.empty() && file.front() != '/' && !above, "edits stay inside");
            }
        } catch (const unit::change_refused& why) {
            claim(*why.what() != '\0', "a refusal says why");
        }
    }
    try {
        const auto found = unit::find_edits(edit, "title");
        claim(found.workspace_edit.empty() ||
                  !util::validate_json(found.workspace_edit, limits::json_depth_max),
              "what is found in an answer is part of it");
    } catch (const unit::change_refused& why) {
        claim(*why.what() != '\0', "a refusal says why");
    }
    claim(here.unchanged(), "planning writes nothing");
    return 0;
}
