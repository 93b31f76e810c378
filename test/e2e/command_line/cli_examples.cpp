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

std::string as_printed(std::string line) {
    replace_all(line, "\\(aq", "'");
    replace_all(line, "\\(dq", "\"");
    replace_all(line, "\\-", "-");
    replace_all(line, "\\&", "");
    replace_all(line, "\\e", "\\");
    return line;
}

// The lines that begin with `.Dl $ `, as mandoc formats them.
std::vector<std::string> examples_of_page(const std::string& path) {
    const std::string mark = ".Dl $ ";
    std::vector<std::string> examples;
    for (std::string line : lines_of(path)) {
        if (!line.starts_with(mark)) continue;
        line.erase(0, mark.size());
        examples.push_back(as_printed(line));
    }
    return examples;
}

// The literal blocks of a page, as mandoc prints them.
std::vector<std::string> blocks_of_page(const std::string& path) {
    std::vector<std::string> blocks;
    bool inside = false;
    for (const std::string& line : lines_of(path)) {
        if (line.starts_with(".Bd -literal")) {
            inside = true;
            blocks.emplace_back();
        } else if (line == ".Ed") {
            inside = false;
        } else if (inside) {
            blocks.back() += as_printed(line) + "\n";
        }
    }
    return blocks;
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
        if (page == "hob-attach.1") {
            box.config(slurp(box.project() + "/hob.toml") +
                       "[service.repl]\nrun = ['python3', '-q']\ntty = true\n"
                       "[service.game]\nrun = 'cat'\nstdin = 'open'\n");
            box.run({"start"});
        }
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

BOOST_AUTO_TEST_CASE(C17_every_piece_of_toml_in_a_page_is_valid) {
    static const std::regex table("(^|\n)\\[(worker|service|task|daemon|log)[.\\]]"),
        key("^(stop|ready)(\\.[a-z]+)? = ");
    sandbox box;
    box.write(".env", "");
    int checked = 0;
    for (const auto& page : pages()) {
        for (std::string block : blocks_of_page(source + "/man/" + page)) {
            // Keys alone: the block shows two forms of the same, with an empty line between them.
            const bool keys = std::regex_search(block, key);
            if (!keys && !std::regex_search(block, table)) continue;
            if (keys) block = "[service.a]\nrun = 'x'\n" + block;
            const auto second = keys ? block.find("\n\n") : std::string::npos;
            if (second != std::string::npos) block.insert(second + 1, "[service.b]\nrun = 'x'");
            box.config(block);
            const auto ran = box.run({"check"});
            BOOST_TEST_CONTEXT(page << ":\n" << block << ran.text()) {
                BOOST_TEST(ran.status == 0);
                BOOST_TEST(ran.err.empty());
            }
            ++checked;
        }
    }
    BOOST_TEST(checked > 7);
}

BOOST_AUTO_TEST_CASE(C17_every_quoted_value_in_a_page_has_both_its_quotes) {
    for (const auto& page : pages()) {
        for (const auto& line : lines_of(source + "/man/" + page))
            BOOST_TEST_CONTEXT(page << ": " << line) { BOOST_TEST(count(line, "\\(dq") % 2 == 0u); }
    }
}

BOOST_AUTO_TEST_CASE(C17_the_env_file_of_the_page_means_what_its_comments_say) {
    std::string example;
    for (const auto& block : blocks_of_page(source + "/man/hob.toml.5")) {
        if (block.find("export NAME") != std::string::npos) example = block;
    }
    BOOST_REQUIRE(!example.empty());
    std::istringstream lines(example);
    const std::vector<std::string> values{"",       "value",        "value", "as it is: ${X} \\n",
                                          "a\tb x", "both \" and '"};
    std::size_t at = 0;
    for (std::string line; std::getline(lines, line) && !line.starts_with("KEY="); ++at) {
        sandbox box;
        box.set_env("X", "x");
        box.config("[task.t]\nrun = 'printf %s \"$NAME\"'\nenv_file = 'env'\n");
        box.write("env", line + "\n");
        BOOST_REQUIRE(at < values.size());
        BOOST_TEST_CONTEXT(line) { BOOST_TEST(box.run({"run", "t"}).out == values[at]); }
    }
    BOOST_TEST(at == values.size());
}

BOOST_AUTO_TEST_CASE(C06_every_page_of_a_verb_has_an_example) {
    for (const auto& page : pages()) {
        if (!page.ends_with(".1")) continue;
        BOOST_TEST_CONTEXT(page) { BOOST_TEST(!examples_of_page(source + "/man/" + page).empty()); }
    }
}

BOOST_AUTO_TEST_SUITE_END()
