#include <sys/stat.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>

#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

BOOST_AUTO_TEST_SUITE(check)

BOOST_AUTO_TEST_CASE(a_good_file_is_reported_with_its_units_and_nothing_is_started) {
    sandbox box;
    box.config(
        "[worker.w]\nrun = \"touch executed\"\n[service.s]\nrun = \"touch executed\"\nautostart = true\n");
    const outcome checked = box.run({"check"});
    BOOST_TEST(checked.status == 0, checked.text());
    BOOST_TEST(checked.out == box.project() + "/hob.toml: ok, 2 units\n");
    BOOST_TEST(checked.err == "");
    BOOST_TEST(!exists(box.runtime()));
    BOOST_TEST(!exists(box.project() + "/executed"));
    BOOST_TEST(box.run({"-q", "check"}).out == "");
}

BOOST_AUTO_TEST_CASE(json_names_units_and_warnings) {
    sandbox box;
    box.config("[task.t]\nrun = \"t\"\nstop = { timeout = \"1m\" }\n[worker.w]\nrun = \"w\"\n");
    const outcome checked = box.run({"--json", "check"});
    BOOST_TEST(checked.status == 0, checked.text());
    BOOST_TEST(json_at(checked.out, "/file").value_or("") == box.project() + "/hob.toml");
    BOOST_TEST(json_at(checked.out, "/ok").value_or("") == "true");
    BOOST_TEST(json_at(checked.out, "/units/0/name").value_or("") == "t");
    BOOST_TEST(json_at(checked.out, "/units/0/kind").value_or("") == "task");
    BOOST_TEST(json_at(checked.out, "/units/1/kind").value_or("") == "worker");
    BOOST_TEST((json_at(checked.out, "/warnings/0").value_or("").find("hob.toml:3:20: 't' may take 1m") !=
                std::string::npos));
    BOOST_TEST(checked.err == "");
    const outcome text = box.run({"check"});
    BOOST_TEST(text.status == 0);
    BOOST_TEST(text.err.starts_with("hob: warning: "), text.err);
}

BOOST_AUTO_TEST_CASE(a_bad_file_is_reported_by_line_and_column_with_a_hint) {
    sandbox box;
    box.config("[daemon]\nshutdwn_timeout = \"1s\"\n");
    const outcome checked = box.run({"check"});
    BOOST_TEST(checked.status == 2, checked.text());
    BOOST_TEST(checked.out == "");
    BOOST_TEST(checked.err ==
               "hob: cannot use '" + box.project() +
                   "/hob.toml:2:1': unknown key 'shutdwn_timeout' in [daemon]\nhint: did you mean "
                   "'shutdown_timeout'?\n");
    const outcome json = box.run({"check", "--json"});
    BOOST_TEST(json.status == 2);
    BOOST_TEST(json_at(json.err, "/error/code").value_or("") == "config");
    BOOST_TEST(json_at(json.err, "/error/hint").value_or("") == "did you mean 'shutdown_timeout'?");
}

BOOST_AUTO_TEST_CASE(a_file_may_be_named) {
    sandbox box;
    box.config("broken");
    box.write("other.toml", "[worker.w]\nrun = \"w\"\n");
    BOOST_TEST(box.run({"check", "other.toml"}).out == "other.toml: ok, 1 unit\n");
    run_options elsewhere;
    elsewhere.cwd = "/";
    BOOST_TEST(box.run({"-C", box.project(), "check", "other.toml"}, elsewhere).status == 0);
    BOOST_TEST(box.run({"check", "none.toml"}).status == 2);
    BOOST_TEST(box.run({"check", "other.toml", "hob.toml"}).status == 2);
    BOOST_TEST(box.run({"check", "."}).err == "hob: cannot read '.': it is a directory\n");
}

BOOST_AUTO_TEST_CASE(without_any_file_it_says_how_to_begin) {
    sandbox box;
    BOOST_REQUIRE(::unlink((box.project() + "/hob.toml").c_str()) == 0);
    const outcome checked = box.run({"check"});
    BOOST_TEST(checked.status == 2, checked.text());
    BOOST_TEST(checked.err.find(" or above it\nhint: hob init writes one here\n") != std::string::npos,
               checked.err);
}

BOOST_AUTO_TEST_CASE(the_schema_needs_no_project_and_takes_no_file) {
    sandbox box;
    box.config("broken");
    const outcome schema = box.run({"check", "--schema"});
    BOOST_TEST(schema.status == 0, schema.text());
    BOOST_TEST(schema.out == slurp(HOB_SOURCE_DIR "/share/hob.schema.json"));
    const outcome line = box.run({"--json", "check", "--schema"});
    BOOST_TEST(line.out.find('\n') == line.out.size() - 1);
    BOOST_TEST(json_at(line.out, "/$schema").value_or("") == "https://json-schema.org/draft/2020-12/schema");
    for (const auto& words :
         {std::vector<std::string>{"check", "--schema", "hob.toml"}, {"check", "--schema", "--next", "1"}}) {
        const outcome refused = box.run(words);
        BOOST_TEST(refused.status == 2);
        BOOST_TEST(refused.err == "hob: cannot use '--schema': it takes neither a file nor --next\n");
    }
}

BOOST_AUTO_TEST_CASE(S02_a_file_that_is_not_ours_to_trust_is_refused) {
    sandbox box;
    box.config("");
    BOOST_REQUIRE(::chmod((box.project() + "/hob.toml").c_str(), 0666) == 0);
    for (const std::string verb : {"check", "ping"}) {
        const outcome refused = box.run({"--json", verb});
        BOOST_TEST(refused.status == 2, refused.text());
        BOOST_TEST(json_at(refused.err, "/error/code").value_or("") == "untrusted_config");
        BOOST_TEST(!exists(box.socket()));
    }
}

BOOST_AUTO_TEST_CASE(U04_a_dependency_cycle_is_shown) {
    sandbox box;
    box.config("[service.a]\nrun = \"a\"\nafter = [\"b\"]\n[service.b]\nrun = \"b\"\nafter = [\"a\"]\n");
    const outcome checked = box.run({"check"});
    BOOST_TEST(checked.status == 2);
    BOOST_TEST(
        (checked.err.find("hob.toml:6:10': units wait for each other: a -> b -> a\n") != std::string::npos),
        checked.err);
    box.config("[service.a]\nrun = \"a\"\nafter = [\"a\"]\n");
    BOOST_TEST((box.run({"check"}).err.find("'a' cannot be started after itself\n") != std::string::npos));
    box.config("[service.db]\nrun = \"a\"\n[task.t]\nrun = \"t\"\nafter = [\"bd\", \"dbb\"]\n");
    BOOST_TEST((box.run({"check"}).err.find("hob.toml:5:10': unknown unit 'bd' in 'after' of 't'\n") !=
                std::string::npos));
}

BOOST_AUTO_TEST_SUITE_END()
