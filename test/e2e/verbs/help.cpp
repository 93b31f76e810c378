#include <boost/test/unit_test.hpp>

#include <sstream>

#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

bool says(const std::string& text, const std::string& words) { return text.find(words) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_SUITE(help)

BOOST_AUTO_TEST_CASE(it_needs_neither_project_nor_home) {
    sandbox box;
    run_options options;
    options.empty_env = true;
    options.cwd = "/";
    for (const auto& words :
         {std::vector<std::string>{"help"}, {"--help"}, {"help", "status"}, {"status", "--help"}}) {
        const auto done = box.run(words, options);
        BOOST_TEST(done.status == 0);
        BOOST_TEST(done.err == "");
        BOOST_TEST(done.out.find("Usage:") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_verb_nearly_right_is_suggested) {
    sandbox box;
    const auto done = box.run({"help", "staus"});
    BOOST_TEST(done.status == 2);
    BOOST_TEST(done.err.find("did you mean 'status'?") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_key_of_hob_toml_is_explained_with_type_default_and_table) {
    sandbox box;
    const auto port = box.run({"help", "ready.tcp"});
    BOOST_TEST(port.status == 0, port.text());
    BOOST_TEST(port.out ==
               "ready.tcp: ready when the port accepts a connection\n\n"
               "  in         [service.NAME]\n"
               "  type       port: a port of localhost, or \"ADDRESS:PORT\"\n"
               "  default    none\n"
               "  exclusive  not together with ready.unix, ready.http, ready.exec, ready.log,\n"
               "             ready.notify, ready.delay\n"
               "  example    ready.tcp = 5432\n\n"
               "More: man hob.toml\n");
    BOOST_TEST(box.run({"help", "service.ready.tcp"}).out == port.out);
    const auto both = box.run({"help", "idle_timeout"}).out;
    BOOST_TEST(says(both, "[daemon]"));
    BOOST_TEST(says(both, "[worker.NAME]"));
    BOOST_TEST(says(box.run({"help", "service"}).out, "  ready.timeout") == false);
    BOOST_TEST(says(box.run({"help", "service"}).out, "  max_restarts"));
    BOOST_TEST(says(box.run({"help", "ready"}).out, "  ready.timeout"));
}

BOOST_AUTO_TEST_CASE(a_word_that_is_both_means_the_verb_and_says_how_to_ask_for_the_key) {
    sandbox box;
    const auto verb = box.run({"help", "restart"}).out;
    BOOST_TEST(verb.starts_with("hob restart: "));
    BOOST_TEST(says(verb, "  hob help service.restart  "), verb);
    BOOST_TEST(box.run({"help", "service.restart"}).out.starts_with("restart: "));
    BOOST_TEST(says(box.run({"help", "daemon"}).out, "  hob help daemon.idle_timeout  "));
    BOOST_TEST(!says(box.run({"help", "status"}).out, "hob.toml:"));
}

BOOST_AUTO_TEST_CASE(a_key_as_json_has_its_tables_type_and_default) {
    sandbox box;
    const auto json = box.run({"--json", "help", "service.restart"}).out;
    BOOST_TEST(json == R"([{"key":"restart","tables":["service"],"type":"string",)"
                       R"("values":["always","on-failure","never"],"default":"on-failure","required":false,)"
                       R"("help":"when hob starts the service again after it ended"}])"
                       "\n");
    BOOST_TEST(json_at(box.run({"--json", "help", "idle_timeout"}).out, "/1/tables/0").value_or("") ==
               "worker");
}

BOOST_AUTO_TEST_CASE(a_key_nearly_right_is_suggested) {
    sandbox box;
    for (const auto& [word, meant] :
         std::vector<std::pair<std::string, std::string>>{{"max_restart", "max_restarts"},
                                                          {"ready.tpc", "ready.tcp"},
                                                          {"service.restrat", "service.restart"},
                                                          {"depends_on", "after"}}) {
        const auto done = box.run({"help", word});
        BOOST_TEST(done.status == 2);
        BOOST_TEST(done.err ==
                   "hob: cannot explain '" + word +
                       "': there is no such verb and no such key of hob.toml\nhint: did you mean '" + meant +
                       "'?\n");
    }
    BOOST_TEST(says(box.run({"help", "xyzzy"}).err, "hint: all verbs: hob help; all keys: man hob.toml"));
}

BOOST_AUTO_TEST_CASE(C02_keys_fit_80_columns) {
    sandbox box;
    std::istringstream keys(box.run({"completions", "--words", "keys"}).out);
    for (std::string key; std::getline(keys, key);) {
        std::istringstream lines(box.run({"help", key.substr(0, key.find('\t'))}).out);
        for (std::string line; std::getline(lines, line);)
            BOOST_TEST(line.size() <= 80u, line);
    }
}

BOOST_AUTO_TEST_CASE(C02_it_wraps_at_40_columns) {
    sandbox box;
    run_options options;
    options.env = {{"COLUMNS", "40"}};
    const auto done = box.run({"help"}, options);
    std::size_t at = done.out.find("Verbs:");
    const std::size_t end = done.out.find("More:");
    while (at < end) {
        const std::size_t newline = done.out.find('\n', at);
        BOOST_TEST(newline - at <= 40u);
        at = newline + 1;
    }
}

BOOST_AUTO_TEST_SUITE_END()
