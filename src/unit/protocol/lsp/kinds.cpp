#include "unit/protocol/lsp/kinds.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t registrations_max = 1000;  // a server has some dozens

struct relative {
    std::string_view language, kind;
};
constexpr std::array relatives{
    relative{"cpp", "c"},
    relative{"objective-c", "c"},
    relative{"objective-cpp", "c"},
    relative{"cuda-cpp", "c"},
    relative{"javascript", "typescript"},
    relative{"javascriptreact", "typescript"},
    relative{"typescriptreact", "typescript"},
    relative{"jsonc", "json"},
    relative{"scss", "css"},
    relative{"less", "css"},
};

std::string kind_of(std::string_view language) {
    const auto* found = std::find_if(relatives.begin(), relatives.end(),
                                     [&](const relative& each) { return each.language == language; });
    return std::string(found == relatives.end() ? language : found->kind);
}

std::vector<std::string_view> elements(std::string_view array) {
    return util::json_array_elements(array).value_or(std::vector<std::string_view>());
}

}  // namespace

void lsp_kinds::on_register(const std::string& params) {
    for (const auto each : elements(util::json_find(params, {"registrations"}))) {
        registration made{util::json_find_string(each, {"method"}).value_or(""), {}};
        for (const auto filter : elements(util::json_find(each, {"registerOptions", "documentSelector"}))) {
            if (const auto language = util::json_find_string(filter, {"language"}))
                made.kinds.push_back(kind_of(*language));
        }
        const std::string id = util::json_find_string(each, {"id"}).value_or("");
        if (registered_.size() < registrations_max) registered_.insert_or_assign(id, std::move(made));
    }
}

bool lsp_kinds::registers(std::string_view method) const {
    return std::any_of(registered_.begin(), registered_.end(),
                       [&](const auto& each) { return each.second.method == method; });
}

// The protocol spells it `unregisterations`.
void lsp_kinds::on_unregister(const std::string& params) {
    for (const auto each : elements(util::json_find(params, {"unregisterations"})))
        registered_.erase(util::json_find_string(each, {"id"}).value_or(""));
}

void lsp_kinds::learn(std::string_view language) { learnt_.insert(kind_of(language)); }

bool lsp_kinds::speaks(std::string_view language) const {
    const std::string kind = kind_of(language);
    return learnt_.contains(kind) ||
           std::any_of(registered_.begin(), registered_.end(), [&](const auto& each) {
               const auto& named = each.second.kinds;
               return std::find(named.begin(), named.end(), kind) != named.end();
           });
}

}  // namespace hob::unit
