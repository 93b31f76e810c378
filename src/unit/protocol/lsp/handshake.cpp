#include "unit/protocol/lsp/handshake.hpp"

#include <unistd.h>

#include <vector>

#include "limits.hpp"
#include "unit/protocol/message_codec.hpp"
#include "unit/protocol/protocol_session.hpp"
#include "util/file_uri.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"
#include "util/real_path.hpp"
#include "version.hpp"

namespace hob::unit {
namespace {

using util::json_object;
using util::raw_json;

// All that calls and editors can use; what an editor cannot use is taken out of its answers, see
// client_filter.hpp. A constant text. one_line() makes it one line.
constexpr std::string_view client_capabilities = R"({
"general":{"positionEncodings":["utf-16"]},
"window":{"workDoneProgress":true,"showDocument":{"support":true},"showMessage":{}},
"workspace":{"applyEdit":true,"configuration":true,"workspaceFolders":true,"symbol":{},
"didChangeConfiguration":{"dynamicRegistration":true},
"didChangeWatchedFiles":{"dynamicRegistration":true,"relativePatternSupport":true},
"executeCommand":{},
"semanticTokens":{"refreshSupport":true},"codeLens":{"refreshSupport":true},
"inlayHint":{"refreshSupport":true},"inlineValue":{"refreshSupport":true},
"foldingRange":{"refreshSupport":true},"diagnostics":{"refreshSupport":true},
"workspaceEdit":{"documentChanges":true,"resourceOperations":["create","rename","delete"]}},
"textDocument":{"synchronization":{"didSave":true,"dynamicRegistration":false},
"publishDiagnostics":{"versionSupport":true,"relatedInformation":true,"tagSupport":{"valueSet":[1,2]},
"codeDescriptionSupport":true,"dataSupport":true},
"diagnostic":{"relatedDocumentSupport":false},
"hover":{"contentFormat":["markdown","plaintext"]},"definition":{"linkSupport":false},
"declaration":{"linkSupport":false},"typeDefinition":{"linkSupport":false},"implementation":{"linkSupport":false},
"references":{},"documentSymbol":{"hierarchicalDocumentSymbolSupport":true},"documentHighlight":{},
"completion":{"contextSupport":true,"completionItem":{"snippetSupport":true,"insertReplaceSupport":true,
"commitCharactersSupport":true,"deprecatedSupport":true,"preselectSupport":true,"labelDetailsSupport":true,
"tagSupport":{"valueSet":[1]},"documentationFormat":["markdown","plaintext"],
"resolveSupport":{"properties":["documentation","detail","additionalTextEdits"]}}},
"signatureHelp":{"signatureInformation":{"documentationFormat":["markdown","plaintext"]}},
"formatting":{},"rangeFormatting":{},"onTypeFormatting":{},"rename":{"prepareSupport":true},
"foldingRange":{},"selectionRange":{},"linkedEditingRange":{},"documentLink":{"tooltipSupport":true},
"colorProvider":{},"codeLens":{},"moniker":{},"inlineValue":{},
"codeAction":{"isPreferredSupport":true,"disabledSupport":true,"dataSupport":true,
"resolveSupport":{"properties":["edit","command"]},
"codeActionLiteralSupport":{"codeActionKind":{"valueSet":["","quickfix","refactor","refactor.extract",
"refactor.inline","refactor.rewrite","source","source.organizeImports","source.fixAll"]}}},
"callHierarchy":{},"typeHierarchy":{},
"semanticTokens":{"requests":{"full":{"delta":true},"range":true},
"tokenTypes":["namespace","type","class","enum","interface","struct","typeParameter","parameter","variable",
"property","enumMember","event","function","method","macro","keyword","modifier","comment","string","number",
"regexp","operator","decorator"],
"tokenModifiers":["declaration","definition","readonly","static","deprecated","abstract","async",
"modification","documentation","defaultLibrary"],"formats":["relative"]},
"inlayHint":{"resolveSupport":{"properties":["tooltip","textEdits","label.tooltip","label.location",
"label.command"]}}}})";

// The part of `settings` in hob.toml that `section`, a path with dots, names; raw. Empty: it has none.
std::string_view settings_section(const unit_spec& unit, std::string_view section) {
    std::string_view value = worker_spec_of(unit).settings_json;
    while (!section.empty() && !value.empty()) {
        const std::size_t dot = section.find('.');
        value = util::json_member_of(value, section.substr(0, dot));
        section = dot == std::string_view::npos ? std::string_view() : section.substr(dot + 1);
    }
    return value;
}

}  // namespace

std::string lsp_root(const unit_spec& unit) { return util::real_path(unit.cwd); }

static std::string workspace_folders(const unit_spec& unit) {
    json_object folder;
    folder.add("uri", util::uri_of_path(lsp_root(unit))).add("name", unit.name);
    util::json_array folders;
    folders.add(folder);
    return std::move(folders).text();
}

std::optional<std::string> constant_answer(const unit_spec& unit, const std::string& method) {
    if (method == "workspace/workspaceFolders") return workspace_folders(unit);
    if (method == "window/showDocument") return json_object().add("success", false).text();
    if (method == "window/workDoneProgress/create" || method == "window/showMessageRequest") return "null";
    return std::nullopt;
}

std::string initialize_params(const unit_spec& unit) {
    const std::string root = lsp_root(unit);
    json_object client;
    client.add("name", "hob").add("version", version_text);
    json_object params;
    params.add("processId", ::getpid()).add("clientInfo", client);
    params.add("rootPath", root).add("rootUri", util::uri_of_path(root));
    params.add("workspaceFolders", raw_json{workspace_folders(unit)}).add("trace", "off");
    params.add("capabilities", raw_json{client_capabilities});
    return one_line(util::json_merge(params.text(), worker_spec_of(unit).initialize_json));
}

std::string configuration(const unit_spec& unit, const std::string& params, std::set<std::string>& missing) {
    util::json_array values;
    // A server may ask for all settings any number of times.
    std::size_t budget = limits::line_max;
    const std::size_t cost = worker_spec_of(unit).settings_json.size();
    const auto items = util::json_array_elements(util::json_find(params, {"items"}));
    for (const auto item : items.value_or(std::vector<std::string_view>())) {
        if (cost > budget) {
            values.add(raw_json{"null"});
            continue;
        }
        budget -= cost;
        const std::string section = util::json_find_string(item, {"section"}).value_or("");
        const std::string_view value = settings_section(unit, section);
        constexpr std::size_t names_max = 32;
        const bool is_missing = value.empty() || (section.empty() && value == "{}");
        if (is_missing && missing.size() < names_max) missing.insert(section);
        values.add(raw_json{value.empty() ? "null" : value});
    }
    return std::move(values).text();
}

void announce_settings(session_host& host) {
    const std::string& settings = worker_spec_of(host.spec()).settings_json;
    if (settings == "{}") return;
    host.notify("workspace/didChangeConfiguration",
                util::json_object().add("settings", util::raw_json{settings}).text());
}

}  // namespace hob::unit
