#include "cmd/init/document.hpp"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "cmd/init/proposals.hpp"
#include "cmd/init/template.hpp"
#include "error.hpp"
#include "identity.hpp"
#include "unit/config/config.hpp"

namespace hob::cmd {
namespace {

constexpr mode_t file_mode = 0644;

constexpr std::string_view heading =
    R"(# The units that hob runs for this project, as other files of it suggest them. `man hob.toml` explains every
# key, `hob check` validates this file, `hob reload` applies it to a running daemon.
)";

// The schema of an installed hob, PREFIX/share/hob/hob.schema.json. A hob that is not installed names that of
// a package.
std::string schema_path() {
    std::error_code ignored;
    const auto binary = std::filesystem::read_symlink("/proc/self/exe", ignored);
    const auto beside = binary.parent_path().parent_path() / "share/hob/hob.schema.json";
    return std::filesystem::exists(beside, ignored) ? beside.string() : "/usr/share/hob/hob.schema.json";
}

// The first line is for the TOML language servers of editors.
std::string schema_line() { return fmt::format("#:schema {}\n", schema_path()); }

std::string file_in(const std::string& directory) {
    return directory + "/" + std::string(this_program.config_file);
}

bool is_enabled(const imported_unit& unit) {
    return std::none_of(unit.keys.begin(), unit.keys.end(),
                        [](const auto& key) { return key.first == "enabled"; });
}

std::string comment(const import_note& note, std::string_view before) {
    return fmt::format("# {}{}: {}\n", before, toml_comment(note.from), toml_comment(note.text));
}

class document_writer {
public:
    document_writer(const std::string& directory, init_document& document)
        : directory_(directory), document_(document) {}

    void add(const proposal& next) {
        document_.files.push_back(next.file);
        std::string comments;
        if (!next.refused.empty()) comments += comment({next.file, next.refused}, "not read: ");
        for (const auto& unit : next.found.units) {
            document_.text += "\n" + to_toml(unit, next.file);
            document_.units.push_back({unit.name, unit.kind, is_enabled(unit), next.file});
        }
        for (const auto& entry : next.found.refused)
            comments += comment(entry, "left out: ");
        for (const auto& note : next.found.notes)
            if (is_of_file(note, next)) comments += comment(note, next.file + ": ");
        document_.left_out += next.found.refused.size();
        if (!comments.empty()) document_.text += "\n" + comments;
        restrict_mode(next.file);
    }

private:
    static bool is_of_file(const import_note& note, const proposal& next) {
        const auto is_entry = [&](const auto& entry) { return entry.from == note.from; };
        return std::none_of(next.found.units.begin(), next.found.units.end(), is_entry) &&
               std::none_of(next.found.refused.begin(), next.found.refused.end(), is_entry);
    }
    // Nobody who could not read the file reads its values here: they may be keys.
    void restrict_mode(const std::string& file) {
        struct stat found {};
        if (::stat((directory_ + "/" + file).c_str(), &found) != 0) found.st_mode = 0600;
        document_.mode &= found.st_mode | (S_IRUSR | S_IWUSR);
    }

    const std::string& directory_;
    init_document& document_;
};

}  // namespace

init_document plain_document() {
    init_document plain;
    plain.text = schema_line() + std::string(init_template);
    plain.mode = file_mode;
    return plain;
}

init_document document_for(const std::string& directory) {
    const char* home = ::getenv("HOME");
    const std::vector<proposal> all = propose_units(directory, home != nullptr ? home : "");
    init_document document;
    document.text = schema_line() + std::string(heading);
    document.mode = file_mode;
    document_writer writer(directory, document);
    for (const auto& next : all)
        writer.add(next);
    if (document.units.empty()) {
        init_document plain = plain_document();
        plain.files = document.files;
        plain.left_out = document.left_out;
        plain.text += document.text.substr(schema_line().size() + heading.size());
        return plain;
    }
    unit::parse_config(document.text, file_in(directory), directory);
    return document;
}

}  // namespace hob::cmd
