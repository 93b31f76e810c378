// What a daemon sends to its clients, and the methods that it answers.
#include "error.hpp"
#include "identity.hpp"
#include "ipc/draining.hpp"
#include "ipc/hello.hpp"
#include "lifecycle/daemon_resources.hpp"
#include "util/clock.hpp"
#include "util/json/json_writer.hpp"
#include "version.hpp"

namespace hob::lifecycle {

void daemon::add_method(std::string name, ipc::dispatcher::immediate handler, bool while_draining) {
    methods_.push_back(name);
    if (!while_draining) {
        handler = [this, handler = std::move(handler)](ipc::session& from, const ipc::request& request) {
            if (draining()) throw ipc::draining_refusal();
            return handler(from, request);
        };
    }
    dispatcher_.add(std::move(name), std::move(handler));
}

void daemon::add_method(std::string name, ipc::dispatcher::suspended handler, bool while_draining) {
    methods_.push_back(name);
    if (!while_draining) {
        handler = [this, handler = std::move(handler)](std::shared_ptr<ipc::session> from,
                                                       ipc::request request) {
            if (draining()) throw ipc::draining_refusal();
            return handler(std::move(from), std::move(request));
        };
    }
    dispatcher_.add(std::move(name), std::move(handler));
}

std::string daemon::hello_line() const {
    ipc::hello greeting;
    greeting.protocol = protocol_version;
    greeting.version = version_text;
    greeting.pid = pid_;
    greeting.instance = options_.where.key;
    greeting.root = options_.where.root;
    greeting.draining = draining();
    if (const auto state = application_->config_state_at_a_glance(); state != config_state::current)
        greeting.config_state = name_of(state);
    return ipc::hello_line(greeting, methods_);
}

void daemon::publish(std::string_view event, std::string_view members_raw) {
    if (!server_ || !server_->has_subscriber()) return;
    util::json_object params;
    params.add("ts", util::rfc3339(std::chrono::system_clock::now()))
        .add("event", event)
        .add_members(util::raw_json{members_raw});
    server_->publish(this_program.methods.event, std::move(params).text());
}

}  // namespace hob::lifecycle
