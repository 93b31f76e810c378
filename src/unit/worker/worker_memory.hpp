#pragma once
// Values that the protocol sessions of a worker store. They outlive its processes and the daemon. They are in
// the database, and also in memory, so that nothing is lost while the database cannot be written.

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

    // Called with the current configuration of the worker; drops the values that are not valid for it.
    void bind(const unit_spec& spec);

    std::string recall(std::string_view key) const;  // empty: not stored
    // Key and value of each whose key begins with `prefix`, by key.
    std::vector<std::pair<std::string, std::string>> recall_all(std::string_view prefix) const;
    // The value is durable when this returns if the database can be written, else after the next write that
    // succeeds. An empty value removes the entry.
    void remember(std::string_view key, std::string value, validity valid_for);

private:
    struct entry {
        std::string value;  // empty: removed
        std::string bound_to;
        bool written = false;  // the database has this value
    };
    void write();

    store& db_;
    std::string unit_;
    std::string configuration_;  // bound_to of validity::configuration: a hash
    std::string protocol_;       // bound_to of validity::protocol: a name
    bool loaded_ = false;
    std::map<std::string, entry, std::less<>> all_;
};

}  // namespace hob::unit
