// What of a definition a user consents to.
#include "unit/spec/definition_digest.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

#include "unit/config/config.hpp"

namespace {

hob::unit::unit_spec spec_of(const std::string& toml) {
    return hob::unit::parse_config(toml, "/p/hob.toml", "/p").units.at(0);
}

std::string digest(const std::string& keys, const std::string& kind = "service") {
    return hob::unit::definition_digest(spec_of("[" + kind + ".u]\n" + keys));
}

const std::string run = "run = \"serve --port 1\"\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(definition_digest)

BOOST_AUTO_TEST_CASE(U34_the_form_of_the_file_does_not_change_a_digest) {
    const std::string plain = digest(run + "env = { A = \"1\", B = \"2\" }\ncwd = \"sub\"\n");
    BOOST_TEST(digest("cwd = './sub'   # here\n" + run + "[service.u.env]\nB = '2'\nA = '1'\n") == plain);
}

BOOST_AUTO_TEST_CASE(U34_what_is_executed_changes_a_digest) {
    const std::string plain = digest(run);
    for (const std::string more :
         {"env = { A = \"1\" }\n", "env_file = \".env\"\n", "cwd = \"sub\"\n", "on_failure = \"evil\"\n",
          "ready = { exec = \"evil\" }\n", "health = { exec = \"evil\" }\n", "stop = { run = \"evil\" }\n",
          "autostart = true\n"}) {
        BOOST_TEST(digest(run + more) != plain, more);
    }
    BOOST_TEST(digest("run = \"serve --port 2\"\n") != plain);
    BOOST_TEST(digest("run = [\"serve --port 1\"]\n") != plain);
    BOOST_TEST(digest(run, "task") != plain);
    BOOST_TEST(digest(run + "[env]\nLD_PRELOAD = \"./evil.so\"\n") != plain);
    BOOST_TEST(digest(run + "env_file = [\".env\", \"evil\"]\n") != digest(run + "env_file = \".env\"\n"));
    const std::string task = digest(run, "task");
    for (const std::string more :
         {"every = \"1h\"\n", "cron = \"* * * * *\"\n", "watch = [\"*.c\"]\n", "on_start = true\n"}) {
        BOOST_TEST(digest(run + more, "task") != task, more);
    }
    const std::string worker = digest(run + "protocol = \"lsp\"\n", "worker");
    BOOST_TEST(digest(run + "protocol = \"lsp\"\nsettings = { tool = { path = \"evil\" } }\n", "worker") !=
               worker);
}

BOOST_AUTO_TEST_CASE(U34_what_decides_nothing_about_execution_does_not) {
    const std::string plain = digest(run);
    for (const std::string more : {"restart = \"always\"\n", "max_restarts = 3\n",
                                   "backoff = { max = \"1s\" }\n", "stop = { timeout = \"1s\" }\n",
                                   "kill = \"group\"\n", "ready = { tcp = 80 }\n", "autostart = false\n"}) {
        BOOST_TEST(digest(run + more) == plain, more);
    }
    BOOST_TEST(digest(run + "keep = 3\ntimeout = \"1m\"\n", "task") == digest(run, "task"));
    BOOST_TEST(digest(run + "every = \"1h\"\n", "task") == digest(run + "every = \"2h\"\n", "task"));
    BOOST_TEST(digest(run + "protocol = \"lines\"\ncall_timeout = \"1s\"\n", "worker") ==
               digest(run + "protocol = \"lines\"\n", "worker"));
}

// A digest is on users' disks: a later version must not change it.
BOOST_AUTO_TEST_CASE(U34_a_digest_is_what_it_was_in_the_first_version) {
    BOOST_TEST(digest(run) == "3c8d3619076809aed410785964feb901cc922f6644c0811e59c0debbd4074d44");
    BOOST_TEST(digest(run + "autostart = true\nenv = { B = \"2\", A = \"1\" }\nenv_file = \".env\"\n"
                            "on_failure = [\"tell\", \"me\"]\n") ==
               "14e2e58c87c2f3c2f321761305cd78e3bbf6914209e295146b8594711dbd18ad");
}

BOOST_AUTO_TEST_SUITE_END()
