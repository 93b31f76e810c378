// What a daemon says to its clients, and what it lets them begin.
#include "error.hpp"
#include "ipc/draining.hpp"
#include "ipc/hello.hpp"
#include "lifecycle/daemon_resources.hpp"
#include "unit/registry/registry.hpp"
#include "unit/store/store.hpp"
#include "util/clock.hpp"
#include "util/json_text.hpp"
#include "version.hpp"

namespace hob::lifecycle {

bool daemon::may_begin(std::string_view method) const {
    // What is about a run in flight is part of letting it finish.
    return !draining_ || method.starts_with("hob.") || method.starts_with("run.");
}

void daemon::add_method(std::string name, std::string (*now)(daemon&, ipc::session&, const ipc::request&)) {
    methods_.push_back(name);
    auto handler = [this, now](ipc::session& from, const ipc::request& asked) {
        if (!may_begin(asked.method)) throw ipc::draining_refusal();
        return now(*this, from, asked);
    };
    dispatcher_.add(std::move(name), ipc::dispatcher::immediate(std::move(handler)));
}

void daemon::add_method(std::string name,
                        boost::asio::awaitable<std::string> (*later)(daemon&, std::shared_ptr<ipc::session>,
                                                                     ipc::request),
                        bool consents) {
    methods_.push_back(name);
    auto handler = [this, later, consents](std::shared_ptr<ipc::session> from, ipc::request asked) {
        if (!may_begin(asked.method)) throw ipc::draining_refusal();
        if (consents) consent();
        return later(*this, std::move(from), std::move(asked));
    };
    dispatcher_.add(std::move(name), ipc::dispatcher::suspended(std::move(handler)));
}

// Whoever starts, calls or runs a unit of this configuration has consented to what it starts by itself.
void daemon::consent() {
    if (consented_) return;
    consented_ = true;
    store_->set_consented();
    registry_->begin();
}

std::string daemon::hello_line() const {
    ipc::hello greeting;
    greeting.protocol = protocol_version;
    greeting.version = version_text;
    greeting.pid = pid_;
    greeting.instance = options_.where.key;
    greeting.root = options_.where.root;
    greeting.draining = draining_;
    return ipc::hello_line(greeting, methods_);
}

void daemon::publish(std::string_view event, std::string_view members_raw) {
    if (!server_ || !server_->anyone_subscribed()) return;
    std::string params = R"({"ts":)" + util::json_quote(util::rfc3339(std::chrono::system_clock::now()));
    params += R"(,"event":)" + util::json_quote(event);
    if (members_raw.size() > 2)
        params.append(",").append(members_raw.substr(1));
    else
        params += "}";
    server_->publish("hob.event", params);
}

}  // namespace hob::lifecycle
