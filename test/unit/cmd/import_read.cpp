#include "cmd/formats/read.hpp"

#include <boost/test/unit_test.hpp>

#include "error.hpp"
#include "fixtures/run_loop.hpp"
#include "unit/config/config.hpp"

using namespace hob::cmd;
using hob::test::failure_of;

namespace {

const import_environment nothing_installed{[](const std::string&) { return false; }, [] { return false; }};
const import_environment all_installed{[](const std::string&) { return true; }, [] { return true; }};

import_context place() { return {"/p", "/p", "/home/me", false}; }

import_result read(std::string_view text, const import_environment& machine = all_installed) {
    return read_import(text, "f.json", place(), machine);
}

import_result server(const std::string& entry) { return read(R"({"mcpServers":{"s":)" + entry + "}}"); }

std::string refusal(const std::string& entry) {
    const auto found = server(entry);
    BOOST_TEST(found.units.empty(), entry);
    return found.refused.size() == 1u ? found.refused[0].text : "not refused";
}

// Parses the result as the daemon does.
hob::unit::unit_spec spec(const import_result& found, std::size_t index = 0) {
    BOOST_REQUIRE(found.units.size() > index);
    const auto config = hob::unit::parse_config(to_toml(found.units[index], "f.json"), "/p/hob.toml");
    BOOST_REQUIRE(config.units.size() == 1u);
    BOOST_TEST(config.warnings.empty());
    return config.units[0];
}

std::string message(const std::string& text) {
    return failure_of([&] { read(text); }).what();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(import_read)

BOOST_AUTO_TEST_CASE(a_server_becomes_a_worker) {
    const auto found = server(
        R"({"command":"node","args":["a b","\"q\"\n\u007f","ü"],"env":{"K":"v","N":3},"cwd":"${workspaceFolder}/x/","envFile":".env","type":"stdio"})");
    const auto got = spec(found);
    BOOST_TEST(got.name == "s");
    BOOST_TEST((got.run.argv == std::vector<std::string>{"node", "a b", "\"q\"\n\x7f", "ü"}));
    BOOST_TEST((got.env == std::vector<std::pair<std::string, std::string>>{{"K", "v"}, {"N", "3"}}));
    BOOST_TEST(got.cwd == "/p/x");
    BOOST_REQUIRE(got.env_files.size() == 1u);
    BOOST_TEST(got.env_files.front().path == "/p/.env");
    BOOST_TEST((std::get<hob::unit::worker_spec>(got.detail).protocol == hob::unit::find_protocol("mcp")));
    BOOST_TEST(found.notes.empty());
}

BOOST_AUTO_TEST_CASE(malformed_files_are_refused_with_a_one_line_message) {
    for (const char* text : {"", " ", "{", "}", "null", "[]", "3", "\"x\"", "{}", "{\"a\":1}", "not json",
                             "{\"mcpServers\":{}} x", "{\"mcpServers\":{\"a\":{\"command\":\"\xff\"}}}",
                             "/* {}", "\xef\xbb\xbf"}) {
        const std::string said = message(text);
        BOOST_TEST_CONTEXT(text) {
            BOOST_TEST(said.starts_with("cannot import 'f.json': "), said);
            BOOST_TEST(said.find('\n') == std::string::npos);
        }
    }
    BOOST_TEST(message("{\n\n  \"a\": nope }").find("line 3") != std::string::npos);
    const std::string deep = "{\"mcpServers\":" + std::string(5000, '[') + std::string(5000, ']') + "}";
    BOOST_TEST(message(deep).find("it is not JSON") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(comments_trailing_commas_and_a_byte_order_mark_are_allowed) {
    const auto found =
        read("\xef\xbb\xbf// a\n{ /* b */ \"servers\": { \"x\": { \"command\": \"c\", }, }, }\n");
    BOOST_TEST(spec(found).run.text == "c");
}

BOOST_AUTO_TEST_CASE(wrong_types_are_reported) {
    BOOST_TEST(refusal("3") == "it must be an object, not a number");
    BOOST_TEST(refusal("{}") == "it has no command");
    BOOST_TEST(refusal(R"({"command":""})") == "it has no command");
    BOOST_TEST(refusal(R"({"command":3})") == "its 'command' must be a string, not a number");
    BOOST_TEST(refusal(R"({"command":"x","args":"y"})") == "its 'args' must be an array, not a string");
    BOOST_TEST(refusal(R"({"command":"x","args":[1]})") == "its 'args' must hold strings, not a number");
    BOOST_TEST(refusal(R"({"command":"x","env":[]})") == "its 'env' must be an object, not an array");
    BOOST_TEST(refusal(R"({"command":"x","env":{"A":true}})") ==
               "its variable 'A' must be a string, not a boolean");
    BOOST_TEST(refusal(R"({"command":"x","env":{"A=B":"1"}})") == "'A=B' is no name of a variable");
    BOOST_TEST(refusal(R"({"command":"x","env":{"HOB_UNIT":"1"}})") ==
               "it sets 'HOB_UNIT', which is hob's own");
    BOOST_TEST(refusal(R"({"command":"x\u0000y"})") == "it has a NUL byte in a text");
    BOOST_TEST(refusal(R"({"command":"x","cwd":""})") == "its 'cwd' is empty");
    BOOST_TEST(refusal(R"({"url":"https://x"})") ==
               "it is reached over a URL, and hob keeps processes; `npx mcp-remote URL` is one");
    BOOST_TEST(refusal(R"({"type":"sse","url":"x"})") ==
               "it is reached over sse, and hob keeps processes; `npx mcp-remote URL` is one");
    BOOST_TEST(refusal(R"({"type":"odd","command":"x"})") == "its type is 'odd'");
    BOOST_TEST(refusal(R"({"command":"x","disabled":true})") == "it is disabled");
    BOOST_TEST(read(R"({"mcpServers":[]})").refused.at(0).text == "it must be an object, not an array");
    BOOST_TEST(read(R"({"configurations":{}})").refused.at(0).text == "it must be an array, not an object");
}

BOOST_AUTO_TEST_CASE(names_are_made_valid_and_unique) {
    const std::string long_name(200, 'n');
    const auto found =
        read(R"({"mcpServers":{"a b":{"command":"x"},"a!b":{"command":"y"},"...":{"command":"x"},
        "daemon":{"command":"x"},"é":{"command":"x"},"same":{"command":"1"},"same":{"command":"2"},"a.b":{"command":"x"},")" +
             long_name + R"(":{"command":"x"}}})");
    std::vector<std::string> names;
    for (std::size_t i = 0; i < found.units.size(); ++i) {
        names.push_back(spec(found, i).name);
        if (names.back() == "same") BOOST_TEST(spec(found, i).run.text == "2");  // as in every JSON parser
    }
    const std::vector<std::string> wanted = {"a-b",    "a-b-2", "unit", "daemon-1",
                                             "unit-2", "same",  "a.b",  std::string(56, 'n')};
    BOOST_TEST(names == wanted, boost::test_tools::per_element());
    BOOST_TEST(found.notes.size() == 6u);
    BOOST_TEST(found.notes[0].text == "it is called 'a-b'");
}

BOOST_AUTO_TEST_CASE(variables_are_mapped_or_refused) {
    const auto at = [](const std::string& word) { return parse_word(word, place()); };
    BOOST_TEST(literal_text(at("${workspaceFolder}/x-${workspaceFolderBasename}${/}$HOME ${")) ==
               "/p/x-p/$HOME ${");
    BOOST_TEST(shell_word(at("a'b ${env:X}\"")) == "'a'\\''b '\"${X}\"'\"'");
    BOOST_TEST(shell_word(at("")) == "''");
    BOOST_TEST(shell_word(at("--plain=no")) == "'--plain=no'");
    const auto refused = [&](const std::string& word) {
        try {
            at(word);
        } catch (const unimportable& why) {
            return std::string(why.what());
        }
        return std::string("taken");
    };
    BOOST_TEST(refused("${input:api-key}") ==
               "it asks the user for '${input:api-key}'; use ${env:API_KEY} instead");
    for (const char* word :
         {"${file}", "${X}", "${env:}", "${env:a b}", "${command:x}", "${}", "${workspaceFolder:a}"})
        BOOST_TEST(refused(word).starts_with("only an editor knows what '"), word);
    import_context bare = place();
    bare.bare_names = true;
    BOOST_TEST(shell_word(parse_word("${A:-x\"$y}", bare)) == "\"${A:-x\\\"\\$y}\"");
    BOOST_TEST(refusal(R"({"command":"x","cwd":"${env:A}"})") ==
               "its 'cwd' depends on the environment: '${A}'");
    BOOST_TEST(parse_path("cwd", "${userHome}/a", place()) == "/home/me/a");
    BOOST_TEST(parse_path("cwd", "~/a/", place()) == "/home/me/a");
    BOOST_TEST(parse_path("cwd", "sub", place()) == "sub");
    BOOST_TEST(parse_path("cwd", "${workspaceFolder}", place()) == ".");
}

BOOST_AUTO_TEST_CASE(U31_a_value_of_env_is_not_expanded_by_hob) {
    const auto got = spec(server(R"({"command":"c","env":{"A":"$x ${","B":"$${"}})"));
    BOOST_TEST((got.env == std::vector<std::pair<std::string, std::string>>{{"A", "$x $${"}, {"B", "$$${"}}));
}

BOOST_AUTO_TEST_CASE(variables_are_expanded_by_a_shell_in_commands_and_by_hob_in_env) {
    const auto got =
        spec(server(R"({"command":"c","args":["${T}","it's"],"env":{"T":"${T}","U":"u-${T}","L":"l$"}})"));
    BOOST_TEST(
        (got.run.argv == std::vector<std::string>{"/bin/sh", "-c", R"(exec c "${T}" 'it'\''s')", "s"}));
    BOOST_TEST((got.env == std::vector<std::pair<std::string, std::string>>{
                               {"T", "${T:-}"}, {"U", "u-${T:-}"}, {"L", "l$"}}));
    const auto found = server(R"({"command":"c","env":{"A":"$${T}"}})");
    BOOST_CHECK_THROW(to_toml(found.units.at(0), "f"), unimportable);
}

BOOST_AUTO_TEST_CASE(configurations_use_the_installed_adapters) {
    const std::string file = R"({"configurations":[
        {"name":"c","type":"cppdbg","request":"launch","program":"${workspaceFolder}/d","environment":[{"name":"A","value":"b"}],
         "stopAtEntry":true,"MIMode":"gdb","linux":{"args":["l"]}},
        {"name":"p","type":"python","program":"${file}","console":"integratedTerminal","python":"${workspaceFolder}/v/python"},
        {"name":"g","type":"go","program":"."},
        {"name":"n","type":"node"}, {"name":"t"}, {"name":"r","type":"lldb","request":"rerun"}, 5,
        {"type":"lldb","request":"attach","processId":"${command:pickProcess}"}],
        "compounds":[{"name":"all"}]})";
    const auto found = read(file);
    BOOST_REQUIRE(found.units.size() == 4u);
    BOOST_TEST((spec(found, 0).run.argv == std::vector<std::string>{"lldb-dap"}));
    BOOST_TEST(found.units[0].comment ==
               R"(launch '{"program":"/p/d","args":["l"],"env":["A=b"],"stopOnEntry":true}')");
    BOOST_TEST((spec(found, 1).run.argv == std::vector<std::string>{"/p/v/python", "-m", "debugpy.adapter"}));
    BOOST_TEST(found.units[3].name == "configuration-8");
    BOOST_TEST(found.units[3].comment == "attach");
    std::string refused;
    for (const auto& one : found.refused)
        refused += one.from + ": " + one.text + "\n";
    BOOST_TEST(refused ==
               "n: hob knows no adapter for type 'node': name one in hob.toml yourself\n"
               "t: it has no type\n"
               "r: its request is 'rerun', neither launch nor attach\n"
               "configuration 7: it must be an object, not a number\n"
               "compounds: each of their configurations is a worker of its own\n");
    const auto bare = read(file, nothing_installed);
    BOOST_TEST(bare.units.size() == 1u);  // it names its own interpreter
    BOOST_TEST(bare.refused.at(0).text.starts_with("its adapter is not installed: lldb-dap"));
}

BOOST_AUTO_TEST_SUITE_END()
