// What a worker writes: messages go to the calls, clients and sessions that they belong to, the rest to its
// log.

#include <utility>

#include "unit/worker/worker_process.hpp"
#include "util/json/json_writer.hpp"
#include "util/log/log.hpp"

namespace hob::unit {

using util::field;
using util::level;
using util::log;

void worker::on_printed(worker_process& process, const char* stream, std::string_view bytes) {
    log_.write(stream, bytes);
    if (!process.address_watch || !process.address_watch->feed(stream, bytes)) return;
    process.address = process.address_watch->captured();
    process.address_known.set();
}

void worker::on_output(worker_process& process, std::string_view bytes) {
    if (process.protocol.record->one_at_a_time) {
        process.protocol.session->on_output(process, bytes);
        return;
    }
    process.protocol.framing->feed(bytes);
    while (const auto next = process.protocol.framing->next()) {
        if (next->oversized) {
            on_oversized(process, *next);
        } else {
            on_frame(process, next->line);
        }
    }
    if (const auto early = process.protocol.framing->early()) on_frame(process, early->line);
}

void worker::on_oversized(worker_process& process, const ipc::frame& message) {
    const worker_message read = process.protocol.codec->decode_oversized(message.line, message.tail);
    const bool is_answer = read.type == worker_message::kind::error;
    const bool answered = is_answer && process.calls->on_answer(read);
    if (read.type == worker_message::kind::noise) process.calls->on_unattributed(read);
    if (read.type == worker_message::kind::request) process.refuse(read, "the request is longer than 16 MiB");
    log(level::warning, "unit", "a message of a worker's is longer than 16 MiB and was skipped",
        {field("unit", spec_->name), field("method", read.method), field("answered", answered)});
}

void worker::on_frame(worker_process& process, std::string_view text) {
    for (const std::string_view message : process.protocol.codec->messages(text))
        on_message(process, message);
}

void worker::on_message(worker_process& process, std::string_view text) {
    worker_message message = process.protocol.codec->decode(text);
    switch (message.type) {
        case worker_message::kind::result:
        case worker_message::kind::error:
            if (!process.calls->on_answer(message)) on_unexpected_answer(process, message);
            break;
        case worker_message::kind::notification:
            on_notification(process, std::move(message));
            break;
        case worker_message::kind::request:
            on_server_request(process, message);
            break;
        case worker_message::kind::noise:
            on_noise(process, message, text);
            break;
    }
}

void worker::on_unexpected_answer(worker_process& process, const worker_message& answer) {
    ++process.unexpected_answers;
    log(level::info, "unit", "an answer that nobody waits for was dropped",
        {field("unit", spec_->name), field("id", answer.id_raw.substr(0, 64)),
         field("count", process.unexpected_answers)});
}

void worker::on_noise(worker_process& process, const worker_message& message, std::string_view text) {
    if (++process.noise_lines == 1) {
        log(level::warning, "unit", "a worker writes to its output what is no message; see its log",
            {field("unit", spec_->name), field("reason", message.text)});
    }
    log_.write("stdout", std::string(text) + "\n");
    if (text.starts_with('{')) process.calls->on_unreadable(message.text);
}

void worker::on_notification(worker_process& process, worker_message notification) {
    const std::uint64_t owner =
        process.protocol.session->on_notification(process, notification.method, notification.payload);
    for (auto* each : process.attachments)
        each->on_notification(notification.method, notification.payload, owner);
    if (context_->options.publish) {
        util::json_object params;
        params.add("unit", spec_->name).add("method", notification.method);
        if (!notification.payload.empty()) params.add("params", util::raw_json{notification.payload});
        context_->options.publish("worker.notification", std::move(params).text());
    }
    events_.push(std::move(notification.method), std::move(notification.payload), owner);
    if (const auto over = process.protocol.session->end_of_events(process)) events_.fail_armed(*over);
}

// `answers` in hob.toml comes first, then a client that shares the process, then the session.
void worker::on_server_request(worker_process& process, const worker_message& request) {
    for (const auto& [method, result] : worker_spec_of(process.spec()).answers) {
        if (method == request.method) {
            process.reply(request, result);
            return;
        }
    }
    auto* client = best_attachment(process, request);
    if (client && client->forward(request)) return;
    if (!process.protocol.session->on_server_request(process, request)) process.refuse(request, {});
}

}  // namespace hob::unit
