// What `hob export` writes, `hob import` reads again: the same names, commands, names of variables,
// directories and dependencies.

#include <boost/test/unit_test.hpp>

#include <random>

#include "cmd/export/writers.hpp"
#include "cmd/formats/read.hpp"
#include "harness/sandbox.hpp"
#include "unit/config/config.hpp"
#include "util/shell_quote.hpp"

using namespace hob;
using cmd::export_request;

namespace {

std::mt19937 random_numbers(20261128);

std::size_t below(std::size_t limit) { return random_numbers() % limit; }

template <typename T>
const T& one_of(const std::vector<T>& values) {
    return values[below(values.size())];
}

std::string quoted(const std::string& text) { return cmd::toml_string(text); }

// Without line breaks, which a line cannot hold.
std::string random_command() {
    if (below(2) == 0)
        return quoted(one_of<std::string>({"npm run dev", "node server.js --port $PORT", "a && b; c || d",
                                           "x | tee \"y z\"", "echo '100%' \\% \"$HOME\"", "cd sub && make",
                                           "FOO=bar baz # no", "true", "printf '%s' \"a'b\" > out 2>&1 &",
                                           "cd 'a b' || exit 1; run"}));
    std::string text = quoted(one_of<std::string>({"node", "./bin/x", "/usr/bin/env", "echo", "[", "A=B"}));
    for (std::size_t n = below(4); n > 0; --n)
        text += ", " + quoted(one_of<std::string>({"", "a b", "it's", "100%", "\\%", "$HOME", "\"", "ü", "*",
                                                   "# x", "-c", ";", "\t"}));
    return "[" + text + "]";
}

std::string random_members(std::size_t number) {
    std::string text = "run = " + random_command() + "\n";
    if (below(2) == 0)
        text += "cwd = " + quoted(one_of<std::string>({"apps/web", "a b", "it's", "/tmp", "."})) + "\n";
    if (below(2) == 0)
        text += "env = { " + one_of<std::string>({"API_KEY", "\"we.ird\"", "A1"}) +
                " = \"secret\", B = \"x${A:-}\" }\n";
    if (below(3) == 0) text += "env_file = { path = \".env\", required = false }\n";
    if (number > 0 && below(2) == 0) text += "after = [\"u" + std::to_string(below(number)) + "\"]\n";
    return text;
}

std::string random_config(const std::string& kind) {
    std::string text = below(2) == 0 ? "[env]\nSHARED = \"secret\"\n" : "";
    for (std::size_t n = 0; n < 1 + below(6); ++n) {
        text += "[" + kind + ".u" + std::to_string(n) + "]\n" + random_members(n);
        if (kind == "task") {
            text += one_of<std::string>({"cron = \"*/5 1-3 * jan mon\"\n", "cron = \"@daily\"\n",
                                         "every = \"10m\"\n", "on_start = true\n",
                                         "every = \"6h\"\non_start = true\n"});
        }
    }
    return text;
}

unit::config imported(const std::string& text, const std::string& name) {
    const cmd::import_environment nothing;
    auto found = cmd::read_import(text, name, {"/p", "/p", "/home/me", false}, nothing);
    cmd::settle_after(found, [](const std::string&) { return false; });
    BOOST_TEST(found.refused.empty());
    std::string toml;
    for (const auto& each : found.units)
        toml += cmd::to_toml(each, name) + "\n";
    return unit::parse_config(toml, "/p/hob.toml");
}

std::vector<std::string> names_of(const unit::unit_spec& one, const unit::config& config) {
    auto names = cmd::variable_names(one, config);
    std::sort(names.begin(), names.end());
    return names;
}

// What is executed, whether a shell was written or implied.
std::vector<std::string> meaning(const unit::unit_spec& one) {
    if (const auto script = cmd::shell_script(one.run, one.name)) {
        // `cd DIR && COMMAND` may have become cwd.
        const std::string prefix = "cd ";
        if (script->starts_with(prefix)) return {"in a directory of its own"};
        return cmd::command_words(one.run, one.name);
    }
    // A shell has a builtin of this name, or would take it for an assignment: the text stays the shell's.
    const std::string& program = one.run.argv.front();
    if (program == "[" || program == "echo" || program == "A=B") {
        const std::string text = util::shell_quoted(one.run.argv);
        return {"/bin/sh", "-c", program == "A=B" ? "'A=B'" + text.substr(3) : text, one.name};
    }
    return one.run.argv;
}

void compare(const unit::config& before, const unit::config& after, const std::string& text) {
    BOOST_TEST_CONTEXT(text) {
        BOOST_REQUIRE_EQUAL(after.units.size(), before.units.size());
        for (std::size_t i = 0; i < before.units.size(); ++i) {
            const auto& was = before.units[i];
            const auto& is = after.units[i];
            BOOST_TEST_CONTEXT(was.name << ": " << was.run.text << " became " << is.run.text) {
                BOOST_TEST(is.name == was.name);
                BOOST_TEST((is.kind == was.kind));
                BOOST_TEST((is.after == was.after));
                BOOST_TEST((names_of(is, after) == names_of(was, before)));
                BOOST_TEST(is.env_files.size() == was.env_files.size());
                const bool moved = meaning(was) == std::vector<std::string>{"in a directory of its own"};
                if (moved && is.cwd != was.cwd) continue;  // checked below: import_formats
                BOOST_TEST(is.cwd == was.cwd);
                if (!moved) BOOST_TEST((meaning(is) == meaning(was)));
            }
        }
    }
}

export_request request_for(const unit::config& config) {
    export_request request{config, {}, "/p", "p", "image:1"};
    for (const auto& each : config.units)
        request.units.push_back(&each);
    return request;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(export_round_trip)

BOOST_AUTO_TEST_CASE(a_procfile_is_read_again) {
    for (int round = 0; round < 300; ++round) {
        const unit::config before = unit::parse_config(random_config("service"), "/p/hob.toml");
        const auto result = cmd::export_procfile(request_for(before));
        BOOST_REQUIRE_EQUAL(result.files.size(), 1u);
        BOOST_TEST(result.files[0].text.find("secret") == std::string::npos);
        compare(before, imported(result.files[0].text, "Procfile"), result.files[0].text);
    }
}

BOOST_AUTO_TEST_CASE(a_crontab_is_read_again) {
    for (int round = 0; round < 300; ++round) {
        const unit::config before = unit::parse_config(random_config("task"), "/p/hob.toml");
        const auto result = cmd::export_crontab(request_for(before));
        BOOST_REQUIRE_EQUAL(result.files.size(), 1u);
        BOOST_TEST(result.files[0].text.find("secret") == std::string::npos);
        const auto after = imported(result.files[0].text, "crontab");
        compare(before, after, result.files[0].text);
        for (std::size_t i = 0; i < before.units.size() && i < after.units.size(); ++i) {
            const auto& was = std::get<unit::task_spec>(before.units[i].detail);
            const auto& is = std::get<unit::task_spec>(after.units[i].detail);
            BOOST_TEST((cmd::cron_text(was) == cmd::cron_text(is)));
            BOOST_TEST(was.on_start == is.on_start);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
