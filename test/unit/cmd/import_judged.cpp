// compose.yaml as hob reads it, held against docker-compose.

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include "cmd/formats/read.hpp"
#include "harness/command_output.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"
#include "unit/config/config.hpp"
#include "unit/config/expansion.hpp"

using namespace hob;
namespace json = boost::json;

namespace {

const std::string path = HOB_SOURCE_DIR "/test/fixtures/compose.yaml";

unit::config imported() {
    const cmd::import_environment nothing;
    auto found = cmd::read_import(test::slurp(path), path, {"/p", "/p", "/h", false}, nothing);
    cmd::settle_after(found, [](const std::string&) { return false; });
    std::string text;
    for (const auto& each : found.units)
        text += cmd::to_toml(each, "compose.yaml") + "\n";
    return unit::parse_config(text, "/p/hob.toml");
}

json::array words(const std::vector<std::string>& all) {
    json::array array;
    for (const auto& word : all)
        array.emplace_back(word);
    return array;
}

// The values as a process gets them.
json::object variables(const unit::unit_spec& one) {
    std::vector<unit::written_variable> layer;
    for (const auto& [name, value] : one.env)
        layer.push_back({name, value, "env"});
    json::object object;
    for (const auto& [name, value] : unit::expand_layers({}, {layer}, one.name))
        object[name] = value;
    return object;
}

bool same_members(const json::object& a, const json::object& b) { return json::value(a) == json::value(b); }

}  // namespace

BOOST_AUTO_TEST_SUITE(import_judged)

BOOST_AUTO_TEST_CASE(docker_compose_reads_the_same_commands_variables_and_dependencies) {
    if (!test::require_program("docker-compose") || !test::require_program("python3")) return;
    const auto judged =
        json::parse(test::output_of("python3 '" HOB_SOURCE_DIR "/test/fixtures/compose_file_judge.py' '" +
                                    path + "'"))
            .as_object();
    const unit::config config = imported();
    BOOST_TEST(judged.size() == 5u);
    BOOST_TEST(config.units.size() == judged.size());
    for (const auto& one : config.units) {
        BOOST_REQUIRE_MESSAGE(judged.contains(one.name), one.name);
        const auto& other = judged.at(one.name).as_object();
        BOOST_TEST_CONTEXT(one.name) {
            BOOST_TEST(json::serialize(words(one.run.argv)) == json::serialize(other.at("command")));
            BOOST_TEST(same_members(variables(one), other.at("environment").as_object()),
                       json::serialize(variables(one))
                           << " and " << json::serialize(other.at("environment")));
            auto after = one.after;
            std::sort(after.begin(), after.end());
            BOOST_TEST(json::serialize(words(after)) == json::serialize(other.at("after")));
            const auto policy = unit::name_of(std::get<unit::service_spec>(one.detail).restart);
            const auto restart = other.at("restart").as_string();
            const std::string_view wanted = restart == "no"           ? "never"
                                            : restart == "on-failure" ? "on-failure"
                                                                      : "always";
            BOOST_TEST(policy == wanted);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
