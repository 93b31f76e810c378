#include "unit/protocol/lsp/registrations.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t registrations_max = 4096;

// The member of unregisterCapability is spelt so by the protocol.
constexpr std::string_view added_member = "registrations";
constexpr std::string_view removed_member = "unregisterations";

std::vector<std::string_view> elements(std::string_view array) {
    return util::json_array_elements(array).value_or(std::vector<std::string_view>());
}

// Methods whose capability has another name than their second part.
constexpr std::array<std::pair<std::string_view, std::string_view>, 15> other_names{{
    {"documentColor", "colorProvider"},
    {"prepareCallHierarchy", "callHierarchy"},
    {"prepareTypeHierarchy", "typeHierarchy"},
    {"didOpen", "synchronization"},
    {"didChange", "synchronization"},
    {"didClose", "synchronization"},
    {"didSave", "synchronization"},
    {"willSave", "synchronization"},
    {"willSaveWaitUntil", "synchronization"},
    {"didCreateFiles", "fileOperations"},
    {"didRenameFiles", "fileOperations"},
    {"didDeleteFiles", "fileOperations"},
    {"willCreateFiles", "fileOperations"},
    {"willRenameFiles", "fileOperations"},
    {"willDeleteFiles", "fileOperations"},
}};

bool takes_registration(std::string_view capabilities, std::string_view method) {
    const auto first = std::find(method.begin(), method.end(), '/');
    if (first == method.end()) return false;
    const std::string_view part(method.begin(), first);
    std::string_view name(first + 1, std::find(first + 1, method.end(), '/'));
    for (const auto& [spelt, capability] : other_names) {
        if (spelt == name) name = capability;
    }
    return util::json_find_true(capabilities, {part, name, "dynamicRegistration"});
}

}  // namespace

void lsp_registrations::add(std::string_view params) {
    for (const auto each : elements(util::json_find(params, {added_member}))) {
        const auto id = util::json_find_string(each, {"id"});
        const bool known = id && (active_.size() < registrations_max || active_.contains(*id));
        if (known) active_.insert_or_assign(*id, std::string(each));
        all_known_ = all_known_ && known;
    }
}

std::optional<std::vector<std::string>> lsp_registrations::all() const {
    if (!all_known_) return std::nullopt;
    std::vector<std::string> raw;
    for (const auto& [id, each] : active_)
        raw.push_back(each);
    return raw;
}

void lsp_registrations::remove(std::string_view params) {
    for (const auto each : elements(util::json_find(params, {removed_member})))
        active_.erase(util::json_find_string(each, {"id"}).value_or(""));
}

std::string lsp_registrations::all_for(std::string_view capabilities) const {
    util::json_array all;
    for (const auto& [id, each] : active_)
        all.add(util::raw_json{each});
    const std::string params = util::json_object().add(added_member, all).text();
    return registrations_for(capabilities, "client/registerCapability", params);
}

std::string registrations_for(std::string_view capabilities, std::string_view method,
                              std::string_view params) {
    const std::string_view member = method == "client/registerCapability" ? added_member : removed_member;
    util::json_array taken;
    for (const auto each : elements(util::json_find(params, {member}))) {
        if (takes_registration(capabilities, util::json_find_string(each, {"method"}).value_or("")))
            taken.add(util::raw_json{each});
    }
    if (taken.empty()) return {};
    return util::json_object().add(member, taken).text();
}

bool takes_refresh(std::string_view capabilities, std::string_view method) {
    const std::size_t begin = method.find('/') + 1;
    const std::string name(method.substr(begin, method.rfind('/') - begin));
    // workspace/diagnostic/refresh belongs to the capability `diagnostics`.
    return util::json_find_true(capabilities, {"workspace", name, "refreshSupport"}) ||
           util::json_find_true(capabilities, {"workspace", name + "s", "refreshSupport"});
}

}  // namespace hob::unit
