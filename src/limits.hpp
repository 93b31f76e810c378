#pragma once
// Every deadline and size cap, named. A wait that is not listed here is a wait without a limit, and there are
// none but "being up", which cancellation ends.

#include <chrono>
#include <cstddef>

namespace hob::limits {

using namespace std::chrono_literals;

// Lifecycle, seen by a client.
inline constexpr std::chrono::milliseconds start_timeout = 10s;    // HOB_START_TIMEOUT overrides
inline constexpr std::chrono::milliseconds start_patience = 2s;    // from here on a terminal is told
inline constexpr std::chrono::milliseconds greeting_timeout = 5s;  // locked and silent for longer: wedged
inline constexpr std::chrono::milliseconds glance_timeout =
    1s;  // one of many instances in `list`, or a doctor's look
inline constexpr std::chrono::milliseconds request_timeout = 30s;  // a request that names no limit of its own
inline constexpr std::chrono::milliseconds look_again = 20ms;  // between looks where inotify is not to be had
inline constexpr int starts_taken_away_max =
    5;  // of one command, each without its pid file before it was ready

// Lifecycle, seen by the daemon.
inline constexpr std::chrono::milliseconds shutdown_timeout = 10s;  // [daemon] shutdown_timeout's default
inline constexpr std::chrono::milliseconds shutdown_timeout_max = 120s;
inline constexpr std::chrono::milliseconds farewell_timeout =
    500ms;                                                      // last replies to slow readers at the end
inline constexpr std::chrono::milliseconds sweep_timeout = 1s;  // leftovers of a predecessor, before ready

// The crash-loop brake.
inline constexpr int crash_loop_count = 3;
inline constexpr std::chrono::milliseconds crash_loop_window = 30s;

// The wire.
inline constexpr std::size_t line_max = 16u << 20;  // bytes of one message, newline excluded
inline constexpr int json_depth_max = 512;
inline constexpr std::size_t outbox_events_max =
    1u << 20;  // bytes queued for a slow reader before events are dropped
inline constexpr std::size_t outbox_replies_max =
    32u << 20;  // bytes queued before no further request is read from it
inline constexpr std::size_t session_requests_max =
    1024;  // of one connection in flight before no further one is read
inline constexpr std::size_t clients_in_turn = 8;  // connected at once, from where on replies leave together
inline constexpr int turns_in_row = 16;            // of one client, before others are looked at
inline constexpr int looks_skipped = 64;  // turns without a look for more, after one that found nothing
inline constexpr std::size_t path_in_sockaddr_max = 107;  // sun_path less its NUL
inline constexpr int listen_backlog = 4096;               // capped by net.core.somaxconn
inline constexpr std::chrono::milliseconds accept_pause =
    1s;  // out of descriptors: tried again after this at the latest

// Workers.
inline constexpr std::chrono::milliseconds call_timeout = 30s;   // [worker.*] call_timeout's default
inline constexpr std::chrono::milliseconds stop_timeout = 5s;    // stop.timeout's default
inline constexpr std::chrono::milliseconds reap_timeout = 2s;    // from SIGKILL to the exit being seen
inline constexpr std::chrono::milliseconds exec_window = 100ms;  // how long a process may be in execve(2)
inline constexpr std::size_t worker_input_max = 32u << 20;  // bytes queued for a worker that reads slowly
inline constexpr std::chrono::milliseconds handshake_timeout = 60s;  // from the start to the end of it
inline constexpr std::chrono::milliseconds connect_timeout = 20s;    // [worker.*] connect.timeout's default
inline constexpr std::chrono::milliseconds mcp_probe_timeout =
    3s;                                               // silent for longer: `initialize` is tried, too
inline constexpr std::size_t ring_events_max = 1024;  // events kept of a worker
inline constexpr std::size_t ring_bytes_max = 1u << 20;
inline constexpr std::size_t ring_names_max = 64;              // names of lost events that are counted apart
inline constexpr std::size_t gathered_events_max = 8u << 20;   // of one wait, as JSON
inline constexpr std::size_t streamed_backlog_max = 1u << 20;  // behind a client that reads its events slowly
inline constexpr std::size_t progress_max = 64;  // works that a server reports at once, shown in its state
inline constexpr std::size_t folders_in_a_turn = 50;   // gone over before others get theirs
inline constexpr std::size_t lsp_files_max = 100'000;  // of a project, looked at for changes
inline constexpr std::size_t lsp_folders_max =
    30'000;  // watched for that: others of the same user want watches, too, and often have 65,536 in all
inline constexpr std::size_t lsp_documents_max =
    64;  // open at one server; the longest unused is closed for another
inline constexpr std::size_t lsp_document_max = 8u << 20;  // a larger file is not opened at a server
inline constexpr std::chrono::milliseconds lsp_first_word =
    5s;  // after the first document: progress or diagnostics
inline constexpr std::chrono::milliseconds lsp_next_word =
    20s;                                              // among many changed files: the diagnostics of the next
inline constexpr std::size_t stderr_tail_lines = 10;  // kept for the error when a worker dies
inline constexpr std::size_t stderr_tail_bytes = 8u << 10;
inline constexpr std::size_t log_line_max = 64u << 10;  // a longer line is kept in pieces
inline constexpr std::chrono::milliseconds log_partial_pause = 100ms;  // silence after which a partial line is written

// Editors that share a worker.
inline constexpr std::size_t attached_requests_max = 256;    // of one, in flight, before it is read on
inline constexpr std::size_t attached_input_max = 4u << 20;  // before a worker that reads slowly, likewise
inline constexpr std::size_t attached_backlog_max = 48u
                                                    << 20;    // behind one that does not read: it is cut off
inline constexpr std::size_t attached_piece = 1u << 20;       // of what is sent to it, at once
inline constexpr std::size_t attached_text_max = 256u << 20;  // of the documents that it has open
inline constexpr std::chrono::milliseconds attached_look = 2s;  // between looks at the files, while it asks

// Services.
inline constexpr std::chrono::milliseconds ready_delay = 100ms;  // without `ready`, from the start to being ready
inline constexpr int crash_loop_restarts = 5;  // restarts in a row from which on a service counts as failing
inline constexpr std::chrono::milliseconds probe_pause_min =
    5ms;  // between two attempts of a readiness probe,
inline constexpr std::chrono::milliseconds probe_pause_max = 250ms;  // doubling up to this
inline constexpr std::chrono::milliseconds probe_timeout = 5s;  // one attempt to connect
inline constexpr std::chrono::milliseconds on_failure_timeout = 60s;  // the on_failure command
inline constexpr std::size_t notify_message_max = 4096;               // bytes of one sd_notify message

inline constexpr unsigned unit_umask = 022;

// Tasks.
inline constexpr std::size_t run_output_queued_max =
    1u << 20;                                      // bytes for a slow `hob run` before the run waits
inline constexpr std::size_t run_queue_max = 100;  // runs of one task that wait in its queue
inline constexpr std::size_t changed_paths_max = 64u << 10;        // bytes of HOB_CHANGED
inline constexpr std::chrono::milliseconds watch_look_again = 2s;  // polling interval without inotify
inline constexpr int watch_loop_runs = 10;  // so many in a row that a run caused itself: the task is held
inline constexpr std::chrono::milliseconds watch_loop_window = 2s;  // from the start of a run to its change
inline constexpr int command_runs_kept = 200;                       // of `hob run -- CMD`

inline constexpr std::chrono::milliseconds slot_grace =
    10s;  // a run that starts later than this after its slot makes up for it

// The database. It is read and written between two events of the loop, so a lock held by others is waited for
// briefly.
inline constexpr std::chrono::milliseconds store_open_timeout = 1s;
inline constexpr std::chrono::milliseconds store_busy_timeout = 250ms;
inline constexpr std::size_t store_log_reserve = 256u << 10;  // kept for its write-ahead log on any disk
inline constexpr std::size_t store_database_reserve = 64u
                                                      << 10;  // it grows by so much at once, ahead of need
inline constexpr int store_log_frames = 1000;  // in the log, before they are moved into the database

// `hob import` asks python3 whether it has an adapter.
inline constexpr std::chrono::milliseconds import_probe_timeout = 5s;

// The crash-loop brake's file, hob.toml, `root`: read whole, so capped.
inline constexpr std::size_t small_file_max = 64u << 10;
inline constexpr std::size_t config_file_max = 4u << 20;
inline constexpr std::chrono::milliseconds config_save_timeout = 1s;  // an empty file counts as being saved
inline constexpr std::chrono::milliseconds config_save_poll = 20ms;

}  // namespace hob::limits
