#pragma once
// The keys that only one kind of unit has. Each reads and checks them; faults are noted.

#include <string_view>

#include "unit/config/table_reader.hpp"
#include "unit/spec/spec.hpp"

namespace hob::unit {

worker_spec read_worker(table_reader& reader);
service_spec read_service(table_reader& reader, std::string_view name);
task_spec read_task(table_reader& reader);

// The `ready` table of a service.
ready_spec read_ready(table_reader& service, std::string_view name);

// The table under `key`; nullptr when absent or (noted) not a table.
const tree_value* subtable(table_reader& reader, std::string_view key, std::string_view example);
// "[service.db]" and "ready" -> "[service.db.ready]"
std::string subtitle(const table_reader& reader, std::string_view key);

}  // namespace hob::unit
