#pragma once
// Every deadline and size limit, by name. Every wait has one of them, except waiting while something is up,
// which cancellation ends.

#include <chrono>
#include <cstddef>

namespace hob::limits {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// Lifecycle, seen by a client.
inline constexpr milliseconds start_timeout = 10s;  // an environment variable overrides it
inline constexpr milliseconds start_patience = 2s;  // after it a terminal shows that the client waits
// A daemon that is locked and silent for longer is wedged.
inline constexpr milliseconds greeting_timeout = 5s;
inline constexpr milliseconds glance_timeout = 1s;    // one of many instances in `list`, or a check of doctor
inline constexpr milliseconds request_timeout = 30s;  // of a request without a limit of its own
inline constexpr milliseconds look_again = 20ms;      // between probes, without inotify
// A daemon that serves, and whose pid file or socket cannot be seen for longer, is out of reach.
inline constexpr milliseconds out_of_sight = 500ms;
// Of one command, each of a daemon that lost its pid file before it was ready.
inline constexpr int lost_starts_max = 5;
// Of one command: servers that hung up without a greeting, before it starts a daemon itself.
inline constexpr int hang_ups_max = 3;
// Of one command: daemons in a row that end under it, each within crash_loop_window of the one before.
inline constexpr int lost_daemons_max = 10;
inline constexpr int handovers_max = 1000;  // likewise, of one daemon that lives on

// Lifecycle, seen by the daemon.
inline constexpr milliseconds shutdown_timeout = 10s;  // [daemon] shutdown_timeout's default
inline constexpr milliseconds shutdown_timeout_max = 120s;
inline constexpr milliseconds farewell_timeout = 500ms;  // last replies to slow readers at the end
inline constexpr milliseconds notify_timeout = 1s;       // for a service manager that does not read
inline constexpr milliseconds sweep_timeout = 1s;        // for ending what a predecessor left running

// The crash-loop brake.
inline constexpr int crash_loop_count = 3;
inline constexpr milliseconds crash_loop_window = 30s;

// The wire.
inline constexpr std::size_t line_max = 16u << 20;  // bytes of one message, newline excluded
inline constexpr int json_depth_max = 512;
// Bytes for a slow reader, before events are dropped.
inline constexpr std::size_t outbox_events_max = 1u << 20;
// Bytes for a slow reader, before no more is read from it.
inline constexpr std::size_t outbox_replies_max = 32u << 20;
// In flight of one connection, before no more is read from it.
inline constexpr std::size_t session_requests_max = 1024;
// From here on all requests are read before replies are sent.
inline constexpr std::size_t clients_in_turn = 8;
inline constexpr int turns_in_row = 16;   // of one client, before others have theirs
inline constexpr int skipped_polls = 64;  // turns that do not poll for more, after a poll that found nothing
inline constexpr std::size_t path_in_sockaddr_max = 107;  // sun_path less its NUL
inline constexpr int listen_backlog = 4096;               // capped by net.core.somaxconn
// Out of descriptors: accepts again after this at the latest.
inline constexpr milliseconds accept_pause = 1s;

// Workers.
inline constexpr milliseconds call_timeout = 30s;       // [worker.*] call_timeout's default
inline constexpr milliseconds call_grace = 250ms;       // for the error of a call whose --timeout is over
inline constexpr milliseconds call_limit = 10min;       // [worker.*] call_limit's default
inline constexpr milliseconds hang_up_again = 250ms;    // to a shell that is to end and has not
inline constexpr milliseconds stop_timeout = 5s;        // stop.timeout's default
inline constexpr milliseconds reap_timeout = 2s;        // from SIGKILL to the exit
inline constexpr milliseconds kill_timeout = 5s;        // likewise, of a process that sleeps in the kernel
inline constexpr milliseconds exit_look_again = 250ms;  // at what is no child of the daemon, without pidfds
inline constexpr milliseconds memory_look = 10s;        // between two looks at memory_max, without a cgroup
inline constexpr milliseconds exec_window = 100ms;      // how long a process may be in execve(2)
inline constexpr std::size_t worker_input_max = 32u << 20;  // bytes for a worker that reads slowly
inline constexpr milliseconds handshake_timeout = 60s;      // from the start of the worker
inline constexpr milliseconds connect_timeout = 20s;        // [worker.*] connect.timeout's default
// A message that lacks so many of the bytes that its header has announced may be complete.
inline constexpr std::size_t overcount_max = 64;
inline constexpr milliseconds optional_answer = 10s;   // to a request of an editor that a server may ignore
inline constexpr milliseconds mcp_probe_timeout = 3s;  // no answer to the first message: try `initialize`
// A program that speaks lines reads its first request at the latest when it has rested, or computed, for so
// long. One that was seen to read is waited for as long as a call may take.
inline constexpr milliseconds lines_first_rest = 1s;
inline constexpr milliseconds lines_first_work = 15s;
inline constexpr milliseconds lines_look_max = 20ms;  // between two looks at whether it reads
inline constexpr milliseconds prompt_pause = 50ms;    // silence after an unfinished line that ends an answer
inline constexpr milliseconds lines_nothing_max = 250ms;  // between two looks at whether nothing will come
inline constexpr milliseconds dap_initialized = 3s;  // from the answer to a launch to the event `initialized`
inline constexpr milliseconds dap_farewell = 2s;     // from the event `exited` to `terminated`
inline constexpr std::size_t ring_events_max = 1024;  // events of a worker that are kept
inline constexpr std::size_t ring_bytes_max = 1u << 20;
inline constexpr std::size_t ring_names_max = 64;  // names of lost events with a count of their own
inline constexpr std::size_t gathered_events_max = 8u << 20;  // of one call, as JSON
// Bytes for a client that reads its events slowly.
inline constexpr std::size_t streamed_backlog_max = 1u << 20;
inline constexpr std::size_t progress_max = 64;        // tasks in progress that a server reports at once
inline constexpr std::size_t folders_in_a_turn = 50;   // scanned in one turn of the loop
inline constexpr std::size_t lsp_files_max = 100'000;  // of a project, watched for changes
// Watched for that; a user often has 65,536 watches in all.
inline constexpr std::size_t lsp_folders_max = 30'000;
// Open at one server; above it the least recently used is closed.
inline constexpr std::size_t lsp_documents_max = 64;
inline constexpr std::size_t lsp_document_max = 8u << 20;  // a larger file is not opened at a server
// How long a language server may work on a document, and how long it may rest, before it has nothing to say
// about it.
inline constexpr milliseconds lsp_first_word =
    5s;  // a call about something else waits so long while it works
inline constexpr milliseconds lsp_next_word =
    20s;                                          // and so long between the diagnostics of many changed files
inline constexpr milliseconds lsp_rest = 300ms;   // it rests: such a call goes on
inline constexpr milliseconds lsp_silence = 1s;   // it rests: it publishes no diagnostics of the document
inline constexpr milliseconds lsp_quiet = 150ms;  // it rests after diagnostics that name their version
inline constexpr milliseconds lsp_quiet_plain = 400ms;  // and after those that do not
inline constexpr milliseconds lsp_quiet_first =
    800ms;  // and after an empty list that is the first of the document
inline constexpr milliseconds lsp_quiet_max = 3s;     // for a server that was seen to correct itself late
inline constexpr milliseconds lsp_busy_max = 10s;     // from the diagnostics to its rest
inline constexpr milliseconds work_look = 40ms;       // between two looks at what processes do
inline constexpr milliseconds work_list = 500ms;      // between two looks at which processes there are
inline constexpr std::size_t stderr_tail_lines = 10;  // quoted in the failure when a worker dies
inline constexpr std::size_t stderr_tail_bytes = 8u << 10;
inline constexpr std::size_t log_line_max = 64u << 10;    // a longer line is logged in pieces
inline constexpr milliseconds log_partial_pause = 100ms;  // silence after which a partial line is written

// Editors that share a worker.
// In flight of one editor, before no more is read from it.
inline constexpr std::size_t attached_requests_max = 256;
// Bytes for a slow worker, before no more is read from the editor.
inline constexpr std::size_t attached_input_max = 4u << 20;
// Bytes for an editor that does not read, before it is disconnected.
inline constexpr std::size_t attached_backlog_max = 48u << 20;
inline constexpr std::size_t attached_piece = 1u << 20;  // bytes sent to an editor at once
// Bytes of the documents that an editor has open.
inline constexpr std::size_t attached_text_max = 256u << 20;
inline constexpr milliseconds attached_turn = 5ms;  // for the messages of one editor in a turn of the loop
inline constexpr std::size_t lsp_changes_at_once = 64;  // of a document, before another turn may be due
inline constexpr milliseconds attached_look = 2s;  // between checks of the files, while it sends requests

// Services.
inline constexpr milliseconds ready_delay = 100ms;  // without `ready`, from the start to being ready
inline constexpr int crash_loop_restarts = 5;  // restarts in a row from which on a service counts as failing
inline constexpr milliseconds probe_pause_min = 5ms;    // between two attempts of a readiness probe,
inline constexpr milliseconds probe_pause_max = 250ms;  // doubling up to this
inline constexpr milliseconds probe_timeout = 5s;       // one attempt to connect
// A container is killed 10 s after its TERM.
inline constexpr milliseconds container_shutdown = 8s;
inline constexpr milliseconds last_output_timeout = 1s;  // of a daemon in the foreground, to write the rest
inline constexpr milliseconds on_failure_timeout = 60s;  // the on_failure command
inline constexpr std::size_t notify_message_max = 4096;  // bytes of one sd_notify message

// Services with a terminal or an open standard input, and the clients attached to them.
// Bytes of the last output that are kept. A client that reads slowly loses what is older.
inline constexpr std::size_t terminal_recent_max = 256u << 10;
inline constexpr std::size_t terminal_screen_max = 16u << 10;   // of those, shown to a client that attaches
inline constexpr std::size_t terminal_backlog_max = 64u << 10;  // bytes for a client, before it gets no more
inline constexpr std::size_t terminal_input_max = 64u << 10;    // bytes that the program has not read yet
inline constexpr std::size_t terminal_line_max = 64u << 10;     // a longer line is passed on in pieces
inline constexpr milliseconds terminal_redraw_pause = 100ms;    // between two sizes that make it draw anew
inline constexpr milliseconds attach_silence = 300ms;  // after the end of the client's input: then it leaves
inline constexpr milliseconds attach_linger = 3s;      // likewise, when the output does not pause

inline constexpr unsigned unit_umask = 022;

// Tasks.
inline constexpr milliseconds client_return = 10s;  // of a run's client, after the death of a daemon
// Bytes for a client that reads slowly, before the run waits.
inline constexpr std::size_t run_output_queued_max = 1u << 20;
inline constexpr std::size_t run_tokens_max = 64;  // of runs that clients may ask for again
inline constexpr std::size_t run_queue_max = 100;  // runs of one task that wait for their turn
// Bytes of the list of changed files in the environment.
inline constexpr std::size_t changed_paths_max = 64u << 10;
inline constexpr milliseconds watch_look_again = 2s;  // polling interval without inotify
inline constexpr int watch_loop_runs = 10;  // so many in a row that a run caused itself: the task is held
inline constexpr milliseconds watch_loop_window = 2s;  // from the start of a run to its change
inline constexpr int command_runs_kept = 200;          // of commands that are no tasks

inline constexpr milliseconds slot_grace = 10s;  // a run that is later than this was missed, and catches up

// The environment of a unit, as far as the kernel takes it.
inline constexpr std::size_t variable_max = 128u << 10;  // bytes of one value
inline constexpr std::size_t environment_max = 6u << 20;
inline constexpr std::size_t expansion_depth_max = 100;  // of variables that refer to others

// Regular expressions and the patterns of others.
inline constexpr std::size_t regex_memory_max = 1u << 20;  // of one, compiled, and of its searches
inline constexpr int regex_program_max = 2000;             // instructions that RE2 makes of one
inline constexpr std::size_t regex_length_max = 4u << 10;  // bytes of one, as written
inline constexpr std::size_t regex_line_max = 4u << 10;    // bytes of a line of output that are searched
// Of checking the arguments of a call by a tool's schema: steps, and bytes of either.
inline constexpr long schema_steps_max = 50'000;
inline constexpr std::size_t schema_size_max = 256u << 10;
inline constexpr std::size_t schema_value_max = 1u << 20;
inline constexpr std::size_t path_pattern_max = 4u << 10;  // bytes of a pattern of paths
inline constexpr std::size_t path_alternatives_max = 256;  // patterns that the braces of one stand for

// The database. It is read and written between two events of the loop, so waits for locks of others are
// short.
inline constexpr milliseconds store_open_timeout = 1s;
inline constexpr milliseconds store_busy_timeout = 250ms;
inline constexpr std::size_t store_log_reserve = 256u << 10;      // for the write-ahead log, on any disk
inline constexpr std::size_t store_database_reserve = 64u << 10;  // for the growth of the database
inline constexpr int store_log_frames = 1000;  // in the log, before they are moved into the database

// `import` asks python3 whether it has an adapter.
inline constexpr milliseconds import_probe_timeout = 5s;

// Files that are read into memory: the last start failure, `root`, the configuration.
inline constexpr std::size_t holder_size_max = 8u
                                               << 10;  // of the file that says who holds the state directory
inline constexpr std::size_t small_file_max = 64u << 10;
inline constexpr std::size_t config_file_max = 4u << 20;
inline constexpr milliseconds env_file_read = 1s;  // on another file system, which may not answer
inline constexpr std::chrono::milliseconds config_save_timeout = 1s;  // an empty file counts as being saved
inline constexpr std::chrono::milliseconds config_save_poll = 20ms;

inline constexpr milliseconds port_lock_wait(250);  // for another daemon that chooses ports
inline constexpr milliseconds port_lock_pause(1);   // between two attempts

}  // namespace hob::limits
