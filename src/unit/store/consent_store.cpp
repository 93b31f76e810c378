#include "unit/store/consent_store.hpp"

#include "unit/spec/definition_digest.hpp"
#include "unit/store/sqlite_statement.hpp"

namespace hob::unit {

bool consent_store::contains(const entry& what) {
    if (added_.contains(what)) return true;
    sqlite_statement query(db_.handle(), "SELECT 1 FROM consent WHERE unit = ? AND digest = ?");
    query.bind(what.first).bind(what.second);
    return query.row();
}

void consent_store::add(const std::vector<entry>& what) {
    added_.insert(what.begin(), what.end());
    const store::without_sync unsynced(db_);
    db_.transaction([&] { insert(what); });
}

void consent_store::insert(const std::vector<entry>& what) {
    for (const auto& [unit, digest] : what) {
        sqlite_statement statement(db_.handle(), "INSERT OR IGNORE INTO consent VALUES (?, ?)");
        statement.bind(unit).bind(digest);
        db_.write(statement, "consent");
    }
}

void consent_store::replace_consent_to_path(const std::vector<entry>& definitions) {
    {
        sqlite_statement query(db_.handle(), "SELECT 1 FROM meta WHERE key = 'consent'");
        if (!query.row()) return;
    }
    added_.insert(definitions.begin(), definitions.end());
    db_.transaction([&] {
        insert(definitions);
        sqlite_statement statement(db_.handle(), "DELETE FROM meta WHERE key = 'consent'");
        db_.write(statement, "consent");
    });
}

consent_store::entry consent_to(const unit_spec& spec) { return {spec.name, definition_digest(spec)}; }

// Not the name of a unit.
consent_store::entry consent_to_shared(const variable_list& shared_env) {
    return {"[env]", variables_digest(shared_env)};
}

std::vector<consent_store::entry> consents_to(const config& configuration) {
    std::vector<consent_store::entry> all;
    for (const auto& spec : configuration.units)
        all.push_back(consent_to(spec));
    if (!configuration.env.empty()) all.push_back(consent_to_shared(configuration.env));
    return all;
}

}  // namespace hob::unit
