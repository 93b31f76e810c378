#include <sys/stat.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>

#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

// A sandbox begins with an empty hob.toml.
void without_config(const sandbox& box) {
    BOOST_REQUIRE(::unlink((box.project() + "/hob.toml").c_str()) == 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(init)

BOOST_AUTO_TEST_CASE(the_written_file_is_valid_and_its_worker_answers) {
    sandbox box;
    without_config(box);
    const outcome written = box.run({"init"});
    BOOST_TEST(written.status == 0, written.text());
    BOOST_TEST(written.out == "wrote hob.toml\n");
    BOOST_TEST(!exists(box.runtime()));
    const outcome checked = box.run({"check"});
    BOOST_TEST(checked.status == 0, checked.text());
    BOOST_TEST(checked.err == "");
    const outcome called = box.run({"call", "echo", "hello"});
    BOOST_TEST(called.status == 0, called.text());
    BOOST_TEST((called.out.find("hello") != std::string::npos), called.out);
}

BOOST_AUTO_TEST_CASE(an_existing_file_is_kept_unless_forced) {
    sandbox box;
    box.config("# mine\n");
    const outcome refused = box.run({"init"});
    BOOST_TEST(refused.status == 2, refused.text());
    BOOST_TEST(refused.err ==
               "hob: cannot write 'hob.toml': it exists already\nhint: hob init --force replaces it\n");
    BOOST_TEST(slurp(box.project() + "/hob.toml") == "# mine\n");
    const outcome forced = box.run({"--json", "init", "--force"});
    BOOST_TEST(forced.status == 0, forced.text());
    BOOST_TEST(json_at(forced.out, "/replaced").value_or("") == "true");
    BOOST_TEST((slurp(box.project() + "/hob.toml").find("[worker.echo]") != std::string::npos));
    const outcome again = box.run({"--json", "init"});
    BOOST_TEST(again.status == 2);
    BOOST_TEST(json_at(again.err, "/error/code").value_or("") == "config");
    BOOST_TEST(box.run({"init", "-f"}).out == "replaced hob.toml\n");
}

BOOST_AUTO_TEST_CASE(the_file_is_never_writable_by_everyone_under_any_umask) {
    sandbox box;
    for (const mode_t mask : {mode_t{0}, mode_t{077}}) {
        run_options options;
        options.in_child = [mask] { ::umask(mask); };
        BOOST_TEST(box.run({"init", "--force"}, options).status == 0);
        struct stat made {};
        BOOST_REQUIRE(::stat((box.project() + "/hob.toml").c_str(), &made) == 0);
        BOOST_TEST((made.st_mode & 0777) == (0644u & ~mask));
        BOOST_TEST(box.run({"check"}).status == 0);
    }
}

BOOST_AUTO_TEST_CASE(it_can_be_printed_instead) {
    sandbox box;
    without_config(box);
    for (const std::string how : {"-", "--stdout"}) {
        const outcome printed = box.run({"init", how});
        BOOST_TEST(printed.status == 0, printed.text());
        BOOST_TEST((printed.out.find("[worker.echo]\n") != std::string::npos));
        BOOST_TEST(!exists(box.project() + "/hob.toml"));
    }
}

BOOST_AUTO_TEST_CASE(the_first_line_names_the_schema_for_editors) {
    sandbox box;
    BOOST_TEST(box.run({"init", "-"}).out.starts_with("#:schema /usr/share/hob/hob.schema.json\n"));
    const auto install = box.shell(
        "mkdir -p usr/bin usr/share/hob && cp \"$(command -v hob)\" usr/bin/hob && "
        "hob check --schema > usr/share/hob/hob.schema.json");
    BOOST_TEST(install.status == 0, install.text());
    run_options installed;
    installed.program = box.project() + "/usr/bin/hob";
    const std::string schema = box.project() + "/usr/share/hob/hob.schema.json";
    BOOST_TEST(box.run({"init", "-"}, installed).out.starts_with("#:schema " + schema + "\n"));
}

BOOST_AUTO_TEST_CASE(the_directory_can_be_chosen_and_must_exist) {
    sandbox box;
    without_config(box);
    run_options elsewhere;
    elsewhere.cwd = "/";
    BOOST_TEST(box.run({"-C", box.project(), "init"}, elsewhere).status == 0);
    BOOST_TEST(exists(box.project() + "/hob.toml"));
    const outcome refused = box.run({"-C", box.project() + "/none", "init"}, elsewhere);
    BOOST_TEST(refused.status != 0, refused.text());
    BOOST_TEST((refused.err.find("No such file or directory") != std::string::npos), refused.err);
    BOOST_TEST(box.run({"init", "other.toml"}).status == 2);
}

BOOST_AUTO_TEST_CASE(a_directory_named_hob_toml_is_not_touched) {
    sandbox box;
    without_config(box);
    BOOST_REQUIRE(::mkdir((box.project() + "/hob.toml").c_str(), 0700) == 0);
    BOOST_TEST(box.run({"init"}).status == 2);
    BOOST_TEST(box.run({"init", "--force"}).status == 3);
    BOOST_TEST(box.shell("ls -A").out == "hob.toml\n");
}

BOOST_AUTO_TEST_CASE(C15_it_proposes_units_from_what_the_directory_has) {
    sandbox box;
    without_config(box);
    // Programs that must not be executed.
    box.shell(
        "mkdir bin .vscode && for name in make just npm pnpm uv cmake docker; do "
        "printf '#!/bin/sh\\ntouch executed\\n' > bin/$name; chmod +x bin/$name; done; touch pnpm-lock.yaml "
        "uv.lock");
    box.set_env("PATH", box.project() + "/bin:/usr/bin:/bin");
    box.write("Procfile", "web: exec sleep 100\nrelease: true\n");
    box.write("compose.yaml", "services:\n  db: {image: postgres:16}\n  cache: {command: redis-server}\n");
    box.write("package.json", R"({"scripts":{"dev":"vite","build":"vite build","test":"vitest"}})");
    box.write("justfile",
              "# ship it\nship target='x':\n  true\n[private]\nhid:\n  true\ndeploy env:\n  true\n");
    box.write("Makefile",
              "CC := gcc\n.PHONY: docs test\nx.o: x.c\n\tcc\ndocs: ## the "
              "manual\n\ttrue\ntest:\n\ttrue\nall: x.o\n");
    box.write("pyproject.toml",
              "[tool.pytest.ini_options]\n[tool.ruff]\n[tool.poe.tasks]\nseed = 'x'\n[project.scripts]\ntool "
              "= 'a:b'\n");
    box.write("CMakeLists.txt", "project(x)\n");
    box.write("CMakePresets.json", R"({"configurePresets":[{"name":"h","hidden":true},{"name":"dev"}]})");
    box.write(".mcp.json", R"({"mcpServers":{"files":{"command":"mcp-files","env":{"KEY":"sekret"}}}})",
              0600);
    box.write(".vscode/launch.json", R"({"configurations":[{"name":"n","type":"node"}]})");
    const auto done = box.run({"init"});
    BOOST_TEST(done.status == 0, done.text());
    BOOST_TEST(done.err == "");
    BOOST_TEST(done.out.starts_with(
                   "wrote hob.toml\n  Procfile: service web, task release\n  compose.yaml: service cache\n"
                   "  package.json: service dev, task build, task test\n  justfile: task ship\n"
                   "  Makefile: task docs, task all\n  pyproject.toml: task lint, task seed\n"),
               done.out);
    BOOST_TEST(
        done.out.find("next: read hob.toml; `hob start` starts web; `hob run release` runs a task\n") !=
            std::string::npos,
        done.out);
    const std::string text = slurp(box.project() + "/hob.toml");
    for (const char* part :
         {"#:schema ", "run = [\"pnpm\", \"run\", \"dev\"]\nenabled = false", "run = [\"just\", \"ship\"]",
          "# ship it\n", "# the manual\n", "run = [\"uv\", \"run\", \"ruff\", \"check\", \".\"]",
          "run = [\"cmake\", \"--preset\", \"dev\"]", "[worker.files]",
          "its image 'postgres:16' has the command", "recipes that need arguments: deploy",
          "another file has a unit of this name", "hob knows no adapter for type 'node'", ": tool\n"})
        BOOST_TEST(text.find(part) != std::string::npos, part);
    BOOST_TEST(text.find("hid") == std::string::npos);
    BOOST_TEST(!exists(box.project() + "/executed"));
    struct stat made {};
    BOOST_REQUIRE(::stat((box.project() + "/hob.toml").c_str(), &made) == 0);
    BOOST_TEST((made.st_mode & 07777) == 0600u);
    const auto checked = box.run({"check"});
    BOOST_TEST(checked.status == 0, checked.text());
    BOOST_TEST(checked.err == "");
    const auto up = box.run({"start"});
    BOOST_TEST(up.status == 0, up.text());
    BOOST_TEST(json_at(box.run({"--json", "status"}).out, "/units/0/name").value_or("") == "web");
    BOOST_TEST(box.run({"init"}).status == 2);
    BOOST_TEST(box.run({"init", "--plain", "-"}).out.find("[worker.echo]") != std::string::npos);
    BOOST_TEST(json_at(box.run({"--json", "init", "-f"}).out, "/units/0/from").value_or("") == "Procfile");
}

BOOST_AUTO_TEST_CASE(files_that_cannot_be_read_leave_a_comment) {
    sandbox box;
    without_config(box);
    box.write("package.json", "{ not json");
    box.write("compose.yaml", "services: [");
    box.write("Makefile", "build:\n\ttrue\n");
    const auto done = box.run({"init"});
    BOOST_TEST(done.status == 0, done.text());
    const std::string text = slurp(box.project() + "/hob.toml");
    BOOST_TEST(text.find("# not read: package.json: it is not JSON: line 1: ") != std::string::npos, text);
    BOOST_TEST(text.find("# not read: compose.yaml: it is not YAML: line ") != std::string::npos, text);
    BOOST_TEST(text.find("[task.build]") != std::string::npos);
    BOOST_TEST(box.run({"check"}).status == 0);
    box.shell("rm Makefile");
    BOOST_TEST(box.run({"init", "-f"}).status == 0);
    const std::string plain = slurp(box.project() + "/hob.toml");
    BOOST_TEST(plain.find("[worker.echo]") != std::string::npos);
    BOOST_TEST(plain.find("# not read: package.json") != std::string::npos);
    BOOST_TEST(box.run({"check"}).status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
