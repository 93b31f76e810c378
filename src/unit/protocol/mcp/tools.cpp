#include "unit/protocol/mcp/tools.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "unit/protocol/mcp/schema_check.hpp"
#include "unit/protocol/message_codec.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/suggest.hpp"

namespace hob::unit {
namespace {

std::vector<std::string_view> elements(std::string_view array) {
    return util::json_array_elements(array).value_or(std::vector<std::string_view>());
}

// The texts of a tool's result, on one line.
std::string content_text(std::string_view result) {
    std::string text;
    for (const auto item : elements(util::json_find(result, {"content"})))
        text += util::json_find_string(item, {"text"}).value_or("") + " ";
    text = one_line(std::move(text));
    while (text.ends_with(' '))
        text.pop_back();
    return text;
}

}  // namespace

std::optional<failure> tool_mismatch(std::string_view unit, std::string_view tools, const std::string& tool,
                                     std::string_view arguments) {
    std::vector<std::string> names;
    for (const auto item : elements(tools)) {
        names.push_back(util::json_find_string(item, {"name"}).value_or(""));
        if (names.back() != tool) continue;
        const auto wrong = schema_mismatch(util::json_find(item, {"inputSchema"}), arguments);
        if (!wrong) return std::nullopt;
        return failure(error_kind::usage, cannot("call", unit),
                       fmt::format("'{}' refuses its arguments: {}", tool, *wrong),
                       "KEY:=JSON gives a number, a boolean or a list, KEY=TEXT a text");
    }
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    const auto near = util::nearest(tool, candidates);
    return failure(error_kind::usage, cannot("call", unit), fmt::format("it has no tool '{}'", tool),
                   near ? fmt::format("did you mean '{}'?", *near)
                        : fmt::format("`hob call {} --list` shows what it has", unit));
}

bool lists_tool(std::string_view tools, std::string_view name) {
    const auto all = elements(tools);
    return std::any_of(all.begin(), all.end(), [name](std::string_view tool) {
        return util::json_find_string(tool, {"name"}) == name;
    });
}

void check_result(std::string_view unit, const std::string& result, bool is_tool) {
    if (util::json_find_string(result, {"resultType"}) == "input_required") {
        throw failure(error_kind::worker_error, cannot("call", unit), "it wants input first",
                      "call it again with its requestState, and inputResponses in the params", result);
    }
    if (!is_tool || !util::json_find_true(result, {"isError"})) return;
    const std::string text = content_text(result);
    throw failure(error_kind::worker_error, cannot("call", unit),
                  text.empty() ? "the tool failed" : "the tool failed: " + text, {}, result);
}

}  // namespace hob::unit
