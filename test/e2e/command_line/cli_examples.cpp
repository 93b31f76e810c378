// Runs every example of the documentation as written.

#include <dirent.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <memory>
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

// The lines that begin with `$ ` in blocks of the kind "console".
std::vector<std::string> tour() {
    std::vector<std::string> lines;
    bool inside = false;
    for (const auto& line : lines_of(source + "/README.md")) {
        if (line.starts_with("```")) inside = line == "```console";
        if (inside && line.starts_with("$ ")) lines.push_back(line.substr(2));
    }
    return lines;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cli_examples)

BOOST_AUTO_TEST_CASE(C06_every_line_of_the_tour_works) {
    const auto lines = tour();
    BOOST_TEST(lines.size() > 10u);
    sandbox box;
    // One shell for all of them: the tour changes directory. Each line must succeed.
    std::string script = "set -o pipefail\n";
    for (const auto& line : lines) {
        script +=
            "{ " + line + "\n} || { echo \"failed: $(cat <<'LINE'\n" + line + "\nLINE\n)\" >&2; exit 1; }\n";
    }
    const auto done = box.shell(script);
    BOOST_TEST_INFO(done.text());
    BOOST_TEST(done.status == 0);
    BOOST_TEST(done.out.find("\"hello again\"") != std::string::npos);
    BOOST_TEST(done.out.find("\"still here\"") != std::string::npos);
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
