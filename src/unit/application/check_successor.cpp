#include "unit/application/check_successor.hpp"

#include <unistd.h>

#include "error.hpp"
#include "unit/config/config.hpp"
#include "unit/config/file_record.hpp"
#include "unit/store/reader.hpp"

namespace hob::unit {

void check_successor(const lifecycle::instance& where, const std::string& config_text, bool database) {
    if (const auto record = file_record::parse(config_text); record && !record->empty()) {
        const recorded_reading reading(nullptr, &*record);
        load_config(where.config_path, ::geteuid(), where.root);
    }
    if (database) check_schema(where.database_path());
}

}  // namespace hob::unit
