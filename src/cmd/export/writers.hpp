#pragma once
// Units as files of other programs. Values of variables are never written, names only; [ports] are.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unit/config/sources.hpp"
#include "unit/spec/spec.hpp"

namespace hob::cmd {

struct export_request {
    const unit::config& config;
    std::vector<const unit::unit_spec*> units;  // to write, in file order
    std::string root;                           // the directory of hob.toml
    std::string project;                        // a name for files: [A-Za-z0-9._-]+
    std::string image = {};                     // kubernetes
    bool for_system = false;                    // systemd: of the system, not of a user
    // The absolute path of a program in PATH; empty: none.
    std::function<std::string(const std::string& program)> find_program = {};
    const unit::source_trees* sources = nullptr;  // of config
};

struct exported_file {
    std::string name;
    std::string text;
};

struct export_note {
    std::string unit;
    std::string text;
};

struct export_result {
    std::vector<exported_file> files;
    std::vector<export_note> notes;  // what is not carried over
};

export_result export_systemd(const export_request& request);
export_result export_procfile(const export_request& request);
export_result export_crontab(const export_request& request);
export_result export_kubernetes(const export_request& request);

// --- What they share.

// The words that are executed: a plain command without its shell.
std::vector<std::string> command_words(const unit::run_spec& run, std::string_view name);
// The text that is a shell's; nullopt: an array.
std::optional<std::string> shell_script(const unit::run_spec& run, std::string_view name);

// The names of the unit's variables, those of [env] included, those of [ports] not.
std::vector<std::string> variable_names(const unit::unit_spec& unit, const unit::config& config);
std::string joined(const std::vector<std::string>& texts, std::string_view between = ", ");

// In seconds, for people and for formats that count in them; "0.5".
std::string seconds_text(std::chrono::milliseconds duration);

// The cron expression of the task's schedule; nullopt: it has none, or one that cron cannot express.
std::optional<std::string> cron_text(const unit::task_spec& task);

// The keys that the unit has in hob.toml and that no writer here knows.
std::vector<std::string> further_keys(const unit::unit_spec& unit, const export_request& request);

// Notes of one unit, and the comments that repeat them.
class note_list {
public:
    note_list(const unit::unit_spec& unit, export_result& result) : unit_(unit), result_(result) {}
    void add(const std::string& text);
    // `carried`: those that this format has a place for.
    void add_further_keys(const export_request& request,
                          std::initializer_list<std::string_view> carried = {});
    std::string comments() const;  // "# text\n" each

private:
    const unit::unit_spec& unit_;
    export_result& result_;
    std::vector<std::string> texts_;
};

}  // namespace hob::cmd
