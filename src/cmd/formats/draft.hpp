#pragma once
// What is read from files of other programs: units, and what cannot be carried over.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cmd/formats/words.hpp"
#include "error.hpp"
#include "unit/spec/spec.hpp"

namespace hob::cmd {

struct import_env_file {
    std::string path;
    bool required = true;
};

struct import_after {
    std::string entry;  // its name in the file
    bool restart = false;
};

struct imported_unit {
    std::string from;  // its name in the file
    std::string name;  // the unit name derived from it; valid, and unique in the file
    unit::unit_kind kind = unit::unit_kind::worker;
    std::string_view protocol = {};                             // of a worker
    std::vector<import_word> run = {};                          // the words of the command
    std::string script = {};                                    // instead of them: for /bin/sh
    std::vector<std::pair<std::string, import_word>> env = {};  // in the file's order
    std::vector<import_env_file> env_files = {};
    std::optional<std::string> cwd = {};
    std::string connect = {};  // a TOML value; empty: it speaks on its pipes
    std::vector<import_after> after = {};
    std::vector<std::pair<std::string, std::string>> keys = {};  // further keys with their TOML values
    std::string comment = {};                                    // one line on how to call it; may be empty
    std::string about = {};                                      // one line for people; may be empty
    std::vector<std::string> remarks = {};                       // what differs from the original
};

struct import_note {
    std::string from;  // which entry
    std::string text;
};

struct import_result {
    std::vector<imported_unit> units;
    std::vector<import_note> refused;
    std::vector<import_note> notes;  // differences from the original
};

// What is on this machine.
struct import_environment {
    std::function<bool(const std::string& program)> has_program = {};  // in PATH
    std::function<bool()> has_debugpy = {};                            // python3 can import it
    std::function<bool(const std::string& path)> exists = {};
    std::function<bool(const std::string& name)> is_user = {};
    std::function<std::optional<std::string>(const std::string& path)> read = {};  // nullopt: it cannot be
};

// Collects what a reader finds, and gives each unit a name.
class import_collector {
public:
    import_collector(const import_context& where, const import_environment& found_here)
        : context(where), machine(found_here) {}

    // A unit without cwd gets the folder of the file.
    void add(imported_unit unit);
    imported_unit& last() { return result_.units.back(); }  // requires that there is one
    bool has_units() const { return !result_.units.empty(); }
    void refuse(const std::string& from, const std::string& reason);
    void note(const std::string& from, const std::string& text);
    // Runs `read`; an entry that it throws unimportable for is refused.
    template <typename Read>
    void entry(const std::string& from, Read read) {
        try {
            imported_unit unit = read();
            unit.from = from;
            add(std::move(unit));
        } catch (const unimportable& why) {
            refuse(from, why.what());
        }
    }
    bool exists(const std::string& path) const { return machine.exists && machine.exists(path); }
    // Of a file in the folder.
    bool has_file(std::string_view name) const { return exists(context.folder + "/" + std::string(name)); }
    import_result take() { return std::move(result_); }

    import_context context;
    const import_environment& machine;

private:
    std::string unit_name(std::string_view from);

    import_result result_;
    std::vector<std::string> taken_;
};

// Drops each `after` that is neither imported nor known, and notes it. Turns entries into names of units.
void settle_after(import_result& found, const std::function<bool(const std::string& unit)>& is_known);

// Why the file as a whole cannot be imported.
failure cannot_import(const std::string& path, const std::string& reason, const std::string& hint = {});

// The unit as a table of hob.toml, with comments above it. Throws unimportable.
std::string to_toml(const imported_unit& unit, std::string_view file);

// The words of a command as a value of hob.toml. Throws unimportable.
std::string toml_command(const std::vector<import_word>& words);
std::string toml_command(std::string_view script);

// As to_toml(). Throws unimportable also for values that hob.toml does not allow. `after` is not checked:
// what it names may follow.
std::string checked_toml(const imported_unit& unit, std::string_view file, const std::string& root);

// A string, and a comment's text, as TOML writes them.
std::string toml_string(std::string_view text);
std::string toml_comment(std::string_view text);
// For a value in which hob.toml would expand ${NAME}: as it is.
std::string unexpanded(std::string text);
// The value of a variable, which hob.toml expands when the unit starts; one that is unset is empty, as
// elsewhere. Throws unimportable.
std::string env_text(const import_word& value);

}  // namespace hob::cmd
