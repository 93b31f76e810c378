#pragma once
// What a worker keeps for its script, over its processes and over the daemon's: in the database, and beside
// it, so that nothing is lost while the database cannot be written.

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unit/protocol/validity.hpp"
#include "unit/spec/spec.hpp"

namespace hob::unit {

class store;

class worker_memory {
public:
    explicit worker_memory(store& db) : db_(db) {}

    // `spec`: what the worker is now. What is bound to anything else is dropped.
    void bind(const unit_spec& spec);

    std::string recall(std::string_view key) const;  // empty: nothing is kept
    // Key and value of each whose key begins with `prefix`, by key.
    std::vector<std::pair<std::string, std::string>> recall_all(std::string_view prefix) const;
    // Durable when it returns, where the database can be written; else with the next one that can. An empty
    // value is forgotten.
    void remember(std::string_view key, std::string value, validity valid_for);

private:
    struct kept {
        std::string value;  // empty: forgotten
        std::string bound_to;
        bool written = false;  // the database has it so
    };
    void write();

    store& db_;
    std::string unit_;
    std::string configuration_;  // what validity::configuration means now: a hash
    std::string protocol_;       // what validity::protocol means now: a name
    bool loaded_ = false;
    std::map<std::string, kept, std::less<>> all_;
};

}  // namespace hob::unit
