#include "unit/protocol/lsp/request_params.hpp"

#include <boost/test/unit_test.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "error.hpp"
#include "limits.hpp"
#include "unit/protocol/dap/methods.hpp"
#include "unit/protocol/lsp/client_filter.hpp"
#include "unit/protocol/lsp/handshake.hpp"
#include "unit/protocol/lsp/languages.hpp"
#include "unit/protocol/lsp/methods.hpp"
#include "unit/protocol/lsp/registrations.hpp"
#include "unit/protocol/method_names.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"

using namespace hob::unit;
using hob::cannot;
using hob::error_kind;
using hob::failure;
namespace util = hob::util;

namespace {

const std::string second_line = R"({"start":{"line":1,"character":0},"end":{"line":1,"character":4}})";
const std::string second_position = R"({"line":1,"character":2})";

lsp_place place_at(const char* text, bool line, bool column) {
    lsp_place place;
    place.uri = "file:///x";
    place.text = text;
    if (line) place.line = 2;
    if (column) place.column = 3;
    place.diagnostics =
        R"([{"range":{"start":{"line":0,"character":0},"end":{"line":0,"character":9}}},)"
        R"({"range":{"start":{"line":1,"character":2},"end":{"line":1,"character":3}},"data":7}])";
    return place;
}

std::string member(const std::string& method, const lsp_place& place,
                   std::initializer_list<std::string_view> path, const std::string& params = "{}") {
    return std::string(util::json_find(complete_params(method, params, place), path));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lsp_requests)

BOOST_AUTO_TEST_CASE(P24_each_file_has_the_language_that_servers_expect) {
    const std::vector<std::pair<const char*, const char*>> expected{
        {"a.mts", "typescript"},
        {"a.cts", "typescript"},
        {"a.cjs", "javascript"},
        {"a.mjs", "javascript"},
        {"a.pyi", "python"},
        {"a.pm", "perl"},
        {"a.tf", "terraform"},
        {"a.tfvars", "terraform-vars"},
        {"Dockerfile", "dockerfile"},
        {"Dockerfile.dev", "dockerfile"},
        {"x.Dockerfile", "dockerfile"},
        {"Makefile", "makefile"},
        {"GNUmakefile", "makefile"},
        {"rules.mk", "makefile"},
        {"CMakeLists.txt", "cmake"},
        {"notes.txt", "plaintext"},
        {"a.tsx", "typescriptreact"},
        {"a.jsx", "javascriptreact"},
        {"a.C", "cpp"},
        {"a.c", "c"},
        {"a.H", "cpp"},
        {"A.PY", "python"},
        {"tsconfig.json", "jsonc"},
        {"tsconfig.app.json", "jsonc"},
        {"package.json", "json"},
        {".env.local", "dotenv"},
        {".bashrc", "shellscript"},
        {"go.mod", "go.mod"},
        {"Cargo.lock", "toml"},
        {"a.kts", "kotlin"},
        {"Gemfile", "ruby"},
        {"a.tex", "latex"},
        {"a.proto", "proto"},
        {"a.vue", "vue"},
        {"a.unheard", "unheard"},
        {"strange", "plaintext"},
        {"a.", "plaintext"},
        {"BUILD.bazel", "starlark"},
        {"a.bat", "bat"},
        {"a.ps1", "powershell"},
        {"a.scss", "scss"},
        {"a.rst", "restructuredtext"},
    };
    for (const auto& [name, language] : expected)
        BOOST_TEST(language_of_path("/some.dir/" + std::string(name)) == language, name);
}

BOOST_AUTO_TEST_CASE(P24_language_ids_override_the_table) {
    const std::vector<std::pair<std::string, std::string>> ids{{"*.inc", "php"},
                                                               {"*.mts", "mine"},
                                                               {"charts/**/*.yaml", "helm"},
                                                               {"Dockerfile", "docker"},
                                                               {"*.inc", "asm"}};
    BOOST_TEST(language_of_path("/p/a.inc", ids) == "asm");
    BOOST_TEST(language_of_path("/p/a.mts", ids) == "mine");
    BOOST_TEST(language_of_path("/p/charts/x/a.yaml", ids) == "helm");
    BOOST_TEST(language_of_path("/p/a.yaml", ids) == "yaml");
    BOOST_TEST(language_of_path("/p/Dockerfile", ids) == "docker");
    BOOST_TEST(is_source_path("/p/a.mts"));
    BOOST_TEST(!is_source_path("/p/a.log"));
    BOOST_TEST(!is_source_path("/p/a.unheard"));
    BOOST_TEST(
        is_source_path("/p/a.unheard", std::vector<std::pair<std::string, std::string>>{{"*.unheard", "x"}}));
}

BOOST_AUTO_TEST_CASE(P26_requests_get_what_they_need_beside_the_position) {
    const auto at = place_at("a\n  bc\n", true, true);
    const auto line = place_at("a\n  bc\n", true, false);
    const auto file = place_at("a\n\tbc\n", false, false);
    const std::string whole = R"({"start":{"line":0,"character":0},"end":{"line":2,"character":0}})";
    for (const char* method : {"textDocument/formatting", "textDocument/rangeFormatting",
                               "textDocument/onTypeFormatting", "textDocument/rangesFormatting"}) {
        BOOST_TEST(member(method, at, {"options"}) == R"({"tabSize":2,"insertSpaces":true})", method);
        BOOST_TEST(member(method, file, {"options"}) == R"({"tabSize":4,"insertSpaces":false})", method);
        BOOST_TEST(member(method, at, {"options", "tabSize"}, R"({"options":{"tabSize":8}})") == "8", method);
    }
    for (const char* method : {"textDocument/inlayHint", "textDocument/semanticTokens/range",
                               "textDocument/rangeFormatting", "textDocument/inlineValue"}) {
        BOOST_TEST(member(method, file, {"range"}) == whole, method);
        BOOST_TEST(member(method, at, {"range"}) == second_line, method);
        BOOST_TEST(member(method, at, {"range"}, R"({"range":1})") == "1", method);
    }
    const char* action = "textDocument/codeAction";
    BOOST_TEST(member(action, at, {"range", "end", "character"}) == "2");
    BOOST_TEST(member(action, line, {"range"}) == second_line);
    BOOST_TEST(member(action, file, {"range"}) == whole);
    BOOST_TEST(member(action, line, {"context", "diagnostics"}).find("\"data\":7") != std::string::npos);
    BOOST_TEST(member(action, line, {"context", "diagnostics"}).find("\"character\":9") == std::string::npos);
    BOOST_TEST(member(action, line, {"context", "diagnostics"}, R"({"context":{"diagnostics":[]}})") == "[]");
    BOOST_TEST(member(action, line, {"context", "only"}, R"({"context":{"only":["quickfix"]}})") ==
               R"(["quickfix"])");
    BOOST_TEST(member("textDocument/selectionRange", at, {"positions"}) == "[" + second_position + "]");
    BOOST_TEST(member("textDocument/references", at, {"context", "includeDeclaration"}) == "true");
    BOOST_TEST(member("textDocument/hover", at, {"position"}) == second_position);
    BOOST_TEST(member("textDocument/foldingRange", file, {"textDocument", "uri"}) == "\"file:///x\"");
    BOOST_TEST(complete_params("workspace/symbol", "", {}) == R"({"query":""})");
    BOOST_TEST(complete_params("workspace/executeCommand", "", {}) == "");
}

BOOST_AUTO_TEST_CASE(P15_a_mistyped_method_has_a_likely_meaning) {
    const auto like = [](const char* word) {
        return std::string(method_like(word, lsp_methods()).value_or("none"));
    };
    BOOST_TEST(like("hovr") == "textDocument/hover");
    BOOST_TEST(like("hover") == "textDocument/hover");
    BOOST_TEST(like("textDocument/defintion") == "textDocument/definition");
    BOOST_TEST(like("textdocument/hover") == "textDocument/hover");
    BOOST_TEST(like("workspace/symbols") == "workspace/symbol");
    BOOST_TEST(like("textDocument/hover") == "none");
    BOOST_TEST(like("clangd/inlayHints") == "none");
}

BOOST_AUTO_TEST_CASE(P15_a_mistyped_debug_method_has_a_likely_meaning) {
    const auto like = [](const char* word) {
        return std::string(method_like(word, dap_methods).value_or("none"));
    };
    BOOST_TEST(like("setBreakpoint") == "setBreakpoints");
    BOOST_TEST(like("stackTrase") == "stackTrace");
    BOOST_TEST(like("nxt") == "next");
    BOOST_TEST(like("STEPIN") == "stepIn");
    BOOST_TEST(like("next") == "none");
    BOOST_TEST(like("pydevdSystemInfo") == "none");
}

BOOST_AUTO_TEST_CASE(P15_a_mistyped_method_is_named_whatever_the_server_does_with_it) {
    const auto hint = [](error_kind kind, const char* theirs) {
        const failure why(kind, cannot("call", "w"), "no", theirs);
        return with_method_hint(why, "nxt", dap_methods).hint();
    };
    BOOST_TEST(hint(error_kind::worker_error, "") == "did you mean next?");
    BOOST_TEST(hint(error_kind::worker_error, "theirs") == "theirs");
    BOOST_TEST(hint(error_kind::worker_died, "its last words") == "did you mean next?");
    BOOST_TEST(hint(error_kind::timeout, "") == "did you mean next?");
    BOOST_TEST(hint(error_kind::cancelled, "") == "");
}

BOOST_AUTO_TEST_CASE(P11_snippets_are_texts_for_those_who_do_not_know_them) {
    const std::vector<std::pair<const char*, const char*>> expected{
        {"f(${1:a}, ${2:b})$0", "f(a, b)"},
        {"$1x$2", "x"},
        {"${1|one,two|}!", "one!"},
        {R"(\$1 \} \\ a\b)", R"($1 } \ a\b)"},
        {"${1:a ${2:b}}c", "a bc"},
        {"${TM_FILENAME/(.*)/${1:/upcase}/}x", "x"},
        {"cost $ 5", "cost $ 5"},
        {"${1:open", "open"},
        {"${x", ""},
        {"${1|a\\,b,c|}", "a,b"},
        {"", ""},
    };
    for (const auto& [snippet, text] : expected)
        BOOST_TEST(text_of_snippet(snippet) == text, snippet);
    BOOST_TEST(text_of_snippet(std::string(10000, '$') + "{1:").size() > 0u);
    std::string deep;
    for (int i = 0; i < 10000; ++i)
        deep += "${1:";
    text_of_snippet(deep);  // it ends
}

BOOST_AUTO_TEST_CASE(P11_an_answer_has_what_its_client_can_use) {
    const std::string item = R"json({"label":"f","labelDetails":{"detail":"(int)"},"insertTextFormat":2,)json"
                             R"json("textEdit":{"newText":"f($1)","insert":{"i":1},"replace":{"r":1}}})json";
    const client_abilities none{}, all{true, true, true};
    const std::string completion = "textDocument/completion";
    BOOST_TEST(result_for(all, completion, "[" + item + "]") == "[" + item + "]");
    const std::string plain = result_for(none, completion, "[" + item + "]").substr(1);
    BOOST_TEST(util::json_find_string(plain.substr(0, plain.size() - 1), {"textEdit", "newText"}).value() ==
               "f()");
    const std::string in_list =
        result_for(none, completion, R"({"isIncomplete":true,"items":[)" + item + "]}");
    BOOST_TEST(util::json_find(in_list, {"isIncomplete"}) == "true");
    const std::string resolved = result_for(none, "completionItem/resolve", item);
    BOOST_TEST(util::json_find_integer(resolved, {"insertTextFormat"}).value() == 1);
    BOOST_TEST(util::json_find(resolved, {"textEdit", "range"}) == R"({"i":1})");
    BOOST_TEST(util::json_find_string(resolved, {"label"}).value() == "f(int)");
    BOOST_TEST(util::json_find_string(resolved, {"filterText"}).value() == "f");
    BOOST_TEST(result_for(none, "textDocument/hover", item) == item);
    BOOST_TEST(result_for(none, completion, "null") == "null");
    const auto abilities =
        abilities_of(R"({"textDocument":{"completion":{"completionItem":{"snippetSupport":true}}}})");
    BOOST_TEST(abilities.snippets);
    BOOST_TEST(!abilities.insert_replace);
}

BOOST_AUTO_TEST_CASE(P25_a_client_gets_the_registrations_that_it_takes) {
    const std::string able =
        R"({"textDocument":{"formatting":{"dynamicRegistration":true},)"
        R"("synchronization":{"dynamicRegistration":true}},)"
        R"("workspace":{"codeLens":{"refreshSupport":true},"diagnostics":{"refreshSupport":true}}})";
    const std::string all =
        R"({"registrations":[{"id":"1","method":"textDocument/formatting"},{"id":"2","method":"textDocument/hover"},)"
        R"({"id":"3","method":"textDocument/didSave"}]})";
    const std::string taken = registrations_for(able, "client/registerCapability", all);
    BOOST_TEST(taken == R"({"registrations":[{"id":"1","method":"textDocument/formatting"},)"
                        R"({"id":"3","method":"textDocument/didSave"}]})");
    BOOST_TEST(registrations_for("{}", "client/registerCapability", all) == "");
    lsp_registrations known;
    known.add(all);
    known.remove(R"({"unregisterations":[{"id":"3","method":"textDocument/didSave"}]})");
    BOOST_TEST(known.all_for(able) == R"({"registrations":[{"id":"1","method":"textDocument/formatting"}]})");
    BOOST_TEST(takes_refresh(able, "workspace/codeLens/refresh"));
    BOOST_TEST(takes_refresh(able, "workspace/diagnostic/refresh"));
    BOOST_TEST(!takes_refresh(able, "workspace/semanticTokens/refresh"));
}

BOOST_AUTO_TEST_CASE(P16_a_server_that_asks_for_all_settings_very_often_gets_a_message_of_them) {
    unit_spec unit;
    auto& worker = std::get<worker_spec>(unit.detail);
    worker.settings_json = R"({"a":")" + std::string(100'000, 'x') + "\"}";
    std::string items = "[{}";
    for (int i = 1; i < 10'000; ++i)
        items += ",{}";
    std::set<std::string> missing;
    const std::string answer = configuration(unit, R"({"items":)" + items + "]}", missing);
    BOOST_TEST(answer.size() < hob::limits::line_max + 100'000);
    const auto values = util::json_array_elements(answer);
    BOOST_REQUIRE(values.has_value());
    BOOST_TEST(values->size() == 10'000u);
    BOOST_TEST(values->front() == worker.settings_json);
    BOOST_TEST(values->back() == "null");
}

BOOST_AUTO_TEST_SUITE_END()
