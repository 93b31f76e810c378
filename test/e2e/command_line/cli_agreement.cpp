// `hob help`, the man page of a verb, completion and hob(1) agree about each verb.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>
#include <sstream>

#include "harness/sandbox.hpp"
#include "paths.hpp"
#include "util/json/json_text.hpp"

using namespace hob::test;

namespace {

const std::string man = std::string(HOB_SOURCE_DIR) + "/man/";

std::vector<std::string> verbs_of(sandbox& box) {
    const auto help = box.run({"help", "--json"});
    std::vector<std::string> verbs;
    for (int i = 0; auto verb = json_at(help.out, "/" + std::to_string(i) + "/verb"); ++i)
        verbs.push_back(*verb);
    return verbs;
}

std::set<std::string> options_in_help(sandbox& box, const std::string& verb) {
    const auto help = box.run({"help", "--json", verb});
    std::set<std::string> names;
    for (int i = 0; auto name = json_at(help.out, "/options/" + std::to_string(i) + "/name"); ++i) {
        names.insert((name->size() == 1 ? "-" : "--") + *name);
    }
    return names;
}

// Options described by a page: each `.It Fl x , Fl -long Ar value`, of which the last is the long name.
std::set<std::string> options_in_page(const std::string& path) {
    std::istringstream text(slurp(path));
    std::set<std::string> names;
    for (std::string line; std::getline(text, line);) {
        if (!line.starts_with(".It Fl ")) continue;
        std::istringstream words(line.substr(4));
        std::string last;
        bool flags = false;
        for (std::string word; words >> word;) {
            if (word == "Fl" || word == "Ar" || word == "Cm" || word == "Ns") {
                flags = word == "Fl";
            } else if (flags && word != ",") {
                last = "-" + word;
            }
        }
        if (last.size() > 1) names.insert(last);
    }
    return names;
}

std::set<std::string> options_in_completion(sandbox& box, const std::string& verb) {
    std::set<std::string> names;
    for (const char* dash : {"--", "-"}) {
        const auto result = box.run({"completions", "--words", "line", "--", "hob", verb, dash});
        std::istringstream lines(result.out);
        for (std::string line; std::getline(lines, line);)
            names.insert(line.substr(0, line.find('\t')));
    }
    return names;
}

std::set<std::string> without(std::set<std::string> from, const std::set<std::string>& what) {
    for (const auto& each : what)
        from.erase(each);
    return from;
}

std::string joined(const std::set<std::string>& words) {
    std::string text;
    for (const auto& word : words)
        text += word + " ";
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cli_agreement)

BOOST_AUTO_TEST_CASE(C06_help_page_and_completion_know_the_same_options) {
    sandbox box;
    const auto global = without(options_in_completion(box, "ping"), options_in_help(box, "ping"));
    BOOST_TEST(joined(global) == joined(options_in_page(man + "hob.1")));
    for (const auto& verb : verbs_of(box)) {
        const auto told = joined(options_in_help(box, verb));
        BOOST_TEST_CONTEXT("hob " << verb) {
            BOOST_TEST(joined(options_in_page(man + "hob-" + verb + ".1")) == told);
            BOOST_TEST(joined(without(options_in_completion(box, verb), global)) == told);
        }
    }
}

BOOST_AUTO_TEST_CASE(C06_every_verb_has_a_page_that_says_what_help_says) {
    sandbox box;
    const std::string overview = slurp(man + "hob.1");
    const auto verbs = verbs_of(box);
    BOOST_TEST(verbs.size() >= 18u);
    for (const auto& verb : verbs) {
        const std::string page = slurp(man + "hob-" + verb + ".1");
        const auto help = box.run({verb, "--help"});
        const auto summary = json_at(box.run({"help", "--json", verb}).out, "/summary");
        BOOST_TEST_CONTEXT("hob " << verb) {
            BOOST_TEST(help.status == 0);
            BOOST_TEST(help.err == "");
            BOOST_TEST(help.out == box.run({"help", verb}).out);
            BOOST_TEST(page.find(".Nm hob-" + verb + "\n") != std::string::npos);
            BOOST_TEST(page.find(".Nd " + summary.value_or("?") + "\n") != std::string::npos);
            BOOST_TEST(overview.find(".Xr hob-" + verb + " 1") != std::string::npos);
            BOOST_TEST(overview.find(".It Cm " + verb + "\n") != std::string::npos);
        }
    }
}

BOOST_AUTO_TEST_CASE(C06_help_fits_80_columns) {
    sandbox box;
    auto pages = verbs_of(box);
    for (auto& page : pages)
        page = box.run({"help", page}).out;
    pages.push_back(box.run({"help"}).out);
    for (const auto& page : pages) {
        std::istringstream lines(page);
        for (std::string line; std::getline(lines, line);) {
            BOOST_TEST_CONTEXT(line) { BOOST_TEST(line.size() <= 80u); }
        }
    }
}

BOOST_AUTO_TEST_CASE(C06_the_pages_are_clean) {
    if (!require_program("mandoc")) return;
    sandbox box;
    run_options options;
    options.cwd = man;  // where it finds the pages that others refer to
    const auto lint = box.shell("mandoc -Tlint *.[1-9]", options);
    BOOST_TEST_CONTEXT(lint.out) { BOOST_TEST(lint.status == 0); }
}

BOOST_AUTO_TEST_CASE(exit_codes_and_error_codes_stand_in_the_page) {
    const std::string page = slurp(man + "hob.1");
    for (const char* code :
         {"cancelled", "config", "crash_loop", "denied", "foreign", "instance_elsewhere", "internal",
          "daemon_lost", "no_daemon", "no_project", "start_failed", "timeout", "unit_failed", "unit_unknown",
          "untrusted_config", "usage", "version", "wedged", "worker_died", "worker_error"}) {
        BOOST_TEST_CONTEXT(code) { BOOST_TEST(page.find(code) != std::string::npos); }
    }
}

BOOST_AUTO_TEST_SUITE_END()
