#include "unit/store/consent_store.hpp"

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

}  // namespace hob::unit
