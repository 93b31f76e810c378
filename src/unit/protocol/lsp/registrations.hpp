#pragma once
// What a language server has registered by client/registerCapability. An editor that attaches later gets it,
// too.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hob::unit {

class lsp_registrations {
public:
    // The params of client/registerCapability and client/unregisterCapability.
    void add(std::string_view params);
    void remove(std::string_view params);

    // The params of client/registerCapability for a client that attaches now; empty: it takes none of them.
    std::string all_for(std::string_view capabilities) const;
    // Those that are active, raw. nullopt: not all of them are known.
    std::optional<std::vector<std::string>> all() const;

private:
    bool all_known_ = true;
    std::map<std::string, std::string, std::less<>> active_;  // raw, by id
};

// The part of the params of client/registerCapability or client/unregisterCapability that a client with these
// capabilities takes; empty: none.
std::string registrations_for(std::string_view capabilities, std::string_view method,
                              std::string_view params);

// The client wants the request, such as workspace/codeLens/refresh.
bool takes_refresh(std::string_view capabilities, std::string_view method);

}  // namespace hob::unit
