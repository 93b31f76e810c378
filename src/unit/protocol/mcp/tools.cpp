#include "unit/protocol/mcp/tools.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "limits.hpp"
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

tool_list::tool_list(const std::vector<std::string>& listed) {
    for (const auto& item : listed) {
        std::string name;
        std::string_view schema;
        for (const auto& each : util::json_object_members(item).value_or(std::vector<util::json_member>())) {
            if (each.key == "name") name = util::json_unquote(each.value).value_or("");
            if (each.key == "inputSchema" && each.value.size() <= limits::schema_size_max)
                schema = each.value;
        }
        schemas_.emplace(std::move(name), schema);
    }
}

std::optional<failure> tool_list::mismatch(std::string_view unit, std::string_view tool,
                                           std::string_view arguments) const {
    if (const auto found = schemas_.find(tool); found != schemas_.end()) {
        const auto wrong = schema_mismatch(found->second, arguments);
        if (!wrong) return std::nullopt;
        return failure(error_kind::usage, cannot("call", unit),
                       fmt::format("'{}' refuses its arguments: {}", tool, *wrong),
                       "KEY:=JSON gives a number, a boolean or a list, KEY=TEXT a text");
    }
    std::vector<std::string_view> names;
    for (const auto& [name, schema] : schemas_)
        names.push_back(name);
    const auto near = util::nearest(tool, names);
    return failure(error_kind::usage, cannot("call", unit), fmt::format("it has no tool '{}'", tool),
                   near ? fmt::format("did you mean '{}'?", *near)
                        : fmt::format("`hob call {} --list` shows what it has", unit));
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
