#include "unit/protocol/lsp/client_filter.hpp"

#include <algorithm>
#include <vector>

#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {
namespace {

constexpr int snippet_format = 2;
constexpr int nesting_max = 32;

// Reads a snippet from left to right. What is not one of its forms is text.
class snippet_reader {
public:
    explicit snippet_reader(std::string_view rest) : rest_(rest) {}

    // Up to `end`, which is taken; 0: to the end of the snippet.
    std::string text(char end, int nesting) {
        std::string plain;
        while (!rest_.empty()) {
            const char c = take();
            if (c == end && end != 0) break;
            if (c == '\\' && !rest_.empty()) {
                const bool escape = rest_[0] == '$' || rest_[0] == '}' || rest_[0] == '\\';
                if (!escape) plain += c;
                plain += take();
            } else if (c == '$') {
                plain += variable(nesting);
            } else {
                plain += c;
            }
        }
        return plain;
    }

private:
    static bool is_digit(char c) { return c >= '0' && c <= '9'; }
    static bool is_name(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
    }

    char take() {
        const char c = rest_[0];
        rest_.remove_prefix(1);
        return c;
    }

    // A number, or the name of a variable.
    void skip_name() {
        const bool is_number = !rest_.empty() && is_digit(rest_[0]);
        while (is_number && !rest_.empty() && is_digit(rest_[0]))
            rest_.remove_prefix(1);
        while (!is_number && !rest_.empty() && is_name(rest_[0]))
            rest_.remove_prefix(1);
    }

    // Behind a `$`.
    std::string variable(int nesting) {
        if (rest_.empty() || (rest_[0] != '{' && !is_name(rest_[0]))) return "$";
        if (rest_[0] != '{') {
            skip_name();
            return {};
        }
        take();
        skip_name();
        if (rest_.empty()) return {};
        const char kind = take();
        if (kind == '}') return {};
        if (kind == ':' && nesting < nesting_max) return text('}', nesting + 1);
        if (kind == '|') return first_choice();
        skip_to_end();
        return {};
    }

    // `a,b|}`.
    std::string first_choice() {
        std::string plain;
        while (!rest_.empty() && rest_[0] != ',' && rest_[0] != '|') {
            const char c = take();
            plain += c == '\\' && !rest_.empty() ? take() : c;
        }
        const std::size_t end = rest_.find("|}");
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 2);
        return plain;
    }

    // Of a transformation, whose format may have braces of its own.
    void skip_to_end() {
        for (int depth = 1; depth > 0 && !rest_.empty();) {
            const char c = take();
            if (c == '\\' && !rest_.empty()) take();
            if (c == '{') ++depth;
            if (c == '}') --depth;
        }
    }

    std::string_view rest_;
};

void make_plain(std::string& item, util::json_path path) {
    if (const auto snippet = util::json_find_string(item, path))
        item = util::json_set(item, path, util::json_quote(text_of_snippet(*snippet)));
}

// The details stand behind the label. The label was also what the item is filtered by and what it inserts,
// unless it says otherwise.
void join_label(std::string& item) {
    const std::string label = util::json_find_string(item, {"label"}).value_or("");
    const std::string details = util::json_find_string(item, {"labelDetails", "detail"}).value_or("");
    item = util::json_without(item, "labelDetails");
    if (details.empty()) return;
    for (const std::string_view key : {"filterText", "sortText", "insertText"}) {
        const bool inserts = key == "insertText" && !util::json_member_of(item, "textEdit").empty();
        if (!inserts && util::json_member_of(item, key).empty())
            item = util::json_set(item, {key}, util::json_quote(label));
    }
    item = util::json_set(item, {"label"}, util::json_quote(label + details));
}

std::string completion_item(const client_abilities& client, std::string item) {
    if (!client.snippets && util::json_find_integer(item, {"insertTextFormat"}) == snippet_format) {
        make_plain(item, {"insertText"});
        make_plain(item, {"textEdit", "newText"});
        item = util::json_set(item, {"insertTextFormat"}, "1");
    }
    const std::string range(util::json_find(item, {"textEdit", "insert"}));
    if (!client.insert_replace && !range.empty()) {
        const std::string text(util::json_find(item, {"textEdit", "newText"}));
        util::json_object edit;
        edit.add("range", util::raw_json{range}).add("newText", util::raw_json{text});
        item = util::json_set(item, {"textEdit"}, std::move(edit).text());
    }
    if (!client.label_details && !util::json_member_of(item, "labelDetails").empty()) join_label(item);
    return item;
}

std::string completion_items(const client_abilities& client, std::string_view items) {
    util::json_array filtered;
    for (const auto each : util::json_array_elements(items).value_or(std::vector<std::string_view>()))
        filtered.add(util::raw_json{completion_item(client, std::string(each))});
    return std::move(filtered).text();
}

}  // namespace

client_abilities abilities_of(std::string_view capabilities) {
    const auto can = [&](std::string_view what) {
        return util::json_find_true(capabilities, {"textDocument", "completion", "completionItem", what});
    };
    return {can("snippetSupport"), can("insertReplaceSupport"), can("labelDetailsSupport")};
}

std::string result_for(const client_abilities& client, std::string_view method, std::string result) {
    if (client.snippets && client.insert_replace && client.label_details) return result;
    if (method == "completionItem/resolve" && result.starts_with('{'))
        return completion_item(client, std::move(result));
    if (method != "textDocument/completion") return result;
    if (result.starts_with('[')) return completion_items(client, result);
    const std::string items(util::json_member_of(result, "items"));
    if (!items.starts_with('[')) return result;
    return util::json_set(result, {"items"}, completion_items(client, items));
}

std::string text_of_snippet(std::string_view snippet) { return snippet_reader(snippet).text(0, 0); }

}  // namespace hob::unit
