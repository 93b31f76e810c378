#include "cmd/call/list.hpp"

#include <array>
#include <vector>

#include "cmd/core/table.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"

namespace hob::cmd {
namespace {

struct list_kind {
    std::string_view member, title, name;
};
constexpr std::array kinds{
    list_kind{"tools", "TOOL", "name"},
    list_kind{"resources", "RESOURCE", "uri"},
    list_kind{"resourceTemplates", "RESOURCE TEMPLATE", "uriTemplate"},
    list_kind{"prompts", "PROMPT", "name"},
};

std::vector<std::string_view> elements(std::string_view array) {
    return util::json_array_elements(array).value_or(std::vector<std::string_view>());
}

std::string text_at(std::string_view item, std::string_view key) {
    return util::json_unquote(util::json_member_of(item, key)).value_or("");
}

bool contains_text(std::string_view array, const std::string& text) {
    for (const auto element : elements(array)) {
        if (util::json_unquote(element) == text) return true;
    }
    return false;
}

// "message= [count:=]", as a call writes them: optional arguments in brackets, those that are not texts with
// :=.
std::string arguments_of(std::string_view item) {
    std::string all;
    const auto add = [&all](const std::string& name, bool required) {
        all += all.empty() ? "" : " ";
        all += required ? name : "[" + name + "]";
    };
    const std::string_view schema = util::json_member_of(item, "inputSchema");
    const auto properties = util::json_object_members(util::json_member_of(schema, "properties"));
    for (const auto& property : properties.value_or(std::vector<util::json_member>())) {
        const bool text = text_at(property.value, "type") == "string" ||
                          util::json_member_of(property.value, "type").empty();
        add(property.key + (text ? "=" : ":="),
            contains_text(util::json_member_of(schema, "required"), property.key));
    }
    for (const auto argument : elements(util::json_member_of(item, "arguments")))
        add(text_at(argument, "name") + "=", util::json_member_of(argument, "required") == "true");
    return all;
}

}  // namespace

std::string lists_text(std::string_view lists, const terminal& out) {
    std::string text;
    for (const auto& kind : kinds) {
        const auto items = elements(util::json_member_of(lists, kind.member));
        if (items.empty()) continue;
        table rows({{kind.title, 0, false}, {"ARGUMENTS", 1, false}, {"DESCRIPTION", 2, false}});
        for (const auto item : items) {
            std::string about = text_at(item, "description");
            if (about.empty()) about = text_at(item, "title");
            if (about.empty() && kind.name != "name") about = text_at(item, "name");
            rows.add({{printable(text_at(item, kind.name), out.utf8), ""},
                      {printable(arguments_of(item), out.utf8), ""},
                      {printable(about.substr(0, about.find('\n')), out.utf8), "2"}});
        }
        text += (text.empty() ? "" : "\n") + rows.render(out);
    }
    return text;
}

}  // namespace hob::cmd
