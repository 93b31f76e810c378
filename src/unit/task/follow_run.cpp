// A client that comes back to a run in progress: it gets the output that it does not have yet, first from the
// log, and then as it comes.
#include <algorithm>
#include <string>
#include <utility>

#include "error.hpp"
#include "unit/task/active_run.hpp"
#include "unit/task/run_output.hpp"

namespace hob::unit {

namespace asio = boost::asio;

// All output, as it comes.
void active_run::pass_on(std::string_view stream, std::string_view bytes) {
    const auto which = output_stream_named(stream);
    if (!which) return;
    const std::uint64_t begin = read_[*which];
    read_[*which] += bytes.size();
    if (!parameters_.listener || catches_up_) return;
    std::uint64_t& sent = sent_[*which];
    if (read_[*which] <= sent) return;
    if (sent > begin) bytes.remove_prefix(static_cast<std::size_t>(sent - begin));
    sent = read_[*which];
    parameters_.listener->output(record_.id, stream, bytes);
}

// What a daemon before this one has read is in the log.
void active_run::find_read() {
    knows_read_ = true;
    read_ = logged_size(log_.path(), record_);
    for (std::size_t which = 0; which < read_.size(); ++which)
        read_[which] += log_.unfinished(output_streams_of_run[which], record_.id).size();
}

run_offsets active_run::logged_bytes() const {
    run_offsets logged = read_;
    for (std::size_t which = 0; which < logged.size(); ++which)
        logged[which] -= std::min<std::uint64_t>(
            logged[which], log_.unfinished(output_streams_of_run[which], record_.id).size());
    return logged;
}

asio::awaitable<void> active_run::follow(run_listener listener, run_offsets from) {
    const auto self = shared_from_this();
    client_is_back_ = true;
    co_await begun();
    if (parameters_.listener)
        throw failure(error_kind::unit_failed, cannot("follow run", std::to_string(record_.id)),
                      "another client follows it", "hob logs -f shows its output");
    if (!knows_read_) find_read();
    parameters_.listener = std::move(listener);
    catches_up_ = true;
    parameters_.listener->started(record_.id);
    // While this sends, the run goes on, and its log grows.
    for (bool behind = true; behind && parameters_.listener;) {
        const run_offsets logged = logged_bytes();
        const logged_output found = read_run_output(log_.path(), record_.id, from, logged);
        for (std::size_t which = 0; which < from.size(); ++which) {
            if (found.missing[which] > 0)
                parameters_.listener->skipped(record_.id, output_streams_of_run[which], found.missing[which]);
            from[which] = std::max(from[which], logged[which]);
        }
        for (const auto& piece : found.pieces) {
            if (!parameters_.listener) co_return;
            parameters_.listener->output(record_.id, output_streams_of_run[piece.stream], piece.bytes);
            co_await output_room();
        }
        behind = logged_bytes() != logged;
    }
    if (!parameters_.listener) co_return;
    sent_ = from;
    send_unfinished();
    catches_up_ = false;
}

// The lines that have not ended, and so have no record.
void active_run::send_unfinished() {
    const run_offsets logged = logged_bytes();
    for (std::size_t which = 0; which < read_.size(); ++which) {
        if (read_[which] <= sent_[which]) continue;
        const std::string_view name = output_streams_of_run[which];
        std::string bytes(log_.unfinished(name, record_.id));
        bytes.erase(0, static_cast<std::size_t>(sent_[which] - std::min(sent_[which], logged[which])));
        parameters_.listener->output(record_.id, name, bytes);
        sent_[which] = read_[which];
    }
}

}  // namespace hob::unit
