// Runs every example of the documentation as written.

#include <dirent.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <regex>
#include <sstream>

#include "harness/calc_project.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

const std::string source = HOB_SOURCE_DIR;

std::vector<std::string> lines_of(const std::string& path) {
    std::istringstream text(slurp(path));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);)
        lines.push_back(line);
    return lines;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

// The lines that begin with `.Dl $ `, as mandoc formats them.
std::vector<std::string> examples_of_page(const std::string& path) {
    const std::string mark = ".Dl $ ";
    std::vector<std::string> examples;
    for (std::string line : lines_of(path)) {
        if (!line.starts_with(mark)) continue;
        line.erase(0, mark.size());
        replace_all(line, "\\(aq", "'");
        replace_all(line, "\\(dq", "\"");
        replace_all(line, "\\-", "-");
        replace_all(line, "\\e", "\\");
        examples.push_back(line);
    }
    return examples;
}

std::vector<std::string> pages() {
    std::vector<std::string> found;
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir((source + "/man").c_str()), ::closedir);
    while (const dirent* entry = dir ? ::readdir(dir.get()) : nullptr) {
        if (entry->d_name[0] != '.') found.emplace_back(entry->d_name);
    }
    std::sort(found.begin(), found.end());
    return found;
}

// One command of the README's tour and the output that the README shows for it.
struct tour_step {
    std::string command;
    std::string output;
};

// The lines that begin with "$ " in blocks of the kind "console", with what follows them; each block of TOML
// is added to hob.toml.
std::vector<tour_step> tour() {
    std::vector<tour_step> steps;
    std::string block;
    for (const auto& line : lines_of(source + "/README.md")) {
        if (line.starts_with("```")) {
            if (block == "```toml") steps.back().command += "\nEND";
            block = block.empty() ? line : "";
            if (block == "```toml") steps.push_back({"cat >> hob.toml <<'END'", ""});
        } else if (block == "```console" && line.starts_with("$ ")) {
            steps.push_back({line.substr(2), ""});
        } else if (block == "```console") {
            steps.back().output += line + "\n";
        } else if (block == "```toml") {
            steps.back().command += "\n" + line;
        }
    }
    return steps;
}

// Numbers, times and sizes differ from run to run: each becomes #, and blanks in a row become one.
std::string without_numbers(const std::string& text) {
    static const std::regex number("[0-9]+(\\.[0-9]+)?( (MiB|KiB)|ms|us|s|m)?"), blanks("[ \t]+"),
        root("/[^ \n]*/tour");
    const std::string named = std::regex_replace(text, root, "/home/me/tour");
    return std::regex_replace(std::regex_replace(named, number, "#"), blanks, " ");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cli_examples)

BOOST_AUTO_TEST_CASE(C06_every_line_of_the_tour_works_and_prints_what_the_readme_shows) {
    const auto steps = tour();
    BOOST_TEST(steps.size() > 10u);
    sandbox box;
    // One shell for all of them: the tour changes directory. Each command must succeed.
    const std::string mark = "---- next step ----\n";
    std::string script = "exec 2>&1; set -o pipefail\n";
    for (const auto& [command, output] : steps)
        script += command + "\n[ $? = 0 ] || echo failed\nprintf '%s' '" + mark + "'\n";
    std::string printed = box.shell(script).out;
    for (const auto& [command, output] : steps) {
        const auto end = printed.find(mark);
        BOOST_REQUIRE(end != std::string::npos);
        BOOST_TEST_CONTEXT(command) {
            BOOST_TEST(without_numbers(printed.substr(0, end)) == without_numbers(output));
        }
        printed.erase(0, end + mark.size());
    }
}

BOOST_AUTO_TEST_CASE(C06_every_example_of_every_page_works) {
    for (const auto& page : pages()) {
        const auto examples = examples_of_page(source + "/man/" + page);
        if (examples.empty()) continue;
        sandbox box;
        make_calc_project(box);
        // hob init only writes where no file exists.
        const bool empty = page == "hob-init.1";
        run_options options;
        if (empty) options.cwd = box.root() + "/h";
        for (const auto& example : examples) {
            // The examples of a page build on each other, and expect a running daemon.
            if (!empty) box.run({"ping"});
            // Endless commands are interrupted.
            const bool endless = example.find("logs -f") != std::string::npos;
            const auto done =
                box.shell(endless ? "timeout -s INT 0.5 " + example + "; test $? -eq 124" : example, options);
            BOOST_TEST_CONTEXT(page << ": " << example << "\n" << done.text()) {
                BOOST_TEST(done.status == 0);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(C06_every_page_of_a_verb_has_an_example) {
    for (const auto& page : pages()) {
        if (!page.ends_with(".1")) continue;
        BOOST_TEST_CONTEXT(page) { BOOST_TEST(!examples_of_page(source + "/man/" + page).empty()); }
    }
}

BOOST_AUTO_TEST_SUITE_END()
