// hob.local.toml, included files, and units that are not enabled.

#include <boost/test/unit_test.hpp>

#include <string>

#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

run_options below(const sandbox& box, const std::string& directory) {
    run_options options;
    options.cwd = box.project() + "/" + directory;
    return options;
}

void refused(sandbox& box, const std::string& text) {
    const auto checked = box.run({"check"});
    BOOST_TEST(checked.status == 2);
    BOOST_TEST(checked.err.find(text) != std::string::npos, checked.err);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_sources)

BOOST_AUTO_TEST_CASE(the_local_file_is_laid_over_the_file) {
    sandbox box;
    box.config(
        "[service.s]\nrun = \"exec sleep 1000\"\nready = { tcp = 1, timeout = \"700ms\" }\n"
        "env = { A = \"a\", B = \"b\" }\n[task.t]\nrun = \"echo $A $B\"\nevery = \"1h\"\nenv = { A = \"a\" "
        "}\n");
    box.write("hob.local.toml",
              "[service.s]\nready = { delay = \"0s\" }\n[task.t]\ncron = \"0 0 1 1 *\"\n"
              "env = { B = 2 }\n[task.mine]\nrun = \"echo mine\"\n");
    BOOST_TEST(box.run({"start", "s"}).status == 0);
    BOOST_TEST(box.run({"run", "t"}).out == "a 2\n");
    BOOST_TEST(box.run({"run", "mine"}).out == "mine\n");
    box.write("hob.local.toml", "[service.s]\nready = { delay = \"0s\" }\n");
    BOOST_TEST(json_at(box.run({"status", "--json"}).out, "/daemon/config_state").value_or("") == "changed");
    BOOST_TEST(box.run({"run", "mine"}).status == 125);
    box.write("hob.local.toml", "[task.s]\nrun = \"x\"\n");
    refused(box, "hob.local.toml:1:7': the name 's' is taken by the service on line 1 of '");
    box.write("hob.local.toml", "[task.t]\nrn = \"x\"\n");
    refused(box, "hob.local.toml:2:1': unknown key 'rn' in [task.t]");
    box.write("hob.local.toml", "[task.t]\n", 0666);
    refused(box, "everyone may write to it");
}

BOOST_AUTO_TEST_CASE(U34_what_the_local_file_changes_is_not_accepted_yet) {
    sandbox box;
    box.config("[service.s]\nrun = \"exec sleep 1000\"\nautostart = true\n");
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
    box.write("hob.local.toml", "[service.s]\nrun = \"touch caught; exec sleep 1000\"\n");
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    BOOST_TEST(unit_member(box, "s", "state") == "stopped");
    BOOST_TEST(unit_member(box, "s", "detail").find("new") != std::string::npos);
    BOOST_TEST(!exists(box.project() + "/caught"));
}

BOOST_AUTO_TEST_CASE(included_units_are_at_home_in_their_directory) {
    sandbox box;
    BOOST_REQUIRE(box.shell("mkdir -p apps/web/src apps/api 'apps/[id]' apps/lib").status == 0);
    box.config(
        "include = { web = \"apps/web/units.toml\", api = \"apps/api/units.toml\", id = \"apps/[id]/u.toml\" "
        "}\n"
        "[env]\nWHO = \"root\"\n[task.build]\nrun = \"echo root\"\n");
    box.write("apps/web/units.toml",
              "[env]\nWHO = \"web of ${WHO}\"\n[task.build]\nrun = \"echo $WHO; pwd\"\n"
              "[service.dev]\nrun = \"exec sleep 1000\"\nafter = [\"build\", \"api.dev\"]\n"
              "[task.seen]\nrun = \"echo $HOB_CHANGED > seen\"\nwatch = [\"src/*.c\"]\ndebounce = \"0s\"\n");
    box.write("apps/[id]/u.toml",
              "[task.own]\nrun = \"echo $HOB_CHANGED > seen\"\nwatch = [\"*.c\", \"../lib/*.c\"]\n"
              "debounce = \"0s\"\n");
    box.write("apps/api/units.toml",
              "[service.dev]\nrun = \"exec sleep 1000\"\n[task.test]\nrun = \"pwd\"\n");
    const std::string web = box.project() + "/apps/web";
    BOOST_TEST(box.run({"run", "build"}).out == "root\n");
    BOOST_TEST(box.run({"run", "web.build"}).out == "web of root\n" + web + "\n");
    BOOST_TEST(box.run({"run", "build"}, below(box, "apps/web")).out == "web of root\n" + web + "\n");
    BOOST_TEST(box.run({"run", "build"}, below(box, "apps/api")).out == "root\n");
    BOOST_TEST(box.run({"run", "test"}, below(box, "apps/api")).out == box.project() + "/apps/api\n");
    // -C is as if run in that directory, for every verb and for a command.
    BOOST_TEST(box.run({"-C", "apps/web", "run", "build"}).out == "web of root\n" + web + "\n");
    BOOST_TEST(box.run({"-C", "apps/web", "run", "--", "pwd"}).out == web + "\n");
    BOOST_TEST(box.run({"-C", "apps/web", "start", "dev"}).status == 0);
    BOOST_TEST(box.run({"-C", "apps/web", "signal", "dev", "WINCH"}).status == 0);
    BOOST_TEST(box.run({"-C", "apps/web", "wait", "dev"}).status == 0);
    BOOST_TEST(box.run({"-C", "apps/web", "status", "dev"}).status == 0);
    BOOST_TEST(unit_member(box, "web.dev", "state") == "ready");
    BOOST_TEST(unit_member(box, "api.dev", "state") == "ready");
    BOOST_TEST(box.run({"stop", "dev"}, below(box, "apps/web/src")).status == 0);
    BOOST_TEST(unit_member(box, "web.dev", "state") == "stopped");
    BOOST_TEST(box.run({"start", "web.seen"}).status == 0);
    box.write("apps/web/src/a.c", "x");
    BOOST_TEST(wait_until([&] { return slurp(web + "/seen").find("src/a.c") != std::string::npos; }));
    BOOST_TEST(box.run({"start", "id.own"}).status == 0);
    for (const std::string path : {"apps/[id]/b.c", "apps/lib/c.c"}) {
        box.write(path, "x");
        BOOST_TEST(wait_until([&] {
            return slurp(box.project() + "/apps/[id]/seen").find(path.substr(path.size() - 3)) !=
                   std::string::npos;
        }));
    }
    for (const auto& [verb, text] : {std::pair("logs", "web of root"), std::pair("runs", "web.build")})
        BOOST_TEST(box.run({verb, "build"}, below(box, "apps/web")).out.find(text) != std::string::npos);
    box.write("apps/api/units.toml", "[task.test]\nrun = \"pwd\"\n");
    BOOST_TEST(json_at(box.run({"status", "--json"}).out, "/daemon/config_state").value_or("") == "broken");
    refused(box, "apps/web/units.toml:7:");
}

BOOST_AUTO_TEST_CASE(what_an_included_file_may_not_be) {
    sandbox box;
    BOOST_REQUIRE(
        box.shell("mkdir -p a ../out; echo > ../out/u.toml; ln -s ../../out/u.toml a/link.toml").status == 0);
    const auto include = [&](const std::string& path) { box.config("include = { a = \"" + path + "\" }\n"); };
    include("a/missing.toml");
    refused(box, "hob.toml:1:17': 'include.a' cannot be read");
    include("a/link.toml");
    refused(box, "'include.a' is outside of the project");
    include("../out/u.toml");
    refused(box, "'include.a' is outside of the project");
    box.write("a/hob.toml", "");
    include("a/hob.toml");
    refused(box, "give it another name, such as units.toml");
    include("a/u.toml");
    for (const std::string key : {"[ports]\nP = 1\n", "[daemon]\n", "[log]\n", "include = { b = \"x\" }\n"}) {
        box.write("a/u.toml", key);
        refused(box, "a/u.toml:1:");
    }
    box.write("a/u.toml", "[task.t]\nrun = \"x\"\nafter = [\"nope\"]\n");
    refused(box, "a/u.toml:3:10': unknown unit 'nope'");
    box.write("a/u.toml", "[task.t]\nrun = \"x\"\n", 0666);
    refused(box, "everyone may write to it");
}

BOOST_AUTO_TEST_CASE(a_unit_that_is_not_enabled_runs_only_for_those_that_name_it) {
    sandbox box;
    box.config(
        "[service.a]\nrun = \"exec sleep 1000\"\n"
        "[service.b]\nrun = \"exec sleep 1000\"\nenabled = false\nautostart = true\ngroups = [\"g\"]\n"
        "[service.c]\nrun = \"exec sleep 1000\"\nenabled = false\n"
        "[service.d]\nrun = \"exec sleep 1000\"\nafter = [\"c\"]\ngroups = [\"g\"]\n"
        "[task.t]\nrun = \"touch caught\"\nenabled = false\non_start = true\n");
    BOOST_REQUIRE(box.run({"start", "a"}).status == 0);
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    BOOST_TEST(unit_member(box, "b", "state") == "stopped");
    BOOST_TEST(unit_member(box, "c", "state") == "ready");  // d names it
    BOOST_TEST(box.run({"start", "@g"}).out.find("b  ") == std::string::npos);
    BOOST_TEST(box.run({"start", "b"}).status == 0);
    box.kill_daemon_and_keeper();
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    BOOST_TEST(wait_until([&] { return unit_member(box, "b", "state") == "ready"; }));  // it was named
    BOOST_REQUIRE(box.run({"stop"}).status == 0);
    BOOST_TEST(unit_member(box, "b", "state") == "stopped");
    BOOST_TEST(!exists(box.project() + "/caught"));
}

BOOST_AUTO_TEST_SUITE_END()
