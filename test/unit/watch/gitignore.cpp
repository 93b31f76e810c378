#include <boost/test/unit_test.hpp>

#include <random>
#include <set>
#include <sstream>

#include "harness/sandbox.hpp"
#include "unit/watch/gitignore.hpp"
#include "unit/watch/glob.hpp"

using namespace hob::test;
using hob::unit::glob;

BOOST_AUTO_TEST_SUITE(gitignore)

BOOST_AUTO_TEST_CASE(patterns_cover_paths) {
    BOOST_TEST(glob("src/**/*.cpp").covers("src/a.cpp"));
    BOOST_TEST(glob("src/**/*.cpp").covers("src/x/y/a.cpp"));
    BOOST_TEST(!glob("src/**/*.cpp").covers("src/a.hpp"));
    BOOST_TEST(!glob("*.txt").covers("sub/a.txt"));
    BOOST_TEST(glob("**/*.txt").covers("sub/a.txt"));
    BOOST_TEST(glob("src").covers("src/a/b"));
    BOOST_TEST(glob("./src/**").covers("src/a/b"));
    BOOST_TEST(glob("src/[a-c]?").covers("src/bx"));
    BOOST_TEST(!glob("src/[!a-c]?").covers("src/bx"));
    BOOST_TEST(glob("src/**/*.cpp").may_cover_below(""));
    BOOST_TEST(glob("src/**/*.cpp").may_cover_below("src/deep"));
    BOOST_TEST(!glob("src/**/*.cpp").may_cover_below("doc"));
    BOOST_TEST(!glob("*.txt").may_cover_below("doc"));
}

BOOST_AUTO_TEST_CASE(U10_gits_rules_are_gits) {
    if (!require_program("git")) return;
    std::mt19937 random(7);
    const auto pick = [&](const std::vector<std::string>& from) { return from[random() % from.size()]; };
    const std::vector<std::string> names{"a", "b", "ab", "a.o", "b.c", "x y", "#c", "!d", "bin"};
    const std::vector<std::string> patterns{
        "a",      "*.o",  "/a",    "a/",     "b/",     "/b/",      "a/b",    "**/b", "a/**",
        "a/**/b", "*",    "!a",    "!*.c",   "!b/",    "a*",       "?",      "[ab]", "[!a]",
        "\\#c",   "\\!d", "x\\ y", "# note", "",       "bin/*",    "!bin/a", "*b",   "!/a/b",
        "x y  ",  "a/*",  "**",    "/*",     "**/a/b", "b/**/a.o", "!**/a.o"};
    for (int round = 0; round < scaled(60); ++round) {
        sandbox box;
        std::string script = "git init -q .\n";
        std::set<std::string> paths;
        for (int i = 0; i < 25; ++i) {
            std::string path = pick(names);
            for (auto depth = random() % 3; depth > 0; --depth)
                path += "/" + pick(names);
            paths.insert(path);
        }
        std::set<std::string> directories{""};
        for (const auto& path : paths) {
            for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1))
                directories.insert(path.substr(0, slash));
        }
        std::erase_if(paths, [&](const std::string& path) { return directories.contains(path); });
        for (const auto& directory : directories)
            script += "mkdir -p './" + directory + "'\n";
        for (const auto& path : paths)
            script += "touch './" + path + "'\n";
        for (const auto& directory : directories) {
            if (!directory.empty() && random() % 3 != 0) continue;
            script += "cat > './" + directory + "/.gitignore' <<'RULES'\n";
            for (auto i = random() % 5 + 1; i > 0; --i)
                script += pick(patterns) + "\n";
            script += "RULES\n";
        }
        BOOST_REQUIRE(box.shell(script).status == 0);
        std::string asked;
        for (const auto& path : paths)
            asked += path + "\n";
        run_options options;
        options.input = asked;
        const auto said = box.shell("git -c core.quotePath=false check-ignore --stdin --no-index", options);
        std::set<std::string> expected;
        std::istringstream lines(said.out);
        for (std::string line; std::getline(lines, line);) {
            expected.insert(line.starts_with('"') ? line.substr(1, line.size() - 2) : line);
        }
        hob::unit::gitignore rules(box.project());
        for (const auto& path : paths) {
            BOOST_TEST_CONTEXT("round " << round << ": " << path << "\n" << script) {
                BOOST_TEST(rules.ignores(path, false) == expected.contains(path));
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
