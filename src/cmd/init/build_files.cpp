// Targets of a Makefile, recipes of a justfile and the steps of CMake.

#include <fmt/format.h>

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <set>

#include "cmd/formats/command_words.hpp"
#include "cmd/formats/json_file.hpp"
#include "cmd/formats/readers.hpp"
#include "cmd/init/proposals.hpp"
#include "error.hpp"

namespace hob::cmd {
namespace {

constexpr std::size_t units_max = 16;  // of one file; the rest is listed

bool is_plain_name(std::string_view name) {
    return !name.empty() && name[0] != '_' && name[0] != '.' && name[0] != '-' &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-';
           });
}

// Targets that are commands, in makefiles that do not say so by .PHONY.
bool is_usual_command(std::string_view name) {
    constexpr std::array<std::string_view, 13> names{"all",  "build",  "test", "tests", "check",
                                                     "lint", "format", "fmt",  "docs",  "compile",
                                                     "run",  "dev",    "serve"};
    return std::find(names.begin(), names.end(), name) != names.end();
}

struct target {
    std::string name;
    std::string about;
};

// The words before the colon of a rule; empty: the line is no rule.
std::vector<std::string> rule_names(std::string_view line) {
    if (line.empty() || line[0] == '\t' || line[0] == ' ' || line[0] == '#') return {};
    const auto colon = line.find(':');
    const std::string_view after = colon == std::string_view::npos ? line : line.substr(colon + 1);
    if (colon == std::string_view::npos || after.starts_with('=') || after.starts_with(":=")) return {};
    return split_words(line.substr(0, colon)).value_or(std::vector<std::string>());
}

void add_or_list(const std::vector<target>& targets, std::string_view tool, import_collector& found) {
    std::string others;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (i < units_max) {
            found.add(proposed_unit(targets[i].name, {tool, targets[i].name}, targets[i].about));
        } else {
            others += (others.empty() ? "" : ", ") + targets[i].name;
        }
    }
    if (!others.empty()) found.note("further", others);
}

// `build target: deps  ## what it does`
std::string described(std::string_view line) {
    const auto mark = line.find("## ");
    return mark == std::string_view::npos ? std::string() : std::string(trimmed(line.substr(mark + 3)));
}

struct recipe_head {
    std::string name;
    bool needs_arguments = false;
};

// `name a b='x': deps`; an empty name: the line begins no recipe.
recipe_head parse_recipe(std::string_view line) {
    if (line.empty() || line[0] == ' ' || line[0] == '\t' || line[0] == '#' || line[0] == '[') return {};
    if (line[0] == '@') line.remove_prefix(1);
    const auto assignment = line.find(":=");
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || assignment == colon) return {};
    const auto words = split_words(line.substr(0, colon)).value_or(std::vector<std::string>());
    constexpr std::array<std::string_view, 6> keywords{"set", "alias", "export", "import", "mod", "unexport"};
    if (words.empty() || !is_plain_name(words[0]) ||
        (words.size() > 1 && std::find(keywords.begin(), keywords.end(), words[0]) != keywords.end()))
        return {};
    const bool needs = std::any_of(words.begin() + 1, words.end(), [](const std::string& word) {
        return word.find('=') == std::string::npos && word[0] != '*';
    });
    return {words[0], needs};
}

// The name of the first preset that is not hidden.
std::string first_preset(const std::string& presets, const char* key) {
    if (presets.empty()) return {};
    try {
        const auto file = parse_json_file(presets, "CMakePresets.json");
        const auto* all = file.if_object() != nullptr ? file.get_object().if_contains(key) : nullptr;
        if (all == nullptr || !all->is_array()) return {};
        for (const auto& preset : all->get_array()) {
            const auto* members = preset.if_object();
            if (members != nullptr && !is_true(*members, "hidden"))
                return text_of(*members, "name").value_or("");
        }
    } catch (const std::exception&) {  // a presets file that nobody can read proposes nothing
    }
    return {};
}

}  // namespace

imported_unit proposed_unit(std::string_view name, std::initializer_list<std::string_view> words,
                            std::string_view about) {
    imported_unit unit;
    unit.from = name;
    unit.kind = is_name_of_service(name) ? unit::unit_kind::service : unit::unit_kind::task;
    for (const auto word : words)
        unit.run.push_back(literal_word(word));
    unit.about = about;
    return unit;
}

void propose_make(std::string_view text, import_collector& found) {
    std::set<std::string> phony;
    std::vector<target> targets;
    const auto lines = lines_of(text);
    for (const auto line : lines) {
        if (!line.starts_with(".PHONY")) continue;
        const auto colon = std::min(line.find(':'), line.size() - 1);
        for (auto& name : split_words(line.substr(colon + 1)).value_or(std::vector<std::string>()))
            phony.insert(std::move(name));
    }
    for (const auto line : lines) {
        for (const auto& name : rule_names(line)) {
            const bool known = std::any_of(targets.begin(), targets.end(),
                                           [&](const target& each) { return each.name == name; });
            if (!known && is_plain_name(name) && (phony.contains(name) || is_usual_command(name)))
                targets.push_back({name, described(line)});
        }
    }
    add_or_list(targets, "make", found);
}

void propose_just(std::string_view text, import_collector& found) {
    std::vector<target> targets;
    std::string about, with_arguments;
    bool is_private = false;
    for (const auto line : lines_of(text)) {
        const recipe_head recipe = parse_recipe(line);
        if (line.starts_with("# ")) {
            about = trimmed(line.substr(1));
            continue;
        }
        if (line.starts_with('[')) {
            is_private = is_private || line.starts_with("[private");
            continue;
        }
        if (!recipe.name.empty() && !is_private) {
            if (recipe.needs_arguments) {
                with_arguments += (with_arguments.empty() ? "" : ", ") + recipe.name;
            } else {
                targets.push_back({recipe.name, about});
            }
        }
        about.clear();
        is_private = false;
    }
    add_or_list(targets, "just", found);
    if (!with_arguments.empty()) found.note("recipes that need arguments", with_arguments);
}

void propose_cmake(const std::string& presets, import_collector& found) {
    const std::string configure = first_preset(presets, "configurePresets");
    const std::string build = first_preset(presets, "buildPresets");
    found.add(configure.empty() ? proposed_unit("configure", {"cmake", "-S", ".", "-B", "build"})
                                : proposed_unit("configure", {"cmake", "--preset", configure}));
    imported_unit built = build.empty() ? proposed_unit("build", {"cmake", "--build", "build"})
                                        : proposed_unit("build", {"cmake", "--build", "--preset", build});
    built.after.push_back({"configure"});
    found.add(std::move(built));
    const std::string test = first_preset(presets, "testPresets");
    imported_unit tested =
        test.empty() ? proposed_unit("test", {"ctest", "--test-dir", "build", "--output-on-failure"})
                     : proposed_unit("test", {"ctest", "--preset", test});
    tested.after.push_back({"build"});
    found.add(std::move(tested));
    if (!found.machine.has_program || !found.machine.has_program("clangd")) return;
    imported_unit clangd =
        proposed_unit("clangd", {"clangd"}, "hob attach clangd, in an editor's place of clangd");
    clangd.kind = unit::unit_kind::worker;
    clangd.protocol = "lsp";
    found.add(std::move(clangd));
}

}  // namespace hob::cmd
