#pragma once
// Which definitions of units this user has named, in the database of unit/store/store.hpp. A write survives a
// crash of this process. One thread.

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "unit/store/store.hpp"

namespace hob::unit {

class consent_store {
public:
    using entry = std::pair<std::string, std::string>;  // a unit, and a definition_digest() of it

    explicit consent_store(store& db) : db_(db) {}

    bool contains(const entry& what);
    void add(const std::vector<entry>& what);

    // A database of schema 4 or earlier may have one consent to all that hob.toml will ever say. Replaces
    // that by `definitions`; does nothing where there is none.
    void replace_consent_to_path(const std::vector<entry>& definitions);

private:
    void insert(const std::vector<entry>& what);  // in a transaction

    store& db_;
    std::set<entry> added_;  // by this daemon: also those that could not be written
};

// To what a unit is now.
consent_store::entry consent_to(const unit_spec& spec);
// To [env], which all units share.
consent_store::entry consent_to_shared(const variable_list& shared_env);
// To all of a configuration.
std::vector<consent_store::entry> consents_to(const config& configuration);

}  // namespace hob::unit
