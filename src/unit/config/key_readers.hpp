#pragma once
// The parsers of keys that do more than fill in a member of a spec. The table of keys names them. Faults are
// noted.

#include <string_view>
#include <vector>

#include "unit/config/key_context.hpp"

namespace hob::unit {

// The tables of the file: config.cpp
void read_daemon_table(const key_context& at);
void read_log_table(const key_context& at);
void read_shared_env(const key_context& at);
void read_ports(const key_context& at);
void read_include(const key_context& at);
void read_workers(const key_context& at);
void read_services(const key_context& at);
void read_tasks(const key_context& at);
void read_shutdown_timeout(const key_context& at);
void read_log_level(const key_context& at);
void read_log_format(const key_context& at);

// Keys of all units: unit_table.cpp
void read_run(const key_context& at);
void read_env(const key_context& at);
void read_env_file(const key_context& at);
void read_cwd(const key_context& at);
void read_stop_signal(const key_context& at);
void read_stop_timeout(const key_context& at);
void read_stop_run(const key_context& at);
void read_after(const key_context& at);
void read_groups(const key_context& at);
void read_on_failure(const key_context& at);
void read_keep(const key_context& at);  // of services and tasks
void read_keep_runs(const key_context& at);
void read_keep_size(const key_context& at);

// worker_keys.cpp
std::vector<std::string_view> protocol_words();
void read_protocol(const key_context& at);
void read_initialize(const key_context& at);  // after read_protocol
void read_answers(const key_context& at);
void read_settings(const key_context& at);      // after read_protocol
void read_files(const key_context& at);         // after read_protocol
void read_language_ids(const key_context& at);  // after read_protocol
void read_answer(const key_context& at);        // after read_protocol
void read_answer_until(const key_context& at);
void read_connect(const key_context& at);
void read_connect_tcp(const key_context& at);
void read_connect_log(const key_context& at);

// service_keys.cpp
void read_tty(const key_context& at);
void read_backoff(const key_context& at);

// ready.cpp: also for the probe of `health`
void read_health(const key_context& at);
void read_ready(const key_context& at);
void read_ready_tcp(const key_context& at);
void read_ready_unix(const key_context& at);
void read_ready_http(const key_context& at);
void read_ready_url(const key_context& at);
void read_ready_status(const key_context& at);
void read_ready_exec(const key_context& at);
void read_ready_log(const key_context& at);
void read_ready_notify(const key_context& at);
void read_ready_owner(const key_context& at);

// task_keys.cpp
void read_cron(const key_context& at);
void read_time_zone(const key_context& at);
// What only several keys of a task show.
void check_task(table_reader& table, const task_spec& spec);

// watch_keys.cpp
void read_watch(const key_context& at);
void read_ignore(const key_context& at);
// What only several keys of a service or a task show.
void check_watch(table_reader& table);

}  // namespace hob::unit
