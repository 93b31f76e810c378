#pragma once
// The kinds of document that a language server speaks, learnt from what it registers for and what it answers.
// Languages that one server usually speaks together, such as C and C++, are one kind.

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hob::unit {

class lsp_kinds {
public:
    // The params of client/registerCapability and client/unregisterCapability.
    void on_register(const std::string& params);
    void on_unregister(const std::string& params);
    // It has answered a call about a document of this language, or has published about one.
    void learn(std::string_view language);
    bool speaks(std::string_view language) const;
    // It has registered for the method.
    bool registers(std::string_view method) const;

    using kinds = std::set<std::string, std::less<>>;
    const kinds& learnt() const { return learnt_; }
    void restore_learnt(kinds learnt) { learnt_ = std::move(learnt); }

private:
    kinds learnt_;
    struct registration {
        std::string method;
        std::vector<std::string> kinds;
    };
    std::map<std::string, registration> registered_;  // by id
};

}  // namespace hob::unit
